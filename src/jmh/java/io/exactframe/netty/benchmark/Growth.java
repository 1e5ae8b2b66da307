package io.exactframe.netty.benchmark;

import static io.exactframe.netty.benchmark.Table.number;
import static io.exactframe.netty.benchmark.Table.ratio;

import io.exactframe.netty.benchmark.Samples.Ratio;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Part {@code growth}: what a byte costs in larger and larger frames, received in reads of 64 KiB; each case in a JVM
 * of its own. Netty's MERGE copies all it has at every 4 MiB, which is why it stops early here. Netty's COMPOSITE copies
 * nothing: what it pays more in a large frame is the price of memory that is in no cache and was never touched. That
 * step lies between 4 and 64 MiB; beyond it a line should be flat.
 *
 * <p>Columns: CPU time of the thread for each KiB, and how many times as much that is as in a frame of 1 MiB.
 */
final class Growth {
    private record Entrant(DecoderKind decoder, boolean contiguous, int mostMebibytes) {}

    private static final List<Entrant> ENTRANTS = List.of(
            new Entrant(DecoderKind.exactPrefixed, false, 1024),
            new Entrant(DecoderKind.exactPrefixed, true, 1024),
            new Entrant(DecoderKind.nettyPrefixed, false, 64),
            new Entrant(DecoderKind.nettyPrefixedComposite, false, 1024));

    private Growth() {}

    static void run(Settings settings, Results results) throws Exception {
        Table table = new Table(
                "Growth", "frame", -12, "decoder", -26, "cpu ns/KiB", 10, "x 1 MiB", 22);
        int[] sizes = settings.quick ? new int[] {1, 64} : new int[] {1, 4, 16, 64, 256, 1024};
        for (Entrant entrant : ENTRANTS) {
            boolean leftOut = settings.quick && entrant.contiguous;
            if (leftOut || !settings.isWanted(entrant.decoder.name())) {
                continue;
            }
            Samples first = null;
            for (int mebibytes : sizes) {
                if (mebibytes <= entrant.mostMebibytes) {
                    Samples cpu = measure(settings, entrant, mebibytes);
                    first = first == null ? cpu : first;
                    print(table, results, entrant, mebibytes, cpu, cpu.over(first));
                }
            }
        }
    }

    private static Samples measure(Settings settings, Entrant entrant, int mebibytes) throws Exception {
        List<String> jvmArguments = new ArrayList<>(settings.jvmArguments());
        jvmArguments.addAll(List.of("-Xms1g", "-Xmx1g", "-XX:MaxDirectMemorySize=3g"));
        Samples cpu = new Samples();
        for (int round = 0; round < settings.rounds(1, 2); round++) {
            try (ForkedJvm receiver = new ForkedJvm(
                    GrowthReceiver.class, jvmArguments, entrant.decoder, mebibytes, entrant.contiguous,
                    settings.quick ? 500 : 3000, settings.quick ? 4 : 8)) {
                for (String line = receiver.line(); line != null; line = receiver.line()) {
                    if (line.startsWith("{")) {
                        cpu.add((Double) Json.parse(line).get("cpuNsPerByte"));
                    }
                }
                receiver.await();
            }
        }
        return cpu;
    }

    private static void print(
            Table table, Results results, Entrant entrant, int mebibytes, Samples cpu, Ratio toFirst) {
        String decoder = entrant.decoder + (entrant.contiguous ? " contiguous" : "");
        table.row(mebibytes + " MiB", decoder, number("%.1f", 1024 * cpu.value()), ratio(toFirst));

        Map<String, Object> row = results.row("growth");
        row.put("workload", "frame" + mebibytes + "MIn64K" + (entrant.contiguous ? "Contiguous" : ""));
        row.put("decoder", entrant.decoder.name());
        row.put("frameBytes", (long) mebibytes << 20);
        row.put("cpuNsPerByte", cpu.value());
        toFirst.putInto(row, "times1MiB");
        results.put(row);
    }
}
