package io.exactframe.netty;

import io.exactframe.netty.FrameTimeoutException.Limit;
import io.exactframe.netty.Receive.Needs;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPipelineException;
import java.io.IOException;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.NotYetConnectedException;
import org.jspecify.annotations.Nullable;

/**
 * Serves the receives of a receiver, in order, each until it is complete or the stream has ended; reads while the first
 * has to wait. On the event loop, all of it.
 */
abstract class ReceiveHandler extends FrameHandler {
    final ReceiveQueue receives = new ReceiveQueue();
    final SinkWriter writer = new SinkWriter(this::wakeUp);
    final ReceivedBytes bytes;
    volatile @Nullable ChannelHandlerContext context; // written by handlerAdded
    private StreamState stream = StreamState.NEW;
    private @Nullable Throwable failure; // why nothing more can be received, if it is more than the end of the stream
    private boolean closedLocally;
    private boolean left; // its pipeline: what follows from the removal is done

    ReceiveHandler(ReceiveOptions options) {
        super(options);
        bytes = new ReceivedBytes(options, newShare(() -> context));
        source = bytes.assembler;
    }

    /** Any thread: something has happened that the receives wait for. Before handlerAdded there is nothing to do. */
    final void wakeUp() {
        ChannelHandlerContext ctx = context;
        if (ctx != null && !wakeUp(ctx)) { // no event loop any more
            for (Receive<?> receive; (receive = receives.made.poll()) != null; ) {
                receives.fail(receive, new ClosedChannelException());
            }
            // Those behind a sink that was still writing; nobody else serves when the event loop has ended.
            ctx.executor().terminationFuture().addListener(ended -> inTurn(ctx, () -> endOfInput(ctx, true)));
        }
    }

    private void becomes(StreamState next) {
        stream = next;
        stopTimer();
        waitNoMore();
    }

    @Override
    public void handlerAdded(ChannelHandlerContext ctx) throws Exception {
        context = ctx; // also if it is refused: then it is removed, and its receives fail
        super.handlerAdded(ctx);
        switchAutoReadOff(ctx);
        stream = open(ctx) && !ReadGate.hasInput(ctx) ? StreamState.ENDED : stream;
        wake(ctx);
    }

    @Override
    public void channelActive(ChannelHandlerContext ctx) throws Exception {
        stream = stream == StreamState.NEW ? StreamState.OPEN : stream;
        ctx.fireChannelActive();
        wake(ctx);
    }

    /** Opens the stream if the channel is active; whether it is open. */
    private boolean open(ChannelHandlerContext ctx) {
        stream = stream == StreamState.NEW && ctx.channel().isActive() ? StreamState.OPEN : stream;
        return stream == StreamState.OPEN;
    }

    @Override
    final void accept(ChannelHandlerContext ctx, ByteBuf fragment) {
        if (stream.hasEnded() || !fragment.isReadable()) {
            fragment.release();
        } else {
            bytes.add(fragment);
            switchAutoReadOff(ctx); // in case somebody switched it on
        }
    }

    @Override
    final boolean isIdle() {
        return true; // what waits, waits in the bytes
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) throws Exception {
        if (cause instanceof IOException && stream == StreamState.OPEN) {
            becomes(StreamState.ENDED);
            failure = cause;
        }
        ctx.fireExceptionCaught(cause); // in front of what follows from it
        wake(ctx);
    }

    @Override
    final void readComplete(ChannelHandlerContext ctx) {
        brought = Brought.NOTHING;
        wanted = false;
        ctx.fireChannelReadComplete();
    }

    /** Somebody else's: that auto-read was switched on is why. */
    @Override
    public void read(ChannelHandlerContext ctx) throws Exception {
        switchAutoReadOff(ctx);
        wake(ctx);
    }

    private void switchAutoReadOff(ChannelHandlerContext ctx) {
        if (ctx.channel().config().isAutoRead()) {
            turns().gate.stop(ctx);
            wanted = false; // the transport drops with it a read that it has not answered
        }
    }

    @Override
    final boolean makeUp(ChannelHandlerContext ctx, boolean free, boolean outside) {
        boolean reads = isReading(ctx) && open(ctx) && ReadGate.hasInput(ctx) && phase != Phase.REMOVED && !wanted;
        if (reads) {
            wanted = true;
            readOn(ctx);
        }
        return reads;
    }

    @Override
    final boolean isReading(ChannelHandlerContext ctx) {
        return source.isIdle() && bytes.fragments.isEmpty() && !source.share.isWaiting(); // no sink is behind
    }

    @Override
    public void channelUnregistered(ChannelHandlerContext ctx) throws Exception {
        wanted = false; // its event loop is no longer the channel's
        super.channelUnregistered(ctx);
    }

    @Override
    final boolean cut(ChannelHandlerContext ctx, boolean outside) {
        serve(ctx);
        if (phase == Phase.REMOVED && !left) {
            leave(ctx);
        }
        return true;
    }

    /** Serves until a receive has to wait. Nothing is half done while anybody is called, who may end the input. */
    private void serve(ChannelHandlerContext ctx) {
        Receive<?> receive;
        while ((phase != Phase.REMOVED || left) && (receive = next(ctx)) != null) {
            Receive<?> expired = receives.expired;
            if (expired != null) {
                receives.expired = null;
                var late = new FrameTimeoutException(expired.prematureClose(false), Limit.DEADLINE, expired.timeout);
                lose(ctx, expired, late, bytes.count() > 0 || receive.arrived(bytes) > 0);
                continue;
            }
            Needs needs;
            try {
                needs = receive.take(bytes, ctx.alloc());
            } catch (Throwable violation) {
                lose(ctx, receive, violation, true);
                continue;
            }
            if (needs == Needs.NOTHING) {
                receives.remove(receive);
                receive.finish(bytes);
            } else if (needs == Needs.TO_BE_SKIPPED) {
                skip(ctx, receive);
            } else if (needs == Needs.BYTES && stream.hasEnded() && receive.setUncancellable() && !receive.isDone()) {
                failUnserved(ctx, receive);
            } else if (!receive.isDone() && !(needs == Needs.ITS_SINK && writer.settle(bytes))) { // else it was done at once
                long arrived = receive.arrived(bytes);
                if (stream == StreamState.ENDED && arrived > 0 && arrived < receive.expected) {
                    // It waits for its sink and fails later, but what follows the end in the pipeline does not wait.
                    tell(ctx, StreamState.TOLD,
                            new PrematureCloseException(receive.expected, arrived, false, closedLocally));
                }
                receive.progress();
                if (!receive.isDone()) {
                    return; // a listener may have cancelled it
                }
            }
        }
    }

    private @Nullable Receive<?> next(ChannelHandlerContext ctx) {
        for (Receive<?> made; (made = receives.made.poll()) != null; ) {
            if (!open(ctx) && stream == StreamState.NEW) {
                receives.fail(made, ctx.channel().isOpen() ? new NotYetConnectedException() : new ClosedChannelException());
            } else {
                receives.admit(made);
                made.admitted(ctx.executor(), stream.hasEnded());
            }
        }
        writer.settle(bytes); // of one that was cancelled, which nobody else asks for
        if (receives.dropCancelled()) {
            bytes.giveBack(); // only the first can have had bytes
            stopTimer();
        }
        return receives.first();
    }

    /** The first receive when the input has ended and what is here is not enough for it. */
    private void failUnserved(ChannelHandlerContext ctx, Receive<?> receive) {
        receives.remove(receive);
        PrematureCloseException close = receive.prematureClose(closedLocally);
        boolean lost = close.receivedBytes() > 0;
        bytes.assembler.discard();
        if (lost) {
            tell(ctx, StreamState.TRUNCATED, close);
        }
        if (receive.orEnd && stream.compareTo(StreamState.TRUNCATED) < 0 && failure == null) {
            receive.trySuccess(null);
        } else if (failure == null && receive.standing == Receive.Standing.LATE && !lost && !ctx.channel().isOpen()) {
            receive.tryFailure(new ClosedChannelException());
        } else {
            receive.tryFailure(failure == null ? close : failure);
        }
    }

    /** The framing is lost, or memory, or patience: a receive fails, all others will. Told if they lose bytes by it. */
    private void lose(ChannelHandlerContext ctx, Receive<?> receive, Throwable violation, boolean told) {
        bytes.release();
        receives.remove(receive);
        receive.setUncancellable(); // its bytes are gone
        failure = violation;
        tell(ctx, StreamState.FAILED, told ? violation : null);
        receive.tryFailure(violation);
    }

    @Override
    final void end(ChannelHandlerContext ctx, Throwable fault) {
        failure = fault;
        tell(ctx, StreamState.FAILED, fault);
    }

    /** Bytes are lost: told once, before a listener may close the channel or remove this handler. */
    private void tell(ChannelHandlerContext ctx, StreamState next, @Nullable Throwable fault) {
        boolean tells = fault != null && stream.compareTo(StreamState.TOLD) < 0 && phase != Phase.REMOVED;
        becomes(next);
        if (tells) {
            Recorded.fire(ctx, fault);
        }
    }

    /** A frame is too long, and is to be skipped: the receive fails, its bytes are nobody's. */
    private void skip(ChannelHandlerContext ctx, Receive<?> receive) {
        Throwable tooLong = bytes.assembler.frame.tooLong();
        long length = bytes.assembler.frame.length;
        bytes.giveBack();
        if (receive.setUncancellable()) { // if it was cancelled just before, the next one decides
            receives.replaceFirst(new SkipReceive(receive.server, length));
            if (phase != Phase.REMOVED) {
                Recorded.fire(ctx, tooLong); // as above
            }
            receive.tryFailure(tooLong);
        }
    }

    @Override
    final void endOfInput(ChannelHandlerContext ctx, boolean closed) {
        if (stream == StreamState.OPEN) {
            closedLocally = phase == Phase.CLOSING || closed && LocalClose.isCauseOf(ctx.channel());
            becomes(StreamState.ENDED);
        }
        serve(ctx);
    }

    @Override
    final void removed(ChannelHandlerContext ctx) {
        phase = Phase.REMOVED;
    }

    /** Fails what is outstanding, hands what nobody received downstream. */
    private void leave(ChannelHandlerContext ctx) {
        left = true;
        if (!ctx.channel().isOpen()) {
            // The pipeline is torn down at once, but what came before the close may still be asked for.
            endOfInput(ctx, true);
            bytes.moveToHeap();
            return;
        }
        writer.settle(bytes);
        ByteBuf[] rest = bytes.takeAll();
        bytes.release();
        end(ctx, new ChannelPipelineException("the receiver was removed from its pipeline")); // told nobody but receives
        serve(ctx);
        for (ByteBuf each : rest) {
            ctx.fireChannelRead(each);
        }
        if (rest.length > 0) {
            ctx.fireChannelReadComplete();
        }
        if (ctx.channel().config().isAutoRead()) {
            ctx.channel().read(); // somebody switched it on meanwhile, and its read was held back
        } else {
            turns().gate.restore(ctx);
        }
    }

    @Override
    final long begunBytes() {
        Receive<?> first = receives.first();
        long arrived = first == null || stream.hasEnded() ? 0 : first.arrived(bytes);
        return arrived > 0 && arrived < first.expected ? arrived : 0; // all of it may be here, and wait for its sink
    }

    @Override
    final void timeIsOver(ChannelHandlerContext ctx, Limit limit, long nanos) {
        Receive<?> first = receives.first();
        if (first != null && first.setUncancellable()) { // it fails in its turn, when its sink is at rest
            var part = new PrematureCloseException(first.expected, first.arrived(bytes), first.inHeader, false);
            end(ctx, new FrameTimeoutException(part, limit, nanos));
        }
    }

    @Override
    public String toString() {
        return super.toString() + ' ' + stream;
    }
}
