package io.exactframe.netty;

import static io.exactframe.netty.testing.ReceiverChannel.text;
import static io.exactframe.netty.testing.TimedChannel.FRAME;
import static io.exactframe.netty.testing.TimedChannel.SECOND;
import static io.exactframe.netty.testing.TimedChannel.WIRE;
import static java.util.concurrent.TimeUnit.HOURS;
import static java.util.concurrent.TimeUnit.MILLISECONDS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.exactframe.netty.FrameTimeoutException.Limit;
import io.exactframe.netty.testing.CountingAllocator;
import io.exactframe.netty.testing.ReceiverChannel;
import io.exactframe.netty.testing.TimedChannel;
import io.exactframe.netty.testing.TimedChannel.TimedHandler;
import io.netty.buffer.ByteBuf;
import io.netty.util.concurrent.Future;
import io.netty.util.concurrent.ProgressiveFuture;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** 48: how long a frame may take, and how long it may be without a further byte. */
@Tag("clock")
class FrameTimeoutTest {
    /** 48: how long a frame may take from its first byte to its last. */
    @Nested
    class Deadline {
        private static final ReceiveOptions WITHIN_A_SECOND = ReceiveOptions.defaults().frameDeadline(SECOND);

        @Test // 8
        void aTimeThatMakesNoSenseIsRefusedAtOnce() {
            for (Duration none : List.of(Duration.ZERO, Duration.ofNanos(-1), Duration.ofSeconds(Long.MIN_VALUE))) {
                assertThatIllegalArgumentException().isThrownBy(() -> WITHIN_A_SECOND.frameDeadline(none));
                assertThatIllegalArgumentException().isThrownBy(() -> WITHIN_A_SECOND.stallTimeout(none));
            }
        }

        @ParameterizedTest // 8
        @EnumSource
        void optionsThatMakeNoSenseTogetherAreRefusedByTheHandler(TimedHandler kind) {
            ReceiveOptions options = ReceiveOptions.defaults().budget(new ReceiveBudget(1));
            assertThatIllegalArgumentException().isThrownBy(() -> kind.create(FRAME, options));
            kind.create(FRAME, options.frameDeadline(SECOND));
        }

        @ParameterizedTest
        @EnumSource
        void aByteEveryHalfSecondForAnHourIsCutAtTheDeadline(TimedHandler kind) {
            TimedChannel it = new TimedChannel(kind, 8000, WITHIN_A_SECOND.frameDeadline(Duration.ofSeconds(30)));
            String wire = TimedHandler.wire(8000);
            it.passMillis(123);
            long begun = it.now;
            for (int i = 0; i < 7200; i++) {
                it.receive(wire.substring(i, i + 1));
                it.passMillis(500);
            }
            assertThat(it.timeout()).hasMessage("60 of 8000 bytes within the deadline of 30000 ms");
            assertThat(it.faultAt - begun).isEqualTo(30 * SECOND.toNanos());
            it.assertEnded();
            it.channel.finish();
            assertThat(it.faults).hasSize(1);
        }

        @ParameterizedTest
        @EnumSource
        void theExceptionTellsWhatWasMissing(TimedHandler kind) {
            for (int bytes = 1; bytes < FRAME; bytes++) {
                TimedChannel it = new TimedChannel(kind, WITHIN_A_SECOND);
                it.receive(WIRE.substring(0, bytes));
                it.pass(SECOND);
                boolean inHeader = bytes < kind.headerLength;
                assertThat(it.timeout())
                        .hasMessage(bytes + " of " + (inHeader ? "2 header bytes" : "10 bytes")
                                + " within the deadline of 1000 ms")
                        .hasNoCause();
                assertThat(it.timeout().limit()).isEqualTo(Limit.DEADLINE);
                assertThat(it.timeout().receivedBytes()).isEqualTo(bytes);
                assertThat(it.timeout().expectedBytes()).isEqualTo(inHeader ? 2 : 10);
                assertThat(it.timeout().inHeader()).isEqualTo(inHeader);
                it.assertEnded();
                it.channel.finish();
                assertThat(it.faults).hasSize(1);
            }
        }

        @ParameterizedTest // 46
        @EnumSource(mode = EnumSource.Mode.MATCH_ANY, names = {"RECEIVE.*", "SKIP"})
        void everyOutstandingReceiveFailsWithItAndAllAfterIt(TimedHandler kind) {
            TimedChannel it = new TimedChannel(kind, WITHIN_A_SECOND);
            it.receive(WIRE + WIRE.substring(0, 3));
            it.pass(SECOND);
            assertThat(it.given).isOne();
            assertThat(it.receives.get(0).isSuccess()).isTrue();
            assertThat(it.receives.subList(1, it.receives.size()))
                    .extracting(Future::cause)
                    .containsOnly(it.timeout());
            for (TimedHandler each : TimedHandler.values()) {
                Future<?> later = each.receive((ExactReceiver) it.handler, FRAME);
                if (later != null) {
                    assertThat(later.cause()).isSameAs(it.timeout());
                }
            }
            it.channel.finish();
        }

        @ParameterizedTest // 40: its memory is given back, at once
        @EnumSource
        void whatWasHeldIsReleased(TimedHandler kind) {
            TimedChannel it = new TimedChannel(kind, 60_000, WITHIN_A_SECOND);
            CountingAllocator memory = new CountingAllocator();
            it.channel.config().setAllocator(memory);
            for (int i = 0; i < 10; i++) {
                it.receive(TimedHandler.wire(60_000).substring(i * 1000, i * 1000 + 1000));
            }
            it.pass(SECOND);
            it.timeout();
            assertThat(memory.live).isZero();
            it.assertEnded();
            it.channel.finish();
        }

        @ParameterizedTest
        @EnumSource(names = {"PREFIXED", "OWN_CODEC", "STREAM", "RECEIVE_PREFIXED"})
        void aFrameThatIsSkippedIsTimedFromItsFirstByteToo(TimedHandler kind) {
            TimedChannel it = new TimedChannel(kind, WITHIN_A_SECOND.skipOversized(1000));
            String wire = WIRE + TimedHandler.wire(1000);
            it.receive(wire.substring(0, 11));
            int given = it.given;
            for (int i = 11; i < 80; i++) {
                it.passMillis(20);
                it.receive(wire.substring(i, i + 1));
            }
            assertThat(it.given).isEqualTo(given);
            assertThat(it.faultAt).isEqualTo(SECOND.toNanos());
            it.assertEnded();
            assertThat(it.faults)
                    .extracting(Throwable::getMessage)
                    .containsExactly(
                            "frame of 1000 bytes, the limit is 10",
                            "50 of 1000 bytes within the deadline of 1000 ms");
            it.channel.finish();
        }

        @ParameterizedTest
        @EnumSource
        void eachFrameHasAllOfIt(TimedHandler kind) {
            TimedChannel it = new TimedChannel(kind, WITHIN_A_SECOND);
            it.receive(WIRE.substring(0, 1));
            for (int i = 0; i < 20; i++) {
                it.passMillis(i % 2 == 0 ? 999 : 20); // in the same ticks and in others than the one before
                it.receive(WIRE.substring(1) + WIRE.substring(0, 1)); // as long as the part before, and ends as it did
            }
            it.assertInTime();
            long begun = it.now;
            it.pass(SECOND);
            it.timeout();
            assertThat(it.faultAt - begun).isEqualTo(SECOND.toNanos());
            it.channel.finish();
        }

        @ParameterizedTest
        @EnumSource
        void itIsKeptToTheNanosecond(TimedHandler kind) {
            for (boolean late : new boolean[] {false, true}) {
                TimedChannel it = new TimedChannel(kind, WITHIN_A_SECOND.frameDeadline(Duration.ofNanos(1_000_003)));
                it.receive(WIRE.substring(0, 1));
                it.pass(Duration.ofNanos(late ? 1_000_003 : 1_000_002));
                it.receive(WIRE.substring(1));
                assertThat(it.faults).hasSize(late ? 1 : 0);
                it.channel.finish();
            }
        }

        @ParameterizedTest
        @EnumSource
        void betweenFramesNothingIsTimed(TimedHandler kind) {
            TimedChannel it = new TimedChannel(kind, WITHIN_A_SECOND);
            it.pass(Duration.ofHours(1));
            it.receive("");
            it.pass(Duration.ofHours(1));
            it.receive(WIRE);
            it.pass(Duration.ofHours(1));
            it.receive(WIRE.substring(0, 5));
            it.receive(WIRE.substring(5));
            it.pass(Duration.ofHours(1));
            it.receive(WIRE + WIRE);
            it.assertInTime();
            it.receive(WIRE.substring(0, 5));
            it.jump(SECOND);
            it.timeout();
            it.channel.finish();
        }

        @ParameterizedTest
        @EnumSource
        void anyLengthOfTime(TimedHandler kind) {
            for (Duration limit : List.of(Duration.ofSeconds(Long.MAX_VALUE), Duration.ofNanos(Long.MAX_VALUE - 1))) {
                TimedChannel it = new TimedChannel(kind, WITHIN_A_SECOND.frameDeadline(limit).stallTimeout(limit));
                it.receive(WIRE.substring(0, 3));
                it.jump(Duration.ofDays(100 * 365));
                it.receive(WIRE.substring(3, 5));
                it.jump(Duration.ofDays(100 * 365));
                it.receive(WIRE.substring(5) + WIRE.substring(0, 3));
                it.assertInTime();
                it.channel.finish();
            }
            TimedChannel it = new TimedChannel(kind, WITHIN_A_SECOND.frameDeadline(Duration.ofNanos(1)));
            it.receive(WIRE.substring(0, 3));
            it.jump(Duration.ofNanos(1));
            assertThat(it.timeout()).hasMessage("3 of 10 bytes within the deadline of 1 ns");
            it.channel.finish();
        }

        @ParameterizedTest // 34: an application that closes when it is told is told no more
        @EnumSource
        void theTimeoutIsAllThatIsSaidOfTheFrame(TimedHandler kind) {
            TimedChannel it = new TimedChannel(kind, WITHIN_A_SECOND);
            it.onFault = it.channel::close;
            it.receive(WIRE.substring(0, 3));
            it.pass(SECOND);
            it.timeout();
            assertThat(it.channel.isOpen()).isFalse();
            assertThat(it.hasTimer()).isFalse();
            assertThat(it.receives).allMatch(receive -> receive.cause() == it.timeout());
        }
    }

    /** 48: how long a frame that was begun may be without a further byte. */
    @Nested
    class Stall {
        private static final ReceiveOptions A_SECOND = ReceiveOptions.defaults().stallTimeout(SECOND);

        @ParameterizedTest
        @EnumSource
        void eachByteGivesItMoreTime(TimedHandler kind) {
            TimedChannel it = new TimedChannel(kind, A_SECOND);
            for (int i = 0; i < FRAME - 1; i++) {
                it.receive(WIRE.substring(i, i + 1));
                it.passMillis(990 + i);
            }
            it.assertInTime();
            it.passMillis(1);
            it.assertInTime();
            it.passMillis(1);
            assertThat(it.timeout()).hasMessage("9 of 10 bytes and no more for 1000 ms");
            assertThat(it.timeout().limit()).isEqualTo(Limit.STALL);
            it.assertEnded();
            it.channel.finish();
            assertThat(it.faults).hasSize(1);
        }

        @ParameterizedTest
        @EnumSource
        void aReadWithoutBytesGivesItNone(TimedHandler kind) {
            TimedChannel it = new TimedChannel(kind, A_SECOND);
            it.receive(WIRE.substring(0, 1));
            it.passMillis(600);
            it.receive("");
            it.passMillis(400);
            it.timeout();
            it.channel.finish();
        }

        @ParameterizedTest
        @EnumSource
        void theFirstByteOfTheNextFrameGivesItItsTime(TimedHandler kind) {
            TimedChannel it = new TimedChannel(kind, A_SECOND);
            it.receive(WIRE.substring(0, 5));
            for (int i = 0; i < 10; i++) {
                it.passMillis(999);
                it.receive(WIRE.substring(5) + WIRE.substring(0, 5));
            }
            it.assertInTime();
            it.passMillis(1000);
            it.timeout();
            it.channel.finish();
        }

        @ParameterizedTest
        @EnumSource
        void betweenFramesNothingIsTimed(TimedHandler kind) {
            TimedChannel it = new TimedChannel(kind, A_SECOND);
            it.pass(Duration.ofHours(1));
            it.receive(WIRE.substring(0, 5));
            it.receive(WIRE.substring(5));
            it.pass(Duration.ofHours(1));
            it.receive(WIRE);
            it.pass(Duration.ofHours(1));
            it.assertInTime();
            it.channel.finish();
        }

        @ParameterizedTest
        @EnumSource
        void withADeadlineTheOneThatIsOverFirstEndsIt(TimedHandler kind) {
            ReceiveOptions both = A_SECOND.frameDeadline(Duration.ofMillis(2500));
            TimedChannel stalled = new TimedChannel(kind, both);
            stalled.receive(WIRE.substring(0, 1));
            stalled.passMillis(999);
            stalled.receive(WIRE.substring(1, 2));
            stalled.passMillis(999);
            stalled.assertInTime();
            stalled.passMillis(1);
            assertThat(stalled.timeout().limit()).isEqualTo(Limit.STALL);
            stalled.channel.finish();

            TimedChannel slow = new TimedChannel(kind, both);
            for (int i = 0; i < 5; i++) {
                slow.receive(WIRE.substring(i, i + 1));
                slow.passMillis(500);
            }
            assertThat(slow.timeout().limit()).isEqualTo(Limit.DEADLINE);
            assertThat(slow.faultAt).isEqualTo(Duration.ofMillis(2500).toNanos());
            slow.channel.finish();

            TimedChannel late = new TimedChannel(kind, both);
            late.receive(WIRE.substring(0, 1));
            late.jump(Duration.ofHours(1));
            assertThat(late.timeout().limit()).isEqualTo(Limit.DEADLINE);
            late.channel.finish();
        }
    }

    /** 48: when the time of a receive begins, and whose it is. */
    @Nested
    class OfAReceive {
        private final ReceiverChannel it = new ReceiverChannel(new ExactReceiver(
                ReceiveOptions.defaults().frameDeadline(Duration.ofSeconds(1))));
        private final ExactReceiver receiver = it.receiver;

        @BeforeEach
        void freeze() {
            it.channel.freezeTime();
        }

        @AfterEach
        void close() {
            it.channel.finish();
        }

        private void pass(int millis) {
            it.channel.advanceTimeBy(millis, MILLISECONDS);
            it.channel.runScheduledPendingTasks();
        }

        @Test
        void aReceiveThatHasNoByteYetHasNotBegun() {
            ProgressiveFuture<ByteBuf> receive = receiver.receive(4);
            it.channel.advanceTimeBy(1, HOURS);
            it.arrive("AB");
            pass(999);
            it.arrive("CD");
            assertThat(text(receive)).isEqualTo("ABCD");
            assertThat(it.exceptions).isEmpty();
        }

        @Test
        void bytesThatCameBeforeItWasAskedForBeginWhenItIs() {
            it.arrive("AB");
            it.channel.advanceTimeBy(1, HOURS);
            ProgressiveFuture<ByteBuf> receive = receiver.receive(4);
            pass(999);
            assertThat(receive.isDone()).isFalse();
            pass(1);
            assertThat(receive.cause()).hasMessage("2 of 4 bytes within the deadline of 1000 ms");
        }

        @Test // 25: what happens between two event loops happens at no time
        void askedForWhileTheChannelHasNoEventLoop() throws Exception {
            it.channel.advanceTimeBy(1, HOURS);
            it.arrive("AB");
            it.channel.deregister();
            ProgressiveFuture<ByteBuf> receive = receiver.receive(4);
            assertThat(it.channel.runScheduledPendingTasks()).as("timer").isNegative();
            it.channel.advanceTimeBy(1, HOURS);
            it.channel.register();
            pass(999);
            assertThat(receive.isDone()).isFalse();
            pass(1);
            assertThat(receive.cause()).hasMessage("2 of 4 bytes within the deadline of 1000 ms");
        }

        @Test
        void theBytesOfACancelledReceiveBeginAgainForTheNext() {
            ProgressiveFuture<ByteBuf> cancelled = receiver.receive(4);
            ProgressiveFuture<ByteBuf> next = receiver.receive(4);
            it.arrive("AB");
            pass(900);
            cancelled.cancel(false);
            pass(999);
            it.arrive("CD");
            assertThat(text(next)).isEqualTo("ABCD");
            it.arrive("E");
            pass(5000);
            assertThat(it.exceptions).isEmpty();
            ProgressiveFuture<ByteBuf> last = receiver.receive(1);
            assertThat(text(last)).isEqualTo("E");
        }

        @Test // 44: it can be cancelled until it fails
        void aReceiveThatIsCancelledWhileItsTimeEndsEndsNothing() {
            ProgressiveFuture<ByteBuf> cancelled = receiver.receive(4);
            ProgressiveFuture<ByteBuf> next = receiver.receive(4);
            it.arrive("AB");
            cancelled.addListener(done -> pass(1000)); // it is cancelled, and the receiver not told yet
            assertThat(cancelled.cancel(false)).isTrue();
            pass(999);
            it.arrive("CD");
            assertThat(text(next)).isEqualTo("ABCD");
            assertThat(it.exceptions).isEmpty();
            ProgressiveFuture<ByteBuf> late = receiver.receive(4);
            it.arrive("E");
            pass(1000);
            assertThat(late.cause()).isInstanceOf(FrameTimeoutException.class);
            assertThat(late.cancel(false)).isFalse();
        }

        @Test // 46: a listener that closes when the first fails; the pipeline is told before
        void theFirstToBeToldIsThePipeline() {
            ProgressiveFuture<ByteBuf> receive = receiver.receive(4);
            ProgressiveFuture<ByteBuf> next = receiver.receive(4);
            receive.addListener(failed -> {
                assertThat(it.exceptions).containsExactly(receive.cause());
                it.channel.close();
                it.passed.add("closed");
            });
            it.arrive("AB");
            it.passed.clear();
            pass(1000);
            assertThat(it.passed).containsExactly("FrameTimeoutException", "inactive", "closed");
            assertThat(next.cause()).isSameAs(receive.cause());
        }
    }
}
