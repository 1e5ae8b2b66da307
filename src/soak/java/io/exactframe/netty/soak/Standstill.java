package io.exactframe.netty.soak;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;

/**
 * Tells of readers that do not move, long before a frame's deadline ends them: a peer's end that was not told holds its
 * memory, and those that wait for memory keep their places, until no connection moves any more.
 */
final class Standstill {
    private static final int ROUND_SECONDS = 5;
    private static final int ROUNDS = 12; // not time: a process that was held up has not missed them

    private final Map<Object, AtomicInteger> rounds = new ConcurrentHashMap<>(); // since the reader has moved

    void begins(Object reader) {
        rounds.put(reader, new AtomicInteger());
    }

    void moved(Object reader) {
        AtomicInteger since = rounds.get(reader);
        if (since != null) {
            since.set(0);
        }
    }

    void ends(Object reader) {
        rounds.remove(reader);
    }

    /** Sleeps up to this moment of System.nanoTime(), or less: false, if there is a standstill, which is wrong. */
    boolean sleepUntil(long moment, int port, Object budget) throws InterruptedException {
        for (long left; (left = moment - System.nanoTime()) > 0; ) {
            TimeUnit.NANOSECONDS.sleep(Math.min(left, TimeUnit.SECONDS.toNanos(ROUND_SECONDS)));
            long still = rounds.values().stream().filter(since -> since.incrementAndGet() > ROUNDS).count();
            if (still > 0) {
                Verdict.wrong(still + " connections do not move for " + ROUND_SECONDS * ROUNDS + " s; at this port "
                        + unread(port) + " have unread bytes; " + budget);
                return false;
            }
        }
        return true;
    }

    private static String unread(int port) {
        String local = String.format(":%04X", port); // as the kernel writes it
        try (Stream<String> four = Files.lines(Path.of("/proc/self/net/tcp"));
                Stream<String> six = Files.lines(Path.of("/proc/self/net/tcp6"))) {
            return Long.toString(Stream.concat(four, six)
                    .map(line -> line.trim().split(" +"))
                    .filter(socket -> socket[1].endsWith(local) && !socket[3].equals("0A")) // who listens has none
                    .filter(socket -> !socket[4].endsWith(":00000000"))
                    .count());
        } catch (IOException e) {
            return "nobody knows how many"; // not Linux
        }
    }
}
