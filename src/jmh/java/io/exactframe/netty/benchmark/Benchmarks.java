package io.exactframe.netty.benchmark;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The whole suite, or parts of it: prints tables, and writes {@link Results}.
 *
 * <pre>
 *   quick                                  a sample of everything, less than 3 minutes
 *   full                                   everything
 *   full cpu Packed -p allocator=pooled    of the part cpu the workloads that have "Packed" in their name
 *   quick cpu Packed -p sink=ints -p decoder=exactFixed,nettyFixed,none -wi 8 -i 20
 *   full cpu -jvmArgsPrepend --sun-misc-unsafe-memory-access=allow
 * </pre>
 *
 * After the first word: parts, patterns of workloads, and JMH's options -p, -wi, -w, -i, -r, -jvmArgsPrepend; -f is the
 * number of rounds. What runs Maven is the JDK that is measured. On JDK 24 and later Netty has no Unsafe unless it is
 * allowed, as in the last line.
 */
public final class Benchmarks {
    interface Part {
        void run(Settings settings, Results results) throws Exception;
    }

    private static final Map<String, Part> PARTS = new LinkedHashMap<>();

    static {
        PARTS.put("cpu", Ratios::run);
        PARTS.put("limits", LimitRatios::run);
        PARTS.put("memory", PeakMemory::run);
        PARTS.put("idle", IdleMemory::run);
        PARTS.put("growth", Growth::run);
        PARTS.put("sockets", SocketRatios::run);
    }

    private Benchmarks() {}

    public static void main(String[] args) throws Exception {
        Settings settings = Settings.of(List.of(args), PARTS.keySet());
        if (settings == null) {
            System.err.println("arguments: quick|full [part ...] [pattern ...] [JMH options]; parts: "
                    + PARTS.keySet());
            System.exit(2);
        }
        Results results = Results.begin(settings.arguments, settings.jvmArguments());
        for (Map.Entry<String, Part> part : PARTS.entrySet()) {
            if (settings.parts.isEmpty() || settings.parts.contains(part.getKey())) {
                long begin = System.nanoTime();
                part.getValue().run(settings, results);
                System.out.printf("(%d s)%n%n", (System.nanoTime() - begin) / 1_000_000_000);
            }
        }
        System.out.println("written to " + Results.FILE);
    }
}
