package io.exactframe.netty;

import io.exactframe.netty.WaitingLine.Event;
import io.exactframe.netty.WaitingLine.ReadComplete;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelHandlerContext;
import org.jspecify.annotations.Nullable;

/**
 * One thing after the other: what comes from inside a delivery waits until the deliveries before it are done.
 *
 * <pre>
 *   channelRead          --&gt; free? receive            else it waits, and is handled in order
 *   channelReadComplete  --&gt; free? readComplete       when what was begun before it has returned
 *   inTurn(event)        --&gt; free? run
 * </pre>
 *
 * What a throw has left behind goes in front of what comes next.
 */
abstract class InTurnHandler extends ChannelDuplexHandler {
    private static final ReadComplete READ_COMPLETE = new ReadComplete(0);

    boolean removed;

    /** From the moment something is handled until all that waited has been. */
    boolean delivering;

    /** Whether {@link #goOn} has not returned: there may be more. */
    boolean interrupted;

    // Messages that went on: in all, and before the last channelReadComplete.
    int given;
    int givenBefore;

    private @Nullable WaitingLine waiting; // from the first that waits on

    /** Handles a fragment that nothing is in front of. */
    abstract void receive(ChannelHandlerContext ctx, ByteBuf fragment);

    /** Handles a channelReadComplete; before its read so many messages had gone on. */
    abstract void readComplete(ChannelHandlerContext ctx, int givenBefore);

    /** Goes on with what was {@link #interrupted}. */
    abstract void goOn(ChannelHandlerContext ctx);

    /** After removal, in front of what waits: what is held goes on downstream. */
    abstract void handOver(ChannelHandlerContext ctx);

    /** Whether only a channelReadComplete that nothing is in front of is handled. */
    abstract boolean isPaused();

    /** Received, not given. */
    abstract int heldBytes();

    final int bytesNotDelivered() {
        return heldBytes() + (waiting == null ? 0 : waiting.bytes());
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) throws Exception {
        if (isFree() && message instanceof ByteBuf fragment) {
            delivering = true;
            try {
                receive(ctx, fragment);
                handleWaiting(ctx);
            } finally {
                endTurn(ctx);
            }
        } else {
            inTurn(ctx, message);
        }
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext ctx) throws Exception {
        if (isFree()) {
            delivering = true;
            try {
                readComplete(ctx, givenBefore);
                handleWaiting(ctx);
            } finally {
                endTurn(ctx);
            }
        } else {
            // Inside a delivery it ends a read that was asked for, and answered, there.
            inTurn(ctx, delivering ? new ReadComplete(given) : READ_COMPLETE);
        }
    }

    /** The usual case, kept short. */
    private boolean isFree() {
        return !delivering && !interrupted && !isPaused() && !hasWaiting();
    }

    final boolean hasWaiting() {
        return waiting != null && !waiting.isEmpty();
    }

    final void inTurn(ChannelHandlerContext ctx, Runnable action) {
        inTurn(ctx, new Event(action));
    }

    private void inTurn(ChannelHandlerContext ctx, Object item) {
        if (delivering || isPaused() && !(item instanceof ReadComplete && !hasWaiting())) {
            addWaiting(item);
            return;
        }
        delivering = true;
        try {
            if (interrupted || hasWaiting()) {
                addWaiting(item);
                goOn(ctx);
            } else {
                handle(ctx, item);
            }
            handleWaiting(ctx);
        } finally {
            endTurn(ctx);
        }
    }

    private void addWaiting(Object item) {
        if (waiting == null) {
            waiting = new WaitingLine();
        }
        waiting.add(item);
    }

    private void handleWaiting(ChannelHandlerContext ctx) {
        while (removed || hasWaiting()) {
            if (removed) {
                handOver(ctx);
            }
            Object next = isPaused() || waiting == null ? null : waiting.poll();
            if (next == null) {
                return;
            }
            handle(ctx, next);
        }
    }

    private void endTurn(ChannelHandlerContext ctx) {
        delivering = false;
        if (removed && bytesNotDelivered() > 0) {
            inTurn(ctx, () -> {}); // nothing else will come and take along what a throw left behind
        }
    }

    private void handle(ChannelHandlerContext ctx, Object item) {
        if (item instanceof ByteBuf fragment) {
            receive(ctx, fragment);
        } else if (item instanceof ReadComplete complete) {
            readComplete(ctx, complete == READ_COMPLETE ? givenBefore : complete.givenBefore());
        } else if (item instanceof Event event) {
            event.action().run();
        } else {
            give(ctx, item);
        }
    }

    final void give(ChannelHandlerContext ctx, Object message) {
        given++;
        ctx.fireChannelRead(message);
    }

    /** In one piece with first, the bytes that wait in front of any message; null if there are none. */
    final @Nullable ByteBuf takeWaitingBytes(@Nullable ByteBuf first) {
        return waiting == null ? first : waiting.takeBytes(first);
    }
}
