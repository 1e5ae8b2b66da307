package io.exactframe.netty;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.handler.codec.CorruptedFrameException;
import io.netty.handler.codec.TooLongFrameException;
import org.jspecify.annotations.Nullable;

/**
 * The record of the frame under way: its header as far as it came, its length once that is told, how much of it arrived.
 *
 * <pre>
 *   HEADER ──length told──► BODY ──all of it arrived──► HEADER, of the next
 *      │                      └──goes on in parts──► STARTED ──all of it arrived──► HEADER
 *      └──too long, but may be skipped──► OVERSIZED ──reported──► SKIPPING ──all of it arrived──► HEADER
 * </pre>
 */
final class PartialFrame {
    enum State { HEADER, BODY, STARTED, OVERSIZED, SKIPPING }

    private static final int HEAD_KEPT = 64;

    private final long longestSkipped; // 0 if none is
    long limit;
    LengthRule rule;
    State state = State.HEADER;

    /** Bytes of header that the length may be told from. */
    private int promised;

    /** Of the whole frame, when it is told. */
    long length;

    /** How much of the frame's front does not go on, when the length is told. */
    int front;

    /** Bytes of the frame that arrived and are in no fragment any more; 0 as long as it lies in one. */
    long received;

    /** What was set aside: a header that is incomplete, or does not go on. On the heap: it pins no read. */
    private @Nullable ByteBuf head;

    PartialFrame(LengthRule rule, long limit, long longestSkipped) {
        this.rule = rule;
        this.limit = limit;
        this.longestSkipped = longestSkipped;
        this.promised = rule.headerLength;
    }

    /** Another rule; no frame is under way. */
    void expect(LengthRule rule, long limit) {
        this.rule = rule;
        this.limit = limit;
        begin();
    }

    /** The next frame. */
    void begin() {
        state = State.HEADER;
        promised = rule.headerLength;
        received = 0;
        head = head == null || head.capacity() > HEAD_KEPT ? null : head.clear();
    }

    /**
     * Asks the rule for the length. Whether it is known now, or the frame OVERSIZED; if not, the fragment is used up. A
     * throw means that the framing is lost.
     */
    boolean measure(Fragment in) {
        if (in.readableBytes() == 0) {
            return false;
        }
        for (; ; ) {
            long told;
            if (received == 0 && in.readableBytes() >= promised) {
                told = rule.frameLength(in.bytes, in.index, promised);
            } else if (setAside(in, promised)) {
                told = rule.frameLength(head, 0, promised);
            } else {
                return false;
            }
            if (in.bytes == null) {
                return false; // the codec that was asked has ended the input
            }
            if (told >= 0) {
                accept(told);
                return true;
            }
            if (-told <= promised || -told > rule.maxHeaderLength) {
                String asked = ", or a header of " + -told + " bytes asked for after " + promised + " with a limit of "
                        + rule.maxHeaderLength;
                throw new CorruptedFrameException(
                        "a frame of " + told + " bytes" + (rule.maxHeaderLength == promised ? "" : asked));
            }
            promised = (int) -told;
        }
    }

    private void accept(long told) {
        length = told;
        if (told > limit) {
            if (told > longestSkipped) {
                throw tooLong();
            }
            state = State.OVERSIZED;
        } else if (told < Math.max(promised, 1)) {
            throw new CorruptedFrameException("frame of " + told + " bytes, less than its header of " + promised);
        } else {
            state = State.BODY;
            front = rule.front(promised);
        }
    }

    /** What the reader of a frame beyond the limit is told. */
    TooLongFrameException tooLong() {
        return new TooLongFrameException("frame of " + length + " bytes, the limit is " + limit);
    }

    /** Moves the frame's first bytes to the head until it has so many; false if the fragment is used up before. */
    boolean setAside(Fragment in, int wanted) {
        int count = (int) Math.min(wanted - received, in.readableBytes());
        if (count > 0) {
            if (head == null) {
                head = Unpooled.buffer(Math.min(wanted, HEAD_KEPT));
            }
            in.copyTo(head.ensureWritable(count), count);
            received += count;
        }
        return received >= wanted;
    }

    /** A copy of the first so many bytes that were set aside. */
    ByteBuf head(int count) {
        return count == 0 ? Unpooled.EMPTY_BUFFER : Unpooled.copiedBuffer(head.slice(0, count));
    }

    /** Skips what is here of a frame that is too long. */
    void skip(Fragment in) {
        state = State.SKIPPING;
        int count = (int) Math.min(length - received, in.readableBytes());
        in.index += count;
        received += count;
        if (received == length) {
            begin();
        }
    }

    /** The whole length of the frame; of its header, as far as it is promised, if that is incomplete. */
    long expected() {
        return isInHeader() ? promised : length;
    }

    /** Whether what was received of it is no more in here. */
    boolean isGivenOn() {
        return state == State.STARTED || state == State.SKIPPING;
    }

    boolean isInHeader() {
        return state == State.HEADER;
    }

    /** What a reader is told if the input ends here; null if no frame was begun, or all of it arrived. */
    @Nullable PrematureCloseException prematureClose(boolean closedLocally) {
        return received == 0 || received == expected()
                ? null
                : new PrematureCloseException(expected(), received, isInHeader(), closedLocally);
    }
}
