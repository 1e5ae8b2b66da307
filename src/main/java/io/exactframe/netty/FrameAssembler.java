package io.exactframe.netty;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.Unpooled;
import io.netty.handler.codec.CorruptedFrameException;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Fragments in, whole frames out. There is no channel in here: {@link #offer} a fragment; while it {@link #fill}s a
 * frame, {@link #take} that, and {@link #settle} it after its dispatch.
 *
 * <pre>
 *   on the wire     | header | rest of the frame |
 *   fill            measure: how long is it?     is all of it in this fragment? else: collect it in head and body
 *   take            cut it out of the fragment, or the body
 * </pre>
 *
 * The assembler owns the {@link Fragment} being cut and the partial frame, until it hands them out. After an exception
 * out of {@link #fill} or {@link #take} it is good for {@link #discard()} only, unless it {@link #isSkipping()}: then
 * the frame that is too long is all there yet, for {@link #takeBack()}, and goes with {@link #skip()}.
 */
final class FrameAssembler {
    private static final int UNKNOWN = -1;
    private static final int HEAD_KEPT = 64;

    private FrameLengthRule rule;
    private int limit;
    private final Fragment fragment = new Fragment();

    // The frame under way: how many bytes of header are wanted, how long the frame is, what was set aside of it.
    // A header that lies in one fragment is read there; received is 0 until something had to be set aside.
    private int promised = UNKNOWN;
    private int frameLength = UNKNOWN;
    private int front; // known with the length: how much of the frame does not go on
    private int received;

    /** What a frame that may be taken at once needs for its length; more than there is if none may. */
    private int headerAtOnce;

    /** The front of the frame: what does not go on, or a header that is incomplete. Heap: it pins no read buffer. */
    private @Nullable ByteBuf head;

    /** What goes on of the frame; from the first that does not lie in one fragment on. */
    private @Nullable FrameBody body;

    private final boolean contiguous;

    /** The memory of the frame under way, if there is a budget. */
    private final @Nullable Reservation memory;

    /** The frame that is too long, if there may be one that does not end everything. */
    private final @Nullable OversizedFrame oversized;

    FrameAssembler(
            FrameLengthRule rule,
            int limit,
            ReceiveOptions options,
            long longestSkipped,
            BooleanSupplier whenGranted) {
        this.rule = rule;
        this.limit = limit;
        this.contiguous = options.checked().isContiguous();
        this.oversized = longestSkipped == 0 ? null : new OversizedFrame(longestSkipped);
        this.memory = options.budget() == null ? null : new Reservation(options.budget(), whenGranted);
    }

    /** Another rule for the next frame; does nothing within a frame. */
    void expect(FrameLengthRule rule, int limit) {
        if (received == 0) {
            this.rule = rule;
            this.limit = limit;
            promised = rule.headerLength;
            frameLength = rule instanceof FrameLengthRule.Fixed fixed ? fixed.frameLength : UNKNOWN;
            front = 0;
        }
    }

    /** Takes over a fragment, when the one before is used up. */
    void offer(ByteBuf next) {
        fragment.offer(next);
        if (received == 0) {
            beginFrame();
        }
    }

    boolean hasUnread() {
        return fragment.readableBytes() > 0;
    }

    /**
     * The next frame, if it begins and ends in this fragment and no codec is asked for its length: the usual case, kept
     * short. Null means only that fill() and take() have to see.
     */
    @Nullable ByteBuf takeAtOnce(ByteBufAllocator alloc) {
        int readable = fragment.readableBytes();
        if (readable < headerAtOnce) {
            return null;
        }
        long told = fragment.frameLength(rule);
        if (Long.compareUnsigned(told, Math.min(readable, limit)) > 0) { // or negative
            return null;
        }
        int length = (int) told;
        return fragment.cut(rule.front, length - rule.front - rule.strippedEnd, length, alloc);
    }

    /** Whether a whole frame is here. If not, the fragment is used up. Nothing is lost between this and take(). */
    boolean fill(ByteBufAllocator alloc) {
        if (isSkipping()) {
            skip();
        }
        if (memory != null && memory.isStillWaiting() || fragment.isGone()) {
            return false;
        }
        headerAtOnce = Integer.MAX_VALUE;
        if (frameLength != UNKNOWN || measure()) {
            if (liesInFragment()) {
                return true;
            }
            if (memory != null && !memory.isReserved() && !reserve(alloc)) {
                return false;
            }
            if (fragment.readableBytes() > 0 || received == frameLength) {
                collect(alloc);
            }
            if (received == frameLength) {
                return true;
            }
        }
        fragment.release();
        return false;
    }

    /** Whether there is memory for the frame under way. If not, what is here of it waits. */
    private boolean reserve(ByteBufAllocator alloc) {
        long peak = contiguous ? frameLength + frameLength / 2L : frameLength;
        if (memory.reserve(frameLength, peak)) {
            return true;
        }
        fragment.shrink(alloc);
        return false;
    }

    /** Whether the frame under way waits for memory: nothing is to be read, or offered, until then. */
    boolean isWaiting() {
        return memory != null && memory.isWaiting();
    }

    /** Whether others may wait for the memory of the frame under way. */
    boolean holdsShare() {
        return memory != null && memory.isShare();
    }

    /** Nothing more comes, so what is here is used without waiting for memory. */
    void endOfInput() {
        if (memory != null) {
            memory.waitNoMore();
        }
    }

    private boolean measure() {
        int readable = fragment.readableBytes();
        if (readable == 0) {
            return false;
        }
        if (promised == UNKNOWN) {
            promised = rule.headerLength;
        }
        for (; ; ) {
            long told;
            if (received == 0 && readable >= promised) {
                told = fragment.frameLength(rule, promised);
            } else if (setAside(promised)) {
                told = rule.frameLength(head, 0, promised);
            } else {
                return false;
            }
            if (told >= 0) {
                frameLength = checked(told);
                front = rule.strippedFront(promised);
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
            throw oversized == null ? OversizedFrame.report(told, limit) : oversized.tooLong(told, limit);
        }
        if (told < Math.max(promised, 1)) {
            throw new CorruptedFrameException("frame of " + told + " bytes, less than its header of " + promised);
        }
        return (int) told;
    }

    /** Moves the frame's first bytes to the head until it has so many; false if the fragment is used up before. */
    private boolean setAside(int wanted) {
        int count = Math.min(wanted - received, fragment.readableBytes());
        if (count > 0) {
            int size = received + count;
            if (head == null) {
                head = Unpooled.wrappedBuffer(new byte[Math.min(wanted, Math.max(size, HEAD_KEPT))]).clear();
            } else if (head.capacity() < size) {
                int larger = (int) Math.min(Math.max(wanted, size), 2L * size);
                head = Unpooled.wrappedBuffer(new byte[larger]).clear().writeBytes(head);
            }
            fragment.copyTo(head, count);
            received = size;
        }
        return received >= wanted;
    }

    /** Whether all that goes on of the frame is in this fragment, and may stay as it is. */
    private boolean liesInFragment() {
        return fragment.readableBytes() >= frameLength - received
                && received <= front
                && (fragment.isInOnePiece() || !isOnePiece(frameLength - front));
    }

    private void collect(ByteBufAllocator alloc) {
        if (received < front && !setAside(front)) {
            return;
        }
        int length = frameLength - front;
        if (received > front && !bodyHasBegun()) {
            // Set aside as a header, before it was known that it goes on.
            Fragment begun = new Fragment();
            begun.offer(head.readerIndex(front));
            head = front == 0 ? null : Unpooled.copiedBuffer(head.slice(0, front));
            body().fill(begun, received - front, 0, length, alloc);
            begun.release();
        }
        int count = Math.min(frameLength - received, fragment.readableBytes());
        if (count > 0) { // a header alone costs no chunk, and its payload may still come in one read
            body().fill(fragment, count, received - front, length, alloc);
            received += count;
        }
    }

    private boolean bodyHasBegun() {
        return body != null && body.hasBegun();
    }

    private FrameBody body() {
        if (body == null) {
            body = new FrameBody(contiguous);
        }
        return body;
    }

    /** Whether what goes on, if it has this length, is to be one piece of memory. */
    private boolean isOnePiece(int length) {
        return contiguous || FrameBody.isSmall(length);
    }

    boolean isContiguous() {
        return contiguous;
    }

    /** Whether a large contiguous frame is under way: then lend() and worthReading() have a meaning. */
    boolean isInLargePiece() {
        return !FrameBody.isSmall(frameLength - front); // a length that is UNKNOWN is below any
    }

    /**
     * Where the next bytes of the frame under way may be received: memory of the frame itself, at most so many bytes
     * of it; the caller releases it or offers it as a fragment. Null if there is none.
     */
    @Nullable ByteBuf lend(int most) {
        return body().lend(frameLength - front, most);
    }

    /** How many bytes more may be read at once while there is nothing to lend; perhaps none. */
    int worthReading() {
        return body().worthReading(frameLength - front, received - front);
    }

    /** The whole frame that fill() found, owned by the caller. */
    ByteBuf take(ByteBufAllocator alloc) {
        int length = frameLength - front - rule.strippedEnd;
        int skipped = front - received;
        int missing = frameLength - received;
        beginFrame();
        if (!bodyHasBegun()) {
            return fragment.cut(skipped, length, missing, alloc);
        }
        ByteBuf assembled = body.take();
        fragment.leaveAlone();
        return assembled.writerIndex(length);
    }

    /** The next bytes of the fragment, at most so many, which are no part of a frame; owned by the caller. */
    ByteBuf takePart(long most) {
        ByteBuf part = fragment.takePart((int) Math.min(most, fragment.readableBytes()));
        fragment.leaveAlone();
        return part;
    }

    private void beginFrame() {
        promised = UNKNOWN;
        frameLength = UNKNOWN;
        boolean mayBeAtOnce = fragment.isInOnePiece() && rule.isTrusted() && !isSkipping();
        headerAtOnce = mayBeAtOnce ? rule.headerLength : Integer.MAX_VALUE;
        if (memory != null) {
            memory.giveBack();
        }
        if (received != 0) {
            received = 0;
            head = head == null || head.capacity() > HEAD_KEPT ? null : head.clear();
        }
    }

    /** After the dispatch of a frame. */
    void settle(ByteBuf frame) {
        fragment.settle(frame);
    }

    /** Whether a frame is too long and to be skipped, or being skipped. */
    boolean isSkipping() {
        return oversized != null && oversized.isUnderWay();
    }

    /** Drops what is here of the frame that is too long; fill() goes on with it. */
    void skip() {
        oversized.skip(received, fragment);
        beginFrame();
    }

    /** Of the frame under way, bytes that arrived. */
    long received() {
        return isSkipping() ? oversized.received(received, fragment) : received;
    }

    /** The whole length of the frame under way; of its header, as far as it is promised, if that is incomplete. */
    long expected() {
        return isSkipping() ? oversized.length() : isInHeader() ? promised : frameLength;
    }

    boolean isInHeader() {
        return frameLength == UNKNOWN && !isSkipping();
    }

    /** What a reader is told if the input ends here; null if no frame was begun, or all of it arrived. */
    @Nullable PrematureCloseException prematureClose() {
        long received = received();
        return received == 0 || received == expected()
                ? null
                : new PrematureCloseException(expected(), received, isInHeader());
    }

    /** Received, not handed out. */
    int bufferedBytes() {
        return received + fragment.readableBytes();
    }

    private void forgetOversized() {
        if (oversized != null) {
            oversized.forget();
        }
    }

    /** Everything received and not handed out, in order, as if it had never been looked at; null if there is none. */
    @Nullable ByteBuf takeBack() {
        ByteBuf all = null;
        if (received > 0) {
            int set = bodyHasBegun() ? front : received;
            all = set == 0 ? null : Unpooled.copiedBuffer(head.slice(0, set));
        }
        ByteBuf begun = body == null ? null : body.takeBack();
        forgetOversized();
        beginFrame();
        return join(join(all, begun), fragment.takeRest());
    }

    /** Both in one, either may be null or empty. */
    static @Nullable ByteBuf join(@Nullable ByteBuf first, @Nullable ByteBuf second) {
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
        fragment.release();
    }

    /** Releases the fragment and the partial frame. */
    void discard() {
        fragment.release();
        if (body != null) {
            body.release();
        }
        forgetOversized();
        beginFrame();
    }
}
