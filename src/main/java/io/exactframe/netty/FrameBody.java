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
 * copied. With a budget, which was asked for the frame's length, large fragments are parts as long as they keep no more
 * alive than that and 4 KiB.
 */
final class FrameBody {
    /** The largest frame that is always one piece, without its trailer if that is stripped. */
    static final int ONE_PIECE = 64 * 1024;

    /** What may be allocated for the first byte; the first chunk of a large frame grows to it. */
    private static final int FIRST_CHUNK = 4 * 1024;

    /** What a fragment needs to become a part of a large frame as it is, beside half of what it keeps alive. */
    private static final int SMALLEST_PART = 8 * 1024;

    final boolean contiguous;
    private final boolean counted; // by a budget
    private @Nullable CompositeByteBuf parts;
    private @Nullable ByteBuf chunk;
    private int nextChunk = FIRST_CHUNK;
    private long held; // what the parts and the chunk of a large frame keep alive

    FrameBody(ReceiveOptions options) {
        this.contiguous = options.contiguous;
        this.counted = options.budget != null;
    }

    boolean hasBegun() {
        return chunk != null || parts != null;
    }

    /** Copies all of the next fragment into the open chunk, if that has room for it. */
    boolean append(ByteBuf next, int count) {
        ByteBuf chunk = this.chunk;
        if (chunk == null || chunk.writableBytes() <= count) {
            return false;
        }
        Fragment.copy(next, next.readerIndex(), chunk, count);
        return true;
    }

    /** Adds the next count bytes of in to the body, which has so many already and will have length in the end. */
    void fill(Fragment in, int count, int filled, int length, boolean isSmall, ByteBufAllocator alloc) {
        int end = filled + count;
        if (isSmall) {
            if (chunk == null) {
                chunk = alloc.buffer(capacityFor(end, length), length);
            } else if (chunk.capacity() < end) {
                chunk.capacity(capacityFor(end, length));
            }
            in.copyTo(chunk, count);
            return;
        }
        boolean mayBeWhole = contiguous && length <= 2L * end + FIRST_CHUNK && held + length <= 3L * end + FIRST_CHUNK;
        if (mayBeWhole && !isWhole(length)) {
            makeWhole(length, alloc);
        }
        if (isWhole(length)) {
            in.copyTo(chunk, count);
            return;
        }
        int root = Fragment.rootCapacity(in.bytes);
        while (filled < end) {
            // An open chunk comes first, or a nearly empty one would be sealed at each part.
            if (chunk != null) {
                filled += fillChunk(in, end - filled, alloc);
            } else if (end - filled >= Math.max(SMALLEST_PART, root / 2)
                    && (!counted || held + root <= end + FIRST_CHUNK)) {
                held += root;
                parts(alloc).addFlattenedComponents(true, in.takePart(end - filled));
                filled = end;
            } else {
                openChunk(length, filled, end, alloc);
            }
        }
    }

    private boolean isWhole(int length) {
        return chunk != null && chunk.capacity() >= length;
    }

    /** From parts to one piece: with full parts when half of the frame is here, so each byte is copied once. */
    private void makeWhole(int length, ByteBufAllocator alloc) {
        ByteBuf whole = alloc.buffer(length, length);
        ByteBuf begun = take();
        if (begun != null) {
            begun.readBytes(whole, begun.readableBytes()); // the other way round goes over the heap
            begun.release();
        }
        chunk = whole;
    }

    private void openChunk(int length, int filled, int end, ByteBufAllocator alloc) {
        int most = contiguous ? Math.max(length / 2 - filled, FIRST_CHUNK) : nextChunk;
        int size = Math.min(most, Math.min(nextChunk, length - filled));
        int first = size;
        while (nextChunk == FIRST_CHUNK && first > 256 && first / 2 >= end - filled) {
            first /= 2;
        }
        chunk = alloc.buffer(first, size);
        held += first;
        nextChunk = Math.min(2 * nextChunk, 1 << 29); // twice that is still an int
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
        ByteBuf chunk = this.chunk;
        if (!chunk.isWritable()) { // and may grow, or it would be a part
            int larger = Math.min(2 * chunk.capacity(), chunk.maxCapacity());
            held += larger - chunk.capacity();
            chunk.capacity(larger);
        }
        int written = Math.min(count, chunk.writableBytes());
        in.copyTo(chunk, written);
        if (chunk.maxWritableBytes() == 0) {
            CompositeByteBuf parts = parts(alloc); // which may throw
            this.chunk = null;
            parts.addComponent(true, chunk);
        }
        return written;
    }

    private CompositeByteBuf parts(ByteBufAllocator alloc) {
        parts = parts == null ? alloc.compositeBuffer(Integer.MAX_VALUE) : parts;
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
        nextChunk = FIRST_CHUNK;
        held = 0;
        return whole;
    }
}
