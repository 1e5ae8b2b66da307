package io.exactframe.netty;

import io.exactframe.netty.FrameSource.Step;
import io.exactframe.netty.FrameTimeoutException.Limit;
import io.exactframe.netty.ReadGate.Held;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import java.io.IOException;

/**
 * What every decoder does with its {@link FrameSource}: gives on what that finds, waits with what cannot be given yet,
 * and reads on, or not.
 *
 * <pre>
 *   the source says    then
 *   FRAME              it goes on; on demand, if a read() asks for it
 *   NEEDS_BYTES        what waits has its turn; with auto-read off, a read that gave nothing is followed by another
 *   NEEDS_MEMORY       nothing is read until it is there
 *   OVERSIZED          that is told, and the frame skipped
 * </pre>
 */
abstract class FrameDecoder extends FrameHandler {
    private boolean broken; // the socket told of an error, and a close is the answer to that

    FrameDecoder(ReceiveOptions options) {
        super(options);
        ensureNotSharable();
    }

    /** What cuts: the first byte has come. */
    abstract FrameSource newSource(ChannelHandlerContext ctx);

    /** Gives what the source has found. */
    abstract void deliver(ChannelHandlerContext ctx, Object found);

    /** At removal, in front of what goes on then: tells whoever got a part of a frame that no more of it will come. */
    void abort(ChannelHandlerContext ctx) {}

    /**
     * How much was received and not delivered yet; for the event loop.
     *
     * @return bytes
     */
    public final int bufferedBytes() {
        return (source == null ? 0 : source.bufferedBytes()) + (turns == null ? 0 : turns.bytes());
    }

    /**
     * Whether this decoder gives no more frames: after a violation, a time-out or the end of input. For the event loop.
     *
     * @return true once it has ended
     */
    public final boolean hasEnded() {
        return phase == Phase.ENDED;
    }

    @Override
    final void accept(ChannelHandlerContext ctx, ByteBuf fragment) {
        if (phase == Phase.CUTTING) {
            source = source == null ? newSource(ctx) : source;
            source.offer(fragment);
        } else {
            fragment.release();
        }
    }

    @Override
    final boolean cut(ChannelHandlerContext ctx, boolean outside) {
        FrameSource source = this.source;
        ByteBufAllocator alloc = ctx.alloc();
        while (source != null && phase == Phase.CUTTING) {
            Step step = Step.NEEDS_BYTES;
            Object found = null;
            try {
                step = source.next(alloc);
                boolean goesOn = phase == Phase.CUTTING && (!options.onDemand || isAsked(ctx));
                found = step == Step.FRAME && goesOn ? source.take(alloc) : null;
            } catch (Throwable fault) {
                end(ctx, fault);
            }
            if (found != null) {
                brought = brought.compareTo(Brought.FRAMES) > 0 ? brought : Brought.FRAMES;
                deliver(ctx, found);
                if (!source.settle() && phase == Phase.CUTTING && source.step == Step.NEEDS_BYTES) {
                    return true; // the usual end, kept short
                }
            } else if (phase != Phase.CUTTING) {
                break; // ended by what it found, or by the codec that it asked
            } else if (step == Step.OVERSIZED) {
                Recorded.fire(ctx, source.frame.tooLong());
                if (phase == Phase.CUTTING || phase == Phase.CLOSING) {
                    source.frame.skip(source.fragment); // also when closing: what came of the frame is not missing
                }
            } else {
                rest(ctx, source, step, outside);
                return step == Step.NEEDS_BYTES;
            }
        }
        return phase == Phase.CUTTING || stop(ctx);
    }

    /** Nothing can be given now. */
    private void rest(ChannelHandlerContext ctx, FrameSource source, Step step, boolean outside) {
        boolean waits = step == Step.NEEDS_MEMORY;
        boolean waited = source.step == Step.NEEDS_MEMORY;
        source.step = step;
        if (waits && !waited) {
            turns().gate.stop(ctx);
        }
        if (waits ? outside : waited) {
            turns().gate.restore(ctx);
        }
    }

    /** Nothing is cut any more. */
    private boolean stop(ChannelHandlerContext ctx) {
        if (source != null && phase == Phase.CLOSING) {
            source.dropUnread();
        }
        turns().gate.restore(ctx);
        int completes = 0;
        if (phase == Phase.REMOVED) {
            abort(ctx);
            completes = brought == Brought.FRAMES ? 1 : 0; // decode() may have given; of two, a successor keeps one
            ByteBuf rest = turns().takeBytes(source == null ? null : source.takeBack());
            if (rest != null) {
                completes++;
                ctx.fireChannelRead(rest);
            }
        }
        // What was held is looked at first, in makeUp.
        if (wanted && turns.gate.held == Held.NONE && ctx.pipeline().context(this) == null && ReadGate.hasInput(ctx)) {
            wanted = false;
            ctx.channel().read(); // a successor is to know of it, and what this brings comes behind the rest
        }
        for (; completes > 0; completes--) {
            readComplete(ctx);
        }
        return true;
    }

    /** Whether a message may go on: by a read(), or always, or as the pipeline is taken apart, and nothing can wait. */
    private boolean isAsked(ChannelHandlerContext ctx) {
        Channel channel = ctx.channel();
        return wanted || channel.config().isAutoRead() || !channel.isOpen() && !channel.isRegistered();
    }

    @Override
    public void read(ChannelHandlerContext ctx) throws Exception {
        wanted = !ctx.channel().config().isAutoRead();
        if (isBlocked() || inTurn && options.onDemand) {
            turns().gate.hold(ctx);
            if (options.onDemand) {
                turn(ctx, null); // gives one of what waits
            }
        } else {
            brought = brought == Brought.MESSAGES ? Brought.GIVEN : brought; // what comes from now on is for this one
            ctx.read();
        }
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext ctx) throws Exception {
        if (!inTurn && isBlocked()) {
            ReadGate gate = turns().gate;
            gate.restore(ctx);
            // At once if it gave a message: whoever writes what it gets is to flush. Or if one waits to be asked for,
            // by whoever asked before this decoder came, or when a read is complete.
            boolean isAutoRead = ctx.channel().config().isAutoRead();
            if (brought.compareTo(Brought.MORE) >= 0 || source.step == Step.FRAME || isAutoRead && !hasWaiting()) {
                wanted |= brought == Brought.MORE && !options.onDemand && !isAutoRead; // as when it is not blocked
                boolean goesOn = gate.held == Held.NONE && (brought != Brought.GIVEN || hasWaiting());
                gate.held = goesOn ? Held.AUTO : gate.held; // a read() that no message answers, unless it has gone on
                brought = Brought.NOTHING;
                ctx.fireChannelReadComplete();
                return;
            }
        }
        super.channelReadComplete(ctx);
    }

    @Override
    final void readComplete(ChannelHandlerContext ctx) {
        Brought was = brought;
        boolean came = was != Brought.NOTHING && was.compareTo(Brought.GIVEN) < 0; // what is not given
        boolean reads = came && !options.onDemand || wanted && (came || was == Brought.MESSAGES);
        brought = Brought.NOTHING;
        if (reads && phase == Phase.CUTTING && ReadGate.hasInput(ctx) && !ctx.channel().config().isAutoRead()) {
            wanted = true;
            readOn(ctx);
            if (was == Brought.BYTES) {
                return; // it goes on: FlowControlHandler would take channelReadComplete for the answer to its demand
            }
        }
        ctx.fireChannelReadComplete();
    }

    /** What was given outside a read is followed by an end of its own; a read() that was held goes on. */
    @Override
    final boolean makeUp(ChannelHandlerContext ctx, boolean free, boolean outside) {
        if (brought.compareTo(Brought.MORE) >= 0 && (outside || !free && turns().readEnds > 0)) {
            readComplete(ctx);
        } else if (free && turns != null && turns.gate.held != Held.NONE) {
            wanted |= turns.gate.held == Held.ASKED && !options.onDemand; // on demand, a message was the answer
            turns.gate.held = Held.NONE;
            if (isAsked(ctx) && ReadGate.hasInput(ctx) && !(wanted && phase == Phase.REMOVED)) { // stop() does that
                readOn(ctx);
            }
        } else {
            return false;
        }
        return true;
    }

    @Override
    final void end(ChannelHandlerContext ctx, Throwable fault) {
        if (phase != Phase.ENDED) {
            ended();
            Recorded.fire(ctx, fault);
        }
    }

    private void ended() {
        if (phase != Phase.REMOVED) {
            phase = Phase.ENDED;
            stopTimer();
            if (source != null) {
                source.discard();
            }
        }
    }

    /** In its turn, if a frame waits: a handler behind may close the channel for it. */
    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) throws Exception {
        broken |= cause instanceof IOException;
        if (isBlocked()) {
            inTurn(ctx, () -> ctx.fireExceptionCaught(cause));
        } else {
            ctx.fireExceptionCaught(cause);
        }
    }

    @Override
    final void endOfInput(ChannelHandlerContext ctx, boolean closed) {
        if (phase == Phase.CUTTING || phase == Phase.CLOSING) {
            boolean locally = phase == Phase.CLOSING && !broken || closed && LocalClose.isCauseOf(ctx.channel());
            PrematureCloseException close = source == null ? null : source.prematureClose(locally);
            ended();
            if (close != null) {
                Recorded.fire(ctx, close);
            }
        }
    }

    @Override
    final void removed(ChannelHandlerContext ctx) {
        // What was given in this read is to be followed by its channelReadComplete, whoever gets the rest.
        boolean gave = brought.compareTo(Brought.FRAMES) >= 0;
        for (ChannelHandler each : ctx.pipeline().toMap().values()) {
            if (gave && each instanceof FrameDecoder other && other.brought == Brought.NOTHING) {
                other.brought = Brought.GIVEN;
            }
        }
        if (phase == Phase.CUTTING) {
            phase = Phase.REMOVED;
        } else if (phase == Phase.CLOSING) {
            abort(ctx);
            ended();
        }
    }

    @Override
    final long begunBytes() {
        return source == null ? 0 : source.begunBytes();
    }

    @Override
    final boolean isReading(ChannelHandlerContext ctx) {
        return (source == null || source.step != Step.NEEDS_MEMORY) && isAsked(ctx);
    }

    @Override
    final void timeIsOver(ChannelHandlerContext ctx, Limit limit, long nanos) {
        PrematureCloseException part = source.prematureClose(false);
        if (part != null) {
            end(ctx, new FrameTimeoutException(part, limit, nanos));
        }
    }
}
