"""A bad link: python3 link.py SEED, with root's rights, in a network namespace of its own (network.sh sees to that).

A TUN device that gives back what is sent through it, late, out of order, twice or never. The addresses of each packet
change places (which leaves its checksums right), so who connects from NEAR to FAR reaches what listens on NEAR, and the
kernel's TCP has both ends of the connection: it is the kernel that repeats, orders and drops, over a real network.

Commands are lines of its input, and when that ends the link goes with it:
    link LOSS TWICE DELAY JITTER    of 1,000,000 packets, how many; microseconds. A packet's delay is between DELAY and
                                    DELAY + JITTER, for each anew, so that packets overtake each other
    down PORT, up PORT              no packet of that client's connection comes through; all do again
    off, on                         the device itself
    figures                         answered with counts, by name
"""
import fcntl
import heapq
import os
import random
import select
import struct
import subprocess
import sys
import time

NEAR, FAR = "10.99.0.1", "10.99.0.2"
TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 0x1, 0x1000
TCP, RST = 6, 0x04

dice = random.Random(int(sys.argv[1]))
figures = dict.fromkeys("packets lost twice overtaken withheld resets resets_lost".split(), 0)
loss = twice = delay = jitter = 0
poll = select.poll()
down = set()
on_the_way = []  # a heap: when it is due, its number, its flow, the packet
newest = {}  # of a flow, the highest number that has come out


def ip(command):
    subprocess.run(["ip", *command.split()], check=True)


def switch_on():
    ip("link set link0 up")
    # Real networks have round trips of this order. The kernel's least time-out is 200 ms, and tests would wait for it.
    ip("route replace 10.99.0.0/30 dev link0 src 10.99.0.1 rto_min 20ms")


def take(packet, now):
    """What is sent: decides what becomes of it."""
    if packet[0] >> 4 != 4 or packet[9] != TCP:
        return
    header = (packet[0] & 15) * 4
    ports = struct.unpack_from("!HH", packet, header)
    reset = packet[header + 13] & RST != 0
    figures["packets"] += 1
    figures["resets"] += reset
    if ports[0] in down or ports[1] in down:
        figures["withheld"] += 1
        return
    if dice.randrange(1_000_000) < loss:
        figures["lost"] += 1
        figures["resets_lost"] += reset
        return
    copies = 1
    if dice.randrange(1_000_000) < twice:
        figures["twice"] += 1
        copies = 2
    mirrored = packet[:12] + packet[16:20] + packet[12:16] + packet[20:]
    for _ in range(copies):
        late = (delay + dice.random() * jitter) / 1e6
        heapq.heappush(on_the_way, (now + late, figures["packets"], ports, mirrored))


def give(device, now):
    """What is due comes out."""
    while on_the_way and on_the_way[0][0] <= now:
        _, number, flow, packet = heapq.heappop(on_the_way)
        figures["overtaken"] += number < newest.get(flow, 0)
        newest[flow] = max(number, newest.get(flow, 0))
        try:
            os.write(device, packet)
        except OSError:  # it is off
            figures["lost"] += 1


def obey(device, command):
    global loss, twice, delay, jitter
    match command.split():
        case ["link", *numbers]:
            loss, twice, delay, jitter = map(int, numbers)
        case ["down", port]:
            down.add(int(port))
        case ["up", port]:
            down.discard(int(port))
        case ["off"]:
            ip("link set link0 down")
            poll.unregister(device)
        case ["on"]:
            switch_on()
            poll.register(device, select.POLLIN)
        case ["figures"]:
            print(" ".join(f"{name}={count}" for name, count in figures.items()), flush=True)


def main():
    device = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(device, TUNSETIFF, struct.pack("16sH22x", b"link0", IFF_TUN | IFF_NO_PI))
    ip(f"addr add {NEAR}/30 dev link0")
    ip("link set link0 mtu 1500 txqueuelen 10000")
    ip("link set lo up")
    switch_on()
    print("ready", flush=True)
    commands = b""
    poll.register(device, select.POLLIN)
    poll.register(0, select.POLLIN)
    while True:
        wait = max(0.0, on_the_way[0][0] - time.monotonic()) * 1000 if on_the_way else None
        for descriptor, _ in poll.poll(wait):
            if descriptor == 0:
                some = os.read(0, 65536)
                if not some:
                    return
                *lines, commands = (commands + some).split(b"\n")
                for line in lines:
                    obey(device, line.decode())
            else:
                try:
                    for _ in range(64):
                        take(os.read(device, 65536), time.monotonic())
                except OSError:  # nothing more, for now
                    pass
        give(device, time.monotonic())


main()
