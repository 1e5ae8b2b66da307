package io.exactframe.netty;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;

/** A receive of bytes that nobody wants. */
final class SkipReceive extends ReceiveFuture<Void> {
    SkipReceive(ExactReceiver receiver, long size) {
        super(receiver, size, false);
    }

    @Override
    Needs take(Stash stash, ByteBufAllocator alloc) {
        for (ByteBuf part; received < expected && (part = stash.takePart(expected - received)) != null; ) {
            received += part.readableBytes();
            part.release();
        }
        return received == expected ? Needs.NOTHING : Needs.BYTES;
    }

    @Override
    void finish(Stash stash) {
        if (setUncancellable()) {
            progress();
            setSuccess(null);
        }
    }
}
