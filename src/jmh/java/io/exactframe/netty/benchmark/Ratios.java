package io.exactframe.netty.benchmark;

import static io.exactframe.netty.benchmark.Table.number;
import static io.exactframe.netty.benchmark.Table.ratio;

import io.exactframe.netty.benchmark.Samples.Ratio;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.openjdk.jmh.results.BenchmarkResult;
import org.openjdk.jmh.results.IterationResult;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.CommandLineOptions;
import org.openjdk.jmh.runner.options.Options;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;
import org.openjdk.jmh.runner.options.VerboseMode;

/**
 * Part {@code cpu}: {@link DecoderBenchmark}, the decoders in turn, each in a JVM of its own, and how they compare.
 *
 * <p>Quick: prefixed frames up to 16 MiB, not those in 2 KiB, adaptive allocator, one round of short iterations; where a
 * read is a frame, a handler that does nothing, too. Full: everything, three rounds of five seconds of warm-up and four
 * that are measured: some hours.
 *
 * <p>Columns: CPU time of the thread per frame; Netty's MERGE divided by it, with the range from quartile to quartile;
 * the same with {@code none}, which all pay, subtracted from both; it divided by {@code none}; bytes allocated on the
 * heap per frame. Times are the lower quartile of all iterations.
 */
final class Ratios {
    private static final List<String> QUICK_DECODERS = List.of("exactPrefixed", "nettyPrefixed", "none");
    private static final List<String> QUICK_ONE_A_READ =
            List.of("exactPrefixed", "nettyPrefixed", "emptyHandler", "none");
    private static final List<String> DECODERS =
            Arrays.stream(DecoderKind.values()).map(DecoderKind::name).toList();

    private static final int MANY_READS = 8192;

    private final Settings settings;
    private final Results results;

    private Ratios(Settings settings, Results results) {
        this.settings = settings;
        this.results = results;
    }

    static void run(Settings settings, Results results) throws RunnerException {
        new Ratios(settings, results).run();
    }

    private void run() throws RunnerException {
        Table table = new Table(
                "CPU per frame",
                "workload", -23, "alloc", -8, "sink", -6, "decoder", -22, "cpu ns", 12, "x MERGE", 22, "net x", 7,
                "x none", 22, "heap B", 10);
        for (Workload workload : Workload.ALL) {
            List<Workload> together = together(workload);
            if (!together.isEmpty()) {
                for (String allocator : allocators()) {
                    for (String consumer : consumers(workload)) {
                        Map<Workload, Map<DecoderKind, Measured>> measured = measure(together, allocator, consumer);
                        measured.forEach((each, decoders) -> print(table, each, allocator, consumer, decoders));
                    }
                }
            }
        }
    }

    /** A workload and the one with the same frames in one piece, if wanted; empty for the latter, it came before. */
    private List<Workload> together(Workload workload) {
        return workload.contiguous()
                ? List.of()
                : Stream.of(workload, workload.inOnePiece())
                        .filter(each -> each != null && isWanted(each))
                        .toList();
    }

    private boolean isWanted(Workload workload) {
        return settings.isWanted(workload.name())
                && (!settings.quick || settings.hasPatterns() || !workload.isLong() && workload.reads() < MANY_READS);
    }

    private List<String> allocators() {
        return settings.parameter("allocator", settings.quick ? List.of("adaptive") : List.of("adaptive", "pooled"));
    }

    private List<String> consumers(Workload workload) {
        return settings.parameter(
                "sink", workload.consumers(settings.quick).stream().map(FrameConsumer::name).toList());
    }

    /** What Netty's decoders take is the same for frames in one piece: there it is measured once for both. */
    private Map<Workload, Map<DecoderKind, Measured>> measure(
            List<Workload> together, String allocator, String consumer) throws RunnerException {
        List<String> quick = together.get(0).isOneARead() ? QUICK_ONE_A_READ : QUICK_DECODERS;
        List<String> decoders = settings.parameter("decoder", settings.quick ? quick : DECODERS);
        List<String> exact = decoders.stream().filter(decoder -> DecoderKind.valueOf(decoder).isExact()).toList();
        Map<Workload, Map<DecoderKind, Measured>> measured = new LinkedHashMap<>();
        int rounds = settings.rounds(1, 3);
        for (int round = 0; round < rounds; round++) {
            Map<DecoderKind, Measured> first = null;
            for (Workload workload : together) {
                var own = measured.computeIfAbsent(workload, key -> new EnumMap<>(DecoderKind.class));
                Options options = options(workload, allocator, consumer, first == null ? decoders : exact);
                for (RunResult run : new Runner(options).run()) {
                    DecoderKind decoder = DecoderKind.valueOf(run.getParams().getParam("decoder"));
                    run.getBenchmarkResults()
                            .forEach(own.computeIfAbsent(decoder, kind -> new Measured())::add);
                }
                if (first == null) {
                    first = own;
                } else {
                    first.forEach(own::putIfAbsent);
                }
            }
        }
        return measured;
    }

    private Options options(Workload workload, String allocator, String consumer, List<String> decoders) {
        CommandLineOptions given = settings.jmh;
        boolean quick = settings.quick;
        return new OptionsBuilder()
                .parent(given)
                .include("^" + Pattern.quote(DecoderBenchmark.class.getName() + "." + workload.name()) + "$")
                .param("allocator", allocator)
                .param("sink", consumer)
                .param("decoder", decoders.toArray(String[]::new))
                .forks(1)
                .warmupIterations(given.getWarmupIterations().orElse(quick ? 3 : 5))
                .warmupTime(given.getWarmupTime().orElse(TimeValue.milliseconds(quick ? 300 : 1000)))
                .measurementIterations(given.getMeasurementIterations().orElse(quick ? 5 : 8))
                .measurementTime(given.getMeasurementTime().orElse(TimeValue.milliseconds(quick ? 100 : 500)))
                .addProfiler(ThreadCpuProfiler.class)
                .shouldDoGC(false)
                .shouldFailOnError(true)
                .verbosity(given.verbosity().orElse(VerboseMode.SILENT))
                .build();
    }

    /** One decoder's iterations. */
    private static final class Measured {
        private final Samples cpu = new Samples();
        private final Samples heap = new Samples();
        private final Samples elapsed = new Samples();

        void add(BenchmarkResult fork) {
            for (IterationResult iteration : fork.getIterationResults()) {
                elapsed.add(iteration.getPrimaryResult().getScore());
                cpu.add(iteration.getSecondaryResults().get(ThreadCpuProfiler.CPU).getScore());
                heap.add(iteration.getSecondaryResults().get(ThreadCpuProfiler.HEAP).getScore());
            }
        }
    }

    private void print(
            Table table, Workload workload, String allocator, String consumer, Map<DecoderKind, Measured> measured) {
        Samples none = measured.containsKey(DecoderKind.none) ? measured.get(DecoderKind.none).cpu : new Samples();
        measured.forEach((decoder, own) -> {
            double cpu = own.cpu.value();
            Measured baseline = decoder.decodes() ? measured.get(decoder.baseline()) : null;
            Samples merge = baseline == null ? new Samples() : baseline.cpu;
            Ratio toMerge = merge.over(own.cpu);
            Ratio toNone = own.cpu.over(none);
            double net = (merge.value() - none.value()) / (cpu - none.value());
            double heap = own.heap.quantile(0.5);
            table.row(
                    workload.name(), allocator, consumer, decoder, number("%,.1f", cpu), ratio(toMerge),
                    number("%.2f", net), ratio(toNone), number("%,.1f", heap));

            Map<String, Object> row = results.row("cpu");
            row.put("workload", workload.name());
            row.put("allocator", allocator);
            row.put("sink", consumer);
            row.put("decoder", decoder.name());
            row.put("frameBytes", workload.frameLength());
            row.put("readBytes", workload.readLength());
            row.put("cpuNsPerFrame", cpu);
            row.put("cpuNsPerFrameMedian", own.cpu.quantile(0.5));
            row.put("elapsedNsPerFrame", own.elapsed.value());
            toMerge.putInto(row, "timesMerge");
            toNone.putInto(row, "timesNone");
            row.put("netTimesMerge", net);
            row.put("heapBytesPerFrame", heap);
            results.put(row);
        });
    }
}
