package io.exactframe.netty.benchmark;

import io.netty.buffer.ByteBuf;
import java.nio.charset.StandardCharsets;

/** What is done with a frame before it is released; the values of the parameter {@code sink}. */
enum FrameConsumer {
    /** One byte of it. Nobody's consumer does that: what a decoder does for those who read is hidden by it. */
    peek,
    /** Eight bytes at a time, from the front. */
    longs,
    /** Four bytes at a time, by index. */
    ints,
    /** Byte by byte, from the front. */
    bytes,
    /** All of it, copied to an array. */
    array,
    /** All of it, decoded to a String. */
    string;

    private static final byte[] ARRAY = new byte[64 * 1024];

    /** A number that depends on what was read. */
    long read(ByteBuf frame) {
        return switch (this) {
            case peek -> frame.getByte(frame.readerIndex());
            case longs -> longs(frame);
            case ints -> ints(frame);
            case bytes -> bytes(frame);
            case array -> array(frame);
            case string -> frame.toString(StandardCharsets.ISO_8859_1).length();
        };
    }

    private static long longs(ByteBuf frame) {
        long sum = 0;
        while (frame.readableBytes() >= Long.BYTES) {
            sum += frame.readLong();
        }
        return sum + bytes(frame);
    }

    private static long ints(ByteBuf frame) {
        long sum = 0;
        int end = frame.writerIndex() - Integer.BYTES;
        for (int index = frame.readerIndex(); index <= end; index += Integer.BYTES) {
            sum += frame.getInt(index);
        }
        return sum;
    }

    private static long bytes(ByteBuf frame) {
        long sum = 0;
        while (frame.isReadable()) {
            sum += frame.readByte();
        }
        return sum;
    }

    private static long array(ByteBuf frame) {
        long sum = 0;
        while (frame.isReadable()) {
            int length = Math.min(frame.readableBytes(), ARRAY.length);
            frame.readBytes(ARRAY, 0, length);
            sum += ARRAY[length - 1];
        }
        return sum;
    }
}
