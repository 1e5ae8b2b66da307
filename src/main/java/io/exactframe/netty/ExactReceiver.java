package io.exactframe.netty;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPipelineException;
import io.netty.util.concurrent.EventExecutor;
import io.netty.util.concurrent.GlobalEventExecutor;
import io.netty.util.concurrent.ProgressiveFuture;
import java.io.IOException;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.NotYetConnectedException;
import java.nio.channels.WritableByteChannel;
import java.time.Duration;
import java.util.concurrent.Executor;
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
 *   receiveTo(file, 4, io)       AB | CDE       null, when ABCD is in the file; E waits
 *   skip(4)                      AB | CDE       null; E waits
 * </pre>
 *
 * <p><b>Whose buffer.</b> That of a successful future is the caller's to release, once, even if nobody waits for it.
 *
 * <p><b>Threads.</b> Every method may be called from any thread, from the moment the handler is in a pipeline. Receives
 * are served in the order they were made; those made while the handler is being added wait for that. (If {@code addLast}
 * itself throws, for a name that is taken, nobody tells the handler: such a receive is done only when it is cancelled.)
 * Listeners run on the event loop; one that receives again does not nest, and one that throws harms nobody (Netty logs it).
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
 *   <li>too slow for its time: {@link FrameTimeoutException}
 *   <li>not connected yet: {@link NotYetConnectedException}; closed before the call: {@link ClosedChannelException}
 *   <li>the handler is in no pipeline: {@link ChannelPipelineException}; 1,024 receives are outstanding: {@link
 *       RejectedExecutionException}
 *   <li>a length that the peer sent: {@code TooLongFrameException}, {@code CorruptedFrameException}; with {@link
 *       ReceiveOptions#skipOversized} a frame that is too long fails its own receive only
 * </ul>
 *
 * A failure of the stream fails every receive from there on; those that the bytes at hand satisfy still succeed. One
 * that lost part of a frame, or the framing, is also fired through the pipeline, once, ahead of {@code
 * channelInactive}; only what fails behind a sink that is still being written to comes too late for that. A fault of a
 * sink is nobody else's. Cancelling a receive leaves its bytes to the next one, those excepted that were skipped or on
 * their way to a sink.
 *
 * <p><b>Back-pressure.</b> The receiver reads on demand: it switches auto-read off, keeps at most one read beyond what
 * was asked, and reads no further while it has bytes nobody asked for, so that the peer's TCP window closes. It follows
 * that a close behind such bytes is seen by the next receive. On removal it hands those bytes downstream, fails what is
 * outstanding, and switches auto-read on again if it was. Until then auto-read is the receiver's alone.
 *
 * @since 0.1.0
 */
public class ExactReceiver extends ReceiveHandler {
    private final Receive.Server server = new Receive.Server(this::executor, () -> {
        receives.changed();
        wakeUp();
    });
    private volatile boolean beingAdded;

    /** A receiver with {@linkplain ReceiveOptions#defaults() default} options. */
    public ExactReceiver() {
        this(ReceiveOptions.defaults());
    }

    /**
     * A receiver.
     *
     * @param options how to receive
     * @throws IllegalArgumentException if the options make no sense
     */
    public ExactReceiver(ReceiveOptions options) {
        super(options);
    }

    /**
     * Receives exactly {@code size} bytes.
     *
     * @param size bytes, at least 1
     * @return the bytes, for the caller to release
     * @throws IllegalArgumentException if {@code size} is less than 1
     */
    public ProgressiveFuture<ByteBuf> receive(int size) {
        return submit(new FrameReceive(server, new LengthRule.Fixed(size), size, false));
    }

    /**
     * Receives exactly {@code size} bytes within a time, which is counted from this call, receives in front included; a
     * byte now and then does not extend it. When it is over, this receive fails with a {@link FrameTimeoutException},
     * and so does every other one, now or later: the stream is of no more use. To give up one receive and keep the
     * stream, {@code await} a receive without a time limit and {@code cancel} it: its bytes are the next one's.
     *
     * @param size bytes, at least 1
     * @param timeout more than nothing
     * @return the bytes, for the caller to release
     * @throws IllegalArgumentException if {@code size} is less than 1, or {@code timeout} is not positive
     */
    public ProgressiveFuture<ByteBuf> receive(int size, Duration timeout) {
        Receive<ByteBuf> receive = new FrameReceive(server, new LengthRule.Fixed(size), size, false);
        receive.limitTime(FrameTimeoutException.nanos(timeout), executor());
        return submit(receive);
    }

    /**
     * Receives exactly {@code size} bytes, unless the stream has ended or ends before the first of them.
     *
     * @param size bytes, at least 1
     * @return the bytes, for the caller to release; null if the stream ended on the boundary before them
     * @throws IllegalArgumentException if {@code size} is less than 1
     */
    public ProgressiveFuture<@Nullable ByteBuf> receiveOrEnd(int size) {
        return submit(new FrameReceive(server, new LengthRule.Fixed(size), size, true));
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
        return submit(new FrameReceive(server, prefix.rule(maxFrameLength), maxFrameLength, false));
    }

    /**
     * Receives {@code size} bytes that nobody wants. They are released as they come: memory stays the same, whatever
     * the size. If it is cancelled, what it has skipped is gone, and the rest is the next receive's.
     *
     * @param size bytes, at least 1
     * @return done when they have come
     * @throws IllegalArgumentException if {@code size} is less than 1
     */
    public ProgressiveFuture<Void> skip(long size) {
        return submit(new SkipReceive(server, size));
    }

    /**
     * Receives {@code size} bytes and writes them to a sink, a {@code FileChannel} for example, in another thread, in
     * order, each write complete before the next. No more than one read is handed over at a time, 64 KiB if reads are
     * smaller; while the sink is behind, one read more is kept and nothing is read. Memory stays the same, whatever the
     * size.
     *
     * <p>The future is done when all the bytes are in the sink. If it fails, it does so when the sink is at rest, and
     * the sink's position is what is safely in it; a {@link PrematureCloseException} counts the bytes in the sink, and
     * so does progress.
     *
     * <p>It fails with what the sink throws (a full disk, a closed file) and with what the executor throws. The stream
     * then goes on: the next receive begins with the first byte that is not in the sink, also if the stream has ended and
     * the pipeline was told, while the sink was behind, of bytes that would be lost.
     *
     * <p>If it is cancelled, it is done at once, but what was handed over still goes into the sink, and only what was
     * not is the next receive's. Nothing is handed over after {@code cancel} has returned: a task that closes the sink
     * is at the right place in the same executor, if that runs one task after the other. The thread that writes is
     * never interrupted, since that would close a file.
     *
     * @param sink where the bytes go; it may take as few at a time as it likes, none included; it stays open. Nobody
     *     else uses it until the future is done
     * @param size bytes, at least 1
     * @param io runs the writes, which may block: not in the thread that calls it, which is the event loop
     * @return done when the last byte is in the sink
     * @throws IllegalArgumentException if {@code size} is less than 1
     */
    public ProgressiveFuture<Void> receiveTo(WritableByteChannel sink, long size, Executor io) {
        return submit(new SinkReceive(server, writer, sink, size, io));
    }

    /**
     * How much was received that no receive has got yet; for the event loop.
     *
     * @return bytes
     */
    public final int bufferedBytes() {
        return (int) Math.min(bytes.count() + (turns == null ? 0 : turns.bytes()), Integer.MAX_VALUE);
    }

    private <V> Receive<V> submit(Receive<V> receive) {
        if (context == null && !beingAdded) {
            receive.tryFailure(new ChannelPipelineException("the receiver is in no pipeline"));
        } else if (receives.add(receive)) {
            wakeUp();
        }
        return receive;
    }

    /** The channel's, which may change; at first and in the end there is none. */
    private EventExecutor executor() {
        ChannelHandlerContext ctx = context;
        return ctx == null || ctx.executor().isShutdown() ? GlobalEventExecutor.INSTANCE : ctx.executor();
    }

    /** Never. It is asked when a handler is added: a receive from then on waits for handlerAdded, it does not fail. */
    @Override
    public boolean isSharable() {
        beingAdded = true;
        return false;
    }
}
