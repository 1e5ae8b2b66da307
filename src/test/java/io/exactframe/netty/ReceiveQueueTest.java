package io.exactframe.netty;

import static java.util.concurrent.TimeUnit.NANOSECONDS;
import static org.assertj.core.api.Assertions.assertThat;

import io.netty.channel.embedded.EmbeddedChannel;
import java.util.concurrent.RejectedExecutionException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** 43, 44: what threads may do between two steps of the event loop, step by step. */
class ReceiveQueueTest {
    private final ReceiveQueue queue = new ReceiveQueue();
    private final Stash stash = new Stash(ReceiveOptions.defaults(), () -> false);

    private static FrameReceive receive() {
        return new FrameReceive(new ExactReceiver(), new FrameLengthRule.Fixed(1), 1, false);
    }

    @Test
    void oneCancelledBeforeItIsAdmittedFreesItsPlaceAlthoughItStandsBehindOthers() {
        queue.add(receive());
        queue.admit(queue.nextMade());
        FrameReceive cancelled = receive();
        // The event loop has seen that nobody else is there when it is made, and cancelled.
        queue.add(cancelled);
        cancelled.cancel(false);
        queue.cancelled();
        queue.first(stash);
        queue.admit(queue.nextMade());
        queue.first(stash);
        for (int i = 1; i < 1024; i++) {
            assertThat(queue.add(receive())).as("the %d. behind the first", i).isTrue();
        }
        FrameReceive tooMany = receive();
        assertThat(queue.add(tooMany)).isFalse();
        assertThat(tooMany.cause()).isInstanceOf(RejectedExecutionException.class);
    }

    @ParameterizedTest // 48: a cancel that comes just before the time is over; or just behind, too late
    @ValueSource(booleans = {true, false})
    void theTimeOfOneThatWasCancelledEndsNothing(boolean inTime) {
        EmbeddedChannel clock = new EmbeddedChannel();
        clock.freezeTime();
        FrameReceive receive = receive();
        receive.limitTime(1000, clock.eventLoop().ticker());
        queue.add(receive);
        queue.admit(queue.nextMade());
        receive.admitted(clock.eventLoop());
        clock.advanceTimeBy(1000, NANOSECONDS);
        clock.runScheduledPendingTasks();
        queue.expired();
        if (inTime) {
            receive.cancel(false);
            assertThat(queue.nextExpired()).isNull();
        } else {
            assertThat(queue.nextExpired()).isSameAs(receive);
            assertThat(receive.cancel(false)).isFalse();
        }
        clock.finish();
    }

    @Test // 44: what is handed over after the cancel could come behind the close of the file
    void nothingIsHandedToTheSinkOfOneThatWasCancelled() {
        EmbeddedChannel channel = new EmbeddedChannel();
        stash.add(channel.alloc().buffer().writeByte('A'));
        ByteSink sink = new ByteSink();
        SinkReceive receive = new SinkReceive(new ExactReceiver(), new SinkWriter(() -> {}), sink, 10, sink);
        receive.cancel(false);
        receive.take(stash, channel.alloc());
        assertThat(sink.tasks).isEmpty();
        assertThat(stash.unreadBytes()).isEqualTo(1);
        stash.release();
        channel.finish();
    }
}
