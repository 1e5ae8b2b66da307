package io.exactframe.netty;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufHolder;

/**
 * The next bytes of a frame's payload, as they were received: at most what one read gave. Whoever receives it releases
 * it, once; its {@link #content()} begins at reader index 0 and may share memory with the read.
 *
 * @param content the bytes, owned by the chunk
 * @param offset where in the frame's payload this chunk begins: bytes of the payload that came before it
 * @param isLast whether the frame ends with this chunk: all of it has arrived, a trailer too. True for exactly one chunk
 *     of a frame that is whole, which may be empty, for none of one that is not
 * @see FrameStreamDecoder
 * @since 0.1.0
 */
public record FrameChunk(ByteBuf content, long offset, boolean isLast) implements ByteBufHolder {
    /**
     * Other bytes in this chunk's place.
     *
     * @param content what the new chunk holds, and releases when it is released
     * @return a new chunk; its offset, and whether it is the last, are this one's
     */
    @Override
    public FrameChunk replace(ByteBuf content) {
        return new FrameChunk(content, offset, isLast);
    }

    @Override
    public FrameChunk copy() {
        return replace(content.copy());
    }

    @Override
    public FrameChunk duplicate() {
        return replace(content.duplicate());
    }

    @Override
    public FrameChunk retainedDuplicate() {
        return replace(content.retainedDuplicate());
    }

    @Override
    public FrameChunk retain() {
        return retain(1);
    }

    @Override
    public FrameChunk retain(int increment) {
        content.retain(increment);
        return this;
    }

    @Override
    public FrameChunk touch() {
        return touch(null);
    }

    @Override
    public FrameChunk touch(Object hint) {
        content.touch(hint);
        return this;
    }

    @Override
    public int refCnt() {
        return content.refCnt();
    }

    @Override
    public boolean release() {
        return content.release();
    }

    @Override
    public boolean release(int decrement) {
        return content.release(decrement);
    }

    /** Where it belongs, and no byte of what it holds. */
    @Override
    public String toString() {
        return "FrameChunk(offset " + offset + (isLast ? ", last, " : ", ") + content + ')';
    }
}
