package io.exactframe.netty;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.handler.codec.CorruptedFrameException;
import io.netty.handler.codec.TooLongFrameException;

/** Says how long the next frame is: from nothing, or from the frame's first bytes, its header. */
abstract class LengthRule {
    /** Bytes that the rule is asked with first; 0 if it needs no header. */
    final int headerLength;

    /** The most bytes that the rule may ask for. */
    final int maxHeaderLength;

    /** Bytes at the front of the frame that do not go on, if its header is the shortest. */
    final int front;

    /** Bytes at the end of the frame that do not go on. */
    final int strippedEnd;

    LengthRule(int headerLength, int maxHeaderLength, int front, int strippedEnd) {
        this.headerLength = headerLength;
        this.maxHeaderLength = maxHeaderLength;
        this.front = front;
        this.strippedEnd = strippedEnd;
    }

    /**
     * The whole frame's length, told from the first {@code promised} bytes at {@code index}; or -n to be asked again
     * with n bytes. {@link PartialFrame} checks the answer. A throw means that the framing is lost.
     */
    abstract long frameLength(ByteBuf bytes, int index, int promised);

    /** Bytes at the front of the frame that do not go on, for a frame whose length was told from a header so long. */
    int front(int promised) {
        return front;
    }

    /** Frames that are all the same length. */
    static final class Fixed extends LengthRule {
        final int frameLength;

        Fixed(int frameLength) {
            super(0, 0, 0, 0);
            this.frameLength = frameLength;
        }

        @Override
        long frameLength(ByteBuf bytes, int index, int promised) {
            return frameLength;
        }
    }

    /** Frames whose codec is asked, which may do as it likes meanwhile; it sees the header and nothing else. */
    static final class Asked extends LengthRule {
        private final ExactFrameDecoder codec;
        private ByteBuf header = Unpooled.EMPTY_BUFFER;

        Asked(ExactFrameDecoder codec, int headerLength, int maxHeaderLength) {
            super(headerLength, maxHeaderLength, 0, 0);
            this.codec = codec;
        }

        @Override
        long frameLength(ByteBuf bytes, int index, int promised) {
            if (header.capacity() != promised) {
                header = Unpooled.wrappedBuffer(new byte[promised]);
            }
            header.clear().writeBytes(bytes, index, promised);
            try {
                return codec.frameLength(header);
            } catch (CorruptedFrameException | TooLongFrameException e) {
                throw e;
            } catch (Throwable t) {
                throw new CorruptedFrameException("the frame's length cannot be told from its header", t);
            }
        }
    }
}
