package io.exactframe.netty;

import io.netty.buffer.ByteBuf;
import io.netty.handler.codec.CorruptedFrameException;
import io.netty.handler.codec.TooLongFrameException;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Where a frame's length is, how it is written, what it counts, and which bytes go on.
 *
 * <pre>
 *   | before | length | after | payload | trailer |
 *            FIELD             PAYLOAD                 where the counted bytes start: countedFrom
 *   FRAME             AFTER_FIELD
 * </pre>
 *
 * Immutable: each method gives a new prefix, their order does not matter. What can be wrong with one argument is
 * checked at once, what can be wrong with all of them together by the constructor of the handler that is given them
 * (an {@link IllegalArgumentException} that says which). Some well-known ones:
 *
 * <pre>{@code
 * PostgreSQL   uint32().headerBefore(1).countedFrom(FIELD)       MySQL   uint24().littleEndian().headerAfter(1)
 * memcached    uint32().headerBefore(8).headerAfter(12)          TLS     uint16().headerBefore(3)
 * BGP          uint16().headerBefore(16).headerAfter(1).countedFrom(FRAME)
 * AMQP         uint32().headerBefore(3).trailer(1)               SMB     uint24().headerBefore(1)
 * DNS          uint16()                Kafka  uint32()           protobuf  varint32()
 * }</pre>
 */
public final class LengthPrefix extends FrameLengthRule {
    private static final int PAYLOAD_ONLY = -1;
    private static final int LONGEST_HEADER = Integer.MAX_VALUE - 8; // as long as an array can be

    /** Where the bytes that a length field counts start. They end with the payload; a trailer is never counted. */
    public enum CountedFrom {
        /** The first byte of the frame: everything is counted. */
        FRAME,
        /** The length field: it counts itself and what follows. */
        FIELD,
        /** The byte behind the length field: bytes of the header there are counted. */
        AFTER_FIELD,
        /** The payload: nothing else is counted. */
        PAYLOAD
    }

    private final LengthField field;
    private final int before;
    private final int after;
    private final int trailer;
    private final @Nullable CountedFrom countedFrom;
    private final int adjustment;
    private final int strip;

    /** What a frame has beyond its length field's value, without the field itself. */
    private final long uncounted;

    /** Bytes of a frame beside its length field and its payload. */
    private final long headerAndTrailer;

    /** Whether the field counts its own bytes. */
    private final boolean countsField;

    /** For the shortest field: what a frame has beyond its value, and the least it may have in all. */
    private final long more;

    private final long least;

    private LengthPrefix(
            LengthField field,
            int before,
            int after,
            int trailer,
            @Nullable CountedFrom countedFrom,
            int adjustment,
            int strip) {
        super(
                plus(before, field.smallestWidth()),
                plus(before, field.largestWidth()),
                strip == PAYLOAD_ONLY ? plus(plus(before, field.smallestWidth()), after) : strip,
                strip == PAYLOAD_ONLY ? trailer : 0);
        this.field = field;
        this.before = before;
        this.after = after;
        this.trailer = trailer;
        this.countedFrom = countedFrom;
        this.adjustment = adjustment;
        this.strip = strip;
        boolean countsAll = countedFrom == CountedFrom.FRAME;
        boolean countsAfter = countedFrom != null && countedFrom != CountedFrom.PAYLOAD;
        this.countsField = countsAll || countedFrom == CountedFrom.FIELD;
        this.uncounted = (countsAll ? 0L : before) + (countsAfter ? 0 : after) + trailer + adjustment;
        this.headerAndTrailer = (long) before + after + trailer;
        this.more = frameLength(0, field.smallestWidth());
        this.least = Math.max(headerAndTrailer + field.smallestWidth(), strip);
    }

    private static int plus(int a, int b) {
        return (int) Math.min((long) a + b, Integer.MAX_VALUE);
    }

    private static LengthPrefix ofWidth(int width) {
        return new LengthPrefix(new LengthField(width, false), 0, 0, 0, null, 0, PAYLOAD_ONLY);
    }

    /**
     * A length of one byte, up to 255.
     *
     * @return the prefix
     */
    public static LengthPrefix uint8() {
        return ofWidth(1);
    }

    /**
     * An unsigned length of two bytes.
     *
     * @return the prefix, big-endian
     */
    public static LengthPrefix uint16() {
        return ofWidth(2);
    }

    /**
     * An unsigned length of three bytes.
     *
     * @return the prefix, big-endian
     */
    public static LengthPrefix uint24() {
        return ofWidth(3);
    }

    /**
     * An unsigned length of four bytes.
     *
     * @return the prefix, big-endian
     */
    public static LengthPrefix uint32() {
        return ofWidth(4);
    }

    /**
     * A signed length of eight bytes; a negative one is a violation.
     *
     * @return the prefix, big-endian
     */
    public static LengthPrefix int64() {
        return ofWidth(8);
    }

    /**
     * A base-128 varint of one to five bytes, least significant group first, as
     * <a href="https://protobuf.dev/programming-guides/encoding/#varints">Protocol Buffers</a> have it: up to 2^32 - 1.
     *
     * @return the prefix
     */
    public static LengthPrefix varint32() {
        return ofWidth(LengthField.VARINT);
    }

    /**
     * The parameters of Netty's {@link io.netty.handler.codec.LengthFieldBasedFrameDecoder}, with the same meaning.
     *
     * @param offset bytes before the length field
     * @param length bytes of the length field: 1, 2, 3, 4 or 8
     * @param adjustment added to the field's value; the sum counts from behind the field
     * @param bytesToStrip bytes at the front of the frame that do not go on
     * @return the prefix, big-endian
     * @throws IllegalArgumentException if an argument is out of its range
     */
    public static LengthPrefix fromLengthField(int offset, int length, int adjustment, int bytesToStrip) {
        if (length != 1 && length != 2 && length != 3 && length != 4 && length != 8) {
            throw new IllegalArgumentException("a length field has 1, 2, 3, 4 or 8 bytes, not " + length);
        }
        return ofWidth(length).headerBefore(offset).adjustedBy(adjustment).strip(bytesToStrip);
    }

    /**
     * The length field's least significant byte comes first.
     *
     * @return a new prefix
     */
    public LengthPrefix littleEndian() {
        LengthField little = new LengthField(field.width(), true);
        return new LengthPrefix(little, before, after, trailer, countedFrom, adjustment, strip);
    }

    /**
     * The header has so many bytes before the length field.
     *
     * @param bytes 0 or more
     * @return a new prefix
     */
    public LengthPrefix headerBefore(int bytes) {
        return new LengthPrefix(field, natural(bytes), after, trailer, countedFrom, adjustment, strip);
    }

    /**
     * The header has so many bytes between the length field and the payload.
     *
     * @param bytes 0 or more
     * @return a new prefix
     */
    public LengthPrefix headerAfter(int bytes) {
        return new LengthPrefix(field, before, natural(bytes), trailer, countedFrom, adjustment, strip);
    }

    /**
     * So many bytes follow the payload, which no length counts.
     *
     * @param bytes 0 or more
     * @return a new prefix
     */
    public LengthPrefix trailer(int bytes) {
        return new LengthPrefix(field, before, after, natural(bytes), countedFrom, adjustment, strip);
    }

    /**
     * Where the bytes that the length counts start; {@link CountedFrom#PAYLOAD} unless told here or by {@link
     * #adjustedBy}.
     *
     * @param start the first counted byte
     * @return a new prefix
     */
    public LengthPrefix countedFrom(CountedFrom start) {
        Objects.requireNonNull(start, "start");
        return new LengthPrefix(field, before, after, trailer, start, adjustment, strip);
    }

    /**
     * For lengths that no {@link CountedFrom} describes: added to the field's value, as Netty's lengthAdjustment is. As
     * there, the sum counts from {@link CountedFrom#AFTER_FIELD}, unless {@link #countedFrom} says otherwise.
     *
     * @param bytes what the field's value is short of, or, negative, what it has too much
     * @return a new prefix
     */
    public LengthPrefix adjustedBy(int bytes) {
        CountedFrom from = countedFrom == null ? CountedFrom.AFTER_FIELD : countedFrom;
        return new LengthPrefix(field, before, after, trailer, from, bytes, strip);
    }

    /**
     * The whole frame goes on as it was on the wire: header, payload and trailer.
     *
     * @return a new prefix
     */
    public LengthPrefix keepHeader() {
        return strip(0);
    }

    /**
     * The frame goes on without so many bytes at its front; a trailer stays. Without this, the payload alone goes on.
     *
     * @param bytes 0 or more
     * @return a new prefix
     */
    public LengthPrefix strip(int bytes) {
        return new LengthPrefix(field, before, after, trailer, countedFrom, adjustment, natural(bytes));
    }

    private static int natural(int bytes) {
        if (bytes < 0) {
            throw new IllegalArgumentException("bytes: " + bytes + " (expected: 0 or more)");
        }
        return bytes;
    }

    /** This prefix if its parts make sense together and a frame within the limit exists. */
    LengthPrefix checked(long maxFrameLength) {
        if (maxFrameLength < 1) {
            throw new IllegalArgumentException("maxFrameLength: " + maxFrameLength + " (expected: 1 or more)");
        }
        if (field.isVarint() && field.littleEndian()) {
            throw new IllegalArgumentException("a varint has one byte order only, littleEndian() makes no sense");
        }
        long shortest = Math.max(least, more);
        if (shortest > maxFrameLength) {
            throw new IllegalArgumentException("no frame is shorter than " + shortest + " bytes, which is more than"
                    + " maxFrameLength (" + maxFrameLength + "): " + this);
        }
        if (field.width() < 8 && frameLength(field.largestValue(), field.largestWidth()) < least) {
            throw new IllegalArgumentException("no length is enough for the header and what is stripped: " + this);
        }
        return this;
    }

    /** This prefix if it makes sense, with that limit, for frames whose header and payload go on apart. */
    LengthPrefix checkedForStream(long maxFrameLength) {
        if (strip != PAYLOAD_ONLY) {
            throw new IllegalArgumentException("the header goes on apart from the payload, keepHeader() and strip()"
                    + " make no sense: " + this);
        }
        if (longestHeader() > LONGEST_HEADER) {
            throw new IllegalArgumentException("no buffer holds the header: " + this);
        }
        return checked(maxFrameLength);
    }

    /** The whole frame's length if the field says value in so many bytes; negative, perhaps, if beyond 2^63. */
    private long frameLength(long value, int width) {
        return value + uncounted + (countsField ? 0 : width);
    }

    @Override
    long frameLength(ByteBuf bytes, int index) {
        long value = field.read(bytes, index + before, field.smallestWidth());
        long length = value + more;
        return value < 0 || length < least ? frameLength(bytes, index, headerLength) : length;
    }

    @Override
    long frameLength(ByteBuf bytes, int index, int promised) {
        int width = promised - before;
        long value = field.read(bytes, index + before, width);
        if (value < 0) {
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
    int strippedFront(int headerLength) {
        return strip == PAYLOAD_ONLY ? headerLength + after : strip;
    }

    /** The most bytes a header may have. */
    long longestHeader() {
        return (long) before + field.largestWidth() + after;
    }

    /** Bytes of the header before the length field. */
    int before() {
        return before;
    }

    /** Bytes of a frame beside its length field and its payload. */
    long headerAndTrailer() {
        return headerAndTrailer;
    }

    /**
     * Writes the length field alone, for a frame that is written in pieces: bytes before it, this, and what follows.
     *
     * @param out gets the field at its writer index; stays the caller's
     * @param payloadLength bytes of payload, without header and trailer
     * @throws IllegalArgumentException if the length is negative or the field cannot hold it; nothing is written then
     */
    public void writeLength(ByteBuf out, long payloadLength) {
        checked(Long.MAX_VALUE);
        if (payloadLength < 0) {
            throw new IllegalArgumentException("payloadLength: " + payloadLength + " (expected: 0 or more)");
        }
        // A varint that counts itself says more the longer it is.
        int width = field.smallestWidth();
        while (width < field.largestWidth() && value(payloadLength, width) >>> (7 * width) != 0) {
            width++;
        }
        long value = value(payloadLength, width);
        if (value < 0 || value > field.largestValue()) {
            throw new IllegalArgumentException("a payload of " + payloadLength + " bytes cannot be told by " + this);
        }
        field.write(out, value, width);
    }

    /** What the field says for such a payload; negative if nothing can. */
    private long value(long payloadLength, int width) {
        long more = headerAndTrailer() - uncounted + (countsField ? width : 0);
        return payloadLength > Long.MAX_VALUE - Math.max(more, 0) ? -1 : payloadLength + more;
    }

    /** The layout, such as {@code [1 before][uint32 counted from FIELD][payload]}. */
    @Override
    public String toString() {
        StringBuilder drawn = new StringBuilder();
        if (before > 0) {
            drawn.append('[').append(before).append(" before]");
        }
        drawn.append('[').append(field);
        if (countedFrom != null && countedFrom != CountedFrom.PAYLOAD) {
            drawn.append(" counted from ").append(countedFrom);
        }
        if (adjustment != 0) {
            drawn.append(adjustment > 0 ? " + " : " - ").append(Math.abs((long) adjustment));
        }
        drawn.append(']');
        if (after > 0) {
            drawn.append('[').append(after).append(" after]");
        }
        drawn.append("[payload]");
        if (trailer > 0) {
            drawn.append('[').append(trailer).append(" trailer]");
        }
        if (strip != PAYLOAD_ONLY) {
            drawn.append(strip == 0 ? ", header kept" : ", without the first " + strip);
        }
        return drawn.toString();
    }
}
