package io.exactframe.netty;

import static io.exactframe.netty.testing.ReceiverChannel.text;
import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;

import io.exactframe.netty.testing.Loopback;
import io.exactframe.netty.testing.ReceiverChannel;
import io.exactframe.netty.testing.Loopback.Transport;
import io.netty.bootstrap.Bootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelOutboundHandlerAdapter;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.util.concurrent.Future;
import io.netty.util.concurrent.FutureListener;
import io.netty.util.concurrent.GenericProgressiveFutureListener;
import io.netty.util.concurrent.ProgressiveFuture;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** 31, 32, 41: the receiver reads what it is asked for, and at most one read more. */
class ExactReceiverReadsTest {
    /** The receiver reads what it is asked for and at most one read more. */
    @Nested
    class Reads {
        private final ReceiverChannel it = new ReceiverChannel();
        private final ExactReceiver receiver = it.receiver;

        @AfterEach
        void close() {
            it.channel.finish();
        }

        @Test // 32
        void nobodyAsksAndItReadsOnce() {
            assertThat(it.reads).isEqualTo(1); // in advance
            it.arrive("ABCD");
            assertThat(it.reads).isEqualTo(1);
            it.channel.read();
            assertThat(it.reads).isEqualTo(1);
        }

        @Test // 19, 61: what a listener brings waits for its turn, and is received
        void whatIsBroughtFromInsideIsBuffered() {
            AtomicInteger inside = new AtomicInteger();
            receiver.receive(2).addListener((FutureListener<ByteBuf>) first -> {
                first.getNow().release();
                it.arrive("EFG");
                inside.set(receiver.bufferedBytes());
            });
            it.arrive("ABCD");
            assertThat(inside).hasValue(5);
            assertThat(receiver.bufferedBytes()).isEqualTo(5);
            assertThat(text(receiver.receive(5))).isEqualTo("CDEFG");
        }

        @Test // 32
        void itReadsAgainOnlyWhenWhatIsHereDoesNotSuffice() {
            it.arrive("ABCD");
            assertThat(text(receiver.receive(3))).isEqualTo("ABC");
            assertThat(it.reads).isEqualTo(1);
            ProgressiveFuture<ByteBuf> five = receiver.receive(5);
            assertThat(it.reads).isEqualTo(2);
            it.arrive("EF");
            assertThat(it.reads).isEqualTo(3);
            it.arrive("GH", "IJ");
            assertThat(it.reads).isEqualTo(3);
            assertThat(text(five)).isEqualTo("DEFGH");
            assertThat(text(receiver.receive(2))).isEqualTo("IJ");
            assertThat(it.reads).isEqualTo(4); // in advance again: nothing is unread
        }

        @Test // 32: however often it is asked, one read is outstanding
        void askingMoreOftenReadsNoMore() {
            List<ProgressiveFuture<ByteBuf>> receives =
                    List.of(receiver.receive(2), receiver.receive(2), receiver.receive(2));
            it.channel.read();
            assertThat(it.reads).isEqualTo(1);
            it.channel.pipeline().fireChannelRead(it.bytes("A"));
            it.channel.pipeline().fireChannelRead(it.bytes("B"));
            assertThat(it.reads).isEqualTo(1);
            it.channel.pipeline().fireChannelReadComplete();
            assertThat(it.reads).isEqualTo(2);
            it.arrive("CDEF");
            receives.forEach(receive -> assertThat(text(receive)).hasSize(2));
        }

        @Test
        void aReadThatGaveNothingIsFollowedByAnother() {
            it.arrive();
            assertThat(it.reads).isEqualTo(2);
            it.arrive("");
            assertThat(it.reads).isEqualTo(3);
        }

        @Test // 44: with the receive, its demand is gone
        void aCancelledReceiveAsksForNothing() {
            ProgressiveFuture<ByteBuf> receive = receiver.receive(10);
            it.channel.pipeline().fireChannelRead(it.bytes("AB"));
            receive.cancel(false);
            it.channel.pipeline().fireChannelReadComplete();
            assertThat(it.reads).isEqualTo(1);
            assertThat(text(receiver.receive(2))).isEqualTo("AB");
            assertThat(it.reads).isEqualTo(2);
        }

        @Test
        void nothingIsReadAfterTheEnd() {
            it.halfClose();
            receiver.receive(1);
            it.arrive();
            it.channel.read();
            assertThat(it.reads).isEqualTo(1);
        }

        @ParameterizedTest
        @ValueSource(booleans = {true, false})
        void autoReadIsSwitchedOffWhileTheReceiverIsThere(boolean found) {
            EmbeddedChannel channel = new EmbeddedChannel();
            channel.config().setAutoRead(found);
            ExactReceiver receiver = new ExactReceiver();
            channel.pipeline().addLast(receiver);
            assertThat(channel.config().isAutoRead()).isFalse();
            channel.pipeline().remove(receiver);
            assertThat(channel.config().isAutoRead()).isEqualTo(found);
            channel.finish();
        }

        /** Behind the receiver; keeps the read() of auto-read from it, as a handler that controls the flow does. */
        private static final class KeepsReads extends ChannelOutboundHandlerAdapter {
            @Override
            public void read(ChannelHandlerContext ctx) {}
        }

        @ParameterizedTest(name = "its read is kept from the receiver: {0}") // 32
        @ValueSource(booleans = {true, false})
        void somebodyElsesAutoReadLastsForOneReadAtMost(boolean readIsKept) {
            if (readIsKept) {
                it.channel.pipeline().addLast(new KeepsReads());
            }
            it.arrive("AB");
            it.channel.config().setAutoRead(true);
            assertThat(it.reads).isEqualTo(1); // bytes are unread
            it.arrive("CD");
            assertThat(it.channel.config().isAutoRead()).isFalse();
            assertThat(it.reads).isEqualTo(1);
            assertThat(text(receiver.receive(4))).isEqualTo("ABCD");
        }

        @ParameterizedTest(name = "its read is kept from the receiver: {0}, found: {1}") // 21: the successor has input
        @CsvSource({"true, true", "true, false", "false, true", "false, false"})
        void somebodyElsesAutoReadHoldsAfterRemoval(boolean readIsKept, boolean found) {
            it.channel.pipeline().remove(this.receiver);
            it.channel.config().setAutoRead(found);
            ExactReceiver receiver = new ExactReceiver();
            it.channel.pipeline().addLast(receiver);
            it.arrive("AB");
            if (readIsKept) {
                it.channel.pipeline().addLast("keeps reads", new KeepsReads());
            }
            it.channel.config().setAutoRead(true);
            if (readIsKept) {
                it.channel.pipeline().remove("keeps reads");
            }
            int before = it.reads;
            it.channel.pipeline().remove(receiver);
            assertThat(it.channel.config().isAutoRead()).isTrue();
            assertThat(it.reads).isGreaterThan(before);
        }

        @Test // 31: switched on and off from a listener
        void autoReadSwitchedDuringDelivery() {
            ProgressiveFuture<ByteBuf> first = receiver.receive(1);
            first.addListener((Future<ByteBuf> receive) -> {
                it.channel.config().setAutoRead(true);
                it.channel.config().setAutoRead(false);
            });
            ProgressiveFuture<ByteBuf> second = receiver.receive(2);
            it.arrive("ABCD");
            assertThat(text(first) + text(second)).isEqualTo("ABC");
            assertThat(text(receiver.receive(1))).isEqualTo("D");
        }
    }

    /** 41: a receive is answered, whatever else goes on in the channel. */
    @Nested
    class Demand {
        @Test
        void aReceiveSurvivesThatAutoReadIsSwitchedOnAndOff() throws Exception {
            ExactReceiver receiver = new ExactReceiver();
            try (Loopback it = new Loopback(Transport.nio(), receiver)) {
                ProgressiveFuture<ByteBuf> receive = receiver.receive(4);
                // As a handler does that follows the channel's writability.
                it.channel
                        .eventLoop()
                        .submit(() -> {
                            it.channel.config().setAutoRead(true);
                            it.channel.config().setAutoRead(false);
                        })
                        .sync();
                it.send("ABCD");
                assertThat(Loopback.text(receive)).isEqualTo("ABCD");
            }
        }

        @Test
        void bytesThatComeWhileAProgressListenerRunsAreLookedAt() {
            ExactReceiver receiver = new ExactReceiver();
            EmbeddedChannel channel = new EmbeddedChannel(receiver);
            ProgressiveFuture<ByteBuf> receive = receiver.receive(100_000);
            receive.addListener(new GenericProgressiveFutureListener<ProgressiveFuture<ByteBuf>>() {
                @Override
                public void operationProgressed(ProgressiveFuture<ByteBuf> future, long progress, long total) {
                    if (progress < total) {
                        channel.pipeline().fireChannelRead(channel.alloc().buffer().writeZero(30_000));
                    }
                }

                @Override
                public void operationComplete(ProgressiveFuture<ByteBuf> future) {}
            });
            channel.pipeline().fireChannelRead(channel.alloc().buffer().writeZero(70_000));
            assertThat(receive.isSuccess()).isTrue();
            assertThat(receive.getNow().readableBytes()).isEqualTo(100_000);
            receive.getNow().release();
            channel.finish();
        }

        @Test
        void aReceiveAfterTheEventLoopIsGoneTellsItsListener() throws Exception {
            EventLoopGroup group = new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
            ExactReceiver receiver = new ExactReceiver();
            new Bootstrap()
                    .group(group)
                    .channel(NioSocketChannel.class)
                    .handler(receiver)
                    .register()
                    .sync()
                    .channel()
                    .close()
                    .sync();
            group.shutdownGracefully(0, 10, SECONDS).sync();
            CountDownLatch told = new CountDownLatch(1);
            receiver.receive(1).addListener(future -> told.countDown());
            assertThat(told.await(10, SECONDS)).isTrue();
        }
    }
}
