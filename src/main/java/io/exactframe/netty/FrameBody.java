package io.exactframe.netty;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.CompositeByteBuf;
import org.jspecify.annotations.Nullable;

/**
 * A frame that comes in several fragments, as far as it has come.
 *
 * <pre>
 *   up to 64 KiB     [chunk that grows by doubling, and lands exactly on the frame's length]
 *   larger           [part][part][part][open chunk]   a part is a full chunk or a large fragment
 *   and contiguous   the same, until the whole frame's memory is no more than may be held; from there on in that
 * </pre>
 *
 * Memory follows what was received, never what was declared: at most twice as much and 4 KiB, three times while it is
 * copied.
 *
 * <p>The transport may be lent the free end of one piece, to receive into. It is written to no more until that comes
 * back, or is released.
 */
final class FrameBody {
    /** The largest frame that is always one piece. */
    private static final int ONE_PIECE = 64 * 1024;

    /** What may be allocated for the first byte. */
    private static final int FIRST_CHUNK = 4 * 1024;

    private static final int LARGEST_CHUNK = 1 << 29; // twice this is still an int
    private static final int LEAST_LENT = 8 * 1024; // fewer bytes come along with the next header

    private final boolean contiguous;
    private @Nullable CompositeByteBuf parts;
    private @Nullable ByteBuf chunk;
    private int nextChunk = FIRST_CHUNK;
    private long held; // what the parts and the chunk of a large frame keep alive
    private @Nullable ByteBuf lent; // the end of the chunk: what is written to it comes next in the frame

    FrameBody(boolean contiguous) {
        this.contiguous = contiguous;
    }

    /** Whether a body of this length is one piece of memory in any case. */
    static boolean isSmall(int length) {
        return length <= ONE_PIECE;
    }

    boolean hasBegun() {
        return chunk != null || parts != null;
    }

    /** Adds the next count bytes of in to the body, which has so many already and will have length in the end. */
    void fill(Fragment in, int count, int filled, int length, ByteBufAllocator alloc) {
        int end = filled + count;
        if (isSmall(length)) {
            if (chunk == null) {
                chunk = alloc.buffer(capacityFor(end, length), length);
            } else if (chunk.capacity() < end) {
                chunk.capacity(capacityFor(end, length));
            }
            in.copyTo(chunk, count);
            return;
        }
        if (lent != null && in.isUncut(lent) && isLent()) { // else it was released, and is somebody else's by now
            chunk.writerIndex(chunk.writerIndex() + count);
            in.skip(count);
            lent = null;
            return;
        }
        if (contiguous && (isWhole(length) || mayBeWhole(length, end))) {
            makeWhole(length, alloc);
            in.copyTo(chunk, count);
            return;
        }
        while (filled < end) {
            // An open chunk comes first, or a nearly empty one would be sealed at each part.
            if (chunk != null) {
                filled += fillChunk(in, end - filled, alloc);
            } else if (in.isWorthKeeping(end - filled)) {
                held += in.rootCapacity();
                parts(alloc).addFlattenedComponents(true, in.takePart(end - filled));
                filled = end;
            } else {
                openChunk(length, filled, alloc);
            }
        }
    }

    private boolean mayBeWhole(int length, int received) {
        return length <= 2L * received + FIRST_CHUNK && held + length <= 3L * received + FIRST_CHUNK;
    }

    private boolean isWhole(int length) {
        return chunk != null && chunk.capacity() >= length;
    }

    /** From parts to one piece: with full parts when half of the frame is here, so each byte is copied once. */
    private void makeWhole(int length, ByteBufAllocator alloc) {
        if (isWhole(length) && !isLent()) {
            return;
        }
        ByteBuf whole = alloc.buffer(length, length);
        ByteBuf begun = take();
        if (begun != null) {
            begun.readBytes(whole, begun.readableBytes()); // the other way round goes over the heap
            begun.release();
        }
        chunk = whole;
    }

    /**
     * The free end of a large piece of this length, at most so many bytes of it: an empty buffer that has a reference
     * of its own. Null if there is no such end, or too little of it.
     */
    @Nullable ByteBuf lend(int length, int most) {
        if (!isWhole(length) || !chunk.isDirect() || isLent()) {
            return null;
        }
        int size = Math.min(most, length - chunk.writerIndex());
        return size < LEAST_LENT ? null : (lent = chunk.retainedSlice(chunk.writerIndex(), size).clear());
    }

    /** Whether somebody may still write to what was lent, or read it. */
    private boolean isLent() {
        return lent != null && chunk.refCnt() > 1;
    }

    /** How many bytes of a large piece may be read at once until it can be made whole; perhaps none. */
    int worthReading(int length, int filled) {
        int half = (length - FIRST_CHUNK + 1) / 2; // then mayBeWhole
        return (int) Math.min(half - filled, 3L * filled + FIRST_CHUNK - held);
    }

    private void openChunk(int length, int filled, ByteBufAllocator alloc) {
        int size = Math.min(nextChunk, length - filled);
        if (contiguous) {
            size = Math.min(size, Math.max(length / 2 - filled, FIRST_CHUNK));
        }
        chunk = alloc.buffer(size, size);
        held += size;
        nextChunk = Math.min(2 * nextChunk, LARGEST_CHUNK);
    }

    /**
     * The length halved as often as it still holds what is there: grown so, memory is at most twice what was received,
     * is copied once for each time it doubles, and the last step lands exactly on the frame.
     */
    private static int capacityFor(int needed, int length) {
        int capacity = length;
        while (capacity > FIRST_CHUNK && capacity - capacity / 2 >= needed) {
            capacity -= capacity / 2;
        }
        return capacity;
    }

    private int fillChunk(Fragment in, int count, ByteBufAllocator alloc) {
        int written = Math.min(count, chunk.writableBytes());
        in.copyTo(chunk, written);
        if (!chunk.isWritable()) {
            CompositeByteBuf parts = parts(alloc);
            ByteBuf full = chunk;
            chunk = null;
            parts.addComponent(true, full);
        }
        return written;
    }

    private CompositeByteBuf parts(ByteBufAllocator alloc) {
        CompositeByteBuf parts = this.parts;
        if (parts == null) {
            this.parts = parts = alloc.compositeBuffer(Integer.MAX_VALUE);
        }
        return parts;
    }

    /** The body, owned by the caller; null if it has not begun. */
    @Nullable ByteBuf take() {
        ByteBuf whole = chunk;
        if (parts != null) {
            whole = chunk == null ? parts : parts.addComponent(true, chunk);
        }
        parts = null;
        chunk = null;
        lent = null;
        nextChunk = FIRST_CHUNK;
        held = 0;
        return whole;
    }

    /** The same, for somebody who may go on writing behind it. */
    @Nullable ByteBuf takeBack() {
        boolean endIsLent = isLent();
        ByteBuf begun = take();
        return endIsLent ? begun.slice() : begun;
    }

    void release() {
        ByteBuf body = take();
        if (body != null) {
            body.release();
        }
    }
}
