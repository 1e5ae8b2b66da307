package io.exactframe.netty;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.DefaultByteBufHolder;

/**
 * The next bytes of a frame's payload, as they were received: at most what one read gave. Whoever receives it releases
 * it, once; its {@link #content()} begins at reader index 0 and may share memory with the read.
 *
 * @see FrameStreamDecoder
 */
public final class FrameChunk extends DefaultByteBufHolder {
    private final long offset;
    private final boolean last;

    FrameChunk(ByteBuf bytes, long offset, boolean last) {
        super(bytes);
        this.offset = offset;
        this.last = last;
    }

    /**
     * Where in the frame's payload this chunk begins.
     *
     * @return bytes of the payload that came before it
     */
    public long offset() {
        return offset;
    }

    /**
     * Whether the frame ends with this chunk: all of it has arrived, a trailer too. The last chunk may be empty.
     *
     * @return true for exactly one chunk of a frame that is whole, for none of one that is not
     */
    public boolean isLast() {
        return last;
    }

    /**
     * Other bytes in this chunk's place.
     *
     * @param content what the new chunk holds, and releases when it is released
     * @return a new chunk; its offset, and whether it is the last, are this one's
     */
    @Override
    public FrameChunk replace(ByteBuf content) {
        return new FrameChunk(content, offset, last);
    }

    @Override
    public FrameChunk copy() {
        return (FrameChunk) super.copy();
    }

    @Override
    public FrameChunk duplicate() {
        return (FrameChunk) super.duplicate();
    }

    @Override
    public FrameChunk retainedDuplicate() {
        return (FrameChunk) super.retainedDuplicate();
    }

    @Override
    public FrameChunk retain() {
        super.retain();
        return this;
    }

    @Override
    public FrameChunk retain(int increment) {
        super.retain(increment);
        return this;
    }

    @Override
    public FrameChunk touch() {
        super.touch();
        return this;
    }

    @Override
    public FrameChunk touch(Object hint) {
        super.touch(hint);
        return this;
    }

    @Override
    public boolean equals(Object other) {
        return super.equals(other)
                && other instanceof FrameChunk chunk
                && offset == chunk.offset
                && last == chunk.last;
    }

    @Override
    public int hashCode() {
        return 31 * super.hashCode() + Long.hashCode(offset);
    }

    @Override
    public String toString() {
        return "FrameChunk(offset " + offset + (last ? ", last, " : ", ") + contentToString() + ')';
    }
}
