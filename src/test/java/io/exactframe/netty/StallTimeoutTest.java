package io.exactframe.netty;

import static io.exactframe.netty.TimedChannel.FRAME;
import static io.exactframe.netty.TimedChannel.SECOND;
import static io.exactframe.netty.TimedChannel.WIRE;
import static org.assertj.core.api.Assertions.assertThat;

import io.exactframe.netty.FrameTimeoutException.Limit;
import java.time.Duration;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** 48: how long a frame that was begun may be without a further byte. */
class StallTimeoutTest {
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
