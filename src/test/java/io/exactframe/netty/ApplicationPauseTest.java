package io.exactframe.netty;

import static io.exactframe.netty.testing.TimedChannel.FRAME;
import static io.exactframe.netty.testing.TimedChannel.SECOND;
import static io.exactframe.netty.testing.TimedChannel.WIRE;
import static java.util.concurrent.TimeUnit.HOURS;
import static java.util.concurrent.TimeUnit.MILLISECONDS;
import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;

import io.exactframe.netty.testing.ByteSink;
import io.exactframe.netty.testing.ReceiverChannel;
import io.exactframe.netty.testing.TimedChannel;
import io.exactframe.netty.testing.TimedChannel.TimedHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelOutboundHandlerAdapter;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.handler.flow.FlowControlHandler;
import io.netty.util.concurrent.ProgressiveFuture;
import java.time.Duration;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** 49: while the application does not read, the peer is not to blame. */
@Tag("clock")
class ApplicationPauseTest {
    private static final long SEED = System.nanoTime();
    private static final ReceiveOptions DEADLINE = ReceiveOptions.defaults().frameDeadline(SECOND);
    private static final ReceiveOptions STALL = ReceiveOptions.defaults().stallTimeout(SECOND);

    private static void autoRead(TimedChannel it, boolean autoRead) {
        it.channel.config().setAutoRead(autoRead);
    }

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.MATCH_NONE, names = {"RECEIVE.*", "SKIP"})
    void aPausedApplicationCutsNobodyHoweverLong(TimedHandler kind) {
        for (ReceiveOptions options : new ReceiveOptions[] {DEADLINE, STALL, STALL.frameDeadline(SECOND)}) {
            TimedChannel it = new TimedChannel(kind, options);
            it.receive(WIRE.substring(0, 3));
            autoRead(it, false);
            it.pass(Duration.ofHours(1));
            it.assertInTime();
            autoRead(it, true);
            it.passMillis(800);
            it.assertInTime();
            it.passMillis(325);
            it.timeout();
            it.assertEnded();
            it.channel.finish();
        }
    }

    @ParameterizedTest(name = "{0}") // the pause begins and ends anywhere between two ticks
    @EnumSource(mode = EnumSource.Mode.MATCH_NONE, names = {"RECEIVE.*", "SKIP"})
    void aPauseIsMeasuredToAnEighthOfTheLimit(TimedHandler kind) {
        Random random = new Random(SEED);
        for (int i = 0; i < 300; i++) {
            boolean stall = random.nextBoolean();
            long limit = 1 + random.nextInt(2_000_000_000);
            TimedChannel it = new TimedChannel(
                    kind,
                    stall
                            ? DEADLINE.frameDeadline(Duration.ofDays(1)).stallTimeout(Duration.ofNanos(limit))
                            : DEADLINE.frameDeadline(Duration.ofNanos(limit)));
            it.receive(WIRE.substring(0, 3));
            it.pass(Duration.ofNanos((long) (limit * random.nextDouble() * 0.99)));
            autoRead(it, false);
            long pause = (long) (limit * random.nextDouble() * 5);
            it.pass(Duration.ofNanos(pause));
            autoRead(it, true);
            it.pass(Duration.ofNanos(2 * limit));
            assertThat(it.timeout().limit()).isEqualTo(
                    stall ? FrameTimeoutException.Limit.STALL : FrameTimeoutException.Limit.DEADLINE);
            assertThat(Math.abs(it.faultAt - pause - limit))
                    .as("off by, with a limit of %d ns; seed %d, case %d", limit, SEED, i)
                    .isLessThanOrEqualTo(limit / 8);
            it.channel.finish();
        }
    }

    @ParameterizedTest // a pause that was longer than the frame is old, in which the event loop was busy
    @EnumSource(mode = EnumSource.Mode.MATCH_NONE, names = {"RECEIVE.*", "SKIP"})
    void aFrameIsGivenNoMoreTimeThanItWasThere(TimedHandler kind) {
        for (ReceiveOptions options : new ReceiveOptions[] {DEADLINE, STALL}) {
            TimedChannel it = new TimedChannel(kind, options);
            it.receive(WIRE.substring(0, 3));
            it.receive(WIRE.substring(3));
            it.channel.advanceTimeBy(1, HOURS);
            it.receive(WIRE.substring(0, 3));
            autoRead(it, false);
            it.channel.runScheduledPendingTasks();
            autoRead(it, true);
            it.pass(SECOND);
            it.timeout();
            it.channel.finish();
        }
    }

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.MATCH_NONE, names = {"RECEIVE.*", "SKIP"})
    void aReadThatIsOutstandingCountsAsReading(TimedHandler kind) {
        for (ReceiveOptions options : new ReceiveOptions[] {DEADLINE, STALL}) {
            TimedChannel it = new TimedChannel(kind, options);
            autoRead(it, false);
            it.channel.read();
            it.receive(WIRE + WIRE.substring(0, 3)); // gave something: the next read is the application's to ask for
            it.pass(Duration.ofHours(1));
            it.assertInTime();
            it.channel.read();
            it.passMillis(875);
            it.assertInTime();
            it.passMillis(250);
            it.timeout();
            it.channel.finish();
        }
    }

    @ParameterizedTest // as the transports have it: a read that is asked for in a delivery is the next one
    @EnumSource(mode = EnumSource.Mode.MATCH_NONE, names = {"RECEIVE.*", "SKIP"})
    void aReadAskedForInADeliveryIsOutstandingAfterIt(TimedHandler kind) {
        TimedChannel it = new TimedChannel(kind, DEADLINE);
        autoRead(it, false);
        it.onMessage = it.channel::read;
        it.receive(WIRE + WIRE.substring(0, 3));
        it.pass(SECOND);
        it.timeout();
        it.channel.finish();
    }

    @ParameterizedTest // 30: with auto-read off it asks for another read by itself
    @EnumSource(mode = EnumSource.Mode.MATCH_NONE, names = {"RECEIVE.*", "SKIP", "STREAM"})
    void aReadThatTheDecoderAskedForCountsToo(TimedHandler kind) {
        TimedChannel it = new TimedChannel(kind, DEADLINE);
        autoRead(it, false);
        it.receive(WIRE.substring(0, 3));
        it.passMillis(999);
        it.assertInTime();
        it.passMillis(1);
        it.timeout();
        it.channel.finish();
    }

    @ParameterizedTest // a transport drops the reads of auto-read when that is switched off
    @EnumSource(mode = EnumSource.Mode.MATCH_NONE, names = {"RECEIVE.*", "SKIP"})
    void autoReadsOwnReadsEndWithIt(TimedHandler kind) {
        TimedChannel it = new TimedChannel(kind, DEADLINE);
        autoRead(it, false);
        it.channel.read();
        autoRead(it, true);
        it.receive(WIRE + WIRE.substring(0, 3));
        it.channel.read(); // as auto-read does after each
        autoRead(it, false);
        it.pass(Duration.ofHours(1));
        it.assertInTime();
        it.channel.finish();
    }

    @Test // 31: an application that takes frames one by one
    void withFlowControlTheDemandDecides() {
        TimedChannel it = new TimedChannel(TimedHandler.PREFIXED, DEADLINE);
        it.channel.pipeline().addAfter(it.channel.pipeline().context(it.handler).name(), null, new FlowControlHandler());
        autoRead(it, false);
        it.channel.read();
        it.receive(WIRE + WIRE + WIRE.substring(0, 3));
        assertThat(it.given).isOne();
        it.pass(Duration.ofHours(1));
        it.channel.read();
        assertThat(it.given).isEqualTo(2);
        it.pass(Duration.ofHours(1));
        it.assertInTime();
        it.channel.read();
        it.passMillis(1125);
        it.timeout();
        it.channel.finish();
    }

    @Test // 53
    void whoeverHoldsAShareOfABudgetIsHeldToItsDeadlineAllTheSame() {
        int length = 5000;
        ReceiveBudget budget = new ReceiveBudget(length);
        ReceiveOptions options = DEADLINE.stallTimeout(Duration.ofMillis(800)).budget(budget);
        TimedChannel it = new TimedChannel(TimedHandler.FIXED, length, new FixedLengthExactDecoder(length, options));
        it.receive(WIRE.substring(0, 3));
        assertThat(budget.used()).isEqualTo(length);
        autoRead(it, false);
        it.passMillis(999);
        it.assertInTime();
        it.passMillis(1);
        assertThat(it.timeout().limit()).isEqualTo(FrameTimeoutException.Limit.DEADLINE);
        assertThat(budget.used()).as("a time-out gives back").isZero();
        it.channel.finish();
    }

    @Test // 53
    void whoeverWaitsForMemoryIsNotTimedMeanwhile() {
        int length = 5000;
        ReceiveBudget budget = new ReceiveBudget(length);
        ReceiveOptions options = DEADLINE.stallTimeout(Duration.ofMillis(800)).budget(budget);
        EmbeddedChannel holder = new EmbeddedChannel(new FixedLengthExactDecoder(length, options));
        holder.writeInbound(holder.alloc().buffer().writeByte(1));
        TimedChannel it = new TimedChannel(TimedHandler.FIXED, length, new FixedLengthExactDecoder(length, options));
        it.receive(WIRE.substring(0, 3));
        assertThat(budget.waiting()).isEqualTo(1);
        it.pass(Duration.ofHours(1));
        it.assertInTime();
        holder.pipeline().removeFirst();
        holder.finishAndReleaseAll();
        it.channel.runPendingTasks();
        assertThat(budget.used()).isEqualTo(length);
        it.assertInTime();
        it.passMillis(1125);
        it.timeout();
        it.channel.finish();
    }

    @Test // 32: it does not read
    void whileTheSinkIsBehindNoTimeGoesBy() {
        for (ReceiveOptions options : new ReceiveOptions[] {DEADLINE, STALL}) {
            ReceiverChannel it = new ReceiverChannel(new ExactReceiver(options));
            it.channel.freezeTime();
            ByteSink sink = new ByteSink();
            ProgressiveFuture<Void> receive = it.receiver.receiveTo(sink, 10, sink);
            it.arrive("AB");
            it.arrive("CD"); // in advance; from here on it does not read
            hours(it);
            sink.run();
            it.arrive("EF");
            hours(it);
            assertThat(receive.isDone()).isFalse();
            assertThat(it.exceptions).isEmpty();
            sink.run();
            sink.run(); // and now the peer is too slow
            seconds(it);
            assertThat(receive.cause()).isInstanceOf(FrameTimeoutException.class).hasMessageStartingWith("6 of 10 bytes");
            assertThat(it.exceptions).containsExactly(receive.cause());
            assertThat(sink.text()).isEqualTo("ABCDEF");
            it.channel.finish();
        }
    }

    @Test
    void whenAllOfItIsHereTheSinkHasAllTheTimeInTheWorld() {
        for (ReceiveOptions options : new ReceiveOptions[] {DEADLINE, STALL}) {
            ReceiverChannel it = new ReceiverChannel(new ExactReceiver(options));
            it.channel.freezeTime();
            ByteSink sink = new ByteSink();
            ProgressiveFuture<Void> receive = it.receiver.receiveTo(sink, 4, sink);
            it.arrive("AB");
            it.arrive("CD");
            sink.run();
            hours(it); // it reads, in advance
            sink.run();
            assertThat(receive.isSuccess()).isTrue();
            assertThat(it.exceptions).isEmpty();
            it.channel.finish();
        }
    }

    @Test // the sink's position is what is safely in it, and then the future fails
    void aTimeoutWaitsForTheSinkToBeAtRest() {
        ReceiverChannel it = new ReceiverChannel(new ExactReceiver(DEADLINE));
        it.channel.freezeTime();
        ByteSink sink = new ByteSink();
        ProgressiveFuture<Void> receive = it.receiver.receiveTo(sink, 10, sink);
        ProgressiveFuture<Void> next = it.receiver.skip(1);
        it.arrive("ABC"); // it reads, in advance, and nothing comes
        seconds(it);
        assertThat(it.exceptions).singleElement().isInstanceOf(FrameTimeoutException.class);
        assertThat(receive.isDone()).isFalse();
        sink.run();
        assertThat(sink.text()).isEqualTo("ABC");
        assertThat(receive.cause()).isSameAs(it.exceptions.get(0)).hasMessageStartingWith("3 of 10 bytes");
        assertThat(next.cause()).isSameAs(receive.cause());
        it.channel.finish();
        assertThat(it.exceptions).hasSize(1);
    }

    private static void hours(ReceiverChannel it) {
        for (int i = 0; i < 36_000; i++) {
            it.channel.advanceTimeBy(1, SECONDS);
            it.channel.runScheduledPendingTasks();
        }
    }

    private static void seconds(ReceiverChannel it) {
        for (int i = 0; i < 20; i++) {
            it.channel.advanceTimeBy(125, MILLISECONDS);
            it.channel.runScheduledPendingTasks();
        }
    }

    @Test // the read() that the decoder sees still goes on
    void readsGoOn() {
        int[] reads = new int[1];
        EmbeddedChannel channel = new EmbeddedChannel(
                new ChannelOutboundHandlerAdapter() {
                    @Override
                    public void read(ChannelHandlerContext ctx) {
                        reads[0]++;
                    }
                },
                new FixedLengthExactDecoder(FRAME, DEADLINE));
        int before = reads[0];
        channel.config().setAutoRead(false);
        channel.read();
        assertThat(reads[0]).isEqualTo(before + 1);
        channel.finish();
    }
}
