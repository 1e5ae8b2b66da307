package io.exactframe.netty;

import static io.exactframe.netty.ReceiveOptions.require;

import io.netty.buffer.ByteBufAllocator;
import io.netty.util.concurrent.DefaultProgressivePromise;
import io.netty.util.concurrent.EventExecutor;
import io.netty.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** One receive: what was asked, how far it is, and the promise of it. Served on the event loop, in order. */
abstract class Receive<V> extends DefaultProgressivePromise<V> {
    private static final int PROGRESS_STEP = 64 * 1024;

    /** Who serves it: where listeners are called now; and what to run, on any thread, when it is cancelled or expired. */
    record Server(Supplier<EventExecutor> executor, Runnable changed) {}

    /** What a receive needs to go on. */
    enum Needs { NOTHING, BYTES, ITS_SINK, TO_BE_SKIPPED }

    /** LATE: it was asked after the end. EXPIRED: its time is over. */
    enum Standing { IN_TIME, LATE, EXPIRED }

    // How far it is, as PrematureCloseException has it.
    long expected;
    long received;
    boolean inHeader;

    /** Whether the end of the stream, before the first byte, is an answer. */
    final boolean orEnd;

    final Server server;
    volatile Standing standing = Standing.IN_TIME;
    private long reported;

    long timeout; // nanoseconds from asked on; none if 0
    private @Nullable EventExecutor clock;
    private long asked;

    Receive(Server server, long expected, boolean orEnd) {
        require(expected >= 1, () -> "at least 1 byte can be received, not " + expected);
        this.server = server;
        this.expected = expected;
        this.orEnd = orEnd;
    }

    /** It has so many nanoseconds from now on, by this executor's clock. */
    void limitTime(long nanos, EventExecutor clock) {
        this.timeout = nanos;
        this.clock = clock;
        this.asked = FrameTimer.nanoTime(clock);
    }

    /** It is in the queue of what is to be served. */
    void admitted(EventExecutor executor, boolean afterTheEnd) {
        if (afterTheEnd) {
            standing = Standing.LATE;
        } else if (timeout > 0 && !isDone()) {
            Future<?> timer = executor.schedule(
                    () -> {
                        standing = Standing.EXPIRED;
                        server.changed().run();
                    },
                    timeout - (FrameTimer.nanoTime(clock) - asked),
                    TimeUnit.NANOSECONDS);
            addListener(done -> timer.cancel(false));
        }
    }

    /** Takes from the bytes what it can use. A throw means that the stream is lost. */
    abstract Needs take(ReceivedBytes bytes, ByteBufAllocator alloc);

    /** Completes it, when it needs nothing. */
    void finish(ReceivedBytes bytes) {
        if (setUncancellable()) {
            progress();
            setSuccess(null);
        }
    }

    void progress() {
        if (received == expected || received - reported >= PROGRESS_STEP) {
            reported = received;
            tryProgress(received, inHeader ? -1 : expected);
        }
    }

    /** What it will have received when it needs its sink no more. */
    long arrived(ReceivedBytes bytes) {
        return received;
    }

    PrematureCloseException prematureClose(boolean closedLocally) {
        return new PrematureCloseException(expected, received, inHeader, closedLocally);
    }

    @Override
    public boolean cancel(boolean mayInterruptIfRunning) {
        boolean cancelled = super.cancel(mayInterruptIfRunning);
        if (cancelled) {
            server.changed().run();
        }
        return cancelled;
    }

    @Override
    protected EventExecutor executor() {
        return server.executor().get();
    }
}
