package io.exactframe.netty;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import org.jspecify.annotations.Nullable;

/** A receive of one frame, which it gets as a buffer. */
final class FrameReceive extends ReceiveFuture<ByteBuf> {
    private final FrameLengthRule rule;
    private final int limit;
    private @Nullable ByteBuf frame;

    FrameReceive(ExactReceiver receiver, FrameLengthRule rule, int limit, boolean orEnd) {
        super(receiver, limit, orEnd);
        this.rule = rule;
        this.limit = limit;
    }

    @Override
    Needs take(Stash stash, ByteBufAllocator alloc) {
        FrameAssembler assembler = stash.assembler;
        assembler.expect(rule, limit);
        boolean whole = stash.fill(alloc);
        received = assembler.received();
        expected = assembler.expected();
        inHeader = assembler.isInHeader();
        // From here on it cannot be cancelled; if it was just before, its bytes are still as they came.
        if (!whole || !setUncancellable()) {
            return Needs.BYTES;
        }
        received = expected;
        frame = assembler.take(alloc);
        return Needs.NOTHING;
    }

    @Override
    void finish(Stash stash) {
        ByteBuf frame = this.frame;
        this.frame = null;
        try {
            progress();
            setSuccess(frame);
        } finally {
            stash.assembler.settle(frame);
        }
    }
}
