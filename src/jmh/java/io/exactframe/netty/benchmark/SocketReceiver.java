package io.exactframe.netty.benchmark;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.socket.SocketChannel;
import java.lang.management.ManagementFactory;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/**
 * The JVM of {@link SocketRatios} that receives. It prints a port, and receives from one connection until it has
 * enough; what it finds are lines of JSON.
 *
 * <p>All is left as an application would have it: the decoder is first in its pipeline, and nobody else chooses buffers.
 * Its thread's CPU time is taken in slices that end with a frame.
 */
public final class SocketReceiver {
    private static final long CHECKED = 40 << 20; // bytes
    private static final long STEP = 1 << 20;
    private static final long COMPILED_NANOS = 250_000_000; // nothing was compiled for so long: it is warm
    private static final long LONGEST_WARMUP_NANOS = 6_000_000_000L;

    private final SocketTransport transport;
    private final SocketCase sent;
    private final DecoderKind decoder;
    private final boolean contiguous;
    private final long warmupNanos;
    private final long sliceNanos;
    private int slices;

    private final Sink sink = new Sink(FrameConsumer.longs);
    private final CompletableFuture<Void> enough = new CompletableFuture<>();
    private long bytesBefore;
    private long elapsedBefore;
    private long cpuBefore;
    private long compiledMillis;
    private long compiledAt;

    private SocketReceiver(String[] args) {
        transport = SocketTransport.valueOf(args[0]);
        sent = SocketCase.named(args[1]);
        decoder = DecoderKind.valueOf(args[2]);
        contiguous = Boolean.parseBoolean(args[3]);
        warmupNanos = Long.parseLong(args[4]) * 1_000_000;
        sliceNanos = Long.parseLong(args[5]) * 1_000_000;
        slices = Integer.parseInt(args[6]);
    }

    public static void main(String[] args) {
        int status = 1;
        try {
            if (SocketTransport.valueOf(args[0]).isAvailable()) {
                new SocketReceiver(args).measure();
            } else {
                System.out.println("not available");
            }
            status = 0;
        } catch (Throwable t) {
            t.printStackTrace();
        } finally {
            System.exit(status);
        }
    }

    private void measure() throws Exception {
        FrameStream stream = sent.stream();
        sink.expect(stream, decoder.stripped());
        sink.callAt(CHECKED, () -> {
            sink.expect(null, 0);
            beginSlice();
            sink.callAt(sink.bytes + STEP, this::warmUp);
        });
        receive();
    }

    /** Until hot code is compiled too: the event loop waits for the compiler, time in which it uses no CPU. */
    private void warmUp() {
        long now = System.nanoTime();
        long millis = ManagementFactory.getCompilationMXBean().getTotalCompilationTime();
        if (millis != compiledMillis) {
            compiledMillis = millis;
            compiledAt = now;
        }
        long elapsed = now - elapsedBefore;
        if (elapsed >= warmupNanos && now - compiledAt >= COMPILED_NANOS || elapsed >= LONGEST_WARMUP_NANOS) {
            beginSlice();
            sink.callAt(sink.bytes + STEP, this::slice);
        } else {
            sink.callAt(sink.bytes + STEP, this::warmUp);
        }
    }

    private void beginSlice() {
        bytesBefore = wireBytes();
        elapsedBefore = System.nanoTime();
        cpuBefore = cpuNanos();
    }

    private void slice() {
        long elapsed = System.nanoTime() - elapsedBefore;
        if (elapsed >= sliceNanos) {
            double bytes = wireBytes() - bytesBefore;
            print(elapsed / bytes, (cpuNanos() - cpuBefore) / bytes);
            if (--slices == 0) {
                enough.complete(null);
                return;
            }
            beginSlice();
        }
        sink.callAt(sink.bytes + STEP, this::slice);
    }

    private long wireBytes() {
        return sink.bytes + sink.messages * decoder.stripped();
    }

    private static long cpuNanos() {
        return ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime();
    }

    private static void print(double elapsedNsPerByte, double cpuNsPerByte) {
        Map<String, Object> line = new LinkedHashMap<>();
        line.put("elapsedNsPerByte", elapsedNsPerByte);
        line.put("cpuNsPerByte", cpuNsPerByte);
        System.out.println(Json.write(line));
    }

    /** One connection, until enough has come. */
    private void receive() throws Exception {
        var group = new MultiThreadIoEventLoopGroup(1, transport.io());
        ServerBootstrap bootstrap = new ServerBootstrap()
                .group(group)
                .channel(transport.serverChannel())
                .childHandler(new ChannelInitializer<SocketChannel>() {
                    @Override
                    protected void initChannel(SocketChannel channel) {
                        channel.pipeline()
                                .addLast(decoder.create(sent.frameLength(), Workload.options(contiguous)))
                                .addLast(sink, new Faults());
                        enough.whenComplete((nothing, fault) -> channel.close());
                    }
                });
        Channel server = bootstrap.bind(InetAddress.getLoopbackAddress(), 0).sync().channel();
        System.out.println("port " + ((InetSocketAddress) server.localAddress()).getPort());
        enough.get();
        group.shutdownGracefully(0, 1, TimeUnit.SECONDS).sync();
    }

    private final class Faults extends ChannelInboundHandlerAdapter {
        @Override
        public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
            enough.completeExceptionally(cause);
        }

        @Override
        public void channelInactive(ChannelHandlerContext ctx) {
            enough.completeExceptionally(new IllegalStateException("closed by the sender"));
        }
    }
}
