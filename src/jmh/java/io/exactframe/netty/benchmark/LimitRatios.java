package io.exactframe.netty.benchmark;

import static io.exactframe.netty.benchmark.Table.number;
import static io.exactframe.netty.benchmark.Table.ratio;

import io.exactframe.netty.benchmark.LimitsBenchmark.Limits;
import io.exactframe.netty.benchmark.Samples.Ratio;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
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
 * Part {@code limits}: {@link LimitsBenchmark}, with and without limits in turn, each in a JVM of its own, and how they
 * compare.
 *
 * <p>Columns: CPU time of the thread per frame; that divided by what it is without limits, with the range from quartile
 * to quartile; bytes allocated on the heap per frame.
 */
final class LimitRatios {
    private static final List<String> WORKLOADS =
            List.of("frames64BPackedIn64K", "frames64BOneARead", "frames4KInReadsOf1460");
    private static final List<String> LIMITS =
            Stream.of(Limits.values()).map(Limits::name).toList();

    private LimitRatios() {}

    static void run(Settings settings, Results results) throws RunnerException {
        if (settings.quick && settings.parts.isEmpty()) {
            return; // quick is to stay below three minutes
        }
        Table table = new Table(
                "Limits", "workload", -23, "decoder", -14, "limits", -9, "cpu ns", 12, "x none", 22, "heap B", 10);
        List<String> decoders = settings.parameter(
                "decoder", settings.quick ? List.of("exactPrefixed") : List.of("exactPrefixed", "exactFixed"));
        for (String workload : WORKLOADS) {
            for (String decoder : decoders) {
                if (settings.isWanted(workload)) {
                    Map<Limits, Samples> cpu = new EnumMap<>(Limits.class);
                    Map<Limits, Samples> heap = new EnumMap<>(Limits.class);
                    for (int round = settings.rounds(3, 5); round > 0; round--) {
                        for (RunResult run : new Runner(options(settings, workload, decoder)).run()) {
                            Limits limits = Limits.valueOf(run.getParams().getParam("limits"));
                            run.getBenchmarkResults()
                                    .forEach(fork -> add(
                                            fork,
                                            cpu.computeIfAbsent(limits, key -> new Samples()),
                                            heap.computeIfAbsent(limits, key -> new Samples())));
                        }
                    }
                    cpu.forEach((limits, own) -> print(
                            table, results, workload, decoder, limits, own, cpu.get(Limits.none), heap.get(limits)));
                }
            }
        }
    }

    private static void add(BenchmarkResult fork, Samples cpu, Samples heap) {
        for (IterationResult iteration : fork.getIterationResults()) {
            cpu.add(iteration.getSecondaryResults().get(ThreadCpuProfiler.CPU).getScore());
            heap.add(iteration.getSecondaryResults().get(ThreadCpuProfiler.HEAP).getScore());
        }
    }

    private static Options options(Settings settings, String workload, String decoder) {
        CommandLineOptions given = settings.jmh;
        boolean quick = settings.quick;
        return new OptionsBuilder()
                .parent(given)
                .include("^" + LimitsBenchmark.class.getName().replace(".", "\\.") + "\\." + workload + "$")
                .param("decoder", decoder)
                .param("limits", LIMITS.toArray(String[]::new))
                .forks(1)
                .warmupIterations(given.getWarmupIterations().orElse(quick ? 3 : 5))
                .warmupTime(given.getWarmupTime().orElse(TimeValue.milliseconds(quick ? 500 : 1000)))
                .measurementIterations(given.getMeasurementIterations().orElse(quick ? 5 : 8))
                .measurementTime(given.getMeasurementTime().orElse(TimeValue.milliseconds(quick ? 100 : 500)))
                .addProfiler(ThreadCpuProfiler.class)
                .shouldDoGC(false)
                .shouldFailOnError(true)
                .verbosity(given.verbosity().orElse(VerboseMode.SILENT))
                .build();
    }

    private static void print(
            Table table, Results results, String workload, String decoder, Limits limits, Samples cpu, Samples none,
            Samples heap) {
        Ratio toNone = cpu.over(none);
        table.row(
                workload, decoder, limits.name(), number("%,.1f", cpu.value()), ratio(toNone),
                number("%,.1f", heap.quantile(0.5)));
        Map<String, Object> row = results.row("limits");
        row.put("workload", workload);
        row.put("decoder", decoder);
        row.put("limits", limits.name());
        row.put("cpuNsPerFrame", cpu.value());
        row.put("heapBytesPerFrame", heap.quantile(0.5));
        toNone.putInto(row, "timesNone");
        results.put(row);
    }
}
