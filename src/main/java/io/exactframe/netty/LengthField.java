package io.exactframe.netty;

import io.netty.buffer.ByteBuf;
import io.netty.handler.codec.CorruptedFrameException;

/** How a length is written: a number of 1, 2, 3, 4 or 8 bytes in one of two orders, or a varint. */
record LengthField(int width, boolean littleEndian) {
    /** The width of a field that tells its own width. */
    static final int VARINT = 0;

    private static final int VARINT_MOST = 5;

    boolean isVarint() {
        return width == VARINT;
    }

    int smallestWidth() {
        return Math.max(width, 1);
    }

    int largestWidth() {
        return isVarint() ? VARINT_MOST : width;
    }

    long largestValue() {
        return width == 8 ? Long.MAX_VALUE : (1L << (isVarint() ? 32 : 8 * width)) - 1;
    }

    /** The length in so many bytes, negative if 8 bytes say so; -1 if they are the beginning of a longer varint. */
    long read(ByteBuf bytes, int at, int count) {
        return switch (width) {
            case VARINT -> readVarint(bytes, at, count);
            case 1 -> bytes.getUnsignedByte(at);
            case 2 -> littleEndian ? bytes.getUnsignedShortLE(at) : bytes.getUnsignedShort(at);
            case 3 -> littleEndian ? bytes.getUnsignedMediumLE(at) : bytes.getUnsignedMedium(at);
            case 4 -> littleEndian ? bytes.getUnsignedIntLE(at) : bytes.getUnsignedInt(at);
            default -> littleEndian ? bytes.getLongLE(at) : bytes.getLong(at);
        };
    }

    private static long readVarint(ByteBuf bytes, int at, int count) {
        long value = 0;
        for (int i = 0; i < count; i++) {
            value |= (bytes.getByte(at + i) & 0x7FL) << (7 * i);
        }
        boolean ends = bytes.getByte(at + count - 1) >= 0;
        if (count == VARINT_MOST && (!ends || value > 0xFFFF_FFFFL)) {
            throw new CorruptedFrameException("a varint of more than 32 bits");
        }
        return ends ? value : -1;
    }

    /** Writes a length, that the field can hold, in so many bytes. */
    void write(ByteBuf out, long value, int count) {
        for (int i = 0; i < count; i++) {
            if (isVarint()) {
                out.writeByte((int) (value >>> (7 * i)) & 0x7F | (i < count - 1 ? 0x80 : 0));
            } else {
                out.writeByte((int) (value >>> (8 * (littleEndian ? i : count - 1 - i))));
            }
        }
    }

    @Override
    public String toString() {
        String name = isVarint() ? "varint32" : (width == 8 ? "int" : "uint") + 8 * width;
        return littleEndian ? name + " little-endian" : name;
    }
}
