package io.exactframe.netty;

import io.exactframe.netty.FrameSource.Step;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import org.jspecify.annotations.Nullable;

/** A receive of one frame, which it gets as a buffer. */
final class FrameReceive extends Receive<ByteBuf> {
    private final LengthRule rule;
    private final int limit;
    private @Nullable ByteBuf frame;

    FrameReceive(Server server, LengthRule rule, int limit, boolean orEnd) {
        super(server, limit, orEnd);
        this.rule = rule;
        this.limit = limit;
    }

    @Override
    Needs take(ReceivedBytes bytes, ByteBufAllocator alloc) {
        FrameAssembler assembler = bytes.assembler;
        assembler.expect(rule, limit);
        Step step = bytes.next(alloc);
        boolean whole = step == Step.FRAME;
        inHeader = !whole && assembler.frame.isInHeader() && rule.maxHeaderLength > 0;
        boolean isUnknown = !whole && assembler.frame.isInHeader() && !inHeader;
        expected = whole ? assembler.frame.length : isUnknown ? limit : assembler.frame.expected();
        received = whole ? expected : Math.min(bytes.count(), expected);
        if (step == Step.OVERSIZED) {
            return Needs.TO_BE_SKIPPED;
        }
        // From here on it cannot be cancelled; if it was just before, its bytes are still as they came.
        if (!whole || !setUncancellable()) {
            return Needs.BYTES;
        }
        frame = assembler.take(alloc);
        return Needs.NOTHING;
    }

    @Override
    void finish(ReceivedBytes bytes) {
        progress();
        setSuccess(frame);
        bytes.assembler.settle();
    }
}
