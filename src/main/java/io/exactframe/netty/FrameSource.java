package io.exactframe.netty;

import io.exactframe.netty.PartialFrame.State;
import io.exactframe.netty.ReceiveBudget.Share;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.Unpooled;
import io.netty.util.ReferenceCountUtil;
import org.jspecify.annotations.Nullable;

/**
 * Fragments in, frames or parts of frames out. There is no channel in here: {@link #offer} a fragment; {@link #next}
 * says what there is, and says the same again until something is done about it.
 *
 * <pre>
 *   next()         then
 *   FRAME          take(), dispatch it, settle()
 *   NEEDS_BYTES    offer the next fragment: the one before is used up
 *   NEEDS_MEMORY   wait for it: nothing is to be read until then
 *   OVERSIZED      report it, skip()
 *   it throws      report it, discard(): the framing is lost
 * </pre>
 *
 * A source owns the fragment being cut and the partial frame until it hands them out.
 */
abstract class FrameSource {
    enum Step { FRAME, NEEDS_BYTES, NEEDS_MEMORY, OVERSIZED }

    final Fragment fragment = new Fragment();
    final PartialFrame frame;
    final Share share; // the memory of the frame under way

    /** What {@link #next} said last, where its caller left it at that. */
    Step step = Step.NEEDS_BYTES;

    FrameSource(LengthRule rule, long limit, long longestSkipped, Share share) {
        this.frame = new PartialFrame(rule, limit, longestSkipped);
        this.share = share;
    }

    abstract Step next(ByteBufAllocator alloc);

    /** The frame, or the part of one, that {@link #next} found; owned by the caller. */
    abstract Object take(ByteBufAllocator alloc);

    /** Takes over a fragment, when the one before is used up. */
    void offer(ByteBuf next) {
        fragment.offer(next);
    }

    /** After the dispatch of what was taken; false if there is certainly no more of it. */
    final boolean settle() {
        return fragment.settle() || frame.state == State.STARTED; // then perhaps an empty last chunk
    }

    /** Whether a fragment can be used at once: nothing of the one before is left, and nothing waits. */
    final boolean isIdle() {
        return fragment.readableBytes() == 0 && step == Step.NEEDS_BYTES;
    }

    /** Received, not handed out. */
    final int bufferedBytes() {
        return (frame.isGivenOn() ? 0 : (int) frame.received) + fragment.readableBytes();
    }

    /** Of the frame under way, what was received, handed out or not. */
    final long begunBytes() {
        return frame.received + fragment.readableBytes();
    }

    /** What a reader is told if the input ends here; null if no frame was begun, or all of it arrived. */
    final @Nullable PrematureCloseException prematureClose(boolean closedLocally) {
        if (frame.state == State.OVERSIZED) {
            frame.skip(fragment); // the end comes while that is reported
        }
        return frame.prematureClose(closedLocally);
    }

    /** What is unread is not wanted: the channel is being closed. */
    final void dropUnread() {
        if (step != Step.NEEDS_BYTES && frame.state == State.BODY) {
            frame.received += Math.min(frame.length - frame.received, fragment.readableBytes()); // it did arrive
        }
        step = needsBytes();
    }

    final Step needsBytes() {
        fragment.release();
        return Step.NEEDS_BYTES;
    }

    /** The next frame. */
    void begin() {
        frame.begin();
    }

    /** What is collected of the frame under way behind its front; owned by the caller. */
    @Nullable ByteBuf takeBody() {
        return null;
    }

    /** Everything received and not handed out, in order, as if it had never been looked at; null if there is none. */
    final @Nullable ByteBuf takeBack() {
        ByteBuf body = takeBody();
        ByteBuf head = frame.head(frame.isGivenOn() ? 0 : body == null ? (int) frame.received : frame.front);
        begin();
        step = Step.NEEDS_BYTES;
        return join(join(join(null, head), body), fragment.takePart(Long.MAX_VALUE));
    }

    /** Releases the fragment and the partial frame. */
    final void discard() {
        fragment.release();
        ReferenceCountUtil.release(takeBody());
        begin();
        step = Step.NEEDS_BYTES;
    }

    /** Both in one; either may be null or empty. */
    static @Nullable ByteBuf join(@Nullable ByteBuf first, @Nullable ByteBuf second) {
        if (second == null || !second.isReadable()) {
            ReferenceCountUtil.release(second);
            return first;
        }
        return first == null
                ? second
                : Unpooled.compositeBuffer(Integer.MAX_VALUE)
                        .addFlattenedComponents(true, first)
                        .addFlattenedComponents(true, second);
    }
}
