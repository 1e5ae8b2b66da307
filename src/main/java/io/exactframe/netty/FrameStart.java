package io.exactframe.netty;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;

/**
 * The beginning of a frame that comes in pieces: its header is complete, its payload follows as {@link FrameChunk}s.
 * Holds nothing that has to be released, and may be kept.
 *
 * @param frameLength how many bytes the whole frame has on the wire, header and trailer included
 * @param payloadLength how many bytes the chunks will have together, 0 or more
 * @param header the header as it came, the length field included: read-only, on the heap; there is nothing to release
 * @see FrameStreamDecoder
 * @since 0.1.0
 */
public record FrameStart(long frameLength, long payloadLength, ByteBuf header) {
    /**
     * Takes over the header.
     *
     * @param frameLength bytes of the whole frame
     * @param payloadLength bytes of the payload
     * @param header on the heap, and nobody's to release
     */
    public FrameStart {
        header = Unpooled.unreleasableBuffer(header.asReadOnly());
    }

    /**
     * The header as it came, the length field included.
     *
     * @return a read-only buffer on the heap, with indices of its own for each call; there is nothing to release
     */
    @Override
    public ByteBuf header() {
        return header.duplicate();
    }

    @Override
    public String toString() {
        return "FrameStart(" + frameLength + " bytes, " + header.readableBytes() + " of header, " + payloadLength
                + " of payload)";
    }
}
