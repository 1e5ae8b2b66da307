package io.exactframe.netty;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;

/** A receive of bytes that nobody wants. */
final class SkipReceive extends Receive<Void> {
    SkipReceive(Server server, long size) {
        super(server, size, false);
    }

    @Override
    Needs take(ReceivedBytes bytes, ByteBufAllocator alloc) {
        for (ByteBuf part; received < expected && (part = bytes.takePart(expected - received)) != null; ) {
            received += part.readableBytes();
            part.release();
        }
        return received == expected ? Needs.NOTHING : Needs.BYTES;
    }
}
