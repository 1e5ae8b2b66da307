package io.exactframe.netty;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;

/**
 * The beginning of a frame that comes in pieces: its header is complete, its payload follows as {@link FrameChunk}s.
 * Holds nothing that has to be released, and may be kept.
 *
 * @see FrameStreamDecoder
 */
public final class FrameStart {
    private final long frameLength;
    private final long payloadLength;
    private final ByteBuf header;

    FrameStart(long frameLength, long payloadLength, ByteBuf header) {
        this.frameLength = frameLength;
        this.payloadLength = payloadLength;
        this.header = Unpooled.unreleasableBuffer(header.asReadOnly());
    }

    /**
     * How long the whole frame is on the wire.
     *
     * @return bytes, header and trailer included
     */
    public long frameLength() {
        return frameLength;
    }

    /**
     * How many bytes the chunks will have together.
     *
     * @return bytes, 0 or more
     */
    public long payloadLength() {
        return payloadLength;
    }

    /**
     * The header as it came, the length field included.
     *
     * @return a read-only buffer on the heap, with indices of its own for each call; there is nothing to release
     */
    public ByteBuf header() {
        return header.duplicate();
    }

    @Override
    public String toString() {
        return "FrameStart(" + frameLength + " bytes, " + header.readableBytes() + " of header, " + payloadLength
                + " of payload)";
    }
}
