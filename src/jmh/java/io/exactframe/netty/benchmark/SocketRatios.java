package io.exactframe.netty.benchmark;

import static io.exactframe.netty.benchmark.Table.number;
import static io.exactframe.netty.benchmark.Table.ratio;

import io.exactframe.netty.benchmark.Samples.Ratio;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Part {@code sockets}: real sockets over the loopback device. This JVM sends; each case is received in a JVM of its
 * own, the decoders in turn, on an event loop whose CPU time is measured.
 *
 * <p>A receiver that is faster than the sender waits, and is woken, more often: between fast ones compare CPU time, and
 * on two processors rather that of both threads.
 *
 * <p>Columns: frames a second and MB (a million bytes) a second; CPU time of the receiving event loop, the kernel's
 * work included, and of the sending thread per GB; the throughput divided by that of Netty's MERGE, and by that of no
 * decoder at all; the event loop's CPU time divided by that with MERGE, and that of both threads.
 */
final class SocketRatios {
    private static final List<String> DECODERS = List.of("exactPrefixed", "nettyPrefixed", "none");

    private final Settings settings;
    private final Results results;
    private final Table table = new Table(
            "Loopback sockets",
            "transport", -9, "workload", -19, "decoder", -22, "frames/s", 12, "MB/s", 6, "cpu ms/GB", 9, "sender", 6,
            "speed x MERGE", 18, "speed x none", 18, "cpu x MERGE", 18, "total", 5);

    private SocketRatios(Settings settings, Results results) {
        this.settings = settings;
        this.results = results;
    }

    static void run(Settings settings, Results results) throws Exception {
        new SocketRatios(settings, results).run();
    }

    private void run() throws Exception {
        List<String> transports = settings.parameter(
                "transport", settings.quick ? List.of("nio") : List.of("nio", "epoll", "io_uring"));
        for (String transport : transports) {
            for (SocketCase sent : SocketCase.ALL) {
                boolean leftOut = settings.quick && !settings.hasPatterns() && sent == SocketCase.FRAMES_4K;
                if (!leftOut && settings.isWanted(sent.name())) {
                    compare(SocketTransport.valueOf(transport), sent);
                }
            }
        }
    }

    /** What receives the same frames. */
    private record Entrant(DecoderKind decoder, boolean contiguous) {}

    private List<Entrant> entrants(SocketCase sent) {
        List<Entrant> entrants = new ArrayList<>();
        for (String name : settings.parameter("decoder", DECODERS)) {
            DecoderKind decoder = DecoderKind.valueOf(name);
            entrants.add(new Entrant(decoder, false));
            if (decoder.isExact() && sent.isLarge()) {
                entrants.add(new Entrant(decoder, true));
            }
        }
        return entrants;
    }

    private void compare(SocketTransport transport, SocketCase sent) throws Exception {
        Map<Entrant, Measured> measured = new LinkedHashMap<>();
        List<Entrant> entrants = entrants(sent);
        int rounds = settings.rounds(1, 3);
        for (int round = 0; round < rounds; round++) {
            for (Entrant entrant : entrants) {
                Measured own = measured.computeIfAbsent(entrant, key -> new Measured());
                if (!measure(transport, sent, entrant, own)) {
                    System.out.println(transport + " is not available");
                    return;
                }
            }
        }
        Measured merge = measured.getOrDefault(new Entrant(DecoderKind.nettyPrefixed, false), new Measured());
        Measured none = measured.getOrDefault(new Entrant(DecoderKind.none, false), new Measured());
        measured.forEach((entrant, own) -> print(transport, sent, entrant, own, merge, none));
    }

    /** One JVM's slices. */
    private static final class Measured {
        private final Samples elapsed = new Samples(); // all in nanoseconds per byte
        private final Samples cpu = new Samples();
        private final Samples senderCpu = new Samples();
    }

    /** False if there is no such transport here. */
    private boolean measure(SocketTransport transport, SocketCase sent, Entrant entrant, Measured measured)
            throws Exception {
        List<String> jvmArguments = new ArrayList<>(settings.jvmArguments());
        // With 512 MiB or less Netty's allocator would pool no buffer of more than 16 KiB: each read a new one, zeroed.
        jvmArguments.addAll(List.of("-Xms1g", "-Xmx1g", "-XX:MaxDirectMemorySize=1g"));
        SocketSender sender = new SocketSender(sent);
        try (ForkedJvm receiver = new ForkedJvm(
                SocketReceiver.class, jvmArguments, transport, sent.name(), entrant.decoder, entrant.contiguous,
                settings.quick ? 500 : 2000, settings.quick ? 100 : 400, settings.quick ? 6 : 8)) {
            for (String line = receiver.line(); line != null; line = receiver.line()) {
                if (line.equals("not available")) {
                    return false;
                }
                if (line.startsWith("port ")) {
                    sender.sendUntilClosed(Integer.parseInt(line.substring(5)));
                } else if (line.startsWith("{")) {
                    add(measured, Json.parse(line));
                }
            }
            receiver.await();
            measured.senderCpu.add(sender.cpuNanosPerByte());
            return true;
        } finally {
            sender.release();
        }
    }

    private static void add(Measured measured, Map<String, Object> line) throws IOException {
        measured.elapsed.add((Double) line.get("elapsedNsPerByte"));
        measured.cpu.add((Double) line.get("cpuNsPerByte"));
    }

    private void print(
            SocketTransport transport, SocketCase sent, Entrant entrant, Measured own, Measured merge, Measured none) {
        String workload = sent.name() + (entrant.contiguous ? "Contiguous" : "");
        double framesPerSecond = 1e9 / own.elapsed.value() / sent.frameLength();
        double megabytesPerSecond = 1e3 / own.elapsed.value();
        double cpu = 1e3 * own.cpu.value();
        double senderCpu = 1e3 * own.senderCpu.value();
        Ratio speed = merge.elapsed.over(own.elapsed);
        Ratio speedToNone = none.elapsed.over(own.elapsed);
        Ratio cpuToMerge = own.cpu.over(merge.cpu);
        double total = (cpu + senderCpu) / 1e3 / (merge.cpu.value() + merge.senderCpu.value());
        table.row(
                transport, workload, entrant.decoder, number("%,.0f", framesPerSecond),
                number("%,.0f", megabytesPerSecond), number("%,.0f", cpu), number("%,.0f", senderCpu), ratio(speed),
                ratio(speedToNone), ratio(cpuToMerge), number("%.2f", total));

        Map<String, Object> row = results.row("sockets");
        row.put("transport", transport.name());
        row.put("workload", workload);
        row.put("decoder", entrant.decoder.name());
        row.put("frameBytes", sent.frameLength());
        row.put("framesPerSecond", framesPerSecond);
        row.put("megabytesPerSecond", megabytesPerSecond);
        row.put("cpuMillisPerGB", cpu);
        row.put("senderCpuMillisPerGB", senderCpu);
        speed.putInto(row, "speedTimesMerge");
        speedToNone.putInto(row, "speedTimesNone");
        cpuToMerge.putInto(row, "cpuTimesMerge");
        row.put("totalCpuTimesMerge", total);
        results.put(row);
    }
}
