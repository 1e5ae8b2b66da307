package io.exactframe.netty;

import static io.exactframe.netty.TimedChannel.FRAME;
import static io.exactframe.netty.TimedChannel.SECOND;
import static io.exactframe.netty.TimedChannel.WIRE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.exactframe.netty.FrameTimeoutException.Limit;
import io.netty.util.concurrent.Future;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** 48: how long a frame may take from its first byte to its last. */
class FrameDeadlineTest {
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
