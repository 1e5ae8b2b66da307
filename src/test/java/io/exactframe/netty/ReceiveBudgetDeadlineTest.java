package io.exactframe.netty;

import static io.exactframe.netty.TimedChannel.SECOND;
import static org.assertj.core.api.Assertions.assertThat;

import io.exactframe.netty.FrameTimeoutException.Limit;
import java.time.Duration;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** 48, 49, 53: the time of a frame that waits for memory, and of one that others wait for. */
class ReceiveBudgetDeadlineTest {
    private static final int FRAME = 10_000;
    private static final String WIRE = TimedHandler.wire(FRAME);

    private final ReceiveBudget budget = new ReceiveBudget(15_000);
    private final ReceiveOptions options =
            ReceiveOptions.defaults().budget(budget).frameDeadline(SECOND).stallTimeout(Duration.ofMillis(900));

    @ParameterizedTest
    @EnumSource(names = {"FIXED", "PREFIXED", "OWN_CODEC", "RECEIVE", "RECEIVE_OR_END", "RECEIVE_PREFIXED"})
    void whoeverWaitsForMemoryIsNotTimed(TimedHandler kind) {
        // A length in one read, in two, and with some of what follows.
        for (String first : new String[] {WIRE.substring(0, 2), WIRE.substring(0, 1), WIRE.substring(0, 100)}) {
            TimedChannel holder = new TimedChannel(kind, FRAME, options); // no time goes by for it
            holder.receive(WIRE.substring(0, 100));
            TimedChannel it = new TimedChannel(kind, FRAME, options);
            it.receive(first);
            if (budget.waiting() == 0) {
                it.receive(WIRE.substring(first.length(), 2));
            }
            assertThat(budget.waiting()).isOne();
            it.pass(Duration.ofHours(1));
            it.assertInTime();
            holder.receive(WIRE.substring(100));
            assertThat(holder.given).isOne();
            it.channel.runPendingTasks();
            assertThat(budget.waiting()).isZero();
            it.passMillis(780);
            it.assertInTime();
            it.passMillis(240);
            assertThat(it.timeout().limit()).isEqualTo(Limit.STALL);
            assertThat(budget.used()).isZero();
            it.assertEnded();
            it.channel.finish();
            holder.channel.finish();
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"PREFIXED", "OWN_CODEC"})
    void neitherIfItsApplicationAskedForAReadBefore(TimedHandler kind) {
        TimedChannel holder = new TimedChannel(kind, FRAME, options);
        holder.receive(WIRE.substring(0, 100));
        TimedChannel it = new TimedChannel(kind, FRAME, options);
        it.channel.config().setAutoRead(false);
        it.onMessage = it.channel::read;
        it.receive("\0\1x" + WIRE.substring(0, 2));
        assertThat(it.given).isOne();
        assertThat(budget.waiting()).isOne();
        it.pass(Duration.ofHours(1));
        holder.receive(WIRE.substring(100));
        it.channel.runPendingTasks();
        assertThat(budget.waiting()).isZero();
        it.assertInTime();
        it.passMillis(1020);
        it.timeout();
        it.channel.finish();
        holder.channel.finish();
    }

    @ParameterizedTest
    @EnumSource(names = {"PREFIXED", "OWN_CODEC"})
    void aReadThatWasHeldBackCountsAsReadingUnlessAutoReadDoes(TimedHandler kind) {
        for (boolean autoRead : new boolean[] {false, true}) {
            TimedChannel holder = new TimedChannel(kind, FRAME, options);
            holder.receive(WIRE.substring(0, 100));
            TimedChannel it = new TimedChannel(kind, FRAME, options);
            it.channel.config().setAutoRead(autoRead);
            it.receive("\0\1x" + WIRE.substring(0, 2));
            assertThat(budget.waiting()).isOne();
            if (autoRead) {
                it.channel.config().setAutoRead(true);
            } else {
                it.channel.read();
            }
            holder.receive(WIRE.substring(100));
            it.channel.runPendingTasks();
            assertThat(budget.waiting()).isZero();
            it.channel.config().setAutoRead(false);
            it.passMillis(1020);
            // Whoever does not read stalls nothing, but holds memory.
            assertThat(it.timeout().limit()).isEqualTo(autoRead ? Limit.DEADLINE : Limit.STALL);
            it.channel.finish();
            holder.channel.finish();
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"FIXED", "PREFIXED", "OWN_CODEC"})
    void whoeverHoldsMemoryIsHeldToItsDeadlineEvenIfItsApplicationPauses(TimedHandler kind) {
        TimedChannel holder = new TimedChannel(kind, FRAME, options);
        holder.receive(WIRE.substring(0, 100));
        holder.channel.config().setAutoRead(false);
        TimedChannel it = new TimedChannel(kind, FRAME, options);
        it.receive(WIRE.substring(0, 100));
        holder.passMillis(999);
        holder.assertInTime();
        assertThat(budget.waiting()).isOne();
        holder.passMillis(1);
        assertThat(holder.timeout().limit()).isEqualTo(Limit.DEADLINE);
        it.channel.runPendingTasks();
        assertThat(budget.waiting()).isZero();
        it.receive(WIRE.substring(100));
        assertThat(it.given).isOne();
        assertThat(budget.used()).isZero();
        it.channel.finish();
        holder.channel.finish();
    }
}
