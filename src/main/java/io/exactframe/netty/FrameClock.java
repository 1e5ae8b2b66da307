package io.exactframe.netty;

import io.exactframe.netty.FrameTimeoutException.Limit;
import io.netty.channel.ChannelHandlerContext;
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
abstract class FrameClock implements Runnable {
    private static final int TICKS = 8;

    // All times are in nanoseconds, and compared by their difference.
    private final long deadline;
    private final long stall;
    private final long tick;

    private @Nullable ChannelHandlerContext ctx;
    private @Nullable Future<?> timer; // set as long as there is a frame

    // The frame under way.
    private boolean inFrame;
    private long frame;
    private long received;
    private long begun;
    private long lastByte;
    private long sampled; // at the last tick, which may have been before the frame

    private boolean away; // the channel has no event loop

    FrameClock(ReceiveOptions options) {
        deadline = limit(options.frameDeadlineNanos());
        stall = limit(options.stallTimeoutNanos());
        tick = Math.max(Math.min(deadline, stall) / TICKS, 1);
    }

    static boolean isNeeded(ReceiveOptions options) {
        return options.frameDeadlineNanos() > 0 || options.stallTimeoutNanos() > 0;
    }

    private static long limit(long nanos) {
        return nanos == 0 ? Long.MAX_VALUE : nanos;
    }

    /** Time to {@link #check}, when nothing else is under way; or to {@link #tickAgain}. */
    abstract void tick(ChannelHandlerContext ctx);

    /** Whether the application reads: else the peer is not to blame. */
    abstract boolean isReading(ChannelHandlerContext ctx);

    /** Whether others may be waiting for this frame's memory: then it must not take longer, whoever is to blame. */
    abstract boolean holdsShare();

    /** The frame under way has had its time: {@link #stop}, or {@link #look} at what else there is. */
    abstract void isOver(ChannelHandlerContext ctx, Limit limit, long nanos);

    /**
     * What is under way after a read.
     *
     * @param frame a number that the frame before did not have
     * @param received bytes of it that came; 0 if none is under way
     */
    final void look(ChannelHandlerContext ctx, long frame, long received) {
        boolean same = inFrame && frame == this.frame;
        inFrame = received > 0;
        if (!inFrame || same && (received == this.received || stall == Long.MAX_VALUE)) {
            return;
        }
        this.ctx = ctx;
        this.frame = frame;
        this.received = received;
        lastByte = now(ctx);
        if (!same) {
            begun = lastByte;
        }
        if (timer == null && !away) {
            tickIn(ctx, tick);
        }
    }

    /** No frame is timed any more. */
    final void stop() {
        inFrame = false;
        cancel();
    }

    /** The channel leaves its event loop: no time goes by until it has another, whose clock may show another time. */
    final void unregistered(ChannelHandlerContext ctx) {
        cancel();
        move(-now(ctx));
        away = true;
    }

    final void registered(ChannelHandlerContext ctx) {
        away = false;
        move(now(ctx));
        if (inFrame) {
            tick(ctx);
        }
    }

    private void move(long nanos) {
        begun += nanos;
        lastByte += nanos;
        sampled += nanos;
    }

    @Override
    public final void run() {
        tick(ctx);
    }

    final void check() {
        timer = null;
        if (!inFrame) {
            return;
        }
        long now = now(ctx);
        if (!isReading(ctx)) {
            begun += holdsShare() ? 0 : Math.min(now - sampled, now - begun);
            lastByte += Math.min(now - sampled, now - lastByte);
        }
        sampled = now;
        long toDeadline = deadline - (now - begun);
        long toStall = stall - (now - lastByte);
        if (toDeadline > 0 && toStall > 0) {
            tickIn(ctx, Math.min(tick, Math.min(toDeadline, toStall))); // not later than either limit
        } else if (toDeadline <= 0) {
            isOver(ctx, Limit.DEADLINE, deadline);
        } else {
            isOver(ctx, Limit.STALL, stall);
        }
    }

    final void tickAgain() {
        tickIn(ctx, tick);
    }

    private void tickIn(ChannelHandlerContext ctx, long nanos) {
        timer = ctx.executor().schedule(this, nanos, TimeUnit.NANOSECONDS);
    }

    private void cancel() {
        if (timer != null) {
            timer.cancel(false);
            timer = null;
        }
    }

    private long now(ChannelHandlerContext ctx) {
        return away ? 0 : ctx.executor().ticker().nanoTime();
    }
}
