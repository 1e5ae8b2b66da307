package io.exactframe.netty;

import io.exactframe.netty.PartialFrame.State;
import io.exactframe.netty.ReceiveBudget.Share;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import org.jspecify.annotations.Nullable;

/**
 * Whole frames.
 *
 * <pre>
 *   on the wire   | header | rest of the frame |
 *   next          how long is it?   does all of it lie in this fragment? else: collect it in head and body
 *   take          cut it out of the fragment, or hand out the body
 * </pre>
 */
final class FrameAssembler extends FrameSource {
    private static final int NEVER = Integer.MAX_VALUE;

    private final FrameBody body; // what goes on of a frame that does not lie in one fragment

    // So much of a fragment tells the length of a frame that may lie in it, and is not begun; NEVER if none may.
    private int shortestHeader = NEVER;
    private int shortestHeaderHere = NEVER;

    FrameAssembler(LengthRule rule, int limit, ReceiveOptions options, Share share) {
        super(rule, limit, options.skippedBytes, share);
        this.body = new FrameBody(options);
    }

    /** Another rule for the next frame; does nothing within a frame. */
    void expect(LengthRule rule, int limit) {
        if (frame.received == 0 && !share.isWaiting()) {
            frame.expect(rule, limit);
            fragmentChanged();
        }
    }

    @Override
    void offer(ByteBuf next) {
        int count = next.readableBytes();
        if (frame.state == State.BODY && count < frame.length - frame.received
                && fragment.readableBytes() == 0 && !share.isWaiting() && body.append(next, count)) {
            frame.received += count;
            next.release();
            return;
        }
        fragment.offer(next);
        fragmentChanged();
    }

    private void fragmentChanged() {
        boolean isQuick = fragment.inOnePiece && !(frame.rule instanceof LengthRule.Asked);
        shortestHeaderHere = isQuick ? frame.rule.headerLength : NEVER;
        shortestHeader = frame.isInHeader() && frame.received == 0 ? shortestHeaderHere : NEVER;
    }

    /** The usual case, kept short: the next frame begins and ends in this fragment, and no codec is asked. */
    @Override
    Step next(ByteBufAllocator alloc) {
        int readable = fragment.readableBytes();
        if (readable >= shortestHeader) {
            LengthRule rule = frame.rule;
            long told = rule.frameLength(fragment.bytes, fragment.index, rule.headerLength);
            if (Long.compareUnsigned(told, Math.min(readable, frame.limit)) <= 0) { // else too long, or negative
                frame.length = told;
                frame.front = rule.front;
                return Step.FRAME;
            }
        }
        return assemble(alloc);
    }

    private Step assemble(ByteBufAllocator alloc) {
        if (frame.state == State.SKIPPING) {
            frame.skip(fragment);
            return fragment.readableBytes() > 0 ? next(alloc) : needsBytes();
        }
        if (share.isWaiting()) {
            return Step.NEEDS_MEMORY;
        }
        if (frame.state == State.BODY && frame.received == frame.length) {
            return Step.FRAME;
        }
        if (fragment.bytes == null) {
            return Step.NEEDS_BYTES;
        }
        shortestHeader = NEVER;
        if (frame.isInHeader() && !frame.measure(fragment)) {
            return needsBytes();
        }
        if (frame.state == State.OVERSIZED) {
            return Step.OVERSIZED;
        }
        // All that goes on of the frame may be in this fragment, and may stay as it is.
        boolean isHere = fragment.readableBytes() >= frame.length - frame.received && frame.received <= frame.front;
        if (isHere && (fragment.inOnePiece || !body.contiguous && !isSmall())) {
            return Step.FRAME;
        }
        if (!share.reserve(frame.length, body.contiguous ? frame.length + frame.length / 2 : frame.length)) {
            fragment.shrink(alloc);
            return Step.NEEDS_MEMORY;
        }
        collect(alloc);
        return frame.received == frame.length ? Step.FRAME : needsBytes();
    }

    /** Bytes of the frame that are collected in its body: all but the front. */
    private int bodyLength() {
        return (int) frame.length - frame.front;
    }

    /** Whether what goes on is one piece of memory in any case. */
    private boolean isSmall() {
        return bodyLength() - frame.rule.strippedEnd <= FrameBody.ONE_PIECE;
    }

    private void collect(ByteBufAllocator alloc) {
        int front = frame.front;
        if (frame.received < front && !frame.setAside(fragment, front)) {
            return;
        }
        int received = (int) frame.received;
        if (received > front && !body.hasBegun()) {
            // Set aside as a header, before it was known that it goes on.
            Fragment begun = new Fragment();
            begun.offer(frame.head(received).skipBytes(front));
            body.fill(begun, received - front, 0, bodyLength(), isSmall(), alloc);
            begun.release();
        }
        int count = (int) Math.min(frame.length - received, fragment.readableBytes());
        if (count > 0) { // a header alone costs no chunk, and its payload may still come in one read
            body.fill(fragment, count, received - front, bodyLength(), isSmall(), alloc);
            frame.received += count;
        }
    }

    @Override
    ByteBuf take(ByteBufAllocator alloc) {
        PartialFrame frame = this.frame;
        if (frame.isInHeader()) { // the usual case: it was not begun
            int length = (int) frame.length;
            return fragment.cut(frame.front, length - frame.front - frame.rule.strippedEnd, length, alloc);
        }
        int length = bodyLength() - frame.rule.strippedEnd;
        ByteBuf taken;
        if (body.hasBegun()) {
            // A slice too: whoever reads frames sees one class of them, or nearly so, and that makes reading fast.
            taken = length < PinnedReads.SMALL ? body.take().slice(0, length) : body.take().writerIndex(length);
        } else {
            int received = (int) frame.received;
            taken = fragment.cut(frame.front - received, length, (int) frame.length - received, alloc);
        }
        begin();
        return taken;
    }

    @Override
    void begin() {
        frame.begin();
        shortestHeader = shortestHeaderHere;
        share.giveBack();
    }

    @Override
    @Nullable ByteBuf takeBody() {
        return body.take();
    }
}
