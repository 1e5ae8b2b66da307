package io.exactframe.netty;

import static io.exactframe.netty.LengthPrefix.uint16;
import static io.exactframe.netty.LengthPrefix.uint32;
import static io.exactframe.netty.LengthPrefix.varint32;
import static io.exactframe.netty.testing.ReceiverChannel.text;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.exactframe.netty.testing.ReceiverChannel;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelPipelineException;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.handler.codec.CorruptedFrameException;
import io.netty.handler.codec.TooLongFrameException;
import io.netty.util.concurrent.Future;
import io.netty.util.concurrent.FutureListener;
import io.netty.util.concurrent.GenericFutureListener;
import io.netty.util.concurrent.ProgressiveFuture;
import java.nio.ByteOrder;
import java.nio.channels.ClosedChannelException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** 4 to 9, 17, 24, 36, 41 to 45: what a receiver is asked for and gives. */
class ExactReceiverTest {
    @Nested
    class Receives {
        private static final int MOST_OUTSTANDING = 1024;

        private final ReceiverChannel it = new ReceiverChannel();
        private final ExactReceiver receiver = it.receiver;

        @AfterEach
        void close() {
            it.channel.finish();
        }

        @Test
        void givesExactlyTheBytesAskedForInTheOrderOfAsking() {
            ProgressiveFuture<ByteBuf> four = receiver.receive(4);
            ProgressiveFuture<ByteBuf> prefixed = receiver.receive(uint16(), 100);
            ProgressiveFuture<ByteBuf> two = receiver.receiveOrEnd(2);
            it.arrive("AB");
            assertThat(four.isDone()).isFalse();
            it.arrive("CD\0\3E");
            assertThat(text(four)).isEqualTo("ABCD");
            assertThat(prefixed.isDone()).isFalse();
            assertThat(two.isDone()).isFalse();
            it.arrive("FGHIJ");
            assertThat(text(prefixed)).isEqualTo("EFG");
            assertThat(text(two)).isEqualTo("HI");
            assertThat(text(receiver.receive(1))).isEqualTo("J");
            assertThat(it.passed).containsOnly("readComplete");
        }

        @ParameterizedTest // 42
        @ValueSource(ints = {0, -1, Integer.MIN_VALUE})
        void aSizeBelowOneIsRefusedAtTheCall(int size) {
            for (int i = 0; i < 2 * MOST_OUTSTANDING; i++) { // a refused call takes no place
                assertThatIllegalArgumentException().isThrownBy(() -> receiver.receive(size));
                assertThatIllegalArgumentException().isThrownBy(() -> receiver.receiveOrEnd(size));
            }
            ProgressiveFuture<ByteBuf> next = receiver.receive(1);
            it.arrive("A");
            assertThat(text(next)).isEqualTo("A");
        }

        @Test // 8
        void aPrefixThatMakesNoSenseIsRefusedAtTheCall() {
            assertThatIllegalArgumentException().isThrownBy(() -> receiver.receive(uint32(), 3));
            assertThatIllegalArgumentException().isThrownBy(() -> receiver.receive(uint16().trailer(5), 6));
            it.arrive("ABCD");
            assertThat(text(receiver.receive(4))).isEqualTo("ABCD");
        }

        @ParameterizedTest // 9, 42
        @ValueSource(booleans = {true, false})
        void aLengthThePeerSendsFailsTheFutureAndAllAfterIt(boolean askedBefore) {
            ProgressiveFuture<ByteBuf> first = askedBefore ? receiver.receive(uint16(), 10) : null;
            ProgressiveFuture<ByteBuf> second = askedBefore ? receiver.receive(1) : null;
            it.arrive("\0\11ABC", "DEF");
            if (!askedBefore) {
                first = receiver.receive(uint16(), 10);
                second = receiver.receive(1);
            }
            it.arrive("GHI");
            assertThat(first.cause()).isInstanceOf(TooLongFrameException.class).hasMessageContaining("11");
            assertThat(second.cause()).isSameAs(first.cause());
            assertThat(receiver.receiveOrEnd(1).cause()).isSameAs(first.cause());
            assertThat(it.exceptions).singleElement().isSameAs(first.cause());
            it.channel.finish();
            assertThat(it.exceptions).hasSize(1);
        }

        @Test // 3, 9
        void aVarintThatIsTooLongFailsTheFuture() {
            ProgressiveFuture<ByteBuf> receive = receiver.receive(varint32(), 100);
            it.arrive("\u00ff\u00ff\u00ff");
            it.arrive("\u00ff\u00ff\u00ff");
            assertThat(receive.cause()).isInstanceOf(CorruptedFrameException.class);
            assertThat(it.exceptions).singleElement().isSameAs(receive.cause());
        }

        @Test // 4
        void anEmptyFrameIsAnEmptyBuffer() {
            ProgressiveFuture<ByteBuf> first = receiver.receive(uint16(), 2);
            ProgressiveFuture<ByteBuf> second = receiver.receive(uint16(), 2);
            it.arrive("\0\0\0");
            assertThat(text(first)).isEmpty();
            assertThat(second.isDone()).isFalse();
            it.arrive("\0");
            assertThat(text(second)).isEmpty();
        }

        @ParameterizedTest // 6
        @CsvSource({"98, true", "99, false"})
        void theLimitIsThatOfTheWholeFrame(int payload, boolean fits) {
            ProgressiveFuture<ByteBuf> receive = receiver.receive(uint16(), 100);
            it.arrive("\0" + (char) payload + "x".repeat(payload));
            assertThat(receive.isSuccess()).isEqualTo(fits);
            if (fits) {
                assertThat(text(receive)).isEqualTo("x".repeat(payload));
            }
        }

        @Test // 17
        void messagesThatAreNotBytesPass() {
            it.arrive("AB");
            it.channel.writeInbound("a message");
            it.arrive("CD");
            assertThat(it.passed).containsExactly("readComplete", "a message", "readComplete", "readComplete");
            assertThat(text(receiver.receive(4))).isEqualTo("ABCD");
        }

        @Test // 5
        void emptyInputIsReleasedAndEndsNothing() {
            ProgressiveFuture<ByteBuf> receive = receiver.receive(2);
            it.arrive("", "A", "", "");
            it.arrive();
            assertThat(receive.isDone()).isFalse();
            it.arrive("", "B", "");
            assertThat(text(receive)).isEqualTo("AB");
        }

        @Test // 41
        void receivingWithoutAPipelineFails() throws InterruptedException {
            ProgressiveFuture<ByteBuf> receive = new ExactReceiver().receive(1);
            assertThat(receive.cause()).isInstanceOf(ChannelPipelineException.class);
            CountDownLatch told = new CountDownLatch(1);
            receive.addListener(future -> told.countDown());
            assertThat(told.await(10, TimeUnit.SECONDS)).isTrue();
        }

        @Test // 41
        void receivingAfterRemovalFails() {
            ProgressiveFuture<ByteBuf> before = receiver.receive(1);
            it.channel.pipeline().remove(receiver);
            assertThat(before.cause()).isInstanceOf(ChannelPipelineException.class);
            assertThat(receiver.receive(1).cause()).isInstanceOf(ChannelPipelineException.class);
            assertThat(receiver.receiveOrEnd(1).cause()).isInstanceOf(ChannelPipelineException.class);
        }

        @Test // 41
        void receivingAfterCloseFails() {
            it.channel.close();
            assertThat(receiver.receive(1).cause()).isInstanceOf(ClosedChannelException.class);
            assertThat(receiver.receive(uint16(), 10).cause()).isInstanceOf(ClosedChannelException.class);
        }

        @Test // 24, 41
        void receivingOnAChannelThatWasClosedBeforeFails() {
            EmbeddedChannel closed = new EmbeddedChannel();
            closed.close();
            ExactReceiver late = new ExactReceiver();
            closed.pipeline().addLast(late);
            assertThat(late.receive(1).cause()).isInstanceOf(ClosedChannelException.class);
        }

        @Test // 24
        void aReceiveBeforeRegistrationWaitsForIt() throws Exception {
            ExactReceiver early = new ExactReceiver();
            EmbeddedChannel channel = new EmbeddedChannel(false, false);
            channel.pipeline().addLast(early);
            ProgressiveFuture<ByteBuf> receive = early.receive(2);
            assertThat(receive.isDone()).isFalse();
            channel.register();
            channel.writeInbound(channel.alloc().buffer().writeBytes(new byte[] {'A', 'B'}));
            assertThat(text(receive)).isEqualTo("AB");
            channel.finish();
        }

        @Test // 43
        void oneMoreThan1024OutstandingIsRejectedInTheFuture() {
            List<ProgressiveFuture<ByteBuf>> receives = new ArrayList<>();
            for (int i = 0; i < MOST_OUTSTANDING; i++) {
                receives.add(receiver.receive(1));
            }
            ProgressiveFuture<ByteBuf> tooMany = receiver.receive(1);
            assertThat(tooMany.cause()).isInstanceOf(RejectedExecutionException.class);
            assertThat(receiver.receiveOrEnd(1).cause()).isInstanceOf(RejectedExecutionException.class);
            it.arrive("A");
            ProgressiveFuture<ByteBuf> last = receiver.receive(1); // there is a place again
            it.arrive("x".repeat(MOST_OUTSTANDING - 1) + "Z");
            assertThat(text(receives.remove(0))).isEqualTo("A");
            assertThat(receives).allSatisfy(receive -> assertThat(text(receive)).isEqualTo("x"));
            assertThat(text(last)).isEqualTo("Z");
        }

        @ParameterizedTest(name = "cancel every {0}th") // 43
        @ValueSource(ints = {1, 2, 7, 1024})
        void aCancelledReceiveFreesItsPlace(int step) {
            List<ProgressiveFuture<ByteBuf>> kept = new ArrayList<>();
            int cancelled = 0;
            for (int i = 1; i <= MOST_OUTSTANDING; i++) {
                ProgressiveFuture<ByteBuf> receive = receiver.receive(1);
                kept.add(receive);
            }
            for (int i = MOST_OUTSTANDING; i >= 1; i -= step) {
                assertThat(kept.remove(i - 1).cancel(false)).isTrue();
                cancelled++;
            }
            for (int i = 0; i < cancelled; i++) {
                kept.add(receiver.receive(1));
            }
            assertThat(kept).allSatisfy(receive -> assertThat(receive.isDone()).isFalse());
            assertThat(receiver.receive(1).cause()).isInstanceOf(RejectedExecutionException.class);
            it.channel.close();
            assertThat(kept).allSatisfy(receive -> assertThat(receive.cause()).isInstanceOf(PrematureCloseException.class));
        }

        @Test // 45
        @Tag("slow")
        void aListenerMayReceiveAgainAMillionTimes() {
            int times = 1_000_000;
            int[] sum = new int[2];
            FutureListener<ByteBuf> again = new FutureListener<>() {
                @Override
                public void operationComplete(Future<ByteBuf> receive) {
                    ByteBuf frame = receive.getNow();
                    sum[0]++;
                    sum[1] += frame.getByte(0);
                    frame.release();
                    if (sum[0] < times) {
                        receiver.receive(1).addListener(this);
                    }
                }
            };
            receiver.receive(1).addListener(again);
            int expected = 0;
            for (int sent = 0; sent < times; sent += 50_000) {
                ByteBuf fragment = it.channel.alloc().buffer(50_000);
                for (int i = 0; i < 50_000; i++) {
                    fragment.writeByte(i);
                    expected += (byte) i;
                }
                it.channel.writeInbound(fragment);
            }
            assertThat(sum).containsExactly(times, expected);
        }

        @Test // 45
        void aListenerMayReceiveAgainAfterTheEndWithoutDeepStacks() {
            int[] failures = new int[1];
            FutureListener<ByteBuf> again = new FutureListener<>() {
                @Override
                public void operationComplete(Future<ByteBuf> receive) {
                    if (receive.cause() != null && ++failures[0] < 20_000) {
                        receiver.receive(1).addListener(this);
                    }
                }
            };
            receiver.receive(1).addListener(again);
            it.channel.close();
            assertThat(failures[0]).isEqualTo(20_000);
        }

        @Test // 45: what is here is served when the listener has returned, and all listeners before
        void aReceiveFromAListenerDoesNotNest() {
            List<String> told = new ArrayList<>();
            ProgressiveFuture<ByteBuf> first = receiver.receive(1);
            first.addListener(receive -> {
                ProgressiveFuture<ByteBuf> second = receiver.receive(1);
                second.addListener((Future<ByteBuf> done) -> told.add("second " + text(done)));
                told.add("second asked for");
            });
            first.addListener(receive -> told.add("first"));
            it.arrive("AB");
            assertThat(told).containsExactly("second asked for", "first", "second B");
            assertThat(text(first)).isEqualTo("A");
        }

        @Test
        void listenersOfAnyTypeAreTold() {
            List<String> told = new ArrayList<>();
            ProgressiveFuture<ByteBuf> receive = receiver.receive(1);
            receive.addListener(future -> told.add("untyped"));
            receive.addListener((Future<ByteBuf> future) -> told.add(String.valueOf((char) future.getNow().getByte(0))));
            receive.addListener((FutureListener<ByteBuf>) future -> told.add("FutureListener"));
            receive.addListener((GenericFutureListener<ProgressiveFuture<ByteBuf>>) future -> told.add("progressive"));
            it.arrive("A");
            receive.addListener((Future<ByteBuf> future) -> told.add("late"));
            assertThat(told).containsExactly("untyped", "A", "FutureListener", "progressive", "late");
            assertThat(text(receive)).isEqualTo("A");
        }

        @Test
        void aListenerThatThrowsHarmsNobody() {
            ProgressiveFuture<ByteBuf> first = receiver.receive(1);
            ProgressiveFuture<ByteBuf> second = receiver.receive(1);
            int[] told = new int[1];
            first.addListener(future -> {
                throw new IllegalStateException("thrown by a listener, on purpose");
            });
            first.addListener(future -> told[0]++);
            it.arrive("AB");
            assertThat(text(first) + text(second)).isEqualTo("AB");
            assertThat(told).containsExactly(1);
            assertThat(it.exceptions).isEmpty();
        }
    }

    /** What a receiver has when the stream ends and nobody asked for it, and what it tells whoever did. */
    @Nested
    class Leftovers {
        private final ReceiverChannel it = new ReceiverChannel();

        @Test // 10, 36: little-endian views among them
        @SuppressWarnings("deprecation") // order(): such views still exist
        void bytesOfBothOrdersOutliveTheChannel() {
            it.channel.pipeline().fireChannelRead(it.bytes("AB"));
            it.channel.pipeline().fireChannelRead(it.bytes("CD").order(ByteOrder.LITTLE_ENDIAN));
            it.channel.pipeline().fireChannelReadComplete();
            it.channel.finish();
            assertThat(it.exceptions).isEmpty();
            assertThat(ReceiverChannel.text(it.receiver.receive(3))).isEqualTo("ABC");
            assertThat(ReceiverChannel.text(it.receiver.receive(1))).isEqualTo("D");
        }

        @Test // 44, 46: the application cancels what it waits for when it hears of the fault
        void aReceiveThatLostItsBytesTellsSoAndIsNotCancelled() {
            ProgressiveFuture<ByteBuf> receive = it.receiver.receive(4);
            boolean[] cancelled = new boolean[1];
            it.channel.pipeline().addLast(new ChannelInboundHandlerAdapter() {
                @Override
                public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
                    cancelled[0] = receive.cancel(false);
                }
            });
            it.arrive("AB");
            it.channel.finish();
            assertThat(cancelled[0]).isFalse();
            assertThat(receive.cause()).isInstanceOf(PrematureCloseException.class);
        }
    }
}
