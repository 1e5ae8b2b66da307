package io.exactframe.netty;

import io.netty.buffer.ByteBuf;

/**
 * Cuts a stream into frames of {@code frameLength} bytes and reports a partial last frame.
 *
 * <pre>
 *   received           frameLength = 4
 *   AB | CDEF | GH     ABCD, EFGH                                    then channelInactive
 *   AB | CDE           ABCD, PrematureCloseException (1 of 4 bytes)  then channelInactive
 * </pre>
 *
 * A frame may share memory with the bytes received; the next handler releases it. See {@link ExactFrameDecoder} for
 * what holds for every decoder: errors, threading, removal.
 *
 * @since 0.1.0
 */
public class FixedLengthExactDecoder extends ExactFrameDecoder {
    /**
     * Frames of one length, {@linkplain ReceiveOptions#defaults() default} options.
     *
     * @param frameLength bytes in each frame
     * @throws IllegalArgumentException if {@code frameLength} is less than 1
     */
    public FixedLengthExactDecoder(int frameLength) {
        this(frameLength, ReceiveOptions.defaults());
    }

    /**
     * Frames of one length.
     *
     * @param frameLength bytes in each frame
     * @param options how to receive
     * @throws IllegalArgumentException if {@code frameLength} is less than 1, or the options make no sense, {@link
     *     ReceiveOptions#skipOversized} among them
     */
    public FixedLengthExactDecoder(int frameLength, ReceiveOptions options) {
        super(null, frameLength, options);
    }

    @Override
    protected final long frameLength(ByteBuf header) {
        return rule().frameLength(header, 0, 0);
    }
}
