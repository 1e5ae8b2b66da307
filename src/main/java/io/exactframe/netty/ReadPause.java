package io.exactframe.netty;

import io.netty.channel.ChannelHandlerContext;
import java.util.concurrent.RejectedExecutionException;
import org.jspecify.annotations.Nullable;

/**
 * A frame may have to wait for memory: then nothing is read, whatever is asked for, and what would have come of that is
 * made up for when the memory is there.
 */
abstract class ReadPause {
    private final ReadOnDemand reads = new ReadOnDemand();
    private @Nullable ChannelHandlerContext context; // where it goes on
    private boolean on;
    private boolean readHeldBack;
    private boolean completeHeldBack;

    /** The memory is there, the pause is over: what waits is to be cut, then what was held back to be made up for. */
    abstract void goOn(ChannelHandlerContext ctx);

    /** Before a frame may come to wait. */
    void prepare(ChannelHandlerContext ctx) {
        context = ctx;
    }

    boolean isOn() {
        return on;
    }

    void begin(ChannelHandlerContext ctx) {
        on = true;
        reads.switchAutoReadOff(ctx);
    }

    void end(ChannelHandlerContext ctx) {
        if (on) {
            on = false;
            goOn(ctx);
        }
    }

    /** Any thread: the memory that a frame waits for is there. False if there is nobody left to use it. */
    boolean granted() {
        ChannelHandlerContext ctx = context;
        try {
            ctx.executor().execute(() -> {
                if (ctx.executor().inEventLoop()) {
                    end(ctx);
                } else {
                    granted(); // registered with another event loop meanwhile
                }
            });
            return true;
        } catch (RejectedExecutionException loopIsGone) {
            return false;
        }
    }

    /** Whether a read() is held back. */
    boolean takesRead(ChannelHandlerContext ctx) {
        if (on) {
            reads.switchAutoReadOff(ctx); // that it was switched on may be why
            readHeldBack = true;
        }
        return on;
    }

    /** Whether a channelReadComplete, of a read that gave nothing and has to be asked for again, is held back. */
    boolean takesReadComplete() {
        boolean taken = on && !reads.isAutoReadFound();
        completeHeldBack |= taken;
        return taken;
    }

    void restoreAutoRead(ChannelHandlerContext ctx) {
        reads.restoreAutoRead(ctx);
    }

    boolean giveReadComplete() {
        boolean held = completeHeldBack;
        completeHeldBack = false;
        return held;
    }

    boolean giveRead() {
        boolean held = readHeldBack;
        readHeldBack = false;
        return held;
    }
}
