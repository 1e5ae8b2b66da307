package io.exactframe.netty.benchmark;

import io.netty.util.Version;
import java.util.ArrayList;
import java.util.Collection;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Pattern;
import org.openjdk.jmh.profile.GCProfiler;
import org.openjdk.jmh.results.BenchmarkResult;
import org.openjdk.jmh.results.IterationResult;
import org.openjdk.jmh.results.Result;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.ChainedOptionsBuilder;
import org.openjdk.jmh.runner.options.CommandLineOptionException;
import org.openjdk.jmh.runner.options.CommandLineOptions;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;
import org.openjdk.jmh.runner.options.VerboseMode;

/**
 * Runs {@link DecoderBenchmark}, the decoders in turn, each in a JVM of its own, and prints a table of ratios.
 *
 * <pre>
 *   quick                       prefixed frames up to 16 MiB, adaptive allocator, short iterations: 4 minutes
 *   full                        everything, three rounds: 2 hours
 *   quick Packed -p allocator=pooled                            the workloads that have "Packed" in their name
 *   full 16M -p decoder=exactPrefixed,nettyPrefixed,none -wi 8 -i 20
 * </pre>
 *
 * All after the first word is JMH's: patterns of workloads, -p, -wi, -w, -i, -r, -jvmArgsPrepend; -f is the number of
 * rounds. Three seconds of warm-up are needed: Netty's fixed-length decoder takes five times as long in the first two.
 *
 * <p>Buffers over 1 MiB are malloc's. Where it gives them back to the system at each release the next one is paid for
 * in page faults, and a decoder that reallocates pays most: the environment variables
 * MALLOC_MMAP_THRESHOLD_=2000000000 MALLOC_TRIM_THRESHOLD_=4000000000 keep glibc from that. The first line of the
 * output tells whether they were set.
 *
 * <p>Columns: CPU time of the thread per frame, lower quartile of all iterations, and how far the median lies above it;
 * elapsed time, lower quartile; Netty's MERGE divided by it; the same with {@code none}, which all pay, subtracted from
 * both; it divided by {@code none}; bytes allocated on the heap per frame.
 */
public final class Ratios {
    private static final String QUICK_DECODERS = "exactPrefixed,nettyPrefixed,none";
    private static final String DECODERS =
            "exactFixed,nettyFixed,exactPrefixed,nettyPrefixed,nettyPrefixedComposite,none";
    private static final String ROW = "%-24s | %-8s | %-22s | %12s | %6s | %12s | %7s | %7s | %6s | %10s%n";

    private final boolean quick;
    private final Collection<String> patterns;

    /** All but the patterns, which JMH would add to what a run includes. */
    private final CommandLineOptions given;

    private Ratios(boolean quick, List<String> arguments) throws CommandLineOptionException {
        this.quick = quick;
        patterns = new CommandLineOptions(arguments.toArray(String[]::new)).getIncludes();
        given = new CommandLineOptions(
                arguments.stream().filter(word -> !patterns.contains(word)).toArray(String[]::new));
    }

    public static void main(String[] args) throws CommandLineOptionException, RunnerException {
        if (args.length == 0 || !args[0].matches("quick|full")) {
            System.err.println("arguments: quick|full [pattern of workloads ...] [JMH options]");
            System.exit(2);
        }
        new Ratios(args[0].equals("quick"), List.of(args).subList(1, args.length)).run();
    }

    private void run() throws RunnerException {
        System.out.printf(
                "JDK %s, Netty %s, %d processors, MALLOC_TRIM_THRESHOLD_ %s%n%n",
                System.getProperty("java.vm.version"),
                Version.identify().get("netty-common").artifactVersion(),
                Runtime.getRuntime().availableProcessors(),
                System.getenv().getOrDefault("MALLOC_TRIM_THRESHOLD_", "not set"));
        System.out.printf(
                ROW, "workload", "alloc", "decoder", "cpu ns/frame", "spread", "time", "x MERGE", "net x", "x none",
                "heap B");
        for (Workload workload : Workload.ALL) {
            for (String allocator : parameter("allocator", quick ? "adaptive" : "adaptive,pooled")) {
                if (isWanted(workload)) {
                    print(workload, allocator, measure(workload, allocator));
                }
            }
        }
    }

    private boolean isWanted(Workload workload) {
        if (patterns.isEmpty()) {
            return !quick || workload.bytes() < 100_000_000;
        }
        return patterns.stream().anyMatch(pattern -> Pattern.compile(pattern).matcher(workload.name()).find());
    }

    private Collection<String> parameter(String name, String otherwise) {
        return given.getParameter(name).orElse(List.of(otherwise.split(",")));
    }

    private Map<DecoderKind, Samples> measure(Workload workload, String allocator) throws RunnerException {
        Map<DecoderKind, Samples> measured = new EnumMap<>(DecoderKind.class);
        String[] inTurn = parameter("decoder", quick ? QUICK_DECODERS : DECODERS).toArray(String[]::new);
        ChainedOptionsBuilder options = new OptionsBuilder()
                .parent(given)
                .include("^" + Pattern.quote(DecoderBenchmark.class.getName() + "." + workload.name()) + "$")
                .param("allocator", allocator)
                .param("decoder", inTurn)
                .forks(1)
                .warmupIterations(given.getWarmupIterations().orElse(quick ? 6 : 5))
                .warmupTime(given.getWarmupTime().orElse(TimeValue.milliseconds(quick ? 500 : 1000)))
                .measurementIterations(given.getMeasurementIterations().orElse(quick ? 6 : 8))
                .measurementTime(given.getMeasurementTime().orElse(TimeValue.milliseconds(quick ? 150 : 500)))
                .addProfiler(GCProfiler.class)
                .addProfiler(ThreadCpuProfiler.class)
                .shouldFailOnError(true)
                .verbosity(given.verbosity().orElse(VerboseMode.SILENT));
        if (Runtime.version().feature() >= 24 && !given.getJvmArgsPrepend().hasValue()) {
            // Otherwise Netty has no Unsafe there.
            options.jvmArgsPrepend("--sun-misc-unsafe-memory-access=allow");
        }
        int rounds = given.getForkCount().orElse(quick ? 1 : 3);
        for (int round = 0; round < rounds; round++) {
            for (RunResult run : new Runner(options.build()).run()) {
                DecoderKind decoder = DecoderKind.valueOf(run.getParams().getParam("decoder"));
                Samples samples = measured.computeIfAbsent(decoder, kind -> new Samples());
                run.getBenchmarkResults().forEach(samples::add);
            }
        }
        return measured;
    }

    /** One value for each iteration. */
    private static final class Samples {
        private final List<Double> cpu = new ArrayList<>();
        private final List<Double> elapsed = new ArrayList<>();
        private final List<Double> heap = new ArrayList<>();

        void add(BenchmarkResult fork) {
            for (IterationResult iteration : fork.getIterationResults()) {
                elapsed.add(iteration.getPrimaryResult().getScore());
                for (Map.Entry<String, Result> other :
                        iteration.getSecondaryResults().entrySet()) {
                    if (other.getKey().endsWith(ThreadCpuProfiler.LABEL)) {
                        cpu.add(other.getValue().getScore());
                    } else if (other.getKey().endsWith("gc.alloc.rate.norm")) {
                        heap.add(other.getValue().getScore());
                    }
                }
            }
        }

        private static double quantile(List<Double> values, double part) {
            return values.stream().sorted().skip((long) (part * (values.size() - 1))).findFirst().orElseThrow();
        }

        double cpu() {
            return quantile(cpu, 0.25);
        }
    }

    private static void print(Workload workload, String allocator, Map<DecoderKind, Samples> measured) {
        double none = measured.containsKey(DecoderKind.none) ? measured.get(DecoderKind.none).cpu() : Double.NaN;
        measured.forEach((decoder, samples) -> {
            double cpu = samples.cpu();
            Samples baseline = decoder == DecoderKind.none ? null : measured.get(decoder.baseline());
            double merge = baseline == null ? Double.NaN : baseline.cpu();
            System.out.printf(
                    Locale.ROOT,
                    ROW,
                    workload.name(),
                    allocator,
                    decoder,
                    number("%,.1f", cpu),
                    number("%.0f%%", 100 * (Samples.quantile(samples.cpu, 0.5) / cpu - 1)),
                    number("%,.1f", Samples.quantile(samples.elapsed, 0.25)),
                    number("%.2f", merge / cpu),
                    number("%.2f", (merge - none) / (cpu - none)),
                    number("%.2f", cpu / none),
                    number("%,.1f", Samples.quantile(samples.heap, 0.5)));
        });
        System.out.flush();
    }

    private static String number(String format, double value) {
        return Double.isNaN(value) ? "-" : String.format(Locale.ROOT, format, value);
    }
}
