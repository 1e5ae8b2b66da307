package io.exactframe.netty;

import io.exactframe.netty.PartialFrame.State;
import io.exactframe.netty.ReceiveBudget.Share;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.Unpooled;

/**
 * Frames in parts: a {@link FrameStart} when the header is complete, then a {@link FrameChunk} of what each fragment has.
 * A FRAME is the next of these.
 */
final class FrameParts extends FrameSource {
    FrameParts(PrefixRule rule, long limit, long longestSkipped) {
        super(rule, limit, longestSkipped, Share.OF_NOTHING);
    }

    @Override
    Step next(ByteBufAllocator alloc) {
        if (frame.state == State.SKIPPING) {
            frame.skip(fragment);
        }
        if (frame.state == State.STARTED ? hasChunk() : hasStart()) {
            return Step.FRAME;
        }
        return frame.state == State.OVERSIZED ? Step.OVERSIZED : needsBytes();
    }

    private boolean hasStart() {
        return (!frame.isInHeader() || frame.measure(fragment))
                && frame.state == State.BODY
                && frame.setAside(fragment, frame.front);
    }

    /** Whether there is payload, or nothing is missing of the frame but its last chunk, which is empty. */
    private boolean hasChunk() {
        if (payloadLeft() > 0) {
            return fragment.readableBytes() > 0;
        }
        int trailer = (int) Math.min(frame.length - frame.received, fragment.readableBytes());
        fragment.index += trailer;
        frame.received += trailer;
        return frame.received == frame.length;
    }

    private long payloadLength() {
        return frame.length - frame.front - frame.rule.strippedEnd;
    }

    private long payloadLeft() {
        return frame.length - frame.rule.strippedEnd - frame.received;
    }

    @Override
    Object take(ByteBufAllocator alloc) {
        if (frame.state != State.STARTED) {
            frame.state = State.STARTED;
            return new FrameStart(frame.length, payloadLength(), frame.head(frame.front));
        }
        long left = Math.max(payloadLeft(), 0);
        int count = (int) Math.min(left, fragment.readableBytes());
        int trailer = (int) Math.min(frame.length - frame.received - count, fragment.readableBytes() - count);
        ByteBuf bytes = count == 0 ? Unpooled.EMPTY_BUFFER : fragment.cut(0, count, count + trailer, alloc);
        frame.received += count + trailer;
        boolean last = frame.received == frame.length;
        if (last) {
            frame.begin();
        }
        return new FrameChunk(bytes, payloadLength() - left, last);
    }
}
