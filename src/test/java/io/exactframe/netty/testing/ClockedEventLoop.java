package io.exactframe.netty.testing;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.channel.DefaultEventLoop;
import io.netty.util.concurrent.MockTicker;
import io.netty.util.concurrent.ScheduledFuture;
import io.netty.util.concurrent.Ticker;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;

/** A real event loop with a clock of its own, which stands still, and which counts how often it is looked at. */
public final class ClockedEventLoop extends DefaultEventLoop {
    public final List<ScheduledFuture<?>> timers = new CopyOnWriteArrayList<>();
    private final MockTicker time = Ticker.newMockTicker();

    /** Times that the clock was read, by anybody. For the event loop, or when it is idle. */
    public volatile int looks;

    public ClockedEventLoop(long startNanos) {
        time.advance(startNanos, TimeUnit.NANOSECONDS);
    }

    private final Ticker counting = new Ticker() {
        @Override
        public long initialNanoTime() {
            return time.initialNanoTime();
        }

        @Override
        @SuppressWarnings("NonAtomicOperationOnVolatileField")
        public long nanoTime() {
            if (inEventLoop()) {
                looks++;
            }
            if (isShuttingDown()) {
                time.advance(1, TimeUnit.MILLISECONDS); // which waits until time has gone by
            }
            return time.nanoTime();
        }

        @Override
        public void sleep(long delay, TimeUnit unit) throws InterruptedException {
            time.sleep(delay, unit);
        }
    };

    @Override
    public Ticker ticker() {
        return counting == null ? Ticker.systemTicker() : counting; // asked before it is made
    }

    @Override
    public ScheduledFuture<?> schedule(Runnable task, long delay, TimeUnit unit) {
        assertThat(inEventLoop()).as("a timer is set on its own event loop").isTrue();
        ScheduledFuture<?> timer = super.schedule(task, delay, unit);
        timers.add(timer);
        return timer;
    }

    public long pendingTimers() {
        return timers.stream().filter(timer -> !timer.isDone()).count();
    }

    /** Lets time go by, and runs what is due. */
    public void advance(long millis) throws Exception {
        time.advance(millis, TimeUnit.MILLISECONDS);
        for (int i = 0; i < 3; i++) {
            run(() -> {}); // each lets it look whether timers are due, in front of the next
        }
    }

    public void run(Runnable task) throws Exception {
        submit(task).get(30, TimeUnit.SECONDS);
    }

    public void end() throws InterruptedException {
        assertThat(shutdownGracefully(0, 10, TimeUnit.SECONDS).await(30, TimeUnit.SECONDS))
                .isTrue();
    }
}
