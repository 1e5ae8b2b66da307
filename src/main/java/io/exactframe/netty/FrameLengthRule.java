package io.exactframe.netty;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.handler.codec.CorruptedFrameException;
import io.netty.handler.codec.TooLongFrameException;

/** Says how long the next frame is, from nothing (a fixed length) or from the frame's first bytes (its header). */
abstract class FrameLengthRule {
    /** Bytes needed before the rule can be asked for the first time; none if it needs no header. */
    final int headerLength;

    /** The most bytes the rule may ask for. */
    final int maxHeaderLength;

    /** Bytes at the front of the frame that do not go on, if the header is the shortest. */
    final int front;

    /** Bytes at the end of the frame that do not go on. */
    final int strippedEnd;

    FrameLengthRule(int headerLength, int maxHeaderLength, int front, int strippedEnd) {
        this.headerLength = headerLength;
        this.maxHeaderLength = maxHeaderLength;
        this.front = front;
        this.strippedEnd = strippedEnd;
    }

    /**
     * The whole frame's length, told from the first {@code promised} bytes at {@code index}; or -n to be asked again
     * with n bytes. {@link FrameAssembler} checks the answer. A throw means that the framing is lost.
     */
    abstract long frameLength(ByteBuf bytes, int index, int promised);

    /** Whether the rule is our own: it changes nothing and tells no length below its header's. */
    boolean isTrusted() {
        return true;
    }

    /** The same, told from the shortest header. */
    long frameLength(ByteBuf bytes, int index) {
        return frameLength(bytes, index, headerLength);
    }

    /** Bytes at the front of the frame that do not go on, for a frame whose length was told from a header so long. */
    int strippedFront(int headerLength) {
        return front;
    }

    /** Frames that are all the same length. */
    static final class Fixed extends FrameLengthRule {
        final int frameLength;

        Fixed(int frameLength) {
            super(0, 0, 0, 0);
            if (frameLength < 1) {
                throw new IllegalArgumentException("a frame has at least 1 byte, not " + frameLength);
            }
            this.frameLength = frameLength;
        }

        @Override
        long frameLength(ByteBuf bytes, int index, int promised) {
            return frameLength;
        }
    }

    /** Frames whose codec is asked; it sees the header and nothing else. */
    static final class Codec extends FrameLengthRule {
        private final ExactFrameDecoder codec;
        private ByteBuf header = Unpooled.EMPTY_BUFFER;

        Codec(ExactFrameDecoder codec, int headerLength, int maxHeaderLength) {
            super(headerLength, maxHeaderLength, 0, 0);
            this.codec = codec;
        }

        @Override
        boolean isTrusted() {
            return false;
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
