package io.exactframe.netty;

import static io.exactframe.netty.ReceiveOptions.require;

import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPipelineException;

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
 * asks for one more and completes with that. With {@link ReceiveOptions#onDemand()} messages come one by one, and
 * exceptions and the end in their turn ({@link io.netty.handler.flow.FlowControlHandler} holds back messages and no
 * exceptions, and drops what it holds at the end). Between reads nothing is held but the header of the frame under way.
 *
 * <p><b>Removal.</b> What was received and not given goes on downstream unchanged: the rest of a read, an incomplete
 * header. See {@link ExactFrameDecoder} for what holds for every decoder: the order of things, threading.
 *
 * @since 0.1.0
 */
public class FrameStreamDecoder extends FrameDecoder {
    private final long maxFrameLength;
    private final PrefixRule rule;

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
        super(options.checked().withoutBudget());
        require(!options.contiguous, () -> "chunks come as they were read, contiguous() makes no sense");
        this.maxFrameLength = maxFrameLength;
        this.rule = prefix.streamRule(maxFrameLength);
        options.skippedBytes(maxFrameLength);
    }

    @Override
    final FrameParts newSource(ChannelHandlerContext ctx) {
        return new FrameParts(rule, maxFrameLength, options.skippedBytes);
    }

    @Override
    final void deliver(ChannelHandlerContext ctx, Object found) {
        pass(ctx, found);
    }

    @Override
    final void abort(ChannelHandlerContext ctx) {
        boolean isStarted = source != null && source.frame.state == PartialFrame.State.STARTED;
        PrematureCloseException part = isStarted ? source.prematureClose(true) : null;
        if (part != null) {
            ctx.fireExceptionCaught(new ChannelPipelineException("the decoder was removed after "
                    + part.receivedBytes() + " of a frame's " + part.expectedBytes() + " bytes"));
        }
    }
}
