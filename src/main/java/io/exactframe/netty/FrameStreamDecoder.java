package io.exactframe.netty;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPipelineException;
import io.netty.util.internal.EmptyArrays;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Gives frames that are too large to hold, up to {@link Long#MAX_VALUE} bytes, in the pieces in which they arrive: a
 * {@link FrameStart}, then {@link FrameChunk}s, the last of which says so.
 *
 * <pre>
 *   received (hex)       LengthPrefix.uint16()
 *   00 | 03 41 | 42 43   start (3 of payload), 41 at 0, 42 43 at 1 last                     then channelInactive
 *   00 00                start (0 of payload), empty at 0 last                              then channelInactive
 *   00 03 41 | 42        start, 41 at 0, 42 at 1, PrematureCloseException (4 of 5 bytes)    then channelInactive
 *   00                   PrematureCloseException (1 of 2 header bytes)                      then channelInactive
 * </pre>
 *
 * <p><b>Chunks.</b> A chunk is what a read has of the payload: never more, not gathered, not copied, never empty but
 * for the last one. The next handler releases it. Chunks that are kept follow the rule of small frames: while 16 that
 * are much smaller than their read are kept, others as small are copied out.
 *
 * <p><b>A frame that was begun and is not whole</b> has no last chunk. Its reader is told by an exception, fired once,
 * in front of {@code channelInactive}, which still goes on:
 *
 * <ul>
 *   <li>the stream ends inside the frame, or a handler behind closes the channel there: a {@link
 *       PrematureCloseException}. Nothing is given between that close and the exception
 *   <li>the frame takes longer than the options allow: a {@link FrameTimeoutException}, and the decoder ends
 *   <li>this decoder is removed inside the frame: a {@link ChannelPipelineException}, and then the rest, as it came
 * </ul>
 *
 * Bytes that are still to come count, and nothing else: the {@code FrameStart} of an empty frame without a trailer is
 * all of it, and whoever closes or removes there gets neither a last chunk nor an exception.
 *
 * <p><b>Lengths.</b> A length that is too large fires a {@link io.netty.handler.codec.TooLongFrameException}, one that
 * makes no sense a {@link io.netty.handler.codec.CorruptedFrameException}, both in place of the {@code FrameStart};
 * both end the decoder (but see {@link ReceiveOptions#skipOversized}), which then releases whatever still comes. Closing the
 * channel is up to a handler's {@code exceptionCaught}.
 *
 * <p><b>Header and trailer.</b> The header comes with the {@code FrameStart}, in memory of its own, up to {@link
 * LengthPrefix#headerBefore} and {@link LengthPrefix#headerAfter} bytes and the length field; a peer's length adds
 * nothing to it. A {@link LengthPrefix#trailer} does not go on, but must have arrived before a chunk is the last: if
 * its read did not bring all of it, an empty last chunk follows.
 *
 * <p><b>Back-pressure</b> is Netty's: one read may give several messages, and with auto-read off a read that gave none
 * asks for one more and completes with that. With {@link io.netty.handler.flow.FlowControlHandler} behind, messages
 * come one by one; it holds back messages and no exceptions, so an exception may come before chunks from in front of
 * it. Between reads nothing is held but the header of the frame under way.
 *
 * <p><b>Removal.</b> What was received and not given goes on downstream unchanged: the rest of a read, an incomplete
 * header. See {@link ExactFrameDecoder} for what holds for every decoder: the order of things, threading.
 */
public class FrameStreamDecoder extends InboundCutter {
    private static final long UNKNOWN = -1;
    private static final int FIRST_BYTES = 64;

    private final long maxFrameLength;
    private final LengthPrefix prefix;
    private final Fragment fragment = new Fragment();
    private final OversizedFrame oversized;

    // The frame under way.
    private byte[] header = EmptyArrays.EMPTY_BYTES; // as far as it came
    private int headerLength; // as far as it is promised, until the frame's length is known
    private long frameLength;
    private long received; // bytes of the frame that came, and went on unless they are in the header
    private boolean started; // the FrameStart went on

    /**
     * Frames that begin with their length, {@linkplain ReceiveOptions#defaults() default} options.
     *
     * @param maxFrameLength the most bytes a whole frame may have on the wire, header included
     * @param prefix where the length is and what it counts
     * @throws IllegalArgumentException if the prefix makes no sense, or not for a stream ({@link
     *     LengthPrefix#keepHeader()}, {@link LengthPrefix#strip}, {@link LengthPrefix#fromLengthField}), or no frame
     *     can be within the limit
     */
    public FrameStreamDecoder(long maxFrameLength, LengthPrefix prefix) {
        this(maxFrameLength, prefix, ReceiveOptions.defaults());
    }

    /**
     * Frames that begin with their length.
     *
     * @param maxFrameLength the most bytes a whole frame may have on the wire, header included
     * @param prefix where the length is and what it counts
     * @param options how to receive
     * @throws IllegalArgumentException if the prefix makes no sense, or not for a stream ({@link
     *     LengthPrefix#keepHeader()}, {@link LengthPrefix#strip}, {@link LengthPrefix#fromLengthField}), or no frame
     *     can be within the limit, or the options make no sense, {@link ReceiveOptions#contiguous()} among them, or no
     *     frame could be {@linkplain ReceiveOptions#skipOversized skipped}
     */
    public FrameStreamDecoder(long maxFrameLength, LengthPrefix prefix, ReceiveOptions options) {
        super(options);
        if (options.isContiguous()) {
            throw new IllegalArgumentException("chunks come as they were read, contiguous() makes no sense");
        }
        this.maxFrameLength = maxFrameLength;
        this.oversized = new OversizedFrame(options.skippedBytes(maxFrameLength));
        this.prefix = prefix.checkedForStream(maxFrameLength);
        beginFrame();
    }

    /**
     * How much was received and not given yet; for the event loop.
     *
     * @return bytes
     */
    protected final int bufferedBytes() {
        return bytesNotDelivered();
    }

    /**
     * Whether this decoder gives nothing more: after a violation, a time-out or the end of input. For the event loop.
     *
     * @return true once it has ended
     */
    public final boolean hasEnded() {
        return ended;
    }

    @Override
    final void offer(ByteBuf next) {
        fragment.offer(next);
    }

    @Override
    final void cut(ChannelHandlerContext ctx) {
        while (!ended && !closing && !removed) {
            Object message;
            try {
                message = next(ctx.alloc());
            } catch (Throwable t) {
                fault(ctx, t);
                continue;
            }
            if (message == null) {
                return;
            }
            gotFrame = true;
            try {
                give(ctx, message);
            } finally {
                if (message instanceof FrameChunk chunk) {
                    fragment.settle(chunk.bytes);
                }
            }
        }
        if (ended || closing) {
            fragment.release();
        }
    }

    /** The next start or chunk; null if the fragment is used up. */
    private @Nullable Object next(ByteBufAllocator alloc) {
        if (oversized.isUnderWay()) {
            skip();
        }
        if (fragment.isGone()) {
            return null;
        }
        Object message = started ? chunk(alloc) : start();
        if (message == null) {
            fragment.release();
        }
        return message;
    }

    private @Nullable FrameStart start() {
        while (setAside()) {
            if (frameLength != UNKNOWN) {
                started = true;
                return new FrameStart(frameLength, payloadLength(), Unpooled.wrappedBuffer(header, 0, headerLength));
            }
            measure();
        }
        return null;
    }

    private void measure() {
        long told = prefix.frameLength(Unpooled.wrappedBuffer(header), 0, headerLength);
        if (told < 0) {
            headerLength = (int) -told;
            return;
        }
        if (told > maxFrameLength) {
            throw oversized.tooLong(told, maxFrameLength);
        }
        frameLength = told;
        headerLength = prefix.strippedFront(headerLength);
    }

    /** Moves bytes of the header, as far as it is promised; false if the fragment is used up before. */
    private boolean setAside() {
        int had = (int) received;
        int count = Math.min(headerLength - had, fragment.readableBytes());
        if (header.length < had + count) {
            long larger = Math.max(2L * (had + count), FIRST_BYTES);
            header = Arrays.copyOf(header, (int) Math.min(larger, prefix.longestHeader()));
        }
        fragment.copyTo(header, had, count);
        arrived(count);
        return received == headerLength;
    }

    /** The next of the payload, if it is here or the frame is whole, without the trailer behind it. */
    private @Nullable FrameChunk chunk(ByteBufAllocator alloc) {
        int readable = fragment.readableBytes();
        long offset = Math.min(received - headerLength, payloadLength());
        int count = (int) Math.min(payloadLength() - offset, readable);
        int behind = (int) Math.min(frameLength - received - count, readable - count);
        arrived(count + behind);
        boolean last = received == frameLength;
        ByteBuf bytes = Unpooled.EMPTY_BUFFER;
        if (count > 0) {
            bytes = fragment.cut(0, count, count + behind, alloc);
        } else {
            fragment.skip(behind);
            if (!last) {
                return null;
            }
            fragment.leaveAlone();
        }
        if (last) {
            beginFrame();
        }
        return new FrameChunk(bytes, offset, last);
    }

    /** So many bytes of the frame under way came: the one place that is told. */
    private void arrived(int count) {
        received += count;
    }

    private void beginFrame() {
        header = EmptyArrays.EMPTY_BYTES;
        headerLength = prefix.headerLength;
        frameLength = UNKNOWN;
        received = 0;
        started = false;
    }

    private long payloadLength() {
        return frameLength - headerLength - prefix.strippedEnd;
    }

    @Override
    final @Nullable PrematureCloseException prematureClose() {
        if (oversized.isUnderWay()) {
            long arrived = oversized.received(received, fragment);
            long length = oversized.length();
            return arrived == length ? null : new PrematureCloseException(length, arrived, false);
        }
        if (received == 0 || received == frameLength) {
            return null;
        }
        boolean inHeader = frameLength == UNKNOWN;
        return new PrematureCloseException(inHeader ? headerLength : frameLength, received, inHeader);
    }

    @Override
    final boolean isSkipping() {
        return oversized.isUnderWay();
    }

    @Override
    final void skip() {
        oversized.skip(received, fragment);
        beginFrame();
    }

    @Override
    final long begunBytes() {
        return isSkipping() ? oversized.received(received, fragment) : received + fragment.readableBytes();
    }

    @Override
    final int heldBytes() {
        return (started ? 0 : (int) received) + fragment.readableBytes();
    }

    @Override
    final void abort(ChannelHandlerContext ctx) {
        if (started) {
            long had = received;
            long expected = frameLength;
            beginFrame();
            if (had < expected) {
                ctx.fireExceptionCaught(new ChannelPipelineException(
                        "the decoder was removed after " + had + " of a frame's " + expected + " bytes"));
            }
        }
    }

    @Override
    final @Nullable ByteBuf takeBack() {
        ByteBuf begun = received == 0 ? null : Unpooled.wrappedBuffer(header, 0, (int) received);
        oversized.forget();
        beginFrame();
        return FrameAssembler.join(begun, fragment.takeRest());
    }

    @Override
    final void discard() {
        fragment.release();
        oversized.forget();
        beginFrame();
    }
}
