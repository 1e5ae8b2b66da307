package io.exactframe.netty;

import static io.exactframe.netty.LengthPrefix.uint32;
import static io.exactframe.netty.LengthPrefix.varint32;
import static io.exactframe.netty.testing.ReceiverChannel.text;
import static org.assertj.core.api.Assertions.assertThat;

import io.exactframe.netty.testing.ReceiverChannel;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.util.concurrent.Future;
import io.netty.util.concurrent.GenericProgressiveFutureListener;
import io.netty.util.concurrent.ProgressiveFuture;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.function.Function;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** 44, 47: receives that are cancelled, and what they tell of their progress. */
class ExactReceiverCancelTest {
    /** A cancelled receive leaves its bytes to the next. */
    @Nested
    class Cancelled {
        private static final String FRAME = "\0\0\0\12abcdefghij";

        private final ReceiverChannel it = new ReceiverChannel();
        private final ExactReceiver receiver = it.receiver;

        @AfterEach
        void close() {
            it.channel.finish();
        }

        private enum Form {
            FIXED(receiver -> receiver.receive(14), FRAME),
            OR_END(receiver -> receiver.receiveOrEnd(14), FRAME),
            PREFIXED(receiver -> receiver.receive(uint32(), 14), FRAME.substring(4)),
            WITH_HEADER(receiver -> receiver.receive(uint32().keepHeader(), 14), FRAME),
            PARTLY_STRIPPED(receiver -> receiver.receive(uint32().strip(2), 14), FRAME.substring(2));

            final Function<ExactReceiver, ProgressiveFuture<ByteBuf>> ask;
            final String gives;

            Form(Function<ExactReceiver, ProgressiveFuture<ByteBuf>> ask, String gives) {
                this.ask = ask;
                this.gives = gives;
            }
        }

        @ParameterizedTest // 44: before, at and after the first byte, inside the header and behind it
        @EnumSource
        void theBytesOfACancelledReceiveAreTheNextOnes(Form form) {
            for (Form next : Form.values()) {
                for (int first = 0; first < FRAME.length(); first++) {
                    for (int second = first; second < FRAME.length(); second++) {
                        ProgressiveFuture<ByteBuf> cancelled = form.ask.apply(receiver);
                        it.arrive(FRAME.substring(0, first));
                        it.arrive(FRAME.substring(first, second));
                        assertThat(cancelled.cancel(false)).isTrue();
                        ProgressiveFuture<ByteBuf> receive = next.ask.apply(receiver);
                        it.arrive(FRAME.substring(second));
                        assertThat(text(receive)).as("%s, cut at %d and %d", next, first, second).isEqualTo(next.gives);
                    }
                }
            }
            assertThat(it.exceptions).isEmpty();
        }

        @Test // 44: the next may be served at once
        void theBytesOfACancelledReceiveServeTheNextAtOnce() {
            ProgressiveFuture<ByteBuf> cancelled = receiver.receive(10);
            ProgressiveFuture<ByteBuf> next = receiver.receive(3);
            it.arrive("AB", "CDE");
            assertThat(next.isDone()).isFalse();
            cancelled.cancel(false);
            assertThat(text(next)).isEqualTo("ABC");
            assertThat(text(receiver.receive(2))).isEqualTo("DE");
        }

        @Test // 44
        void aReceiveThatIsDoneCannotBeCancelled() {
            ProgressiveFuture<ByteBuf> receive = receiver.receive(2);
            it.arrive("ABCD");
            assertThat(receive.cancel(false)).isFalse();
            assertThat(receive.isCancelled()).isFalse();
            assertThat(text(receive)).isEqualTo("AB");
            assertThat(text(receiver.receive(2))).isEqualTo("CD");
        }

        @Test // 44: from the first listener, the last moment there is
        void aReceiveCannotBeCancelledOnceItIsBeingCompleted() {
            ProgressiveFuture<ByteBuf> receive = receiver.receive(2);
            List<Boolean> cancelled = new ArrayList<>();
            receive.addListener(future -> cancelled.add(future.cancel(false)));
            it.arrive("AB");
            assertThat(cancelled).containsExactly(false);
            assertThat(text(receive)).isEqualTo("AB");
        }

        @Test // 44: its bytes are gone when the pipeline is told why
        void aReceiveThatIsBeingFailedCannotBeCancelled() {
            ProgressiveFuture<ByteBuf> receive = receiver.receive(uint32(), 14);
            List<Boolean> cancelled = new ArrayList<>();
            it.channel.pipeline().addLast(new ChannelInboundHandlerAdapter() {
                @Override
                public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
                    cancelled.add(receive.cancel(false));
                }
            });
            it.arrive("\1\1\1\1");
            assertThat(cancelled).containsExactly(false);
            assertThat(receive.cause()).isSameAs(it.exceptions.get(0));
        }

        @Test // 44
        void oneInTheMiddleIsPassedOver() {
            List<ProgressiveFuture<ByteBuf>> receives = new ArrayList<>();
            for (int i = 0; i < 5; i++) {
                receives.add(receiver.receive(2));
            }
            it.arrive("A");
            receives.get(1).cancel(false);
            receives.get(3).cancel(false);
            receives.get(4).cancel(false);
            it.arrive("BCDEF");
            assertThat(text(receives.get(0)) + text(receives.get(2))).isEqualTo("ABCD");
            assertThat(text(receiver.receive(2))).isEqualTo("EF");
        }

        @Test // 44: a listener of the one in front cancels the next, whose bytes are here
        void cancelledByTheListenerOfTheOneBefore() {
            ProgressiveFuture<ByteBuf> first = receiver.receive(1);
            ProgressiveFuture<ByteBuf> second = receiver.receive(2);
            ProgressiveFuture<ByteBuf> third = receiver.receive(3);
            first.addListener(receive -> second.cancel(false));
            it.arrive("ABCD");
            assertThat(second.isCancelled()).isTrue();
            assertThat(text(first) + text(third)).isEqualTo("ABCD");
        }

        private record Asked(ProgressiveFuture<ByteBuf> receive, int size) {}

        @Test // 43, 44: against the simplest model, a position in the stream
        void anySequenceOfReceivesAndCancelsConservesTheBytes() {
            int steps = 60;
            byte[] stream = new byte[steps << 17];
            new Random(0).nextBytes(stream);
            for (int seed = 0; seed < 150; seed++) {
                Random random = new Random(seed);
                ReceiverChannel it = new ReceiverChannel();
                List<Asked> asked = new ArrayList<>();
                int largest = 1 << 2 + random.nextInt(16);
                int sent = 0;
                int taken = 0;
                for (int step = 0; step < steps; step++) {
                    switch (random.nextInt(5)) {
                        case 0, 1 -> {
                            int size = 1 + random.nextInt(largest);
                            asked.add(new Asked(it.receiver.receive(size), size));
                        }
                        case 2 -> {
                            if (!asked.isEmpty()) {
                                int victim = random.nextInt(Math.min(asked.size(), 3));
                                assertThat(asked.remove(victim).receive().cancel(false)).isTrue();
                            }
                        }
                        default -> {
                            int size = 1 + random.nextInt(largest);
                            it.channel.writeInbound(it.channel.alloc().buffer(size).writeBytes(stream, sent, size));
                            sent += size;
                        }
                    }
                    // Whole frames from the front, in order; none whose bytes are not here.
                    while (!asked.isEmpty() && asked.get(0).size() <= sent - taken) {
                        Asked first = asked.remove(0);
                        assertThat(first.receive().isSuccess()).as("seed %d, step %d", seed, step).isTrue();
                        ByteBuf frame = first.receive().getNow();
                        assertThat(frame)
                                .as("seed %d, step %d", seed, step)
                                .isEqualTo(Unpooled.wrappedBuffer(stream, taken, first.size()));
                        frame.release();
                        taken += first.size();
                    }
                    for (Asked waiting : asked) {
                        assertThat(waiting.receive().isDone()).as("seed %d, step %d", seed, step).isFalse();
                    }
                }
                it.channel.finish();
            }
        }

        @Test // 44: a header of several bytes that was measured, but not set aside
        void aPrefixedReceiveThatWasMeasuredAndCancelledIsMeasuredAnew() {
            String payload = "x".repeat(200);
            Future<ByteBuf> cancelled = receiver.receive(varint32(), 1000);
            it.arrive("\310\1" + payload.substring(0, 100));
            cancelled.cancel(false);
            Future<ByteBuf> one = receiver.receive(1);
            Future<ByteBuf> rest = receiver.receive(LengthPrefix.uint8(), 1000); // the varint's second byte
            it.arrive(payload.substring(100));
            assertThat(text(one)).isEqualTo("\310");
            assertThat(text(rest)).isEqualTo("x");
            assertThat(text(receiver.receive(199))).isEqualTo(payload.substring(1));
        }
    }

    /** 47: progress is monotonic, throttled, and ends at the total. */
    @Nested
    class Progress {
        private static final int STEP = 64 * 1024;

        private final ReceiverChannel it = new ReceiverChannel();
        private final ExactReceiver receiver = it.receiver;
        private final List<Long> progress = new ArrayList<>();
        private final List<Long> totals = new ArrayList<>();

        @AfterEach
        void close() {
            it.channel.finish();
        }

        private class Listener implements GenericProgressiveFutureListener<ProgressiveFuture<ByteBuf>> {
            @Override
            public void operationProgressed(ProgressiveFuture<ByteBuf> receive, long received, long total) {
                assertThat(receive.isDone()).isFalse();
                progress.add(received);
                totals.add(total);
            }

            @Override
            public void operationComplete(ProgressiveFuture<ByteBuf> receive) {
                progress.add(-1L); // nothing comes behind it
            }
        }

        private void arriveInPieces(int bytes, int piece) {
            for (int left = bytes; left > 0; left -= piece) {
                it.arrive("x".repeat(Math.min(piece, left)));
            }
        }

        private void assertThrottled(long total) {
            long last = 0;
            for (long received : progress.subList(0, progress.size() - 2)) {
                assertThat(received - last).isBetween((long) STEP, 2L * STEP);
                last = received;
            }
            assertThat(progress.get(progress.size() - 2)).isEqualTo(total);
            assertThat(progress.get(progress.size() - 1)).isEqualTo(-1L);
            assertThat(totals).containsOnly(total);
        }

        @ParameterizedTest
        @ValueSource(ints = {1000, 65_536, 100_000})
        void everyStepAndTheTotal(int piece) {
            ProgressiveFuture<ByteBuf> receive = receiver.receive(1_000_000).addListener(new Listener());
            arriveInPieces(1_000_000, piece);
            assertThat(progress).hasSizeGreaterThan(1_000_000 / 131_072);
            assertThrottled(1_000_000);
            assertThat(text(receive)).hasSize(1_000_000);
        }

        @Test
        void theHeaderIsCountedToo() {
            ProgressiveFuture<ByteBuf> receive = receiver.receive(uint32(), 300_000);
            receive.addListener(new Listener());
            it.arrive("\0\3\15", "\100"); // 200_000
            assertThat(progress).isEmpty();
            arriveInPieces(200_000, 10_000);
            assertThrottled(200_004);
            assertThat(text(receive)).hasSize(200_000);
        }

        @Test
        void theTotalIsUnknownWhileTheHeaderIsIncomplete() {
            ProgressiveFuture<ByteBuf> receive = receiver.receive(uint32().headerBefore(100_000), 300_000);
            receive.addListener(new Listener());
            it.arrive("x".repeat(70_000));
            assertThat(progress).containsExactly(70_000L);
            assertThat(totals).containsExactly(-1L); // Netty's word for it
            receive.cancel(false);
        }

        @Test
        void aSmallReceiveIsToldOfOnce() {
            ProgressiveFuture<ByteBuf> receive = receiver.receive(4).addListener(new Listener());
            it.arrive("A", "B", "C", "D");
            assertThat(progress).containsExactly(4L, -1L);
            assertThat(totals).containsExactly(4L);
            assertThat(text(receive)).isEqualTo("ABCD");
        }

        @Test
        void aListenerThatThrowsHarmsNobody() {
            List<Long> thrower = new ArrayList<>();
            ProgressiveFuture<ByteBuf> receive = receiver.receive(200_000);
            receive.addListener(new Listener() {
                @Override
                public void operationProgressed(ProgressiveFuture<ByteBuf> receive, long received, long total) {
                    thrower.add(received);
                    throw new IllegalStateException("thrown by a listener, on purpose");
                }
            });
            progress.clear();
            receive.addListener(new Listener());
            arriveInPieces(200_000, 70_000);
            assertThat(thrower).containsExactly(70_000L, 140_000L, 200_000L);
            assertThat(progress).containsSubsequence(70_000L, 140_000L, 200_000L);
            assertThat(text(receive)).hasSize(200_000);
            assertThat(it.exceptions).isEmpty();
        }

        @Test // 44
        void aListenerMayCancel() {
            ProgressiveFuture<ByteBuf> receive = receiver.receive(200_000);
            ProgressiveFuture<ByteBuf> next = receiver.receive(100_000);
            receive.addListener(new Listener() {
                @Override
                public void operationProgressed(ProgressiveFuture<ByteBuf> receive, long received, long total) {
                    assertThat(receive.cancel(false)).isTrue();
                }
            });
            it.arrive("x".repeat(100_000));
            assertThat(receive.isCancelled()).isTrue();
            assertThat(text(next)).hasSize(100_000);
        }

        @Test // 44: told of the total, it is too late
        void aListenerOfTheTotalCannotCancel() {
            ProgressiveFuture<ByteBuf> receive = receiver.receive(4);
            receive.addListener(new Listener() {
                @Override
                public void operationProgressed(ProgressiveFuture<ByteBuf> receive, long received, long total) {
                    assertThat(receive.cancel(false)).isFalse();
                    progress.add(received);
                }
            });
            it.arrive("ABCD");
            assertThat(progress).containsExactly(4L, -1L);
            assertThat(text(receive)).isEqualTo("ABCD");
        }

        @Test // 46
        void aListenerMayClose() {
            ProgressiveFuture<ByteBuf> receive = receiver.receive(200_000);
            receive.addListener(new Listener() {
                @Override
                public void operationProgressed(ProgressiveFuture<ByteBuf> receive, long received, long total) {
                    it.channel.close();
                }
            });
            it.arrive("x".repeat(100_000));
            assertThat(receive.cause()).hasMessage("stream ended after 100000 of 200000 bytes, closed on this side");
            assertThat(it.exceptions).containsExactly(receive.cause());
        }

        @Test // 20
        void aListenerMayRemoveTheReceiver() {
            ProgressiveFuture<ByteBuf> receive = receiver.receive(200_000);
            receive.addListener(new Listener() {
                @Override
                public void operationProgressed(ProgressiveFuture<ByteBuf> receive, long received, long total) {
                    it.channel.pipeline().remove(receiver);
                }
            });
            it.arrive("x".repeat(100_000));
            assertThat(receive.isDone()).isTrue();
            assertThat(it.passed).containsExactly("x".repeat(100_000), "readComplete", "readComplete");
        }
    }
}
