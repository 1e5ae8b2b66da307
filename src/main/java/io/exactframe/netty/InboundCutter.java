package io.exactframe.netty;

import io.exactframe.netty.FrameTimeoutException.Limit;
import io.exactframe.netty.WaitingLine.Event;
import io.exactframe.netty.WaitingLine.ReadComplete;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPromise;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.handler.codec.TooLongFrameException;
import java.util.concurrent.RejectedExecutionException;
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
abstract class InboundCutter extends ChannelDuplexHandler {
    private static final ReadComplete READ_COMPLETE = new ReadComplete(0);

    // Any of these ends cutting; they may become true in whatever calls out.
    boolean closing; // a handler behind closes the channel
    boolean removed;
    boolean ended;

    /** Since the last channelReadComplete, whether a frame, or a part that goes on, was cut. */
    boolean gotFrame;

    private final WaitingLine waiting = new WaitingLine();
    private boolean delivering;
    private boolean interrupted; // cutting ended with a throw: there may be more to cut
    private boolean gotBytes; // since the last channelReadComplete
    private int given; // messages that went on: in all, and before the last channelReadComplete
    private int givenBefore;

    // A frame may have to wait for memory: then nothing is read, and what comes all the same waits behind it.
    private @Nullable ChannelHandlerContext context;
    private final ReadOnDemand reads = new ReadOnDemand();
    private boolean paused;
    private boolean readHeldBack;
    private boolean completeHeldBack;

    private boolean asked; // a read(), with auto-read off, that nothing has come for
    private long arrived; // bytes in all, if frames are timed
    private final @Nullable FrameClock clock;

    InboundCutter(ReceiveOptions options) {
        ensureNotSharable();
        options.checked();
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

    /** Received, not given. */
    abstract int heldBytes();

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

    final int bytesNotDelivered() {
        return heldBytes() + waiting.bytes();
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) throws Exception {
        asked = false; // as transports have it: what asks from now on, asks for the next
        inTurn(ctx, message);
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext ctx) throws Exception {
        // Inside a delivery it ends a read that was asked for, and answered, there.
        inTurn(ctx, delivering ? new ReadComplete(given) : READ_COMPLETE);
    }

    /** One thing after the other: what comes from inside a delivery waits until the deliveries before it are done. */
    private void inTurn(ChannelHandlerContext ctx, Object item) {
        if (delivering || paused && !(item instanceof ReadComplete && waiting.isEmpty())) {
            waiting.add(item);
            return;
        }
        delivering = true;
        try {
            Object next = item;
            if (interrupted || !waiting.isEmpty()) {
                // What a throw left behind goes first.
                waiting.add(item);
                cutAll(ctx);
                next = nextWaiting(ctx);
            }
            while (next != null) {
                handle(ctx, next);
                next = nextWaiting(ctx);
            }
        } finally {
            delivering = false;
            if (removed && bytesNotDelivered() > 0) {
                inTurn(ctx, new Event(() -> {})); // nothing else will come and take along what a throw left behind
            }
        }
    }

    private @Nullable Object nextWaiting(ChannelHandlerContext ctx) {
        if (removed) {
            handOver(ctx); // before what waits
        }
        return paused ? null : waiting.poll();
    }

    private void handle(ChannelHandlerContext ctx, Object item) {
        if (item instanceof ByteBuf fragment) {
            gotBytes = true;
            if (ended || closing) {
                fragment.release();
            } else if (removed) {
                ctx.fireChannelRead(fragment);
            } else {
                if (clock != null) {
                    arrived += fragment.readableBytes();
                }
                offer(fragment);
                cutAll(ctx);
            }
        } else if (item instanceof ReadComplete complete) {
            readComplete(ctx, complete == READ_COMPLETE ? givenBefore : complete.givenBefore());
        } else if (item instanceof Event event) {
            event.action().run();
        } else {
            give(ctx, item);
        }
    }

    private void cutAll(ChannelHandlerContext ctx) {
        context = ctx;
        interrupted = true;
        cut(ctx);
        interrupted = false;
        if (isWaiting() && !removed) {
            paused = true;
            reads.switchAutoReadOff(ctx);
        }
        if (clock != null && !ended && !closing && !removed) {
            long begun = begunBytes();
            clock.look(ctx, arrived - begun, begun); // where in the stream it begins tells it from the one before
        }
    }

    /** Any thread: the memory that a frame waits for is there. False if there is nobody left to use it. */
    final boolean granted() {
        ChannelHandlerContext ctx = context;
        try {
            ctx.executor().execute(() -> {
                if (ctx.executor().inEventLoop()) {
                    goOn(ctx);
                } else {
                    granted(); // registered with another event loop meanwhile
                }
            });
            return true;
        } catch (RejectedExecutionException loopIsGone) {
            return false;
        }
    }

    private void goOn(ChannelHandlerContext ctx) {
        if (paused) {
            paused = false;
            interrupted = true;
            inTurn(ctx, new Event(() -> readAgain(ctx)));
        }
    }

    private void readAgain(ChannelHandlerContext ctx) {
        reads.restoreAutoRead(ctx);
        if (completeHeldBack || given != givenBefore) {
            completeHeldBack = false;
            readComplete(ctx, givenBefore);
        }
        if (readHeldBack) {
            readHeldBack = false;
            asked = true;
            ctx.read();
        }
    }

    private void waitNoMore(ChannelHandlerContext ctx) {
        waitNoMore();
        goOn(ctx);
    }

    final void give(ChannelHandlerContext ctx, Object message) {
        given++;
        ctx.fireChannelRead(message);
    }

    private void readComplete(ChannelHandlerContext ctx, int givenBefore) {
        boolean wantsMore = gotBytes && given == givenBefore && !ended && !closing && !removed;
        if (wantsMore && paused && !gotFrame && !reads.isAutoReadFound()) {
            completeHeldBack = true;
            return;
        }
        gotBytes = false;
        this.givenBefore = given;
        if (wantsMore && !paused && !ctx.channel().config().isAutoRead()) {
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
            inTurn(ctx, new Event(() -> inactive(ctx)));
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
        if (endsInput || !waiting.isEmpty()) {
            inTurn(ctx, new Event(() -> userEvent(ctx, event, endsInput)));
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
        if (paused) {
            reads.switchAutoReadOff(ctx); // that it was switched on may be why
            readHeldBack = true;
            return;
        }
        asked = !ctx.channel().config().isAutoRead(); // else it ends with auto-read
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
            inTurn(ctx, new Event(() -> handOver(ctx)));
        }
    }

    private void handOver(ChannelHandlerContext ctx) {
        abort(ctx);
        if (ended || closing) {
            discard();
            return;
        }
        ByteBuf rest = waiting.takeBytes(takeBack());
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

    private final class Clock extends FrameClock {
        Clock(ReceiveOptions options) {
            super(options);
        }

        @Override
        void tick(ChannelHandlerContext ctx) {
            if (paused && !delivering) {
                check(); // it must not wait for what waits
            } else {
                inTurn(ctx, new Event(this::check));
            }
        }

        @Override
        boolean isReading(ChannelHandlerContext ctx) {
            return !paused && (asked || ctx.channel().config().isAutoRead());
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
