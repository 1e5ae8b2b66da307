package io.exactframe.netty;

import static org.assertj.core.api.Assertions.assertThat;

import io.exactframe.netty.testing.CountingAllocator;
import io.exactframe.netty.testing.Wire;
import io.netty.bootstrap.Bootstrap;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandler.Sharable;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** BEHAVIOURS 53 on real sockets, the channels on several event loops: nobody waits for ever, nobody holds for ever. */
class ReceiveBudgetLoopsTest {
    private static final int CHANNELS = 48;
    private static final int FRAMES = 20;
    private static final int LARGEST = 200_000;

    private final ReceiveBudget budget = new ReceiveBudget(LARGEST + LARGEST / 2 + 10_000);
    private final ReceiveOptions options =
            ReceiveOptions.defaults().budget(budget).frameDeadline(Duration.ofMinutes(2));
    private final AtomicInteger faults = new AtomicInteger();
    private final AtomicLong received = new AtomicLong();

    /** At the end of a pipeline, for what Netty would only log. */
    @Sharable
    private final class Faults extends ChannelInboundHandlerAdapter {
        @Override
        public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
            faults.incrementAndGet();
            cause.printStackTrace();
        }
    }

    /** What each channel has: a decoder, or a receiver that asks for one frame after the other. */
    private void init(Channel channel, boolean receiver, CountDownLatch done) {
        if (receiver) {
            ExactReceiver exact = new ExactReceiver(options);
            channel.pipeline().addLast(exact, new Faults());
            receive(exact, FRAMES, done);
            return;
        }
        channel.pipeline()
                .addLast(new LengthPrefixedExactDecoder(1 << 20, LengthPrefix.uint32(), options))
                .addLast(new ChannelInboundHandlerAdapter() {
                    private int left = FRAMES;

                    @Override
                    public void channelRead(ChannelHandlerContext ctx, Object message) {
                        count((ByteBuf) message);
                        if (--left == 0) {
                            done.countDown();
                        }
                    }

                    @Override
                    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
                        faults.incrementAndGet();
                        cause.printStackTrace();
                    }
                });
    }

    private void receive(ExactReceiver receiver, int left, CountDownLatch done) {
        if (left == 0) {
            done.countDown();
            return;
        }
        receiver.receive(LengthPrefix.uint32(), 1 << 20).addListener(future -> {
            if (future.isSuccess()) {
                count((ByteBuf) future.getNow());
                receive(receiver, left - 1, done);
            } else {
                faults.incrementAndGet();
            }
        });
    }

    private void count(ByteBuf frame) {
        received.addAndGet(frame.readableBytes());
        assertThat(budget.used()).isLessThanOrEqualTo(budget.capacity());
        frame.release();
    }

    @ParameterizedTest(name = "receivers: {0}")
    @ValueSource(booleans = {false, true})
    void channelsOfSeveralEventLoopsShareABudgetAndAllFinish(boolean receivers) throws Exception {
        long seed = System.nanoTime();
        System.out.println("ReceiveBudgetLoopsTest seed " + seed);
        CountDownLatch done = new CountDownLatch(CHANNELS);
        EventLoopGroup loops = new MultiThreadIoEventLoopGroup(3, NioIoHandler.newFactory());
        try {
            Channel server = new ServerBootstrap()
                    .group(loops)
                    .channel(NioServerSocketChannel.class)
                    .childHandler(new ChannelInitializer<Channel>() {
                        @Override
                        protected void initChannel(Channel channel) {
                            init(channel, receivers, done);
                        }
                    })
                    .bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
                    .sync()
                    .channel();
            Bootstrap peers = new Bootstrap()
                    .group(loops)
                    .channel(NioSocketChannel.class)
                    .handler(new Faults())
                    .remoteAddress(server.localAddress());
            long sent = 0;
            List<Channel> all = new ArrayList<>();
            Random random = new Random(seed);
            for (int i = 0; i < CHANNELS; i++) {
                Channel peer = peers.connect().sync().channel();
                all.add(peer);
                for (int k = 0; k < FRAMES; k++) {
                    int length = random.nextInt(4) == 0 ? random.nextInt(5000) : random.nextInt(LARGEST);
                    sent += length;
                    peer.writeAndFlush(
                            peer.alloc().buffer(4 + length).writeInt(length).writeZero(length));
                }
            }
            assertThat(done.await(60, TimeUnit.SECONDS)).as(budget::toString).isTrue();
            assertThat(faults).hasValue(0);
            assertThat(received).hasValue(sent);
            assertThat(budget.used()).isZero();
            assertThat(budget.waiting()).isZero();
            for (Channel peer : all) {
                peer.close().sync();
            }
            server.close().sync();
        } finally {
            loops.shutdownGracefully(0, 10, TimeUnit.SECONDS).sync();
        }
    }

    /** Channels come, wait, hold, and go at any moment: nothing of the budget is lost. */
    @Test
    void channelsThatCloseAtAnyMomentGiveEverythingBack() throws Exception {
        EventLoopGroup loops = new MultiThreadIoEventLoopGroup(3, NioIoHandler.newFactory());
        long seed = System.nanoTime();
        System.out.println("ReceiveBudgetLoopsTest seed " + seed);
        Random random = new Random(seed);
        AtomicInteger closed = new AtomicInteger(); // of those that were accepted, which may take its time
        try {
            Channel server = new ServerBootstrap()
                    .group(loops)
                    .channel(NioServerSocketChannel.class)
                    .childHandler(new ChannelInitializer<Channel>() {
                        @Override
                        protected void initChannel(Channel channel) {
                            channel.closeFuture().addListener(done -> closed.incrementAndGet());
                            channel.pipeline()
                                    .addLast(new LengthPrefixedExactDecoder(1 << 20, LengthPrefix.uint32(), options))
                                    .addLast(new ChannelInboundHandlerAdapter() {
                                        @Override
                                        public void channelRead(ChannelHandlerContext ctx, Object message) {
                                            count((ByteBuf) message);
                                        }

                                        @Override
                                        public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
                                            ctx.close();
                                        }
                                    });
                        }
                    })
                    .bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
                    .sync()
                    .channel();
            Bootstrap peers = new Bootstrap()
                    .group(loops)
                    .channel(NioSocketChannel.class)
                    .handler(new Faults())
                    .remoteAddress(server.localAddress());
            for (int i = 0; i < 300; i++) {
                Channel peer = peers.connect().sync().channel();
                int length = random.nextInt(LARGEST);
                peer.writeAndFlush(peer.alloc()
                        .buffer()
                        .writeInt(length)
                        .writeZero(Math.min(length, random.nextInt(LARGEST))));
                peer.eventLoop().schedule(() -> peer.close(), random.nextInt(20), TimeUnit.MILLISECONDS);
            }
            long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
            while (System.nanoTime() < end && (closed.get() < 300 || budget.used() > 0 || budget.waiting() > 0)) {
                LockSupport.parkNanos(1_000_000);
            }
            assertThat(closed).hasValue(300);
            assertThat(budget.used()).isZero();
            assertThat(budget.waiting()).isZero();
            server.close().sync();
        } finally {
            loops.shutdownGracefully(0, 10, TimeUnit.SECONDS).sync();
        }
    }

    /** 10,000 peers declare 16 MiB each and send 1 KiB: what is held is what they sent, not what they said. */
    @Test
    @Tag("slow")
    void whatPeersDeclareCostsNothing() {
        ReceiveBudget large = new ReceiveBudget(64L << 20);
        ReceiveOptions limited = ReceiveOptions.defaults().budget(large).frameDeadline(Duration.ofMinutes(2));
        CountingAllocator counted = new CountingAllocator();
        List<EmbeddedChannel> channels = new ArrayList<>();
        for (int i = 0; i < 10_000; i++) {
            EmbeddedChannel channel = new EmbeddedChannel(
                    new LengthPrefixedExactDecoder(1 << 24, LengthPrefix.uint32(), limited));
            channel.config().setAllocator(counted);
            channels.add(channel);
            Wire.receive(channel, counted.buffer(64 * 1024).writeInt((1 << 24) - 4).writeZero(1020));
        }
        assertThat(large.used()).isEqualTo(64L << 20);
        assertThat(large.waiting()).isEqualTo(10_000 - 4);
        assertThat(counted.live).isLessThan(10_000 * 1024 + 4 * 4096 + 1);
        for (EmbeddedChannel channel : channels) {
            channel.pipeline().removeFirst();
            channel.finishAndReleaseAll();
        }
        assertThat(large.used()).isZero();
        assertThat(counted.live).isZero();
    }
}
