package io.exactframe.netty;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import java.nio.ByteOrder;
import org.jspecify.annotations.Nullable;

/**
 * The fragment that is being cut, and the references to it: some are ours, each frame that lies in it has one more.
 *
 * <pre>
 *   of these bytes             is made
 *   all, from index 0          the fragment itself
 *   any others                 a {@link FrameView}, or a copy if too many small ones are {@linkplain KeptFrames kept}
 *   many, of a large frame     a part: the fragment itself or a slice
 * </pre>
 */
final class Fragment {
    /** The smallest fragment that becomes a part of a large frame as it is. */
    private static final int SMALLEST_PART = 8 * 1024;

    /** References taken at once: an atomic operation for sixteen frames, not for each. */
    private static final int REFERENCES = 16;

    private static final int UNKNOWN = -1;

    private @Nullable ByteBuf bytes;
    private int references;
    private int rootCapacity;

    private @Nullable FrameView view;
    private final KeptFrames kept = new KeptFrames();
    private boolean mayPin; // the frame being dispatched is much smaller than what it keeps alive

    /** Takes over the next fragment; the one before is used up. */
    @SuppressWarnings("deprecation") // little-endian views still exist and would turn the length field round
    void offer(ByteBuf next) {
        references = 1;
        rootCapacity = UNKNOWN;
        bytes = next.order() == ByteOrder.BIG_ENDIAN ? next : next.order(ByteOrder.BIG_ENDIAN);
    }

    /** How much memory a part of it keeps alive. */
    int rootCapacity() {
        if (rootCapacity == UNKNOWN) {
            ByteBuf root = bytes;
            boolean contiguous = root.isContiguous();
            for (ByteBuf inner = root.unwrap(); inner != null; inner = root.unwrap()) {
                root = inner;
            }
            // What a composite keeps alive is not told by its capacity.
            rootCapacity = contiguous && root.isContiguous() ? root.capacity() : Integer.MAX_VALUE;
        }
        return rootCapacity;
    }

    /** What is left of it; null between fragments. */
    @Nullable ByteBuf bytes() {
        return bytes;
    }

    int readableBytes() {
        return bytes == null ? 0 : bytes.readableBytes();
    }

    /** The next count bytes are done with; of them, a frame of length bytes begins after so many skipped. */
    ByteBuf cut(int skipped, int length, int count, ByteBufAllocator alloc) {
        ByteBuf in = bytes;
        int index = in.readerIndex() + skipped;
        in.skipBytes(count);
        mayPin = KeptFrames.isSmall(length, rootCapacity());
        if (mayPin && kept.areTooMany()) {
            mayPin = false;
            ByteBuf copy = alloc.buffer(length, length).writeBytes(in, index, length);
            releaseIfUsedUp();
            return copy;
        }
        boolean last = !in.isReadable();
        if (last && references == 1 && index == 0 && length == in.writerIndex()) {
            bytes = null;
            return in.readerIndex(0);
        }
        FrameView view = this.view;
        if (view == null || view.isLent()) {
            this.view = view = new FrameView(in, this);
        }
        if (last) {
            // The view gets a reference of ours, and we need no more of them.
            giveUpAllButOne(in);
            bytes = null;
        } else {
            if (references == 1) {
                in.retain(REFERENCES);
                references += REFERENCES;
            }
            references--;
        }
        view.lend(in, index, length);
        return view;
    }

    private void giveUpAllButOne(ByteBuf in) {
        if (references > 1) {
            in.release(references - 1);
            references = 1;
        }
    }

    /** The frame lies in memory of its own: it pins nothing but itself, and nor do we. */
    void leaveAlone() {
        mayPin = false;
        releaseIfUsedUp();
    }

    private void releaseIfUsedUp() {
        if (bytes != null && !bytes.isReadable()) {
            release();
        }
    }

    /** After the dispatch of a frame: a view that came back is used again, one that was kept is counted. */
    void settle(ByteBuf frame) {
        if (frame instanceof FrameView lent && lent.isOf(this)) {
            if (lent.takeBack()) {
                if (lent.fragment() == bytes) {
                    references++;
                } else {
                    lent.fragment().release();
                }
                return;
            }
            if (lent == view) {
                view = null;
            }
        }
        if (mayPin && frame.refCnt() != 0) {
            kept.add(frame);
        }
    }

    /** Whether count bytes of it may stay as they are: enough of them, and not a small part of what they keep alive. */
    boolean isWorthKeeping(int count) {
        return count >= SMALLEST_PART && count >= rootCapacity() / 2;
    }

    /** The next count bytes, as they are; owned by the caller. */
    ByteBuf takePart(int count) {
        ByteBuf in = bytes;
        if (count < in.readableBytes() || references > 1) {
            return in.readRetainedSlice(count);
        }
        bytes = null;
        return in;
    }

    /** All that is left of it, owned by the caller; null if there is none. */
    @Nullable ByteBuf takeRest() {
        ByteBuf in = bytes;
        if (in != null) {
            giveUpAllButOne(in);
            bytes = null;
        }
        return in;
    }

    void release() {
        ByteBuf in = bytes;
        if (in != null) {
            bytes = null;
            giveUpAllButOne(in);
            in.release();
        }
    }
}
