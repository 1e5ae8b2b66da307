package io.exactframe.examples.recipes;

import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.sun.management.UnixOperatingSystemMXBean;
import io.exactframe.netty.ExactReceiver;
import io.exactframe.netty.PrematureCloseException;
import io.netty.bootstrap.Bootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOption;
import io.netty.channel.socket.nio.NioSocketChannel;
import java.lang.management.ManagementFactory;
import java.net.InetSocketAddress;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/**
 * Two virtual threads for each connection, one at either end, which block on {@code receive}. Skipped before JDK 24, where
 * a virtual thread that waits for a future of Netty's keeps its carrier.
 */
class VirtualThreadsTest {
    private static final int THREADS = 10_000;
    private static final int ROUNDS = 3;

    private final CountDownLatch allWait = new CountDownLatch(1);
    private final AtomicInteger threadsOfServer = new AtomicInteger();
    private final AtomicInteger requests = new AtomicInteger();
    private final AtomicInteger ends = new AtomicInteger();
    private final AtomicInteger answers = new AtomicInteger();

    // README: from here
    /** In a virtual thread of its own, for one connection. */
    void serve(Channel channel, ExactReceiver receiver) throws InterruptedException {
        try {
            while (true) {
                ByteBuf header = receiver.receive(4).sync().getNow(); // blocks; sync() throws what went wrong
                int length = header.readInt();
                header.release(); // a buffer that was received is yours
                ByteBuf request = receiver.receive(length).sync().getNow();
                answer(channel, request);
            }
        } catch (PrematureCloseException e) {
            ends.incrementAndGet(); // the peer left: e.receivedBytes() of e.expectedBytes()
        } finally {
            channel.close();
        }
    }
    // README: to here

    private void answer(Channel channel, ByteBuf request) {
        requests.incrementAndGet();
        channel.writeAndFlush(request);
    }

    private void ask(Channel channel, ExactReceiver receiver, int size) throws InterruptedException {
        for (int i = 0; i < ROUNDS; i++) {
            var answer = receiver.receive(size);
            allWait.await();
            channel.writeAndFlush(channel.alloc().buffer().writeInt(size).writeZero(size));
            answer.sync().getNow().release();
            answers.incrementAndGet();
        }
        channel.writeAndFlush(channel.alloc().buffer().writeShort(0)).sync(); // half a header
        channel.close();
    }

    private static int connections() {
        long files = ((UnixOperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean()).getMaxFileDescriptorCount();
        return (int) Math.min(THREADS / 2, (files - 500) / 2);
    }

    @Test
    void tenThousandThatBlockOnReceive() throws Exception {
        assumeTrue(Runtime.version().feature() >= 24, "virtual threads that wait in a monitor keep their carrier");
        ExecutorService threads =
                (ExecutorService) Executors.class.getMethod("newVirtualThreadPerTaskExecutor").invoke(null);
        int connections = connections();
        AtomicInteger failures = new AtomicInteger();
        try (Sockets sockets = new Sockets()) {
            InetSocketAddress address = sockets.listen(channel -> {
                ExactReceiver receiver = new ExactReceiver();
                channel.pipeline().addLast(receiver, new ChannelInboundHandlerAdapter() {
                    @Override
                    public void channelActive(ChannelHandlerContext ctx) {
                        threads.execute(() -> {
                            threadsOfServer.incrementAndGet();
                            try {
                                serve(channel, receiver);
                            } catch (Exception e) {
                                failures.incrementAndGet();
                            }
                        });
                    }

                    @Override
                    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {} // the future has it
                });
            });
            Bootstrap bootstrap = new Bootstrap()
                    .group(sockets.loops)
                    .channel(NioSocketChannel.class)
                    .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, 60_000)
                    .handler(new io.netty.channel.ChannelInitializer<>() {
                        @Override
                        protected void initChannel(Channel channel) {
                            channel.pipeline().addLast(new ExactReceiver());
                        }
                    });
            for (int i = 0; i < connections; i++) {
                Channel channel = bootstrap.connect(address).sync().channel();
                int size = 1 + i % 3_000;
                threads.execute(() -> {
                    try {
                        ask(channel, channel.pipeline().get(ExactReceiver.class), size);
                    } catch (Exception e) {
                        failures.incrementAndGet();
                    }
                });
            }
            Sockets.await(() -> threadsOfServer.get() == connections);
            allWait.countDown();
            threads.shutdown();
            assertThat(threads.awaitTermination(60, SECONDS)).isTrue();
        }
        assertThat(failures).hasValue(0);
        assertThat(requests).hasValue(connections * ROUNDS);
        assertThat(answers).hasValue(connections * ROUNDS);
        assertThat(ends).hasValue(connections);
    }
}
