package io.exactframe.netty;

import io.exactframe.netty.FrameTimeoutException.Limit;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPromise;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.handler.codec.TooLongFrameException;
import org.jspecify.annotations.Nullable;

/**
 * What is the same for every handler that cuts fragments and gives the pieces to the next one: what comes when, and how
 * it ends. What a piece is, a subclass knows.
 *
 * <pre>
 *   channelRead, channelReadComplete      one after the other: what comes from inside a delivery waits for its turn
 *   end of input                          a premature close is fired in front of what announced it
 *   a fault                               fired once; then whatever still comes is released
 *   a frame that is too long and skipped  fired once; then its bytes are released as they come
 *   close(), disconnect() from behind     nothing is given any more
 *   removal                               what was not given goes on as it came, when the delivery returns
 *   a read that gave nothing              another is asked for, if auto-read is off
 *   a frame that takes too long           a fault
 * </pre>
 */
abstract class InboundCutter extends InTurnHandler {
    // Any of these, and removed, ends cutting; they may become true in whatever calls out.
    boolean closing; // a handler behind closes the channel
    boolean ended;

    /** Since the last channelReadComplete, whether a frame, or a part that goes on, was cut. */
    boolean gotFrame;

    private boolean gotBytes; // since the last channelReadComplete
    private boolean asked; // a read(), with auto-read off, that nothing has come for

    private final @Nullable Pause pause; // if frames may have to wait for memory
    private final @Nullable Clock clock; // if frames are timed

    InboundCutter(ReceiveOptions options) {
        ensureNotSharable();
        options.checked();
        pause = options.budget() == null ? null : new Pause();
        clock = FrameClock.isNeeded(options) ? new Clock(options) : null;
    }

    /** Takes over a fragment, when the one before is used up. */
    abstract void offer(ByteBuf fragment);

    /**
     * Cuts the fragment and gives what there is, until it is used up or nothing is to be cut any more. If it throws
     * there may be more: it is called again.
     */
    abstract void cut(ChannelHandlerContext ctx);

    /** Whether a frame waits for memory; {@link #granted()} is called when it is there. */
    boolean isWaiting() {
        return false;
    }

    /** Nothing more comes, so what is here is used without waiting for memory. */
    void waitNoMore() {}

    /** What a reader is told if the input ends here; null if nothing was begun. */
    abstract @Nullable PrematureCloseException prematureClose();

    /** Whether a frame is too long and to be skipped, or being skipped. */
    abstract boolean isSkipping();

    /** Releases what is here of that frame. */
    abstract void skip();

    /** Of the frame under way, what was received, given or not. */
    long begunBytes() {
        return heldBytes();
    }

    /** Whether others may be waiting for the memory of the frame under way: its deadline then runs in any case. */
    boolean holdsShare() {
        return false;
    }

    /** Everything received and not given, in order, as if it had never been looked at; null if there is none. */
    abstract @Nullable ByteBuf takeBack();

    /** At removal, in front of what goes on then: tells whoever got a part of a frame that no more of it will come. */
    void abort(ChannelHandlerContext ctx) {}

    /** Releases all that is held. */
    abstract void discard();

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) throws Exception {
        asked = false; // as transports have it: what asks from now on, asks for the next
        super.channelRead(ctx, message);
    }

    @Override
    final boolean isPaused() {
        return pause != null && pause.isOn();
    }

    @Override
    final void receive(ChannelHandlerContext ctx, ByteBuf fragment) {
        gotBytes = true;
        if (ended || closing) {
            fragment.release();
        } else if (removed) {
            ctx.fireChannelRead(fragment);
        } else {
            if (clock != null) {
                clock.arrived += fragment.readableBytes();
            }
            offer(fragment);
            goOn(ctx);
        }
    }

    @Override
    final void goOn(ChannelHandlerContext ctx) {
        if (pause != null) {
            pause.prepare(ctx);
        }
        interrupted = true;
        cut(ctx);
        interrupted = false;
        if (pause != null && isWaiting()) {
            pause.begin(ctx);
        }
        if (clock != null && !ended && !closing && !removed) {
            long begun = begunBytes();
            clock.look(ctx, clock.arrived - begun, begun); // where in the stream it begins tells it from the one before
        }
    }

    /** Any thread: the memory that a frame waits for is there. False if there is nobody left to use it. */
    final boolean granted() {
        return pause.granted();
    }

    private void waitNoMore(ChannelHandlerContext ctx) {
        if (pause != null) {
            waitNoMore();
            pause.end(ctx);
        }
    }

    @Override
    final void readComplete(ChannelHandlerContext ctx, int givenBefore) {
        boolean wantsMore = gotBytes && given == givenBefore && !ended && !closing && !removed;
        if (wantsMore && pause != null && pause.takesReadComplete()) {
            return;
        }
        gotBytes = false;
        this.givenBefore = given;
        if (wantsMore && !isPaused() && !ctx.channel().config().isAutoRead()) {
            asked = true;
            ctx.read();
            if (!gotFrame) {
                return; // it goes on: FlowControlHandler would take channelReadComplete for the answer to its demand
            }
        }
        gotFrame = false;
        ctx.fireChannelReadComplete();
    }

    /** A fault of what is cut: reported, and skipped if it is a frame that is to be; any other ends. */
    final void fault(ChannelHandlerContext ctx, Throwable fault) {
        if (ended || !isSkipping() || !(fault instanceof TooLongFrameException)) {
            end(ctx, fault);
        } else if (!removed) {
            ctx.fireExceptionCaught(fault);
            if (!removed) {
                skip(); // also if the channel is closing: what came of the frame is not missing
            }
        }
    }

    /** Ends with a fault; whatever is held is released, the input still unread with it. */
    final void end(ChannelHandlerContext ctx, Throwable fault) {
        boolean first = !ended;
        ended = true;
        stopClock();
        discard();
        if (first) {
            ctx.fireExceptionCaught(fault);
        }
    }

    private void endOfInput(ChannelHandlerContext ctx) {
        PrematureCloseException close = ended ? null : prematureClose();
        if (close != null) {
            end(ctx, close);
        }
        ended = true;
        stopClock();
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) throws Exception {
        waitNoMore(ctx);
        if (delivering && closing) {
            // Inside the delivery in which a handler behind closed the channel: it is owed nothing more.
            inactive(ctx);
        } else {
            inTurn(ctx, () -> inactive(ctx));
        }
    }

    private void inactive(ChannelHandlerContext ctx) {
        endOfInput(ctx);
        ctx.fireChannelInactive();
    }

    @Override
    public void userEventTriggered(ChannelHandlerContext ctx, Object event) throws Exception {
        boolean endsInput = event instanceof ChannelInputShutdownEvent;
        if (endsInput) {
            waitNoMore(ctx);
        }
        if (endsInput || hasWaiting()) {
            inTurn(ctx, () -> userEvent(ctx, event, endsInput));
        } else {
            ctx.fireUserEventTriggered(event);
        }
    }

    private void userEvent(ChannelHandlerContext ctx, Object event, boolean endsInput) {
        if (endsInput) {
            endOfInput(ctx);
        }
        ctx.fireUserEventTriggered(event);
    }

    @Override
    public void channelUnregistered(ChannelHandlerContext ctx) throws Exception {
        if (clock != null) {
            clock.unregistered(ctx);
        }
        ctx.fireChannelUnregistered();
    }

    @Override
    public void channelRegistered(ChannelHandlerContext ctx) throws Exception {
        if (clock != null) {
            clock.registered(ctx);
        }
        ctx.fireChannelRegistered();
    }

    @Override
    public void read(ChannelHandlerContext ctx) throws Exception {
        if (pause == null || !pause.takesRead(ctx)) {
            ask(ctx);
        }
    }

    private void ask(ChannelHandlerContext ctx) {
        asked = clock != null && !ctx.channel().config().isAutoRead(); // else it ends with auto-read
        ctx.read();
    }

    @Override
    public void close(ChannelHandlerContext ctx, ChannelPromise promise) throws Exception {
        closing = true;
        stopClock();
        ctx.close(promise);
    }

    @Override
    public void disconnect(ChannelHandlerContext ctx, ChannelPromise promise) throws Exception {
        closing = true;
        stopClock();
        ctx.disconnect(promise);
    }

    /** Hands what was received and not delivered downstream; from inside a delivery, when that returns. */
    @Override
    public void handlerRemoved(ChannelHandlerContext ctx) throws Exception {
        removed = true;
        waitNoMore(ctx);
        stopClock();
        if (!delivering) {
            inTurn(ctx, () -> handOver(ctx));
        }
    }

    @Override
    final void handOver(ChannelHandlerContext ctx) {
        abort(ctx);
        if (ended || closing) {
            discard();
            return;
        }
        ByteBuf rest = takeWaitingBytes(takeBack());
        if (rest != null) {
            ctx.fireChannelRead(rest);
            ctx.fireChannelReadComplete();
        }
    }

    private void stopClock() {
        if (clock != null) {
            clock.stop();
        }
    }

    private final class Pause extends ReadPause {
        @Override
        void goOn(ChannelHandlerContext ctx) {
            interrupted = true;
            inTurn(ctx, () -> makeUp(ctx));
        }

        private void makeUp(ChannelHandlerContext ctx) {
            restoreAutoRead(ctx);
            if (giveReadComplete() || given != givenBefore) {
                readComplete(ctx, givenBefore);
            }
            if (giveRead()) {
                ask(ctx);
            }
        }
    }

    private final class Clock extends FrameClock {
        private long arrived; // bytes in all

        Clock(ReceiveOptions options) {
            super(options);
        }

        @Override
        void tick(ChannelHandlerContext ctx) {
            if (isPaused() && !delivering) {
                check(); // it must not wait for what waits
            } else {
                inTurn(ctx, this::check);
            }
        }

        @Override
        boolean isReading(ChannelHandlerContext ctx) {
            return !isPaused() && (asked || ctx.channel().config().isAutoRead());
        }

        @Override
        boolean holdsShare() {
            return InboundCutter.this.holdsShare();
        }

        @Override
        void isOver(ChannelHandlerContext ctx, Limit limit, long nanos) {
            PrematureCloseException part = prematureClose();
            if (part != null) {
                end(ctx, new FrameTimeoutException(
                        part.expectedBytes(), part.receivedBytes(), part.inHeader(), limit, nanos));
            }
        }
    }
}
