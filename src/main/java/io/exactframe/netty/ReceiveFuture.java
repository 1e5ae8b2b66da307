package io.exactframe.netty;

import io.netty.buffer.ByteBufAllocator;
import io.netty.channel.ChannelHandlerContext;
import io.netty.util.concurrent.DefaultProgressivePromise;
import io.netty.util.concurrent.EventExecutor;
import io.netty.util.concurrent.Future;
import io.netty.util.concurrent.GlobalEventExecutor;
import io.netty.util.concurrent.Ticker;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** One receive: what was asked, how far it is, and the promise of it. Served on the event loop, in order. */
abstract class ReceiveFuture<V> extends DefaultProgressivePromise<V> {
    private static final int PROGRESS_STEP = 64 * 1024;

    /** What a receive needs to go on. */
    enum Needs {
        NOTHING,
        BYTES,
        ITS_SINK
    }

    // How far it is, as PrematureCloseException has it.
    long expected;
    long received;
    boolean inHeader;

    /** Whether the end of the stream, before the first byte, is an answer. */
    final boolean orEnd;

    /** Whether it was asked after the end. */
    boolean late;

    final ExactReceiver receiver;
    private long reported;

    private long timeout; // nanoseconds from asked on; none if 0
    private @Nullable Ticker ticker;
    private long asked;
    private volatile boolean expired;

    ReceiveFuture(ExactReceiver receiver, long expected, boolean orEnd) {
        if (expected < 1) {
            throw new IllegalArgumentException("at least 1 byte can be received, not " + expected);
        }
        this.receiver = receiver;
        this.expected = expected;
        this.orEnd = orEnd;
    }

    /** It has so many nanoseconds from now on, by this clock. */
    void limitTime(long nanos, Ticker ticker) {
        this.timeout = nanos;
        this.ticker = ticker;
        this.asked = ticker.nanoTime();
    }

    /** It is in the queue of what is to be served. */
    void admitted(EventExecutor executor) {
        if (timeout > 0 && !isDone()) {
            Future<?> timer = executor.schedule(
                    () -> {
                        expired = true;
                        receiver.expired();
                    },
                    timeout - (ticker.nanoTime() - asked),
                    TimeUnit.NANOSECONDS);
            addListener(done -> timer.cancel(false));
        }
    }

    /** Whether its time is over; from then on it cannot be cancelled. */
    boolean hasExpired() {
        return expired && setUncancellable();
    }

    FrameTimeoutException timeout() {
        return new FrameTimeoutException(expected, received, inHeader, FrameTimeoutException.Limit.DEADLINE, timeout);
    }

    /** Takes from the stash what it can use. A throw means that the stream is lost. */
    abstract Needs take(Stash stash, ByteBufAllocator alloc);

    /** Completes it, when it needs nothing. */
    abstract void finish(Stash stash);

    void progress() {
        if (received == expected || received - reported >= PROGRESS_STEP) {
            reported = received;
            tryProgress(received, inHeader ? -1 : expected);
        }
    }

    /** What it will have received when it needs its sink no more. */
    long arrived(Stash stash) {
        return received;
    }

    PrematureCloseException prematureClose() {
        return new PrematureCloseException(expected, received, inHeader);
    }

    @Override
    public boolean cancel(boolean mayInterruptIfRunning) {
        boolean cancelled = super.cancel(mayInterruptIfRunning);
        if (cancelled) {
            receiver.cancelled();
        }
        return cancelled;
    }

    /** The channel's event loop as it is now: it may change, and at first and in the end there is none. */
    @Override
    protected EventExecutor executor() {
        ChannelHandlerContext ctx = receiver.context;
        return ctx == null || ctx.executor().isShutdown() ? GlobalEventExecutor.INSTANCE : ctx.executor();
    }
}
