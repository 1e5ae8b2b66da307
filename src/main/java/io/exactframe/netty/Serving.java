package io.exactframe.netty;

import io.exactframe.netty.FrameTimeoutException.Limit;
import io.exactframe.netty.ReceiveFuture.Needs;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPipelineException;
import io.netty.channel.socket.DuplexChannel;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.NotYetConnectedException;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Serves the receives of a receiver, in order, each until it is complete or the stream has ended; reads while the first
 * has to wait. On the event loop, all of it.
 */
final class Serving {
    private final ReceiveQueue receives;
    private final SinkWriter writer;
    private final Stash stash;
    private final ReadOnDemand reads = new ReadOnDemand();
    private final @Nullable FrameClock clock;
    private @Nullable ReceiveFuture<?> timed;
    private long begun; // receives that were timed

    private boolean underWay;
    private boolean again; // something happened meanwhile
    private boolean wasActive;
    private boolean inputEnded;
    private boolean truncated; // the end was inside a frame, which was told
    private boolean removed;
    private boolean left; // and what follows from the removal is done

    /** Why nothing more can be received, if it is more than the end of the stream. */
    private @Nullable Throwable failure;

    Serving(ReceiveQueue receives, SinkWriter writer, ReceiveOptions options, BooleanSupplier whenGranted) {
        this.receives = receives;
        this.writer = writer;
        this.stash = new Stash(options, whenGranted);
        this.clock = FrameClock.isNeeded(options) ? new Clock(options) : null;
    }

    void added(ChannelHandlerContext ctx) {
        reads.switchAutoReadOff(ctx);
        wasActive = ctx.channel().isActive();
        inputEnded = wasActive && ctx.channel() instanceof DuplexChannel duplex && duplex.isInputShutdown();
    }

    /** With contiguous frames, lets the transport receive into them if it has not read yet. */
    void install(ChannelHandlerContext ctx) {
        ReceiveInto.install(ctx, stash.assembler);
    }

    void active() {
        wasActive = true;
    }

    void arrived(ChannelHandlerContext ctx, ByteBuf fragment) {
        if (inputEnded || !fragment.isReadable()) {
            fragment.release();
            return;
        }
        stash.add(fragment);
        reads.switchAutoReadOff(ctx); // in case somebody switched it on
        serve(ctx);
    }

    /** Somebody else's read(): that auto-read was switched on is why. */
    void readAsked(ChannelHandlerContext ctx) {
        reads.switchAutoReadOff(ctx);
        readIfWanted(ctx);
    }

    void readDone() {
        reads.done();
    }

    void unregistered(ChannelHandlerContext ctx) {
        reads.done(); // its event loop is no longer the channel's
        if (clock != null) {
            clock.unregistered(ctx);
        }
    }

    void registered(ChannelHandlerContext ctx) {
        if (clock != null) {
            clock.registered(ctx);
        }
        readIfWanted(ctx);
    }

    /** Reads only when it is the receiver that wants more. */
    void readIfWanted(ChannelHandlerContext ctx) {
        if (wantsMore() && wasActive && !inputEnded && !removed) {
            reads.read(ctx);
        }
    }

    /** Not while a sink is behind, or there is no memory. */
    private boolean wantsMore() {
        return !stash.hasUnread() && !stash.assembler.isWaiting();
    }

    /** Serves the receives in order until one has to wait. Not nested: a listener's receive only queues. */
    void serve(ChannelHandlerContext ctx) {
        if (underWay) {
            again = true;
        } else {
            serveNow(ctx);
        }
    }

    private void serveNow(ChannelHandlerContext ctx) {
        boolean nested = underWay; // in an event that ends the input; nothing is half done while listeners run
        underWay = true;
        ReceiveFuture<?> waiting;
        try {
            waiting = serveAll(ctx);
        } finally {
            underWay = nested;
        }
        if (!nested) {
            if (removed && !left) {
                leave(ctx);
            }
            if (clock != null) {
                lookAtClock(ctx, waiting);
            }
            readIfWanted(ctx);
        }
    }

    /** Serves until a receive has to wait, which is returned; null if none does. */
    private @Nullable ReceiveFuture<?> serveAll(ChannelHandlerContext ctx) {
        ReceiveFuture<?> receive;
        while ((!removed || left) && (receive = next(ctx)) != null) {
            again = false;
            ReceiveFuture<?> expired = receives.nextExpired();
            if (expired != null) {
                lose(ctx, expired, expired.timeout(), receive.arrived(stash) > 0);
                continue;
            }
            Needs needs;
            if (inputEnded) {
                stash.assembler.endOfInput();
            }
            try {
                needs = receive.take(stash, ctx.alloc());
            } catch (Throwable violation) {
                if (stash.assembler.isSkipping()) {
                    skip(ctx, receive, violation);
                } else {
                    lose(ctx, receive, violation, true);
                }
                continue;
            }
            if (needs == Needs.NOTHING) {
                receives.removeFirst();
                receive.finish(stash);
            } else if (needs == Needs.BYTES && inputEnded && receive.setUncancellable() && !receive.isDone()) {
                failUnserved(ctx);
            } else if (!receive.isDone()) {
                if (inputEnded) {
                    tellOfTheEnd(ctx, receive);
                }
                receive.progress();
                if (!receive.isDone() && !again) { // neither cancelled nor fed by a listener, nor is its sink ready
                    return receive;
                }
            }
        }
        return null;
    }

    private @Nullable ReceiveFuture<?> next(ChannelHandlerContext ctx) {
        for (ReceiveFuture<?> made; (made = receives.nextMade()) != null; ) {
            wasActive |= ctx.channel().isActive();
            if (wasActive) {
                made.late = inputEnded;
                receives.admit(made);
                made.admitted(ctx.executor());
            } else {
                boolean open = ctx.channel().isOpen();
                receives.fail(made, open ? new NotYetConnectedException() : new ClosedChannelException());
            }
        }
        writer.settle(stash); // of one that was cancelled, which nobody else asks for
        return receives.first(stash);
    }

    /** The first receive when the input has ended and what is here is not enough for it. */
    private void failUnserved(ChannelHandlerContext ctx) {
        ReceiveFuture<?> receive = receives.removeFirst();
        PrematureCloseException close = receive.prematureClose();
        boolean lost = close.receivedBytes() > 0;
        boolean told = truncated;
        truncated |= lost;
        stash.assembler.discard();
        if (lost && !told && !removed) {
            ctx.fireExceptionCaught(close); // before a listener may close the channel or remove this handler
        }
        if (failure != null) {
            receive.tryFailure(failure);
        } else if (receive.orEnd && !truncated) {
            receive.trySuccess(null);
        } else if (receive.late && !lost && !ctx.channel().isOpen()) {
            receive.tryFailure(new ClosedChannelException());
        } else {
            receive.tryFailure(close);
        }
    }

    /** The first receive waits for its sink and fails later, but what follows the end in the pipeline does not wait. */
    private void tellOfTheEnd(ChannelHandlerContext ctx, ReceiveFuture<?> receive) {
        long arrived = receive.arrived(stash);
        if (arrived > 0 && arrived < receive.expected && !truncated && !removed) {
            truncated = true;
            ctx.fireExceptionCaught(new PrematureCloseException(receive.expected, arrived, false));
        }
    }

    /** The framing is lost, or memory, or patience: a receive fails, all others will. Told if they lose bytes by it. */
    private void lose(ChannelHandlerContext ctx, ReceiveFuture<?> receive, Throwable violation, boolean told) {
        boolean fire = told && !truncated && !removed;
        failure = violation;
        inputEnded = true;
        truncated = true;
        stash.release();
        receives.remove(receive);
        receive.setUncancellable(); // its bytes are gone
        if (fire) {
            ctx.fireExceptionCaught(violation); // as above
        }
        receive.tryFailure(violation);
    }

    /** A frame is too long, and is to be skipped: the receive fails, its bytes are nobody's. */
    private void skip(ChannelHandlerContext ctx, ReceiveFuture<?> receive, Throwable tooLong) {
        long length = stash.assembler.expected();
        stash.giveBack();
        if (receive.setUncancellable()) { // if it was cancelled just before, the next one decides
            SkipReceive rest = new SkipReceive(receive.receiver, length);
            receives.replaceFirst(rest);
            if (timed == receive) {
                timed = rest; // the same frame
            }
            if (!removed) {
                ctx.fireExceptionCaught(tooLong); // as above
            }
            receive.tryFailure(tooLong);
        }
    }

    /** When there is no event loop any more, in a thread that nobody else serves in. */
    void serveTheRest(ChannelHandlerContext ctx) {
        inputEnded = true;
        serve(ctx);
    }

    void endOfInput(ChannelHandlerContext ctx) {
        inputEnded = true;
        serveNow(ctx);
    }

    /** An error of the socket, which goes on in front of what follows from it. */
    void socketFailed(ChannelHandlerContext ctx, Throwable cause) {
        boolean ends = !inputEnded;
        if (ends) {
            failure = cause;
            inputEnded = true;
        }
        ctx.fireExceptionCaught(cause);
        if (ends) {
            serveNow(ctx);
        }
    }

    /** Fails what is outstanding, hands what nobody received downstream; from inside a listener, when that returns. */
    void removed(ChannelHandlerContext ctx) {
        removed = true;
        if (!underWay) {
            leave(ctx);
        }
    }

    private void leave(ChannelHandlerContext ctx) {
        left = true;
        if (!ctx.channel().isOpen()) {
            // The pipeline is torn down at once, but what came before the close may still be asked for.
            endOfInput(ctx);
            stash.moveToHeap();
            return;
        }
        writer.settle(stash);
        ByteBuf[] rest = stash.takeAll();
        stash.release();
        failure = new ChannelPipelineException("the receiver was removed from its pipeline");
        endOfInput(ctx);
        for (ByteBuf bytes : rest) {
            ctx.fireChannelRead(bytes);
        }
        if (rest.length > 0) {
            ctx.fireChannelReadComplete();
        }
        reads.restoreAutoRead(ctx);
    }

    private void lookAtClock(ChannelHandlerContext ctx, @Nullable ReceiveFuture<?> waiting) {
        if (inputEnded || removed) {
            clock.stop();
            return;
        }
        if (timed != waiting) {
            timed = waiting;
            begun++;
        }
        long received = waiting == null ? 0 : waiting.arrived(stash);
        // All of it may be here, and wait for its sink.
        clock.look(ctx, begun, waiting != null && received < waiting.expected ? received : 0);
    }

    private final class Clock extends FrameClock {
        Clock(ReceiveOptions options) {
            super(options);
        }

        @Override
        void tick(ChannelHandlerContext ctx) {
            if (underWay) {
                tickAgain();
            } else {
                check();
            }
        }

        @Override
        boolean isReading(ChannelHandlerContext ctx) {
            return wantsMore();
        }

        @Override
        boolean holdsShare() {
            return stash.assembler.holdsShare();
        }

        @Override
        void isOver(ChannelHandlerContext ctx, Limit limit, long nanos) {
            ReceiveFuture<?> receive = timed;
            if (receive.setUncancellable()) {
                failure = new FrameTimeoutException(
                        receive.expected, receive.arrived(stash), receive.inHeader, limit, nanos);
                inputEnded = true;
                truncated = true;
                ctx.fireExceptionCaught(failure);
            }
            serveNow(ctx);
        }
    }
}
