package io.exactframe.netty.benchmark;

import io.netty.buffer.AdaptiveByteBufAllocator;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.PooledByteBufAllocator;
import io.netty.channel.ChannelPipeline;
import io.netty.channel.embedded.EmbeddedChannel;
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
 * compares. Every read is a new buffer into which the bytes are copied, as a transport does; {@code none} pays that
 * too.
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

    @Param({"exactFixed", "exactPrefixed", "nettyFixed", "nettyPrefixed", "nettyPrefixedComposite", "none"})
    public String decoder;

    @Param({"adaptive", "pooled"})
    public String allocator;

    private final Sink sink = new Sink();
    private Workload workload;
    private FrameStream stream;
    private DecoderKind kind;
    private ByteBufAllocator alloc;
    private EmbeddedChannel channel;

    @Setup
    public void setUp(BenchmarkParams params) {
        String method = params.getBenchmark().substring(params.getBenchmark().lastIndexOf('.') + 1);
        workload = Workload.named(method);
        if (params.getOpsPerInvocation() != workload.frames()) {
            throw new IllegalStateException(method + " receives " + workload.frames() + " frames per invocation, not "
                    + params.getOpsPerInvocation());
        }
        stream = new FrameStream(workload);
        kind = DecoderKind.valueOf(decoder);
        alloc = switch (allocator) {
            case "adaptive" -> new AdaptiveByteBufAllocator();
            case "pooled" -> PooledByteBufAllocator.DEFAULT;
            default -> throw new IllegalArgumentException(allocator);
        };
        channel = new EmbeddedChannel();
        channel.config().setAllocator(alloc);
        channel.pipeline().addLast(kind.create(workload)).addLast(sink);

        sink.expect(stream, kind.stripped());
        receive();
        sink.expect(null, 0);
        checkCounts();
    }

    /** Whatever was measured: so many frames of this length have come, and nothing is wrong. */
    @TearDown(Level.Iteration)
    public void checkCounts() {
        channel.checkException();
        int length = kind == DecoderKind.none ? workload.readLength() : workload.frameLength();
        long perInvocation = workload.bytes() / length;
        if (sink.messages == 0
                || sink.messages % perInvocation != 0
                || sink.bytes != sink.messages * (length - kind.stripped())) {
            throw new IllegalStateException(sink.messages + " messages, " + sink.bytes + " bytes");
        }
    }

    @TearDown
    public void tearDown() {
        channel.finishAndReleaseAll();
        stream.release();
    }

    private long receive() {
        ChannelPipeline pipeline = channel.pipeline();
        int frameLength = workload.frameLength();
        int length = workload.readLength();
        int capacity = workload.readCapacity();
        int readsPerComplete = workload.readsPerComplete();
        int offset = 0;
        int reads = 0;
        for (long left = workload.bytes(); left > 0; left -= length) {
            ByteBuf read = alloc.ioBuffer(capacity);
            stream.read(offset, read, length);
            offset += length;
            if (offset >= frameLength) {
                offset %= frameLength;
            }
            pipeline.fireChannelRead(read);
            if (++reads == readsPerComplete) {
                reads = 0;
                pipeline.fireChannelReadComplete();
            }
        }
        return sink.result();
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
