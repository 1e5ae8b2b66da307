package io.exactframe.netty;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.CompositeByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.handler.codec.CorruptedFrameException;
import io.netty.handler.codec.TooLongFrameException;
import java.nio.ByteOrder;
import org.jspecify.annotations.Nullable;

/**
 * Fragments in, whole frames out. There is no channel in here: {@link #offer} a fragment, take frames with {@link
 * #next} until it gives null, {@link #settle} each after its dispatch.
 *
 * <pre>
 *   where the frame lies                 what becomes of it
 *   all of one fragment                  the fragment itself
 *   inside one fragment                  a {@link FrameView} of it, or a copy (see {@link KeptFrames})
 *   in several, up to 64 KiB             one piece of memory that grows with what was received
 *   in several, larger                   a composite: large fragments as they came, small ones copied together
 * </pre>
 *
 * Everything in here is owned by the assembler until it is handed out: the fragment being cut and the partial frame.
 * An exception out of {@link #fill} or {@link #take} leaves it good for {@link #discard()} only.
 */
final class FrameAssembler {
    /** The largest frame that is always one piece. */
    private static final int ONE_PIECE = 64 * 1024;

    /** What may be allocated whatever was received, and the first chunk of a large frame. */
    private static final int FIRST_CHUNK = 4 * 1024;

    /** The smallest fragment that becomes a part of a large frame as it is. */
    private static final int SMALLEST_PART = 8 * 1024;

    /** References taken at once for the frames of one fragment: an atomic operation for sixteen frames, not for one. */
    private static final int REFERENCES = 16;

    private static final int UNKNOWN = -1;

    private final boolean contiguous;
    private FrameLengthRule rule;
    private int limit;

    // The fragment being cut. Of its references, so many are ours; each lent view has one more.
    private @Nullable ByteBuf fragment;
    private int references;
    private int rootCapacity;
    private @Nullable FrameView view;
    private final KeptFrames kept = new KeptFrames();
    private boolean lentSmall;

    // The frame under way, as [head: what is stripped, or the header while it is incomplete][body: all the rest].
    // A header in one fragment is read where it lies: received is 0 until something had to be set aside.
    private int promised = UNKNOWN;
    private int frameLength = UNKNOWN;
    private int received;
    private @Nullable ByteBuf head; // heap: a partial header pins no read buffer
    private @Nullable CompositeByteBuf parts;
    private @Nullable ByteBuf chunk;
    private int nextChunk = FIRST_CHUNK;

    FrameAssembler(FrameLengthRule rule, int limit, boolean contiguous) {
        this.rule = rule;
        this.limit = limit;
        this.contiguous = contiguous;
    }

    /** Another rule for the next frame; between frames only. */
    void expect(FrameLengthRule rule, int limit) {
        if (received == 0) {
            this.rule = rule;
            this.limit = limit;
            promised = rule.headerLength;
            frameLength = rule instanceof FrameLengthRule.Fixed fixed ? fixed.frameLength : UNKNOWN;
        }
    }

    /** Takes over a fragment, when the one before is used up. */
    @SuppressWarnings("deprecation") // little-endian views still exist and would turn the length field round
    void offer(ByteBuf next) {
        fragment = next;
        references = 1;
        ByteBuf root = next;
        for (ByteBuf inner = root.unwrap(); inner != null; inner = root.unwrap()) {
            root = inner;
        }
        rootCapacity = root.capacity();
        if (next.order() != ByteOrder.BIG_ENDIAN) {
            fragment = next.order(ByteOrder.BIG_ENDIAN);
        }
    }

    boolean hasUnread() {
        return fragment != null && fragment.isReadable();
    }

    /** The next whole frame, owned by the caller; null when the fragment is used up. */
    @Nullable ByteBuf next(ByteBufAllocator alloc) {
        return fill(alloc) ? take(alloc) : null;
    }

    /** Whether a whole frame is here. If not, the fragment is used up. Nothing is lost between this and take(). */
    boolean fill(ByteBufAllocator alloc) {
        ByteBuf in = fragment;
        if (in == null) {
            return false;
        }
        if (frameLength != UNKNOWN || measure(in)) {
            if (liesIn(in)) {
                return true;
            }
            if (in.isReadable()) {
                assemble(in, alloc);
            }
            if (received == frameLength) {
                return true;
            }
        }
        dropFragment();
        return false;
    }

    private boolean measure(ByteBuf in) {
        if (!in.isReadable()) {
            return false;
        }
        if (promised == UNKNOWN) {
            promised = rule.headerLength;
        }
        for (; ; ) {
            long told;
            if (received == 0 && in.readableBytes() >= promised) {
                told = rule.frameLength(in, in.readerIndex(), promised);
            } else if (setAside(in, promised)) {
                told = rule.frameLength(head, 0, promised);
            } else {
                return false;
            }
            if (told >= 0) {
                frameLength = checked(told);
                return true;
            }
            if (-told <= promised || -told > rule.maxHeaderLength) {
                throw new CorruptedFrameException("a header of " + -told + " bytes was asked for, after " + promised
                        + " and with a limit of " + rule.maxHeaderLength);
            }
            promised = (int) -told;
        }
    }

    private int checked(long told) {
        if (told > limit) {
            throw new TooLongFrameException("frame of " + told + " bytes, the limit is " + limit);
        }
        if (told < Math.max(promised, 1)) {
            throw new CorruptedFrameException("frame of " + told + " bytes, less than its header of " + promised);
        }
        return (int) told;
    }

    /** Moves the frame's first bytes to the head until it has so many; false if the fragment is used up before. */
    private boolean setAside(ByteBuf in, int wanted) {
        int count = Math.min(wanted - received, in.readableBytes());
        if (count > 0) {
            int size = received + count;
            if (head == null) {
                head = Unpooled.wrappedBuffer(new byte[size < 32 ? Math.min(wanted, 32) : size]).clear();
            } else if (head.capacity() < size) {
                head = Unpooled.wrappedBuffer(new byte[(int) Math.min(wanted, 2L * size)]).clear().writeBytes(head);
            }
            head.writeBytes(in, count);
            received = size;
        }
        return received >= wanted;
    }

    /** Whether all that goes on of the frame is in this fragment. */
    private boolean liesIn(ByteBuf in) {
        return in.readableBytes() >= frameLength - received && received <= rule.strippedFront(promised)
                && chunk == null && parts == null;
    }

    private void assemble(ByteBuf in, ByteBufAllocator alloc) {
        int front = rule.strippedFront(promised);
        if (received < front && !setAside(in, front)) {
            return;
        }
        int bodyLength = frameLength - front;
        if (chunk == null && parts == null && received > front) {
            // The part of the header that goes on was set aside before it was known to.
            ByteBuf kept = head.slice(front, received - front);
            received = front;
            fillBody(kept, bodyLength, front, alloc);
        }
        fillBody(in, bodyLength, front, alloc);
    }

    private void fillBody(ByteBuf in, int bodyLength, int front, ByteBufAllocator alloc) {
        if (contiguous || bodyLength <= ONE_PIECE) {
            int count = Math.min(frameLength - received, in.readableBytes());
            int filled = received - front + count;
            if (chunk == null) {
                chunk = alloc.buffer(capacityFor(filled, bodyLength), bodyLength);
            } else if (chunk.capacity() < filled) {
                chunk.capacity(capacityFor(filled, bodyLength));
            }
            chunk.writeBytes(in, count);
            received += count;
        } else {
            fillParts(in, alloc);
        }
    }

    /**
     * The length halved as often as it still holds what is there: grown so, memory is at most twice what was received,
     * is copied once for each time it doubles, and the last step lands exactly on the frame.
     */
    private static int capacityFor(int filled, int length) {
        int capacity = length;
        while (capacity > FIRST_CHUNK && capacity - capacity / 2 >= filled) {
            capacity -= capacity / 2;
        }
        return capacity;
    }

    private void fillParts(ByteBuf in, ByteBufAllocator alloc) {
        int missing;
        while ((missing = frameLength - received) > 0 && in.isReadable()) {
            int count = Math.min(missing, in.readableBytes());
            if (chunk != null) {
                // An open chunk is filled before anything else, or a nearly empty one would be sealed at each adoption.
                count = Math.min(count, chunk.writableBytes());
                chunk.writeBytes(in, count);
                received += count;
                if (!chunk.isWritable()) {
                    CompositeByteBuf parts = parts(alloc);
                    ByteBuf full = chunk;
                    chunk = null;
                    parts.addComponent(true, full);
                }
            } else if (in == fragment && count >= SMALLEST_PART && count >= rootCapacity / 2) {
                adopt(in, count, alloc);
                received += count;
            } else {
                chunk = alloc.buffer(Math.min(nextChunk, missing), Math.min(nextChunk, missing));
                nextChunk = Math.min(2 * nextChunk, 1 << 30);
            }
        }
    }

    private void adopt(ByteBuf in, int count, ByteBufAllocator alloc) {
        CompositeByteBuf parts = parts(alloc);
        if (count == in.readableBytes() && references == 1) {
            fragment = null;
            parts.addFlattenedComponents(true, in);
        } else {
            parts.addFlattenedComponents(true, in.readRetainedSlice(count));
        }
    }

    private CompositeByteBuf parts(ByteBufAllocator alloc) {
        CompositeByteBuf parts = this.parts;
        if (parts == null) {
            this.parts = parts = alloc.compositeBuffer(Integer.MAX_VALUE);
        }
        return parts;
    }

    /** The whole frame that fill() found. */
    ByteBuf take(ByteBufAllocator alloc) {
        int front = rule.strippedFront(promised);
        int length = frameLength - front - rule.strippedEnd();
        ByteBuf assembled = parts != null ? parts : chunk;
        int missing = frameLength - received;
        int skipped = front - received;
        parts = null;
        chunk = null;
        beginFrame();
        lentSmall = false;
        return assembled != null ? assembled.writerIndex(length) : cut(fragment, skipped, length, missing, alloc);
    }

    private void beginFrame() {
        promised = UNKNOWN;
        frameLength = UNKNOWN;
        nextChunk = FIRST_CHUNK;
        if (received != 0) {
            received = 0;
            head = head == null || head.capacity() > 64 ? null : head.clear();
        }
    }

    /** A frame of length bytes after so many skipped; with what comes behind it, it takes count bytes off the fragment. */
    private ByteBuf cut(ByteBuf in, int skipped, int length, int count, ByteBufAllocator alloc) {
        int index = in.readerIndex() + skipped;
        boolean small = KeptFrames.isSmall(length, rootCapacity);
        in.skipBytes(count);
        if (small && kept.areTooMany()) {
            return alloc.buffer(length, length).writeBytes(in, index, length);
        }
        lentSmall = small;
        boolean last = !in.isReadable();
        if (last && references == 1 && index == 0 && length == in.writerIndex()) {
            fragment = null;
            return in.readerIndex(0);
        }
        FrameView view = this.view;
        if (view == null || view.isLent()) {
            this.view = view = new FrameView(in);
        }
        if (last) {
            // The view has one of our references and we need no more of them.
            fragment = null;
            if (references > 1) {
                in.release(references - 1);
            }
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

    /** After the dispatch of a frame: a view that came back is used again, one that was kept is counted. */
    void settle(ByteBuf frame) {
        if (frame instanceof FrameView lent) {
            if (lent.takeBack()) {
                if (lent.unwrap() == fragment) {
                    references++;
                } else {
                    lent.unwrap().release();
                }
                return;
            }
            if (lent == view) {
                view = null;
            }
        }
        if (lentSmall && frame.refCnt() != 0) {
            kept.add(frame);
        }
    }

    /** Of the frame under way, bytes that arrived. */
    int received() {
        return received;
    }

    /** The whole length of the frame under way; of its header, as far as it is promised, if that is incomplete. */
    int expected() {
        return isInHeader() ? promised : frameLength;
    }

    boolean isInHeader() {
        return frameLength == UNKNOWN;
    }

    PrematureCloseException prematureClose() {
        return new PrematureCloseException(expected(), received, isInHeader());
    }

    /** Received, not handed out. */
    int bufferedBytes() {
        return received + (fragment == null ? 0 : fragment.readableBytes());
    }

    /** Everything received and not handed out, in order and as if it had never been looked at; null if there is none. */
    @Nullable ByteBuf takeBack() {
        ByteBuf all = null;
        if (received > 0) {
            boolean begun = chunk != null || parts != null;
            int set = begun ? rule.strippedFront(promised) : received;
            all = set == 0 ? null : Unpooled.copiedBuffer(head.slice(0, set));
            all = join(join(all, parts), chunk);
            parts = null;
            chunk = null;
        }
        beginFrame();
        ByteBuf rest = fragment;
        if (rest != null) {
            if (references > 1) {
                rest.release(references - 1);
            }
            fragment = null;
            all = join(all, rest);
        }
        return all;
    }

    private static @Nullable ByteBuf join(@Nullable ByteBuf first, @Nullable ByteBuf second) {
        if (second == null || !second.isReadable()) {
            if (second != null) {
                second.release();
            }
            return first;
        }
        if (first == null) {
            return second;
        }
        return Unpooled.compositeBuffer(Integer.MAX_VALUE)
                .addFlattenedComponents(true, first)
                .addFlattenedComponents(true, second);
    }

    void dropFragment() {
        if (fragment != null) {
            fragment.release(references);
            fragment = null;
        }
    }

    /** Releases the fragment and the partial frame. */
    void discard() {
        dropFragment();
        if (chunk != null) {
            chunk.release();
            chunk = null;
        }
        if (parts != null) {
            parts.release();
            parts = null;
        }
        beginFrame();
    }
}
