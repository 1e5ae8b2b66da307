package io.exactframe.netty;

import static io.exactframe.netty.testing.Probe.bytes;
import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import io.exactframe.netty.ReceiveBudget.Share;
import io.exactframe.netty.testing.Probe;
import io.exactframe.netty.testing.Wire;
import io.netty.bootstrap.Bootstrap;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.local.LocalAddress;
import io.netty.channel.local.LocalChannel;
import io.netty.channel.local.LocalIoHandler;
import io.netty.channel.local.LocalServerChannel;
import java.io.IOException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import io.netty.buffer.AbstractByteBufAllocator;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.CompositeByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelPromise;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOutboundHandlerAdapter;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.util.ReferenceCountUtil;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The smallest cases of faults that were looked for on purpose; the number of the behaviour is at each. */
class HeldFaultsTest {
    private static final ReceiveOptions ON_DEMAND = ReceiveOptions.defaults().onDemand();

    private int reads;

    private final class ReadCounter extends ChannelOutboundHandlerAdapter {
        @Override
        public void read(ChannelHandlerContext ctx) {
            reads++;
            ctx.read();
        }
    }

    private static void receive(EmbeddedChannel channel, String text) {
        Wire.receive(channel, bytes(channel, text));
    }

    /** 40: a partial frame's memory is released. */
    @Test
    void closedAndThenRemovedInsideAFrameReleasesIt() {
        Probe probe = new Probe();
        FixedLengthExactDecoder decoder = new FixedLengthExactDecoder(4);
        boolean[] hold = {false};
        EmbeddedChannel channel = new EmbeddedChannel(
                new ChannelOutboundHandlerAdapter() {
                    @Override
                    public void close(ChannelHandlerContext ctx, ChannelPromise promise) {
                        hold[0] = true; // as SslHandler: not at once
                    }
                },
                decoder, probe);
        receive(channel, "AB");
        channel.pipeline().close();
        channel.pipeline().remove(decoder);
        assertThat(hold[0]).isTrue();
        Wire.peerCloses(channel);
        channel.finishAndReleaseAll();
        assertThat(decoder.bufferedBytes()).isZero();
    }

    /** The frames up to 64 KiB are one piece, those too that lie in a composite behind a part of a frame. */
    @Test
    void aFrameInACompositeBehindAPartIsOnePiece() {
        List<Boolean> onePiece = new ArrayList<>();
        EmbeddedChannel channel = new EmbeddedChannel(
                new LengthPrefixedExactDecoder(100, LengthPrefix.uint16(), ReceiveOptions.defaults().contiguous()),
                new ChannelInboundHandlerAdapter() {
                    @Override
                    public void channelRead(ChannelHandlerContext ctx, Object message) {
                        onePiece.add(((ByteBuf) message).isContiguous());
                        ReferenceCountUtil.release(message);
                    }
                });
        receive(channel, "\0\4AB");
        CompositeByteBuf composite = channel.alloc().compositeBuffer()
                .addComponent(true, bytes(channel, "CD\0\4E"))
                .addComponent(true, bytes(channel, "FGH\0\4I"))
                .addComponent(true, bytes(channel, "JKL"));
        Wire.receive(channel, composite);
        channel.finish();
        assertThat(onePiece).containsExactly(true, true, true);
    }

    /** A whole frame that nobody asked for is not missing, wherever it was cut. */
    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2, 3, 4, 5})
    void aCloseInFrontOfAWholeFrameThatWaitsTellsNothing(int cut) {
        Probe probe = new Probe();
        EmbeddedChannel channel = new EmbeddedChannel(
                new LengthPrefixedExactDecoder(100, LengthPrefix.uint16(), ON_DEMAND), probe);
        channel.config().setAutoRead(false);
        String wire = "\0\4ABCD";
        if (cut > 0) {
            receive(channel, wire.substring(0, cut));
        }
        receive(channel, wire.substring(cut));
        channel.close();
        assertThat(probe.exceptions).isEmpty();
        channel.finish();
    }

    /** 53: many channels on two event loops, and a budget for one and a half frames. */
    @Test
    void manyChannelsOnTwoLoopsWithABudgetAllFinish() throws Exception {
        EventLoopGroup loops = new MultiThreadIoEventLoopGroup(2, LocalIoHandler.newFactory());
        int channels = 60;
        int frames = 30;
        long seed = System.nanoTime();
        System.out.println("budget seed " + seed);
        ReceiveBudget budget = new ReceiveBudget(15_000);
        CountDownLatch done = new CountDownLatch(channels);
        AtomicInteger premature = new AtomicInteger();
        LocalAddress address = new LocalAddress("attack-" + seed);
        try {
            new ServerBootstrap().group(loops).channel(LocalServerChannel.class)
                    .childHandler(new ChannelInitializer<Channel>() {
                        @Override
                        protected void initChannel(Channel channel) {
                            ReceiveOptions options =
                                    ReceiveOptions.defaults().budget(budget).frameDeadline(Duration.ofSeconds(60));
                            options = channel.id().hashCode() % 2 == 0 ? options.onDemand() : options;
                            channel.config().setAutoRead(channel.id().hashCode() % 3 == 0);
                            channel.pipeline().addLast(
                                    new LengthPrefixedExactDecoder(20_000, LengthPrefix.uint16(), options),
                                    new ChannelInboundHandlerAdapter() {
                                        @Override
                                        public void channelActive(ChannelHandlerContext ctx) {
                                            ctx.read();
                                        }

                                        @Override
                                        public void channelRead(ChannelHandlerContext ctx, Object message) {
                                            ReferenceCountUtil.release(message);
                                        }

                                        @Override
                                        public void channelReadComplete(ChannelHandlerContext ctx) {
                                            ctx.read();
                                        }

                                        @Override
                                        public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
                                            premature.incrementAndGet();
                                        }

                                        @Override
                                        public void channelInactive(ChannelHandlerContext ctx) {
                                            done.countDown();
                                        }
                                    });
                        }
                    }).bind(address).sync();
            for (int i = 0; i < channels; i++) {
                Random random = new Random(seed + i);
                Channel client = new Bootstrap().group(loops).channel(LocalChannel.class)
                        .handler(new ChannelInboundHandlerAdapter()).connect(address).sync().channel();
                for (int frame = 0; frame < frames; frame++) {
                    int length = 1 + random.nextInt(9_900);
                    client.write(client.alloc().buffer().writeShort(length));
                    for (int at = 0; at < length; ) {
                        int count = Math.min(length - at, 1 + random.nextInt(4_000));
                        client.writeAndFlush(client.alloc().buffer(count).writeZero(count));
                        at += count;
                        if (random.nextInt(500) == 0) {
                            client.close(); // inside a frame
                        }
                    }
                }
                client.writeAndFlush(Unpooled.EMPTY_BUFFER).addListener(ChannelFutureListener.CLOSE);
            }
            assertThat(done.await(40, TimeUnit.SECONDS)).as("%s, %d left", budget, done.getCount()).isTrue();
            assertThat(budget.used()).isZero();
            assertThat(budget.waiting()).isZero();
        } finally {
            loops.shutdownGracefully(0, 5, TimeUnit.SECONDS).sync();
        }
    }

    /** A demand that went to the transport is met by the successor. */
    @ParameterizedTest
    @ValueSource(strings = {"replace", "add and remove"})
    void aDemandThatTheTransportWasAskedForSurvivesAReplacement(String how) {
        Probe probe = new Probe();
        FixedLengthExactDecoder decoder = new FixedLengthExactDecoder(2, ON_DEMAND);
        FixedLengthExactDecoder successor = new FixedLengthExactDecoder(3, ON_DEMAND);
        EmbeddedChannel channel = new EmbeddedChannel();
        channel.pipeline().addLast("old", decoder).addLast(probe);
        channel.config().setAutoRead(false);
        channel.read();
        if (how.equals("replace")) {
            channel.pipeline().replace(decoder, null, successor);
        } else {
            channel.pipeline().addAfter("old", "new", successor);
            channel.pipeline().remove(decoder);
        }
        receive(channel, "ABC");
        assertThat(probe.log()).contains("ABC");
        channel.finish();
    }

    /** 48: a read() that was held and went on is one that the application made: the peer is to blame. */
    @Tag("clock")
    @Test
    void aReadThatWasHeldCountsAsReading() {
        ReceiveBudget budget = new ReceiveBudget(10_000);
        Share holder = new Share(budget, () -> true);
        holder.reserve(9000, 9000);
        Probe probe = new Probe();
        EmbeddedChannel channel = new EmbeddedChannel(
                new ReadCounter(),
                new LengthPrefixedExactDecoder(
                        8000,
                        LengthPrefix.uint16(),
                        ReceiveOptions.defaults().budget(budget).frameDeadline(Duration.ofSeconds(1))),
                probe);
        channel.freezeTime();
        channel.config().setAutoRead(false);
        channel.read();
        ByteBuf part = channel.alloc().buffer().writeShort(5000).writeZero(4990);
        Wire.receive(channel, part);
        assertThat(budget.waiting()).isOne();
        channel.read();
        reads = 0;
        ByteBuf rest = channel.alloc().buffer().writeZero(10).writeShort(4).writeByte('A');
        channel.pipeline().fireChannelRead(rest); // the rest of the same read
        holder.giveBack();
        channel.runPendingTasks();
        assertThat(reads).as("asked of the transport").isPositive();
        for (int i = 0; i < 100; i++) {
            channel.advanceTimeBy(100, TimeUnit.MILLISECONDS);
            channel.runScheduledPendingTasks();
        }
        assertThat(probe.exceptions).hasAtLeastOneElementOfType(FrameTimeoutException.class);
        channel.finish();
    }

    /** 14: small frames that are kept pin at most 17 reads, also if somebody in front holds each read until it returns. */
    @Test
    void keptFramesOfReadsThatAHandlerInFrontHoldsPinABoundedAmount() {
        List<ByteBuf> kept = new ArrayList<>();
        EmbeddedChannel channel = new EmbeddedChannel(
                new ChannelInboundHandlerAdapter() {
                    @Override
                    public void channelRead(ChannelHandlerContext ctx, Object message) {
                        ReferenceCountUtil.retain(message);
                        ctx.fireChannelRead(message);
                        ReferenceCountUtil.release(message);
                    }
                },
                new FixedLengthExactDecoder(4),
                new ChannelInboundHandlerAdapter() {
                    private int count;

                    @Override
                    public void channelRead(ChannelHandlerContext ctx, Object message) {
                        if (count++ % 2 == 0) {
                            kept.add((ByteBuf) message);
                        } else {
                            ReferenceCountUtil.release(message);
                        }
                    }
                });
        List<ByteBuf> reads = new ArrayList<>();
        for (int i = 0; i < 100; i++) {
            ByteBuf read = Unpooled.buffer(64 * 1024).writeZero(8);
            reads.add(read);
            Wire.receive(channel, read);
        }
        assertThat(reads.stream().filter(read -> read.refCnt() > 0).count()).isLessThanOrEqualTo(17);
        kept.forEach(ReferenceCountUtil::release);
        channel.finish();
    }

    /** 16: an Error of the allocator leaks no message. */
    @Test
    void theEncoderReleasesAMessageThatThereIsNoMemoryFor() {
        ByteBufAllocator none = new AbstractByteBufAllocator(false) {
            @Override
            protected ByteBuf newHeapBuffer(int initialCapacity, int maxCapacity) {
                throw new OutOfMemoryError("none");
            }

            @Override
            protected ByteBuf newDirectBuffer(int initialCapacity, int maxCapacity) {
                throw new OutOfMemoryError("none");
            }

            @Override
            public boolean isDirectBufferPooled() {
                return false;
            }
        };
        EmbeddedChannel channel = new EmbeddedChannel(new LengthPrefixedEncoder(LengthPrefix.uint16()));
        ByteBuf message = Unpooled.copiedBuffer("ABCD", ISO_8859_1);
        channel.config().setAllocator(none);
        ChannelFuture written = channel.writeAndFlush(message);
        channel.config().setAllocator(UnpooledByteBufAllocator.DEFAULT);
        assertThat(written.cause()).isNotNull();
        assertThat(message.refCnt()).isZero();
    }

    /** 34: the exception, then channelInactive, on a channel that closes at once too. */
    @Test
    void aHandlerThatClosesWhenItIsToldOfAFaultSeesTheChannelBecomeInactive() {
        Probe probe = new Probe();
        probe.onException(ctx -> ctx.close());
        EmbeddedChannel channel = new EmbeddedChannel(new LengthPrefixedExactDecoder(4, LengthPrefix.uint16()), probe);
        receive(channel, "xxxx");
        assertThat(probe.log()).last().isEqualTo("[inactive]");
        channel.finish();
    }

    /** 60: a reset, to which the application answers with a close, is the peer's doing. */
    @Test
    void aCloseThatAnswersAnErrorOfTheSocketIsNotOurOwn() {
        Probe probe = new Probe();
        probe.onException(ctx -> ctx.close());
        EmbeddedChannel channel = new EmbeddedChannel(new FixedLengthExactDecoder(8), probe);
        receive(channel, "abc");
        channel.pipeline().fireExceptionCaught(new IOException("reset"));
        assertThat(probe.log()).contains("[PrematureCloseException: stream ended after 3 of 8 bytes]");
    }

    /** 58: what is whole comes in front of an error of the socket, for which a handler behind may close. */
    @Test
    void anErrorOfTheSocketWaitsBehindTheFramesThatWait() {
        Probe probe = new Probe();
        EmbeddedChannel channel = new EmbeddedChannel();
        channel.config().setAutoRead(false);
        channel.pipeline().addLast(new FixedLengthExactDecoder(1, ON_DEMAND), probe);
        channel.read();
        receive(channel, "abc");
        channel.pipeline().fireExceptionCaught(new IOException("reset"));
        assertThat(probe.drain().stream().filter(line -> !line.equals("[complete]"))).containsExactly("a");
        channel.read();
        channel.read();
        assertThat(probe.log().stream().filter(line -> !line.equals("[complete]")))
                .containsExactly("b", "c", "[IOException: reset]");
        channel.finish();
    }

    /** 31: one message for one read(), also if it is held inside a delivery in which the decoder is replaced. */
    @Test
    void aDemandIsMetOnceByASuccessor() {
        List<String> log = new ArrayList<>();
        FixedLengthExactDecoder decoder = new FixedLengthExactDecoder(2, ON_DEMAND);
        EmbeddedChannel channel = new EmbeddedChannel(decoder, new ChannelInboundHandlerAdapter() {
            @Override
            public void channelRead(ChannelHandlerContext ctx, Object message) {
                log.add(((ByteBuf) message).toString(ISO_8859_1));
                ReferenceCountUtil.release(message);
                if (log.size() == 1) {
                    ctx.read();
                    ctx.pipeline().replace(decoder, null, new FixedLengthExactDecoder(3, ON_DEMAND));
                }
            }
        });
        channel.config().setAutoRead(false);
        channel.read();
        receive(channel, "ABCDEFGH");
        assertThat(log).containsExactly("AB", "CDE");
        channel.finishAndReleaseAll();
    }
}
