package io.exactframe.netty;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import java.nio.ByteOrder;
import org.jspecify.annotations.Nullable;

/**
 * The fragment that is being cut, and the references to it. Each frame that lies in it owns one.
 *
 * <pre>
 *   of these bytes             is made
 *   all, from index 0          the fragment itself: its reference goes along
 *   any others                 a {@link FrameView}, or a copy if too many small ones are {@linkplain KeptFrames kept}
 *   many, of a large frame     a part: the fragment itself or a slice
 *
 *   a view is                  it owns                        and of our references
 *   lent, in dispatch          one reference to the fragment  one is meant
 *   released at once           nothing                        none is gone
 *   kept, or passed on         that reference                 one is gone, at settle()
 *   the last in the fragment   our last one                   none is left, the fragment is gone for us
 * </pre>
 */
final class Fragment {
    /** The smallest fragment that becomes a part of a large frame as it is. */
    private static final int SMALLEST_PART = 8 * 1024;

    /** References taken at once: an atomic operation for sixteen frames, not for each. */
    private static final int REFERENCES = 16;

    private static final int FEW = 4;

    private @Nullable ByteBuf bytes; // its own reader index stays where it came with
    private int index; // the next byte
    private int end;
    private boolean inOnePiece;
    private int references; // ours, the one that is meant for the view in dispatch among them
    private int rootCapacity;

    private @Nullable FrameView view; // for the next frame, or lent
    private @Nullable KeptFrames kept;
    private boolean tooManyKept;
    private int cutLength; // of the frame being dispatched, if it lies in the fragment

    /** Takes over the next fragment; the one before is used up. */
    @SuppressWarnings("deprecation") // little-endian views still exist and would turn the length field round
    void offer(ByteBuf next) {
        detachLent();
        ByteBuf in = next.order() == ByteOrder.BIG_ENDIAN ? next : next.order(ByteOrder.BIG_ENDIAN);
        bytes = in;
        index = in.readerIndex();
        end = in.writerIndex();
        inOnePiece = in.isContiguous();
        references = 1;
        rootCapacity = rootCapacity(in);
    }

    /** How much memory a part of it keeps alive. */
    private int rootCapacity(ByteBuf in) {
        ByteBuf root = in;
        for (ByteBuf inner = root.unwrap(); inner != null; inner = root.unwrap()) {
            root = inner;
        }
        // What a composite keeps alive is not told by its capacity.
        return inOnePiece && (root == in || root.isContiguous()) ? root.capacity() : Integer.MAX_VALUE;
    }

    int rootCapacity() {
        return rootCapacity;
    }

    boolean isGone() {
        return bytes == null;
    }

    /** Whether it is this very buffer, all of it. */
    boolean isUncut(ByteBuf buffer) {
        return bytes == buffer && index == 0;
    }

    int readableBytes() {
        return end - index;
    }

    /** Whether any part of it is one piece of memory. */
    boolean isInOnePiece() {
        return inOnePiece;
    }

    /** What the rule tells from the next bytes, as many as the shortest header has. */
    long frameLength(FrameLengthRule rule) {
        return rule.frameLength(bytes, index);
    }

    /** What the rule tells from the next so many bytes. */
    long frameLength(FrameLengthRule rule, int promised) {
        return rule.frameLength(bytes, index, promised);
    }

    /** The next count bytes are done with; of them, a frame of length bytes begins after so many skipped. */
    ByteBuf cut(int skipped, int length, int count, ByteBufAllocator alloc) {
        ByteBuf in = bytes;
        int start = index + skipped;
        index += count;
        cutLength = length;
        if (tooManyKept && isSmall(length) && kept.areTooMany()) {
            return copy(in, start, length, alloc);
        }
        if (index == end) {
            return cutLast(in, start, length);
        }
        FrameView next = freeView(in);
        if (references == 1) {
            in.retain(REFERENCES);
            references += REFERENCES;
        }
        next.lend(in, start, length);
        return next;
    }

    /** The last frame in the fragment gets our last reference to it. */
    private ByteBuf cutLast(ByteBuf in, int start, int length) {
        ByteBuf last = in;
        if (length < end) { // else it is all of it
            FrameView next = freeView(in);
            giveUpAllButOne(in);
            next.lend(in, start, length);
            last = next;
        }
        bytes = null;
        return last;
    }

    private FrameView freeView(ByteBuf in) {
        FrameView free = view;
        if (free == null || free.isLent()) {
            detachLent();
            view = free = new FrameView(in, this);
        }
        return free;
    }

    /** A view that is still lent keeps the reference it has: that is none of ours from now on. */
    private void detachLent() {
        if (view != null && view.isLent()) {
            references--;
            view = null;
        }
    }

    private ByteBuf copy(ByteBuf in, int start, int length, ByteBufAllocator alloc) {
        ByteBuf copy = alloc.buffer(length, length).writeBytes(in, start, length);
        leaveAlone();
        return copy;
    }

    private void giveUpAllButOne(ByteBuf in) {
        if (references > 1) {
            in.release(references - 1);
        }
    }

    /** The frame lies in memory of its own: it pins nothing but itself, and nor do we. */
    void leaveAlone() {
        cutLength = Integer.MAX_VALUE;
        if (index == end) {
            release();
        }
    }

    /** After the dispatch of a frame: a view that came back is used again, one that was kept is counted. */
    void settle(ByteBuf frame) {
        if (frame instanceof FrameView lent && lent.isOf(this)) {
            ByteBuf from = lent.fragment();
            boolean isOurs = lent == view && from == bytes; // its reference is among ours, if it came back
            if (lent.takeBack()) {
                if (!isOurs) {
                    from.release();
                }
                return;
            }
            if (isOurs) {
                references--;
            }
            if (lent == view) {
                view = null;
            }
        }
        if (isSmall(cutLength) && frame.refCnt() != 0) {
            if (kept == null) {
                kept = new KeptFrames();
            }
            tooManyKept = kept.add(frame);
        }
    }

    /** Whether a frame of this length is small for what it keeps alive. */
    private boolean isSmall(int length) {
        return length < KeptFrames.smallBelow(rootCapacity);
    }

    /** The next count bytes are not wanted. */
    void skip(int count) {
        index += count;
    }

    void copyTo(byte[] to, int at, int count) {
        bytes.getBytes(index, to, at, count);
        index += count;
    }

    /** Copies the next count bytes. A bulk copy has a price that a few are not worth; four are most length fields. */
    void copyTo(ByteBuf to, int count) {
        ByteBuf in = bytes;
        if (count > FEW) {
            in.getBytes(index, to, count); // the other way round takes a detour in Netty's adaptive buffers
        } else if (count == Integer.BYTES) {
            to.writeInt(in.getInt(index));
        } else {
            for (int i = 0; i < count; i++) {
                to.writeByte(in.getByte(index + i));
            }
        }
        index += count;
    }

    /** What is left of it will stay for a while: if it is a small part of what it keeps alive, it moves. */
    void shrink(ByteBufAllocator alloc) {
        int left = readableBytes();
        if (left < rootCapacity / 8) {
            ByteBuf copy = left == 0 ? null : alloc.buffer(left, left).writeBytes(bytes, index, left);
            release();
            if (copy != null) {
                offer(copy);
            }
        }
    }

    /** Whether count bytes of it may stay as they are: enough of them, and not a small part of what they keep alive. */
    boolean isWorthKeeping(int count) {
        return count >= SMALLEST_PART && count >= rootCapacity / 2;
    }

    /** The next count bytes, as they are; owned by the caller. */
    ByteBuf takePart(int count) {
        if (count == readableBytes() && references == 1) {
            return takeRest();
        }
        ByteBuf part = bytes.retainedSlice(index, count);
        index += count;
        return part;
    }

    /** All that is left of it, owned by the caller; null if there is none. */
    @Nullable ByteBuf takeRest() {
        ByteBuf in = bytes;
        if (in != null) {
            in.readerIndex(index);
            detachLent();
            giveUpAllButOne(in);
            forget();
        }
        return in;
    }

    void release() {
        ByteBuf in = bytes;
        if (in != null) {
            detachLent();
            giveUpAllButOne(in);
            forget();
            in.release();
        }
    }

    private void forget() {
        bytes = null;
        index = end;
    }
}
