package io.exactframe.netty.benchmark;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import java.nio.ByteBuffer;
import java.util.Random;

/**
 * The bytes on the wire: frames that begin with their payload's length in four bytes, random bytes behind it.
 *
 * <p>A socket buffer is small and warm in the cache. So is this: of a frame longer than 256 KiB the first 64 KiB are
 * stored and three more times 64 KiB that are repeated in turn.
 */
final class FrameStream {
    static final int LENGTH_BYTES = 4;

    private static final int BLOCK = 64 * 1024;
    private static final int STORED = 4 * BLOCK;

    private final int frameLength;
    private final ByteBuf stored;

    FrameStream(int frameLength, int readLength) {
        this.frameLength = frameLength;
        byte[] frame = new byte[Math.min(frameLength, STORED)];
        new Random(1).nextBytes(frame);
        int capacity = frameLength > STORED ? STORED : frameLength + readLength;
        stored = Unpooled.directBuffer(capacity, capacity);
        while (stored.isWritable()) {
            int begin = stored.writerIndex();
            stored.writeBytes(frame, 0, Math.min(frame.length, stored.writableBytes()));
            if (stored.writerIndex() - begin >= LENGTH_BYTES) {
                stored.setInt(begin, frameLength - LENGTH_BYTES);
            }
        }
    }

    /** Receives: copies what is on the wire from a frame's byte {@code offset} on. */
    void read(int offset, ByteBuf into, int length) {
        // into.writeBytes(stored, ...) would create a ByteBuffer or two in the adaptive allocator's buffers.
        stored.getBytes(storedAt(offset), into, length);
    }

    /** Sends: what is on the wire from a frame's byte {@code offset} on; of a large frame no more than a block. */
    ByteBuffer view(int offset, int length) {
        return stored.nioBuffer(storedAt(offset), length);
    }

    private static int storedAt(int offset) {
        return offset < STORED ? offset : BLOCK + (offset - BLOCK) % (STORED - BLOCK);
    }

    /** Throws unless these are the bytes of the stream from {@code position} on. */
    void check(ByteBuf received, long position) {
        int index = received.readerIndex();
        while (index < received.writerIndex()) {
            int offset = (int) (position % frameLength);
            int inOnePlace = Math.min(frameLength - offset, BLOCK - offset % BLOCK);
            int length = Math.min(received.writerIndex() - index, inOnePlace);
            if (!ByteBufUtil.equals(received, index, stored, storedAt(offset), length)) {
                throw new IllegalStateException("not the bytes that were sent, from " + position + " on");
            }
            index += length;
            position += length;
        }
    }

    void release() {
        stored.release();
    }
}
