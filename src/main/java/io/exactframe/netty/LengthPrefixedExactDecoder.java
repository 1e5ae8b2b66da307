package io.exactframe.netty;

import io.netty.buffer.ByteBuf;

/**
 * Cuts a stream into frames that begin with their length, and reports a partial last frame.
 *
 * <pre>
 *   received (hex)            LengthPrefix.uint16()
 *   00 | 02 41 42 00 01 43    AB, C                                                then channelInactive
 *   00 02 41 42 00 02         AB, PrematureCloseException (2 of 4 bytes)           then channelInactive
 *   00 02 41 42 00            AB, PrematureCloseException (1 of 2 header bytes)    then channelInactive
 * </pre>
 *
 * What goes on is the payload alone unless the {@link LengthPrefix} says {@link LengthPrefix#keepHeader()} or {@link
 * LengthPrefix#strip(int)}. A frame may share memory with the bytes received; the next handler releases it. A length
 * that is too large fires a {@link io.netty.handler.codec.TooLongFrameException}, one that makes no sense a {@link
 * io.netty.handler.codec.CorruptedFrameException}; both end the decoder, but see {@link ReceiveOptions#skipOversized}.
 * See {@link ExactFrameDecoder} for what holds for every decoder.
 *
 * @since 0.1.0
 */
public class LengthPrefixedExactDecoder extends ExactFrameDecoder {
    /**
     * Frames that begin with their length, {@linkplain ReceiveOptions#defaults() default} options.
     *
     * @param maxFrameLength the most bytes a whole frame may have on the wire, header included
     * @param prefix where the length is and what it counts
     * @throws IllegalArgumentException if the prefix makes no sense, or no frame can be within the limit
     */
    public LengthPrefixedExactDecoder(int maxFrameLength, LengthPrefix prefix) {
        this(maxFrameLength, prefix, ReceiveOptions.defaults());
    }

    /**
     * Frames that begin with their length.
     *
     * @param maxFrameLength the most bytes a whole frame may have on the wire, header included
     * @param prefix where the length is and what it counts
     * @param options how to receive
     * @throws IllegalArgumentException if the prefix or the options make no sense, or no frame can be within the limit,
     *     or none could be {@linkplain ReceiveOptions#skipOversized skipped}
     */
    public LengthPrefixedExactDecoder(int maxFrameLength, LengthPrefix prefix, ReceiveOptions options) {
        super(prefix.rule(maxFrameLength), maxFrameLength, options);
    }

    @Override
    protected final long frameLength(ByteBuf header) {
        return rule().frameLength(header, header.readerIndex(), header.readableBytes());
    }
}
