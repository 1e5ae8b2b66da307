package io.exactframe.netty;

import static io.exactframe.netty.ReceiveOptions.require;

import io.exactframe.netty.ReceiveBudget.Share;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPromise;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.channel.socket.DatagramChannel;
import io.netty.handler.ssl.SslCloseCompletionEvent;
import io.netty.util.internal.StringUtil;
import java.nio.ByteOrder;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The shell between Netty and what cuts: what comes when, and how it ends. Bytes and events are handled one after the
 * other: what comes from inside a delivery waits for its {@linkplain Turns turn}, and so does what comes behind bytes
 * that wait, for memory or for a {@code read()}.
 */
abstract class FrameHandler extends ChannelDuplexHandler {
    /** Since the last channelReadComplete. GIVEN: MESSAGES went on, nothing came since, or to this. MORE: it did. */
    enum Brought { NOTHING, BYTES, FRAMES, MORE, GIVEN, MESSAGES }

    final ReceiveOptions options;
    Phase phase = Phase.CUTTING;
    Brought brought = Brought.NOTHING;
    boolean inTurn; // something is being handled
    private boolean reading; // in turn, and nothing is half done
    boolean wanted; // a read() went on that is not answered yet; with auto-read on it needs no answer
    @Nullable FrameSource source; // what cuts, from the first byte on
    @Nullable Turns turns; // from the first that waits on
    @Nullable FrameTimer timer; // from the first byte on, if frames are timed

    FrameHandler(ReceiveOptions options) {
        this.options = options.checked();
    }

    abstract void accept(ChannelHandlerContext ctx, ByteBuf fragment); // takes over what came from the socket

    abstract void readComplete(ChannelHandlerContext ctx); // a read has ended, and what was in front of that is handled

    /** Gives what there is; outside a read no channelReadComplete follows. Whether what waits may be handled. */
    abstract boolean cut(ChannelHandlerContext ctx, boolean outside);

    abstract boolean makeUp(ChannelHandlerContext ctx, boolean free, boolean outside); // reads on; false if all is done

    // How it ends: with a fault, which is told; with the input, what came of which was given; by removal.
    abstract void end(ChannelHandlerContext ctx, Throwable fault);
    abstract void endOfInput(ChannelHandlerContext ctx, boolean closed);
    abstract void removed(ChannelHandlerContext ctx);

    // What is timed: a frame that is not whole, and has so many of the last bytes, 0 if there is none; and not while
    // the application does not read, for which the peer is not to blame.
    abstract long begunBytes();
    abstract boolean isReading(ChannelHandlerContext ctx);
    abstract void timeIsOver(ChannelHandlerContext ctx, FrameTimeoutException.Limit limit, long nanos);

    @Override
    public void handlerAdded(ChannelHandlerContext ctx) throws Exception {
        require(!(ctx.channel() instanceof DatagramChannel), () -> "datagrams are whole already, and no stream");
        boolean gave = ctx.pipeline().toMap().values().stream().anyMatch(each ->
                each instanceof FrameHandler other && other.brought.compareTo(Brought.FRAMES) >= 0);
        brought = gave ? Brought.GIVEN : brought; // a channelReadComplete is owed, perhaps through this
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) throws Exception {
        turn(ctx, message);
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext ctx) throws Exception {
        turn(ctx, Turns.READ_COMPLETE);
    }

    final void inTurn(ChannelHandlerContext ctx, Runnable action) {
        turn(ctx, new Turns.Event(action));
    }

    /** Goes on with what there is; if something is being handled, behind that. */
    final void wake(ChannelHandlerContext ctx) {
        turn(ctx, inTurn && !hasWaiting() ? Turns.GO_ON : null);
    }

    /** Handles what is in front of an item, and that; or adds it to what waits. */
    final void turn(ChannelHandlerContext ctx, @Nullable Object item) {
        Object next = item;
        if (item != null && (inTurn || hasWaiting() || !isIdle())) {
            turns().waiting.add(item);
            turns.readEnds += item == Turns.READ_COMPLETE ? 1 : 0;
            next = null;
        }
        if (inTurn) {
            return;
        }
        boolean outside = item == null || item instanceof Turns.Event && brought == Brought.NOTHING;
        boolean threw = true;
        inTurn = true;
        try {
            if (next != null) {
                handle(ctx, next, outside);
            }
            for (boolean more = true; more; ) {
                boolean free = cut(ctx, outside);
                next = free && turns != null ? turns.waiting.poll() : null;
                if (next != null) {
                    turns.readEnds -= next == Turns.READ_COMPLETE ? 1 : 0;
                    handle(ctx, next, outside);
                } else {
                    more = makeUp(ctx, free, outside);
                }
            }
            threw = false;
        } finally {
            inTurn = false;
            if (threw && phase == Phase.REMOVED) {
                turn(ctx, null); // nothing else will come and take along what is left behind
            }
        }
        look();
    }

    final void look() {
        if (timer != null && phase == Phase.CUTTING) {
            timer.look(begunBytes());
        }
    }

    private void handle(ChannelHandlerContext ctx, Object item, boolean outside) {
        if (item instanceof ByteBuf fragment) {
            receive(ctx, fragment);
        } else if (item == Turns.READ_COMPLETE) {
            readComplete(ctx);
        } else if (item instanceof Turns.Event && outside && brought.compareTo(Brought.MORE) >= 0) {
            turns().waiting.addFirst(item); // what is re-entered at this completion comes behind it
            readComplete(ctx);
        } else if (item instanceof Turns.Event event) {
            event.action().run();
        } else {
            pass(ctx, item);
        }
    }

    @SuppressWarnings("deprecation") // little-endian views still exist and would turn the length field round
    private void receive(ChannelHandlerContext ctx, ByteBuf fragment) {
        if (phase == Phase.REMOVED) {
            ctx.fireChannelRead(fragment);
            return;
        }
        brought = brought == Brought.NOTHING ? Brought.BYTES : brought == Brought.GIVEN ? Brought.MORE : brought;
        if (timer == null && Math.min(options.frameDeadlineNanos, options.stallTimeoutNanos) != ReceiveOptions.NEVER) {
            timer = new FrameTimer(this, ctx);
            refuseSharedBudget(ctx);
        }
        if (timer != null) {
            timer.arrived += fragment.readableBytes();
        }
        accept(ctx, fragment.order(ByteOrder.BIG_ENDIAN));
    }

    final void pass(ChannelHandlerContext ctx, Object message) {
        brought = Brought.MESSAGES;
        wanted &= phase == Phase.REMOVED; // else it is answered
        ctx.fireChannelRead(message);
    }

    final void readOn(ChannelHandlerContext ctx) {
        reading = true;
        ctx.read();
        reading = false;
    }

    /** Whether a fragment can be handled at once: nothing of one before waits. */
    boolean isIdle() {
        return source == null || source.isIdle();
    }

    /** Whether something waits in the source, for memory or for a read(). */
    final boolean isBlocked() {
        return source != null && source.step != FrameSource.Step.NEEDS_BYTES;
    }

    final Turns turns() {
        if (turns == null) {
            turns = new Turns();
        }
        return turns;
    }

    final boolean hasWaiting() {
        return turns != null && !turns.waiting.isEmpty();
    }

    /** At the first bytes, when an upgrade from one handler to the next is over. */
    private void refuseSharedBudget(ChannelHandlerContext ctx) {
        boolean isShared = options.budget != null && ctx.pipeline().toMap().values().stream().anyMatch(each ->
                each != this && each instanceof FrameHandler other && other.options.budget == options.budget);
        if (isShared) {
            end(ctx, new IllegalStateException("one ReceiveBudget in two handlers of a pipeline: each could wait"
                    + " for what the other holds; give each layer a budget of its own"));
        }
    }

    /** The memory of this channel's frames, from the budget if there is one. */
    final Share newShare(Supplier<ChannelHandlerContext> where) {
        return options.budget == null ? Share.OF_NOTHING : new Share(options.budget, () -> granted(where.get()));
    }

    /** Any thread: the memory that a frame waits for is there. False if there is nobody left to use it. */
    private boolean granted(ChannelHandlerContext ctx) {
        try {
            ctx.executor().execute(() -> wakeUp(ctx)); // not at once: whoever gives back is inside a delivery
            return true;
        } catch (RejectedExecutionException loopIsGone) {
            return false;
        }
    }

    /** Any thread: wakes it on its event loop, which may change meanwhile. False if there is none any more. */
    final boolean wakeUp(ChannelHandlerContext ctx) {
        if (!ctx.executor().inEventLoop()) {
            return granted(ctx);
        }
        wake(ctx);
        return true;
    }

    /** Nothing more comes, so what is here is used without waiting for memory. */
    final void waitNoMore() {
        if (source != null) {
            source.share.waitNoMore();
        }
    }

    @Override
    public void userEventTriggered(ChannelHandlerContext ctx, Object event) throws Exception {
        boolean ends = event instanceof ChannelInputShutdownEvent
                || event instanceof SslCloseCompletionEvent closed && closed.isSuccess();
        if (ends) {
            waitNoMore();
        }
        if (ends || hasWaiting()) {
            inTurn(ctx, () -> {
                if (ends) {
                    endOfInput(ctx, false);
                }
                ctx.fireUserEventTriggered(event);
            });
        } else {
            ctx.fireUserEventTriggered(event);
        }
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) throws Exception {
        waitNoMore();
        Runnable inactive = () -> {
            endOfInput(ctx, true);
            ctx.fireChannelInactive();
        };
        if (inTurn && (phase != Phase.CUTTING || reading && !hasWaiting())) {
            inactive.run(); // inside what a handler behind was told, or a read(): an embedded channel does not wait
        } else {
            inTurn(ctx, inactive);
        }
    }

    @Override
    public void close(ChannelHandlerContext ctx, ChannelPromise promise) throws Exception {
        closing();
        ctx.close(promise);
    }

    @Override
    public void disconnect(ChannelHandlerContext ctx, ChannelPromise promise) throws Exception {
        closing();
        ctx.disconnect(promise);
    }

    private void closing() {
        if (phase == Phase.CUTTING) {
            phase = Phase.CLOSING;
            stopTimer();
        }
    }

    @Override
    public void channelUnregistered(ChannelHandlerContext ctx) throws Exception {
        if (hasWaiting() || !isIdle()) {
            turn(ctx, null); // if it is closed, nothing waits for a read() any longer
        }
        if (timer != null) {
            timer.unregistered();
        }
        ctx.fireChannelUnregistered();
    }

    @Override
    public void channelRegistered(ChannelHandlerContext ctx) throws Exception {
        if (timer != null) {
            timer.registered();
        }
        ctx.fireChannelRegistered();
        wake(ctx);
    }

    /** Hands what was received and not delivered downstream; from inside a delivery, when that returns. */
    @Override
    public void handlerRemoved(ChannelHandlerContext ctx) throws Exception {
        removed(ctx);
        waitNoMore();
        stopTimer();
        turn(ctx, null);
    }

    final void stopTimer() {
        if (timer != null) {
            timer.stop();
        }
    }

    /** For logs: the phase, how far the frame under way is, and since when, if that is timed. */
    @Override
    public String toString() {
        String frame = source == null ? "" : ", " + source.frame.received + " of " + source.frame.expected() + " bytes";
        return StringUtil.simpleClassName(this) + '(' + phase + frame + (timer == null ? "" : timer) + ')';
    }
}
