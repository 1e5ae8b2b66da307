package io.exactframe.netty.benchmark;

import io.netty.buffer.AdaptiveByteBufAllocator;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.PooledByteBufAllocator;
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
 * What a frame costs, from the read to its release, beside Netty's decoders and no decoder at all; {@link Ratios}
 * compares. {@code none} pays for the reads too.
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
            ForkedJvm.COMPILE_AT_ONCE,
            // Netty's allocators have caches for event loops only.
            "-Djmh.executor=CUSTOM",
            "-Djmh.executor.class=io.exactframe.netty.benchmark.EventLoopThreads",
            // Its samples are heap bytes and time that come with the reads, not with the decoders.
            "-Dio.netty.leakDetection.level=disabled",
            "-XX:CompileCommand=quiet",
            Sink.DONT_INLINE
        })
public class DecoderBenchmark {
    static final int PACKED_16_B = 16 * 4096;
    static final int PACKED_64_B = 16 * 1024;
    static final int ONE_A_READ = 16;
    static final int IN_1460_B = 365; // in 1024 reads

    @Param({
        "exactFixed",
        "nettyFixed",
        "nettyFixedComposite",
        "exactPrefixed",
        "nettyPrefixed",
        "nettyPrefixedComposite",
        "emptyHandler",
        "none"
    })
    public String decoder;

    @Param({"adaptive", "pooled"})
    public String allocator;

    @Param({"peek", "longs", "ints", "bytes", "array", "string"})
    public String sink;

    private Playback playback;

    @Setup
    public void setUp(BenchmarkParams params) {
        String method = params.getBenchmark().substring(params.getBenchmark().lastIndexOf('.') + 1);
        Workload workload = Workload.named(method);
        if (params.getOpsPerInvocation() != workload.frames()) {
            throw new IllegalStateException(method + " receives " + workload.frames() + " frames per invocation, not "
                    + params.getOpsPerInvocation());
        }
        ByteBufAllocator alloc = switch (allocator) {
            case "adaptive" -> new AdaptiveByteBufAllocator();
            case "pooled" -> PooledByteBufAllocator.DEFAULT;
            default -> throw new IllegalArgumentException(allocator);
        };
        playback = new Playback(
                workload, DecoderKind.valueOf(decoder), workload.options(), alloc, FrameConsumer.valueOf(sink));
    }

    @TearDown(Level.Iteration)
    public void checkCounts() {
        playback.checkCounts();
    }

    @TearDown
    public void tearDown() {
        playback.close();
    }

    private long receive() {
        return playback.receive();
    }

    @Benchmark
    @OperationsPerInvocation(PACKED_16_B)
    public long frames16BPackedIn64K() {
        return receive();
    }

    @Benchmark
    @OperationsPerInvocation(PACKED_64_B)
    public long frames64BPackedIn64K() {
        return receive();
    }

    @Benchmark
    @OperationsPerInvocation(ONE_A_READ)
    public long frames64BOneARead() {
        return receive();
    }

    @Benchmark
    @OperationsPerInvocation(ONE_A_READ)
    public long frames4KOneARead() {
        return receive();
    }

    @Benchmark
    @OperationsPerInvocation(IN_1460_B)
    public long frames4KInReadsOf1460() {
        return receive();
    }

    @Benchmark
    public long frames1KByteByByte() {
        return receive();
    }

    @Benchmark
    public long frame1MIn64K() {
        return receive();
    }

    @Benchmark
    public long frame1MIn64KContiguous() {
        return receive();
    }

    @Benchmark
    public long frame1MIn2K() {
        return receive();
    }

    @Benchmark
    public long frame1MIn2KContiguous() {
        return receive();
    }

    @Benchmark
    public long frame16MIn64K() {
        return receive();
    }

    @Benchmark
    public long frame16MIn64KContiguous() {
        return receive();
    }

    @Benchmark
    public long frame16MIn2K() {
        return receive();
    }

    @Benchmark
    public long frame16MIn2KContiguous() {
        return receive();
    }

    @Benchmark
    public long frame256MIn64K() {
        return receive();
    }
}
