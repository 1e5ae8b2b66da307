package io.exactframe.netty;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.RejectedExecutionException;
import org.junit.jupiter.api.Test;

/** 43, 44: what threads may do between two steps of the event loop, step by step. */
class ReceiveQueueTest {
    private final ReceiveQueue queue = new ReceiveQueue();
    private final Stash stash = new Stash(ReceiveOptions.defaults());

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
}
