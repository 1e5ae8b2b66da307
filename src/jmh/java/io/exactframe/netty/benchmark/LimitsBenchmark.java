package io.exactframe.netty.benchmark;

import io.exactframe.netty.ReceiveOptions;
import io.netty.buffer.AdaptiveByteBufAllocator;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;
import org.openjdk.jmh.infra.BenchmarkParams;

/**
 * What it costs a frame that there is a limit to its time, with all of it in its read and with most reads ending inside
 * a frame. Otherwise as {@link DecoderBenchmark}; {@link LimitRatios} compares.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 10, time = 1)
@Fork(
        value = 1,
        jvmArgsAppend = {
            "-Xms1g",
            "-Xmx1g",
            "-XX:MaxDirectMemorySize=3g",
            "-Djmh.executor=CUSTOM",
            "-Djmh.executor.class=io.exactframe.netty.benchmark.EventLoopThreads",
            "-Dio.netty.leakDetection.level=disabled",
            "-XX:CompileCommand=quiet",
            Sink.DONT_INLINE
        })
public class LimitsBenchmark {
    /** The values of the parameter {@code limits}. */
    enum Limits {
        none,
        deadline,
        both;

        ReceiveOptions options() {
            ReceiveOptions options = ReceiveOptions.defaults();
            return switch (this) {
                case none -> options;
                case deadline -> options.frameDeadline(Duration.ofSeconds(30));
                case both -> options.frameDeadline(Duration.ofSeconds(30)).stallTimeout(Duration.ofSeconds(10));
            };
        }
    }

    @Param({"none", "deadline", "both"})
    public String limits;

    @Param({"exactPrefixed", "exactFixed"})
    public String decoder;

    private Playback playback;

    @Setup
    public void setUp(BenchmarkParams params) {
        String method = params.getBenchmark().substring(params.getBenchmark().lastIndexOf('.') + 1);
        ReceiveOptions options = Limits.valueOf(limits).options();
        playback = new Playback(
                Workload.named(method), DecoderKind.valueOf(decoder), options, new AdaptiveByteBufAllocator(),
                FrameConsumer.longs);
    }

    @TearDown(Level.Iteration)
    public void checkCounts() {
        playback.checkCounts();
    }

    @TearDown
    public void tearDown() {
        playback.close();
    }

    @Benchmark
    @OperationsPerInvocation(DecoderBenchmark.PACKED_64_B)
    public long frames64BPackedIn64K() {
        return playback.receive();
    }

    @Benchmark
    @OperationsPerInvocation(DecoderBenchmark.ONE_A_READ)
    public long frames64BOneARead() {
        return playback.receive();
    }

    @Benchmark
    @OperationsPerInvocation(DecoderBenchmark.IN_1460_B)
    public long frames4KInReadsOf1460() {
        return playback.receive();
    }
}
