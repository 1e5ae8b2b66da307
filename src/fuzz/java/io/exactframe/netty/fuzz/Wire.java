package io.exactframe.netty.fuzz;

import io.netty.buffer.ByteBuf;
import java.util.Arrays;

/** All that the peer sends in the life of one channel, in order. */
final class Wire {
    byte[] bytes = new byte[256];
    int sent; // bytes that are written
    int read; // of them, those that have left the peer's and the kernel's buffers

    private void ensure(int count) {
        if (sent + count > bytes.length) {
            bytes = Arrays.copyOf(bytes, Math.max(2 * bytes.length, sent + count));
        }
    }

    void send(int value) {
        ensure(1);
        bytes[sent++] = (byte) value;
    }

    /** A number of so many bytes. */
    void send(long value, int width, boolean littleEndian) {
        for (int i = 0; i < width; i++) {
            send((int) (value >>> (8 * (littleEndian ? i : width - 1 - i))));
        }
    }

    /** Bytes that tell where they are. */
    void sendFill(int count) {
        ensure(count);
        for (int i = 0; i < count; i++, sent++) {
            bytes[sent] = (byte) (sent * 31 + (sent >> 8) * 7 + 1);
        }
    }

    int unread() {
        return sent - read;
    }

    /** Whether a buffer has what was sent from there on. */
    boolean isAt(int from, ByteBuf buffer) {
        int count = buffer.readableBytes();
        if (from + count > sent) {
            return false;
        }
        int at = buffer.readerIndex();
        if (buffer.hasArray()) {
            int start = buffer.arrayOffset() + at;
            return Arrays.equals(buffer.array(), start, start + count, bytes, from, from + count);
        }
        byte[] copy = new byte[count];
        buffer.getBytes(at, copy);
        return Arrays.equals(copy, 0, count, bytes, from, from + count);
    }
}
