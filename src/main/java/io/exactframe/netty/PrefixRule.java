package io.exactframe.netty;

import io.exactframe.netty.LengthPrefix.CountedFrom;
import io.netty.buffer.ByteBuf;
import io.netty.handler.codec.CorruptedFrameException;
import io.netty.handler.codec.TooLongFrameException;
import org.jspecify.annotations.Nullable;

/** What a {@link LengthPrefix} says of a frame's length, in numbers: from the field to the length, and back. */
final class PrefixRule extends LengthRule {
    /** Strips the header and the trailer. */
    static final int PAYLOAD_ONLY = -1;

    /** What was said of a frame: bytes around the field and the payload, what is counted, and what does not go on. */
    record Layout(
            LengthField field, int before, int after, int trailer, @Nullable CountedFrom countedFrom, int adjustment,
            int strip) {}

    private final LengthField field;
    final int before; // bytes of header in front of the field
    private final int after;
    private final int strip; // or PAYLOAD_ONLY

    /** What a frame has beyond its length field's value, without the field itself. */
    private final long uncounted;

    /** Bytes of a frame beside its length field and its payload. */
    final long headerAndTrailer;

    /** Whether the field counts its own bytes. */
    private final boolean countsField;

    /** For the shortest field: what a frame has beyond its value, and the least it may have in all. */
    final long more;

    final long least;

    PrefixRule(Layout it) {
        super(
                plus(it.before, it.field.smallestWidth()),
                plus(it.before, it.field.largestWidth()),
                it.strip == PAYLOAD_ONLY ? plus(plus(it.before, it.field.smallestWidth()), it.after) : it.strip,
                it.strip == PAYLOAD_ONLY ? it.trailer : 0);
        this.field = it.field;
        this.before = it.before;
        this.after = it.after;
        this.strip = it.strip;
        boolean countsAll = it.countedFrom == CountedFrom.FRAME;
        boolean countsAfter = it.countedFrom != null && it.countedFrom != CountedFrom.PAYLOAD;
        this.countsField = countsAll || it.countedFrom == CountedFrom.FIELD;
        this.uncounted = (countsAll ? 0L : before) + (countsAfter ? 0 : after) + it.trailer + it.adjustment;
        this.headerAndTrailer = (long) before + after + it.trailer;
        this.more = frameLength(0, field.smallestWidth());
        this.least = Math.max(headerAndTrailer + field.smallestWidth(), strip);
    }

    private static int plus(int a, int b) {
        return (int) Math.min((long) a + b, Integer.MAX_VALUE);
    }

    /** Whether some length is enough for the header and what is stripped. */
    boolean hasFrames() {
        return field.width() == 8 || frameLength(field.largestValue(), field.largestWidth()) >= least;
    }

    /** The whole frame's length if the field says value in so many bytes; negative, perhaps, if beyond 2^63. */
    private long frameLength(long value, int width) {
        return value + uncounted + (countsField ? 0 : width);
    }

    @Override
    long frameLength(ByteBuf bytes, int index, int promised) {
        int width = promised - before;
        long value = field.read(bytes, index + before, width);
        if (value < 0) {
            if (!field.isVarint()) {
                throw new CorruptedFrameException("negative length: " + value);
            }
            return -(promised + 1L);
        }
        long length = frameLength(value, width);
        return length < headerAndTrailer + width || length < strip ? tooShort(value, length) : length;
    }

    private static long tooShort(long value, long length) {
        if (length < 0 && value > Integer.MAX_VALUE) { // nothing subtracts so much
            throw new TooLongFrameException("length " + value + " makes a frame of more than 2^63 - 1 bytes");
        }
        throw new CorruptedFrameException("length " + value + " makes a frame of " + length
                + " bytes, less than its header, its trailer or what is to be stripped");
    }

    @Override
    int front(int promised) {
        return strip == PAYLOAD_ONLY ? promised + after : strip;
    }

    /** Writes the field for a payload; false, and nothing is written, if it cannot hold the length. */
    boolean writeLength(ByteBuf out, long payloadLength) {
        // A varint that counts itself says more the longer it is.
        int width = field.smallestWidth();
        while (width < field.largestWidth() && value(payloadLength, width) >>> (7 * width) != 0) {
            width++;
        }
        long value = value(payloadLength, width);
        if (value < 0 || value > field.largestValue()) {
            return false;
        }
        field.write(out, value, width);
        return true;
    }

    /** What the field says for such a payload; negative if nothing can. */
    private long value(long payloadLength, int width) {
        long counted = headerAndTrailer - uncounted + (countsField ? width : 0);
        return payloadLength > Long.MAX_VALUE - Math.max(counted, 0) ? -1 : payloadLength + counted;
    }
}
