package io.exactframe.netty;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPipelineException;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.channel.socket.DuplexChannel;
import io.netty.util.concurrent.ProgressiveFuture;
import java.io.IOException;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.NotYetConnectedException;
import java.util.concurrent.RejectedExecutionException;
import org.jspecify.annotations.Nullable;

/**
 * {@code recv_all(sock, size)} as a future: exactly the bytes asked for, or the reason why not.
 *
 * <pre>
 *   asked                        received       futures
 *   receive(4), receive(2)       AB | CDEFG     ABCD, EF; G waits for the next receive
 *   receive(4)                   AB | end       PrematureCloseException (2 of 4 bytes)
 *   receiveOrEnd(4)              end            null
 * </pre>
 *
 * <p><b>Whose buffer.</b> That of a successful future is the caller's to release, once, even if nobody waits for it.
 *
 * <p><b>Threads.</b> Every method may be called from any thread, from the moment the handler is in a pipeline. Receives
 * are served in the order they were made; those made while the handler is being added wait for that. Listeners run on
 * the event loop; one that receives again does not nest, and one that throws harms nobody (Netty logs it).
 *
 * <p><b>Progress</b> goes to listeners that are {@link
 * io.netty.util.concurrent.GenericProgressiveFutureListener}s: bytes of the frame, header included, at most once every
 * 64 KiB and at the end.
 *
 * <p><b>Errors</b>, all in the future, no part of the data with them:
 *
 * <ul>
 *   <li>the stream ends before the last byte: {@link PrematureCloseException}, also with none of them received
 *   <li>an {@link IOException} of the socket: that one, unchanged
 *   <li>not connected yet: {@link NotYetConnectedException}; closed before the call: {@link ClosedChannelException}
 *   <li>the handler is in no pipeline: {@link ChannelPipelineException}; 1,024 receives are outstanding: {@link
 *       RejectedExecutionException}
 *   <li>a length that the peer sent: {@code TooLongFrameException}, {@code CorruptedFrameException}
 * </ul>
 *
 * A failure of the stream fails every receive from there on; those that the bytes at hand satisfy still succeed. One
 * that lost part of a frame, or the framing, is also fired through the pipeline, once, ahead of {@code
 * channelInactive}. Cancelling a receive leaves its bytes to the next one.
 *
 * <p><b>Back-pressure.</b> The receiver reads on demand: it switches auto-read off, keeps at most one read beyond what
 * was asked, and reads no further while it has bytes nobody asked for, so that the peer's TCP window closes. It follows
 * that a close behind such bytes is seen by the next receive. On removal it hands those bytes downstream, fails what is
 * outstanding, and switches auto-read on again if it was. Until then auto-read is the receiver's alone.
 */
public class ExactReceiver extends ChannelDuplexHandler {
    private final FrameAssembler assembler;
    private final Stash stash;
    private final ReceiveQueue receives = new ReceiveQueue();
    private final ReadOnDemand reads = new ReadOnDemand();

    private volatile boolean beingAdded;
    volatile @Nullable ChannelHandlerContext context; // written by handlerAdded

    private boolean serving;
    private boolean wasActive;
    private boolean inputEnded;
    private boolean truncated; // the end was inside a frame
    private boolean removed;
    private boolean left; // and what follows from the removal is done

    /** Why nothing more can be received, if it is more than the end of the stream. */
    private @Nullable Throwable failure;

    /** A receiver with {@linkplain ReceiveOptions#defaults() default} options. */
    public ExactReceiver() {
        this(ReceiveOptions.defaults());
    }

    /**
     * A receiver.
     *
     * @param options how to receive
     */
    public ExactReceiver(ReceiveOptions options) {
        assembler = new FrameAssembler(new FrameLengthRule.Fixed(1), 1, options.isContiguous());
        stash = new Stash(assembler);
    }

    /**
     * Receives exactly {@code size} bytes.
     *
     * @param size bytes, at least 1
     * @return the bytes, for the caller to release
     * @throws IllegalArgumentException if {@code size} is less than 1
     */
    public ProgressiveFuture<ByteBuf> receive(int size) {
        return submit(new FrameLengthRule.Fixed(size), size, false);
    }

    /**
     * Receives exactly {@code size} bytes, unless the stream has ended or ends before the first of them.
     *
     * @param size bytes, at least 1
     * @return the bytes, for the caller to release; null if the stream ended on the boundary before them
     * @throws IllegalArgumentException if {@code size} is less than 1
     */
    public ProgressiveFuture<@Nullable ByteBuf> receiveOrEnd(int size) {
        return submit(new FrameLengthRule.Fixed(size), size, true);
    }

    /**
     * Receives one frame that begins with its length.
     *
     * @param prefix where the length is, what it counts and what of the frame is wanted
     * @param maxFrameLength the most bytes the whole frame may have on the wire, header included
     * @return the frame, or its payload alone, perhaps empty; for the caller to release
     * @throws IllegalArgumentException if the prefix makes no sense, or no frame can be within the limit
     */
    public ProgressiveFuture<ByteBuf> receive(LengthPrefix prefix, int maxFrameLength) {
        return submit(prefix.checked(maxFrameLength), maxFrameLength, false);
    }

    private ReceiveFuture submit(FrameLengthRule rule, int limit, boolean orEnd) {
        ReceiveFuture receive = new ReceiveFuture(this, rule, limit, orEnd);
        if (context == null && !beingAdded) {
            receive.tryFailure(new ChannelPipelineException("the receiver is in no pipeline"));
        } else if (receives.add(receive)) {
            wake();
        }
        return receive;
    }

    /** A receive was cancelled: its place is free, and its bytes are the next one's. */
    void cancelled() {
        receives.cancelled();
        wake();
    }

    /** Serves, on the event loop. Before handlerAdded, which serves too, there is nothing to do. */
    private void wake() {
        ChannelHandlerContext ctx = context;
        if (ctx == null) {
            return;
        }
        if (ctx.executor().inEventLoop()) {
            serve(ctx);
            return;
        }
        try {
            ctx.executor().execute(this::wake); // the event loop may have changed by then
        } catch (RejectedExecutionException loopIsGone) {
            for (ReceiveFuture receive; (receive = receives.nextMade()) != null; ) {
                receives.fail(receive, new ClosedChannelException());
            }
        }
    }

    /** Never. It is asked when a handler is added: a receive from then on waits for handlerAdded, it does not fail. */
    @Override
    public boolean isSharable() {
        beingAdded = true;
        return false;
    }

    @Override
    public void handlerAdded(ChannelHandlerContext ctx) throws Exception {
        reads.switchAutoReadOff(ctx);
        wasActive = ctx.channel().isActive();
        inputEnded = wasActive && ctx.channel() instanceof DuplexChannel duplex && duplex.isInputShutdown();
        context = ctx;
        serve(ctx);
    }

    @Override
    public void channelActive(ChannelHandlerContext ctx) throws Exception {
        wasActive = true;
        ctx.fireChannelActive();
        readIfWanted(ctx);
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) throws Exception {
        if (!(message instanceof ByteBuf fragment)) {
            ctx.fireChannelRead(message);
        } else if (inputEnded || !fragment.isReadable()) {
            fragment.release();
        } else {
            stash.add(fragment);
            reads.switchAutoReadOff(ctx); // in case somebody switched it on
            serve(ctx);
        }
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext ctx) throws Exception {
        reads.done();
        readIfWanted(ctx);
        ctx.fireChannelReadComplete();
    }

    /** Reads only when it is the receiver that wants more, whoever asks. */
    @Override
    public void read(ChannelHandlerContext ctx) throws Exception {
        reads.switchAutoReadOff(ctx); // that it was switched on is why it reads
        readIfWanted(ctx);
    }

    private void readIfWanted(ChannelHandlerContext ctx) {
        boolean wanted = !receives.isEmpty() || !stash.hasUnread();
        if (wanted && wasActive && !inputEnded && !removed) {
            reads.read(ctx);
        }
    }

    @Override
    public void channelUnregistered(ChannelHandlerContext ctx) throws Exception {
        reads.done();
        ctx.fireChannelUnregistered();
    }

    @Override
    public void channelRegistered(ChannelHandlerContext ctx) throws Exception {
        ctx.fireChannelRegistered();
        readIfWanted(ctx);
    }

    /** Serves the receives in order until one has to wait. Not nested: a listener's receive only queues. */
    private void serve(ChannelHandlerContext ctx) {
        if (!serving) {
            serveNow(ctx);
        }
    }

    private void serveNow(ChannelHandlerContext ctx) {
        boolean nested = serving; // in an event that ends the input; nothing is half done while listeners run
        serving = true;
        try {
            serveAll(ctx);
        } finally {
            serving = nested;
        }
        if (!nested) {
            if (removed && !left) {
                leave(ctx);
            }
            readIfWanted(ctx);
        }
    }

    private void serveAll(ChannelHandlerContext ctx) {
        ReceiveFuture receive;
        while ((!removed || left) && (receive = next(ctx)) != null) {
            ByteBuf frame = null;
            long length = 0;
            try {
                assembler.expect(receive.rule, receive.limit);
                // From here on it cannot be cancelled; if it was just before, its bytes are still as they came.
                if (stash.fill(ctx.alloc()) && receive.setUncancellable()) {
                    length = assembler.expected();
                    frame = assembler.take(ctx.alloc());
                }
            } catch (Throwable violation) {
                lose(ctx, violation);
            }
            if (frame != null) {
                succeed(receive, frame, length);
            } else if (inputEnded && receive.setUncancellable() && !receive.isDone()) {
                failUnserved(ctx);
            } else if (!receive.isDone()) {
                receive.progress(assembler.received(), assembler.isInHeader() ? -1 : assembler.expected());
                if (!receive.isDone() && !stash.hasUnread()) { // neither cancelled nor fed by a listener
                    return;
                }
            }
        }
    }

    private @Nullable ReceiveFuture next(ChannelHandlerContext ctx) {
        for (ReceiveFuture made; (made = receives.nextMade()) != null; ) {
            wasActive |= ctx.channel().isActive();
            if (wasActive) {
                made.late = inputEnded;
                receives.admit(made);
            } else {
                boolean open = ctx.channel().isOpen();
                receives.fail(made, open ? new NotYetConnectedException() : new ClosedChannelException());
            }
        }
        return receives.first(stash);
    }

    private void succeed(ReceiveFuture receive, ByteBuf frame, long length) {
        receives.removeFirst();
        try {
            receive.progress(length, length);
            receive.setSuccess(frame);
        } finally {
            assembler.settle(frame);
        }
    }

    /** The first receive when the input has ended and what is here is not enough for it. */
    private void failUnserved(ChannelHandlerContext ctx) {
        ReceiveFuture receive = receives.removeFirst();
        PrematureCloseException close = assembler.prematureClose();
        boolean lost = close.receivedBytes() > 0;
        truncated |= lost;
        assembler.discard();
        if (lost && !removed) {
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

    /** The framing is lost, or memory: the first receive fails, all others will. */
    private void lose(ChannelHandlerContext ctx, Throwable violation) {
        failure = violation;
        inputEnded = true;
        stash.release();
        ReceiveFuture receive = receives.removeFirst();
        receive.setUncancellable(); // its bytes are gone
        if (!removed) {
            ctx.fireExceptionCaught(violation); // as above
        }
        receive.tryFailure(violation);
    }

    private void endOfInput(ChannelHandlerContext ctx) {
        inputEnded = true;
        serveNow(ctx);
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) throws Exception {
        boolean ends = cause instanceof IOException && !inputEnded;
        if (ends) {
            failure = cause;
            inputEnded = true;
        }
        ctx.fireExceptionCaught(cause);
        if (ends) {
            serveNow(ctx);
        }
    }

    @Override
    public void userEventTriggered(ChannelHandlerContext ctx, Object event) throws Exception {
        if (event instanceof ChannelInputShutdownEvent) {
            endOfInput(ctx);
        }
        ctx.fireUserEventTriggered(event);
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) throws Exception {
        endOfInput(ctx);
        ctx.fireChannelInactive();
    }

    /** Fails what is outstanding, hands what nobody received downstream; from inside a listener, when that returns. */
    @Override
    public void handlerRemoved(ChannelHandlerContext ctx) throws Exception {
        removed = true;
        if (!serving) {
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
        ByteBuf[] rest = stash.takeAll();
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
}
