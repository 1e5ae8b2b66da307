package io.exactframe.netty;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.Unpooled;
import org.jspecify.annotations.Nullable;

/**
 * The fragment that is being cut: what the socket gave, and the next byte of it. It owns one reference until it is used
 * up; what is cut out of it owns another, the last of that ours.
 *
 * <pre>
 *   cut out of it        becomes
 *   all, from index 0    the fragment itself
 *   any other frame      a slice, or a copy while {@linkplain PinnedReads too many reads are pinned}
 *   much of a large one  a part of it: the fragment itself, or a slice
 * </pre>
 */
final class Fragment {
    /** Frames that lie in one fragment get their references so many at a time: each time is an atomic operation. */
    private static final int SPARE = 16;

    @Nullable ByteBuf bytes; // null if it is used up; its own reader index stays where it came with
    int index; // the next byte
    private int end;
    boolean inOnePiece; // any part of it

    private @Nullable ByteBuf handedOver; // when its last frame was cut, until that is dispatched
    private int spare; // references to it that are for the next frames
    private int others; // references to it that others had when it came
    private int shortest; // of the frames that were cut out of it
    private @Nullable PinnedReads pinned; // from the first on

    /** Takes over the next fragment; the one before is used up. */
    void offer(ByteBuf in) {
        release();
        bytes = in;
        index = in.readerIndex();
        end = in.writerIndex();
        inOnePiece = in.isContiguous();
        others = in.refCnt() - 1;
        shortest = Integer.MAX_VALUE;
        if (pinned != null) {
            pinned.update();
        }
    }

    int readableBytes() {
        return end - index;
    }

    /** The next count bytes are done with; of them, a frame of length bytes begins after so many skipped. */
    ByteBuf cut(int skipped, int length, int count, ByteBufAllocator alloc) {
        ByteBuf in = bytes;
        if (in == null) {
            return Unpooled.EMPTY_BUFFER; // all of the frame is a header that was set aside
        }
        int start = index + skipped;
        index += count;
        if (pinned != null && pinned.areTooMany() && PinnedReads.isSmall(length, rootCapacity(in))) {
            return alloc.buffer(length, length).writeBytes(in, start, length);
        }
        if (length < shortest) {
            shortest = length;
        }
        if (index < end) {
            if (spare == 0) {
                spare = SPARE;
                in.retain(SPARE);
            }
            spare--;
            return in.slice(start, length);
        }
        releaseSpare(in);
        handedOver = in; // the last frame gets our reference
        bytes = null;
        return length == end ? in : in.slice(start, length);
    }

    /** After the dispatch of what was cut; false if nothing is left. */
    boolean settle() {
        if (index < end) {
            return true;
        }
        release();
        return false;
    }

    /** It is used up, or not wanted; whether somebody kept a small frame of it is seen now. */
    void release() {
        ByteBuf in = bytes == null ? handedOver : bytes;
        if (in == null) {
            return;
        }
        releaseSpare(in);
        int ours = bytes == null ? 0 : 1;
        if (in.refCnt() > others + ours) {
            pinned = pinned == null ? new PinnedReads() : pinned;
            pinned.add(in, shortest);
        }
        bytes = null;
        handedOver = null;
        index = end;
        if (ours > 0) {
            in.release();
        }
    }

    private void releaseSpare(ByteBuf in) {
        if (spare > 0) {
            in.release(spare);
            spare = 0;
        }
    }

    /** How much memory a part of it keeps alive. */
    static int rootCapacity(ByteBuf in) {
        ByteBuf root = in;
        for (ByteBuf inner = root.unwrap(); inner != null; inner = root.unwrap()) {
            root = inner;
        }
        // What a composite keeps alive is not told by its capacity.
        return in.isContiguous() && (root == in || root.isContiguous()) ? root.capacity() : Integer.MAX_VALUE;
    }

    void copyTo(ByteBuf to, int count) {
        copy(bytes, index, to, count);
        index += count;
    }

    /** Copies count bytes. A bulk copy has a price that a few are not worth: one, or most length fields. */
    static void copy(ByteBuf from, int at, ByteBuf to, int count) {
        if (count == 1) {
            to.writeByte(from.getByte(at));
        } else if (count == Integer.BYTES) {
            to.writeInt(from.getInt(at));
        } else {
            from.getBytes(at, to, count); // the other way round takes a detour in Netty's adaptive buffers
        }
    }

    /** What is left of it will stay for a while: if it is a small part of what it keeps alive, it moves. */
    void shrink(ByteBufAllocator alloc) {
        int left = readableBytes();
        if (left < rootCapacity(bytes) / 8) {
            offer(alloc.buffer(left, left).writeBytes(bytes, index, left));
        }
    }

    /** The next bytes as they are, at most so many; owned by the caller. Null if it is used up. */
    @Nullable ByteBuf takePart(long most) {
        ByteBuf in = bytes;
        if (in == null) {
            return null;
        }
        releaseSpare(in);
        int count = (int) Math.min(most, readableBytes());
        ByteBuf part = count < readableBytes() ? in.retainedSlice(index, count) : in.readerIndex(index);
        index += count;
        bytes = index < end ? in : null;
        return part;
    }
}
