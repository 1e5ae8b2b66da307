package io.exactframe.netty;

import static io.exactframe.netty.testing.TimedChannel.FRAME;
import static io.exactframe.netty.testing.TimedChannel.SECOND;
import static io.exactframe.netty.testing.TimedChannel.WIRE;
import static java.util.concurrent.TimeUnit.MILLISECONDS;
import static org.assertj.core.api.Assertions.assertThat;

import io.exactframe.netty.testing.ClockedEventLoop;
import io.exactframe.netty.testing.HeapBytes;
import io.exactframe.netty.testing.Probe;
import io.exactframe.netty.testing.TimedChannel;
import io.exactframe.netty.testing.TimedChannel.TimedHandler;
import io.exactframe.netty.testing.Wire;
import io.netty.channel.ChannelHandler;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.channel.local.LocalChannel;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** 50: the timer of a channel, and what the clock costs. */
class FrameTimerTest {
    private static final ReceiveOptions BOTH =
            ReceiveOptions.defaults().frameDeadline(Duration.ofSeconds(2)).stallTimeout(SECOND);

    private final ClockedEventLoop loop = new ClockedEventLoop(0);
    private final ClockedEventLoop other = new ClockedEventLoop(Duration.ofDays(10).toNanos());
    private final Probe probe = new Probe();

    @AfterEach
    void shutDown() throws InterruptedException {
        loop.end();
        other.end();
    }

    private enum Ending {
        CLOSE,
        DISCONNECT,
        HALF_CLOSE,
        REMOVAL,
        COMPLETION;

        void comeTo(TimedChannel it) {
            switch (this) {
                case CLOSE -> it.channel.close();
                case DISCONNECT -> it.channel.disconnect();
                case HALF_CLOSE -> it.channel.pipeline().fireUserEventTriggered(ChannelInputShutdownEvent.INSTANCE);
                case REMOVAL -> it.channel.pipeline().remove(it.handler);
                case COMPLETION -> {
                    it.receive(WIRE.substring(3));
                    it.passMillis(125);
                }
                default -> throw new AssertionError();
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void noTimerIsLeft(TimedHandler kind) {
        for (Ending ending : Ending.values()) {
            TimedChannel it = new TimedChannel(kind, BOTH);
            assertThat(it.hasTimer()).isFalse();
            it.receive(WIRE + WIRE.substring(0, 3));
            assertThat(it.hasTimer()).isTrue();
            ending.comeTo(it);
            assertThat(it.hasTimer()).as("after " + ending).isFalse();
            int faults = it.faults.size();
            it.pass(Duration.ofHours(1));
            assertThat(it.faults).hasSize(faults);
            it.channel.finish();
        }
    }

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.MATCH_NONE, names = {"RECEIVE.*", "SKIP"})
    void noTimerIsLeftWhenAHandlerBehindClosesOrRemovesInADelivery(TimedHandler kind) {
        for (boolean closes : new boolean[] {true, false}) {
            TimedChannel it = new TimedChannel(kind, BOTH);
            it.receive(WIRE.substring(0, 1));
            it.onMessage = () -> {
                it.onMessage = () -> {};
                it.jump(Duration.ofMillis(500)); // the timer waits for its turn, behind this
                if (closes) {
                    it.channel.pipeline().lastContext().close();
                } else {
                    it.channel.pipeline().remove(it.handler);
                }
            };
            it.receive(WIRE.substring(1) + WIRE.substring(0, 3));
            assertThat(it.hasTimer()).as("closes: " + closes).isFalse();
            it.channel.finish();
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"PREFIXED", "OWN_CODEC", "STREAM", "RECEIVE_PREFIXED"})
    void noTimerIsLeftAfterAViolation(TimedHandler kind) {
        TimedChannel it = new TimedChannel(kind, BOTH);
        it.receive("\1");
        assertThat(it.hasTimer()).isTrue();
        it.receive("\1");
        assertThat(it.faults).hasSize(1);
        it.assertEnded();
        it.channel.finish();
    }

    @Test // a timer that were cancelled and set for each frame would cost more than the frame
    void thousandsOfFramesShareOneTimer() throws Exception {
        Probe probe = new Probe();
        for (TimedHandler kind : TimedHandler.values()) {
            ClockedEventLoop executor = new ClockedEventLoop(0);
            ChannelHandler handler = kind.create(FRAME, BOTH);
            EmbeddedChannel channel = new EmbeddedChannel();
            executor.run(() -> channel.pipeline().addLast(executor, handler));
            executor.run(() -> channel.pipeline().addLast(executor, probe));
            for (int i = 0; i < 300; i++) {
                if (handler instanceof ExactReceiver receiver) {
                    kind.receive(receiver, FRAME).addListener(TimedHandler::release);
                }
            }
            Wire.receive(channel, Probe.bytes(channel, WIRE.substring(0, 3)));
            for (int i = 0; i < 200; i++) {
                Wire.receive(channel, Probe.bytes(channel, WIRE.substring(3)));
                Wire.receive(channel, Probe.bytes(channel, WIRE.substring(0, 3)));
            }
            executor.run(() -> {});
            assertThat(executor.timers).as(kind.name()).hasSize(1);
            assertThat(executor.pendingTimers()).isOne();
            Wire.receive(channel, Probe.bytes(channel, WIRE.substring(3)));
            executor.run(() -> {});
            assertThat(executor.pendingTimers()).isOne();
            executor.advance(125);
            assertThat(executor.timers).hasSize(1);
            assertThat(executor.pendingTimers()).isZero();
            channel.finish();
            executor.end();
            assertThat(probe.exceptions).isEmpty();
        }
    }

    @ParameterizedTest // neither is a timer set
    @EnumSource
    void theClockIsNotLookedAtForFramesThatLieInTheirReads(TimedHandler kind) throws Exception {
        countLooks(kind, BOTH, true);
    }

    @ParameterizedTest
    @EnumSource
    void forADeadlineTheClockIsLookedAtOnceAFrame(TimedHandler kind) throws Exception {
        countLooks(kind, ReceiveOptions.defaults().frameDeadline(SECOND), false);
    }

    private void countLooks(TimedHandler kind, ReceiveOptions options, boolean stall) throws Exception {
        ChannelHandler handler = kind.create(FRAME, options);
        EmbeddedChannel channel = new EmbeddedChannel();
        loop.run(() -> channel.pipeline().addLast(loop, handler));
        for (int i = 0; i < 900; i++) {
            if (handler instanceof ExactReceiver receiver) {
                kind.receive(receiver, FRAME).addListener(TimedHandler::release);
            }
        }
        loop.run(() -> channel.pipeline().addLast(loop, probe));
        assertThat(looksFor(channel, 100, WIRE, WIRE + WIRE)).isZero();
        assertThat(loop.timers).isEmpty();
        looksFor(channel, 1, WIRE.substring(0, 3)); // and its timer
        assertThat(looksFor(channel, 100, WIRE.substring(3) + WIRE + WIRE.substring(0, 3)))
                .as("for a read that ends in a frame")
                .isEqualTo(100);
        assertThat(looksFor(channel, 4, "x")).as("for a byte of the same frame").isEqualTo(stall ? 4 : 0);
        channel.finish();
        loop.run(() -> {});
        assertThat(loop.pendingTimers()).isZero();
    }

    /** How often the clock is looked at, in one task of the loop. */
    private int looksFor(EmbeddedChannel channel, int times, String... reads) throws Exception {
        int[] looks = new int[1];
        loop.run(() -> {
            int before = loop.looks;
            for (int i = 0; i < times; i++) {
                for (String read : reads) {
                    Wire.receive(channel, Probe.bytes(channel, read));
                }
            }
            looks[0] = loop.looks - before;
        });
        return looks[0];
    }

    @ParameterizedTest // 25
    @EnumSource
    void onAnotherEventLoopTheTimeGoesOnWhereItWas(TimedHandler kind) throws Exception {
        goOnElsewhere(kind, ReceiveOptions.defaults().frameDeadline(SECOND), true);
    }

    @ParameterizedTest
    @EnumSource
    void onAnotherEventLoopAStallGoesOnToo(TimedHandler kind) throws Exception {
        goOnElsewhere(kind, ReceiveOptions.defaults().stallTimeout(SECOND), true);
    }

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.MATCH_NONE, names = {"RECEIVE.*", "SKIP"})
    void onAnotherEventLoopAPauseIsAPause(TimedHandler kind) throws Exception {
        goOnElsewhere(kind, BOTH, false);
    }

    private void goOnElsewhere(TimedHandler kind, ReceiveOptions options, boolean reads) throws Exception {
        ChannelHandler handler = kind.create(FRAME, options);
        LocalChannel channel = new LocalChannel();
        channel.pipeline().addLast(handler, probe);
        loop.register(channel).sync();
        loop.run(() -> channel.pipeline().fireChannelActive());
        if (handler instanceof ExactReceiver receiver) {
            kind.receive(receiver, FRAME).addListener(TimedHandler::release);
        }
        loop.run(() -> {
            channel.pipeline().fireChannelRead(Probe.bytes(channel, WIRE.substring(0, 3)));
            channel.pipeline().fireChannelReadComplete();
        });
        loop.advance(900);
        channel.deregister().sync();
        assertThat(loop.pendingTimers()).isZero();
        loop.advance(5000);
        other.advance(5000);
        channel.config().setAutoRead(reads && channel.config().isAutoRead());
        other.register(channel).sync();
        other.run(() -> {}); // and told so
        assertThat(other.pendingTimers()).isOne();
        if (!reads) {
            for (int i = 0; i < 100; i++) {
                other.advance(125);
            }
            channel.config().setAutoRead(true);
        }
        other.advance(99);
        assertThat(probe.exceptions).isEmpty();
        other.advance(1);
        assertThat(probe.exceptions).singleElement().isInstanceOf(FrameTimeoutException.class);
        assertThat(other.pendingTimers() + loop.pendingTimers()).isZero();
        channel.close().sync();
    }

    @ParameterizedTest // 25
    @EnumSource(mode = EnumSource.Mode.MATCH_NONE, names = {"RECEIVE.*", "SKIP"})
    void onAnExecutorOfItsOwnItTakesItsTimeFromThat(TimedHandler kind) throws Exception {
        EmbeddedChannel channel = new EmbeddedChannel();
        ChannelHandler handler = kind.create(FRAME, BOTH);
        loop.run(() -> channel.pipeline().addLast(loop, handler));
        loop.run(() -> channel.pipeline().addLast(loop, probe));
        Wire.receive(channel, Probe.bytes(channel, WIRE.substring(0, 3)));
        loop.run(() -> {});
        loop.advance(999);
        assertThat(probe.exceptions).isEmpty();
        loop.advance(1);
        assertThat(probe.exceptions).singleElement().isInstanceOf(FrameTimeoutException.class);
        channel.finish();
    }

    @ParameterizedTest // 19: an embedded channel may run its timers in there
    @EnumSource
    void timeThatGoesByInADeliveryCountsAfterIt(TimedHandler kind) {
        TimedChannel it = new TimedChannel(kind, BOTH);
        it.receive(WIRE.substring(0, 1));
        it.passMillis(500);
        boolean[] once = {true};
        it.onMessage = () -> {
            if (once[0]) {
                once[0] = false;
                for (int i = 0; i < 100; i++) {
                    it.channel.advanceTimeBy(125, MILLISECONDS); // past what is being delivered, and what comes behind
                    it.channel.runScheduledPendingTasks();
                }
            }
        };
        it.receive(WIRE.substring(1) + WIRE + WIRE.substring(0, 3));
        if (kind != TimedHandler.STREAM) { // there it is the middle of a frame, most of which waits
            assertThat(it.given).isEqualTo(2);
        }
        it.assertInTime();
        it.passMillis(999);
        it.assertInTime();
        it.passMillis(1);
        it.timeout();
        it.assertEnded();
        it.channel.finish();
    }

    @Test // 19
    void aFrameThatIsBeingDeliveredIsNotLate() {
        TimedChannel it = new TimedChannel(TimedHandler.FIXED, BOTH);
        it.receive(WIRE.substring(0, 3));
        it.onMessage = () -> {
            it.jump(Duration.ofHours(1));
            it.jump(Duration.ofHours(1));
        };
        it.receive(WIRE.substring(3));
        it.assertInTime();
        assertThat(it.given).isOne();
        assertThat(it.hasTimer()).isFalse();
        it.channel.finish();
    }

    @Test // 50
    void aMillionFramesKeepNoHeap() {
        for (TimedHandler kind : List.of(TimedHandler.FIXED, TimedHandler.PREFIXED)) {
            TimedChannel with = new TimedChannel(kind, BOTH);
            TimedChannel without = new TimedChannel(kind, ReceiveOptions.defaults());
            String read = WIRE.substring(3) + WIRE.repeat(6500) + WIRE.substring(0, 3);
            with.receive(WIRE.substring(0, 3));
            without.receive(WIRE.substring(0, 3));
            assertThat(HeapBytes.of(() -> readThirtyTimes(with, read)))
                    .isLessThan(HeapBytes.of(() -> readThirtyTimes(without, read)) + 100_000); // half a byte a frame
            with.channel.finish();
            without.channel.finish();
        }
    }

    private static void readThirtyTimes(TimedChannel it, String read) {
        for (int i = 0; i < 30; i++) {
            it.receive(read);
        }
    }
}
