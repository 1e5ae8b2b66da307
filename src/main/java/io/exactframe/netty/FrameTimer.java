package io.exactframe.netty;

import io.exactframe.netty.FrameTimeoutException.Limit;
import io.netty.channel.ChannelHandlerContext;
import io.netty.util.concurrent.EventExecutor;
import io.netty.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Times the frame under way, for a handler whose options limit that.
 *
 * <pre>
 *   between frames ─── a read ends inside a frame ──► in a frame ─── too long since its first or last byte ──► over
 *         ▲                                               │
 *         └────────── a read ends on a boundary ──────────┘
 * </pre>
 *
 * <p>The time is looked up when a read ends inside a frame, never for a frame that lies in its read. There is one timer
 * at most: it is set when a frame begins, unless it still is, ticks at an eighth of the smaller limit, and is not set
 * again when it finds no frame. If the application does not read at a tick, the time since the tick before does not
 * count: a pause is measured with an error of less than a tick.
 *
 * <p>On the handler's executor, all of it.
 */
final class FrameTimer implements Runnable {
    private static final long NONE = -1;
    private static final boolean HAS_TICKERS = EventExecutor.class.getResource("Ticker.class") != null;

    private final ChannelHandlerContext ctx;
    private final FrameHandler handler;

    // All times are in nanoseconds, and compared by their difference.
    private final long deadline;
    private final long stall;
    private final long tick;

    private @Nullable Future<?> timer; // set as long as there is a frame

    long arrived; // bytes in all

    // The frame under way.
    private long start = NONE; // the bytes in front of it; NONE between frames
    private long received;
    private long begun;
    private long lastByte;
    private long sampled; // at the last tick, which may have been before the frame
    private boolean away; // the channel has no event loop

    FrameTimer(FrameHandler handler, ChannelHandlerContext ctx) {
        this.handler = handler;
        this.ctx = ctx;
        deadline = handler.options.frameDeadlineNanos;
        stall = handler.options.stallTimeoutNanos;
        tick = Math.max(Math.min(deadline, stall) / 8, 1);
    }

    /** After a read: so many of the last bytes that came are of a frame that is not whole; 0 if there is none. */
    void look(long begunBytes) {
        long before = start;
        start = begunBytes == 0 ? NONE : arrived - begunBytes;
        if (start == NONE || start == before && (begunBytes == received || stall == ReceiveOptions.NEVER)) {
            return;
        }
        received = begunBytes;
        lastByte = now();
        if (start != before) {
            begun = lastByte;
        }
        if (timer == null && !away) {
            timer = ctx.executor().schedule(this, tick, TimeUnit.NANOSECONDS);
        }
    }

    /** No frame is timed any more. */
    void stop() {
        start = NONE;
        if (timer != null) {
            timer.cancel(false);
            timer = null;
        }
    }

    /** The channel leaves its event loop: no time goes by until it has another, whose clock may show another time. */
    void unregistered() {
        move(-now());
        away = true;
        long frame = start;
        stop();
        start = frame;
    }

    void registered() {
        away = false;
        move(now());
        if (start != NONE) {
            run();
        }
    }

    private void move(long nanos) {
        begun += nanos;
        lastByte += nanos;
        sampled += nanos;
    }

    @Override
    public void run() {
        if (!handler.inTurn && handler.isBlocked()) {
            check(); // it must not wait for what waits
            handler.wake(ctx);
        } else {
            handler.inTurn(ctx, this::check);
        }
    }

    private void check() {
        handler.look(); // it may be that what was looked at is done
        timer = null;
        if (start == NONE) {
            return;
        }
        long now = now();
        if (!handler.isReading(ctx)) {
            begun += handler.source.share.isHeld() ? 0 : Math.min(now - sampled, now - begun);
            lastByte += Math.min(now - sampled, now - lastByte);
        }
        sampled = now;
        long toDeadline = deadline - (now - begun);
        long toStall = stall - (now - lastByte);
        if (toDeadline > 0 && toStall > 0) {
            // Not later than either limit.
            timer = ctx.executor().schedule(this, Math.min(tick, Math.min(toDeadline, toStall)), TimeUnit.NANOSECONDS);
        } else if (toDeadline <= 0) {
            handler.timeIsOver(ctx, Limit.DEADLINE, deadline);
        } else {
            handler.timeIsOver(ctx, Limit.STALL, stall);
        }
    }

    private long now() {
        return away ? 0 : nanoTime(ctx.executor());
    }

    /** By the executor's clock, which a test may hold still. Netty 4.1's executors show none: they go by the system's. */
    static long nanoTime(EventExecutor executor) {
        return HAS_TICKERS ? executor.ticker().nanoTime() : System.nanoTime();
    }

    @Override
    public String toString() {
        return start == NONE ? "" : ", for " + TimeUnit.NANOSECONDS.toMillis(now() - begun) + " ms";
    }
}
