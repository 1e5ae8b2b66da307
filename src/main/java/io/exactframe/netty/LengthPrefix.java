package io.exactframe.netty;

import static io.exactframe.netty.ReceiveOptions.require;

import io.exactframe.netty.PrefixRule.Layout;
import io.netty.buffer.ByteBuf;
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
 *
 * @since 0.1.0
 */
public final class LengthPrefix {
    private static final int LONGEST_HEADER = Integer.MAX_VALUE - 8; // as long as an array can be

    // One of each, however often it is asked for.
    private static final LengthPrefix UINT8 = ofWidth(1), UINT16 = ofWidth(2), UINT24 = ofWidth(3), UINT32 = ofWidth(4);
    private static final LengthPrefix INT64 = ofWidth(8), VARINT32 = ofWidth(LengthField.VARINT);

    /**
     * Where the bytes that a length field counts start. They end with the payload; a trailer is never counted.
     *
     * @since 0.1.0
     */
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

    private final Layout it;
    private final PrefixRule rule;

    private LengthPrefix(
            LengthField field, int before, int after, int trailer, @Nullable CountedFrom from, int adjustment, int strip) {
        this.it = new Layout(field, before, after, trailer, from, adjustment, strip);
        this.rule = new PrefixRule(it);
    }

    private static LengthPrefix ofWidth(int width) {
        return new LengthPrefix(new LengthField(width, false), 0, 0, 0, null, 0, PrefixRule.PAYLOAD_ONLY);
    }

    /**
     * A length of one byte, up to 255.
     *
     * @return the prefix
     */
    public static LengthPrefix uint8() {
        return UINT8;
    }

    /**
     * An unsigned length of two bytes.
     *
     * @return the prefix, big-endian
     */
    public static LengthPrefix uint16() {
        return UINT16;
    }

    /**
     * An unsigned length of three bytes.
     *
     * @return the prefix, big-endian
     */
    public static LengthPrefix uint24() {
        return UINT24;
    }

    /**
     * An unsigned length of four bytes.
     *
     * @return the prefix, big-endian
     */
    public static LengthPrefix uint32() {
        return UINT32;
    }

    /**
     * A signed length of eight bytes; a negative one is a violation.
     *
     * @return the prefix, big-endian
     */
    public static LengthPrefix int64() {
        return INT64;
    }

    /**
     * A base-128 varint of one to five bytes, least significant group first, as
     * <a href="https://protobuf.dev/programming-guides/encoding/#varints">Protocol Buffers</a> have it: up to 2^32 - 1.
     *
     * @return the prefix
     */
    public static LengthPrefix varint32() {
        return VARINT32;
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
        require(length >= 1 && length <= 4 || length == 8,
                () -> "a length field has 1, 2, 3, 4 or 8 bytes, not " + length);
        return ofWidth(length).headerBefore(offset).adjustedBy(adjustment).strip(bytesToStrip);
    }

    /**
     * The length field's least significant byte comes first.
     *
     * @return a new prefix
     */
    public LengthPrefix littleEndian() {
        return around(new LengthField(it.field().width(), true), it.before(), it.after(), it.trailer());
    }

    /**
     * The header has so many bytes before the length field.
     *
     * @param bytes 0 or more
     * @return a new prefix
     */
    public LengthPrefix headerBefore(int bytes) {
        return around(it.field(), natural(bytes), it.after(), it.trailer());
    }

    /**
     * The header has so many bytes between the length field and the payload.
     *
     * @param bytes 0 or more
     * @return a new prefix
     */
    public LengthPrefix headerAfter(int bytes) {
        return around(it.field(), it.before(), natural(bytes), it.trailer());
    }

    /**
     * So many bytes follow the payload, which no length counts.
     *
     * @param bytes 0 or more
     * @return a new prefix
     */
    public LengthPrefix trailer(int bytes) {
        return around(it.field(), it.before(), it.after(), natural(bytes));
    }

    /**
     * Where the bytes that the length counts start; {@link CountedFrom#PAYLOAD} unless told here or by {@link
     * #adjustedBy}.
     *
     * @param start the first counted byte
     * @return a new prefix
     */
    public LengthPrefix countedFrom(CountedFrom start) {
        return counted(Objects.requireNonNull(start, "start"), it.adjustment(), it.strip());
    }

    /**
     * For lengths that no {@link CountedFrom} describes: added to the field's value, as Netty's lengthAdjustment is. As
     * there, the sum counts from {@link CountedFrom#AFTER_FIELD}, unless {@link #countedFrom} says otherwise.
     *
     * @param bytes what the field's value is short of, or, negative, what it has too much
     * @return a new prefix
     */
    public LengthPrefix adjustedBy(int bytes) {
        CountedFrom from = it.countedFrom() == null ? CountedFrom.AFTER_FIELD : it.countedFrom();
        return counted(from, bytes, it.strip());
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
        return counted(it.countedFrom(), it.adjustment(), natural(bytes));
    }

    private LengthPrefix around(LengthField field, int before, int after, int trailer) {
        return new LengthPrefix(field, before, after, trailer, it.countedFrom(), it.adjustment(), it.strip());
    }

    private LengthPrefix counted(@Nullable CountedFrom from, int adjustment, int strip) {
        return new LengthPrefix(it.field(), it.before(), it.after(), it.trailer(), from, adjustment, strip);
    }

    private static int natural(int bytes) {
        require(bytes >= 0, () -> "bytes: " + bytes + " (expected: 0 or more)");
        return bytes;
    }

    /** The rule, if the parts make sense together and a frame within the limit exists. */
    PrefixRule rule(long maxFrameLength) {
        require(maxFrameLength >= 1, () -> "maxFrameLength: " + maxFrameLength + " (expected: 1 or more)");
        require(!it.field().isVarint() || !it.field().littleEndian(),
                () -> "a varint has one byte order only, littleEndian() makes no sense");
        long shortest = Math.max(rule.least, rule.more);
        require(shortest <= maxFrameLength,
                () -> "no frame is shorter than " + shortest + " bytes, which is more than maxFrameLength ("
                        + maxFrameLength + "): " + this);
        require(rule.hasFrames(), () -> "no length is enough for the header and what is stripped: " + this);
        return rule;
    }

    /** The rule, if it makes sense with that limit for frames whose header and payload go on apart. */
    PrefixRule streamRule(long maxFrameLength) {
        require(it.strip() == PrefixRule.PAYLOAD_ONLY,
                () -> "the header goes on apart from the payload, keepHeader() and strip() make no sense: " + this);
        long header = (long) it.before() + it.field().largestWidth() + it.after();
        require(header <= LONGEST_HEADER, () -> "no buffer holds the header: " + this);
        return rule(maxFrameLength);
    }

    /**
     * Writes the length field alone, for a frame that is written in pieces: bytes before it, this, and what follows.
     *
     * @param out gets the field at its writer index; stays the caller's
     * @param payloadLength bytes of payload, without header and trailer
     * @throws IllegalArgumentException if the length is negative or the field cannot hold it; nothing is written then
     */
    public void writeLength(ByteBuf out, long payloadLength) {
        rule(Long.MAX_VALUE);
        require(payloadLength >= 0, () -> "payloadLength: " + payloadLength + " (expected: 0 or more)");
        require(rule.writeLength(out, payloadLength),
                () -> "a payload of " + payloadLength + " bytes cannot be told by " + this);
    }

    /** The layout, such as {@code [1 before][uint32 counted from FIELD][payload]}. */
    @Override
    public String toString() {
        boolean counts = it.countedFrom() != null && it.countedFrom() != CountedFrom.PAYLOAD;
        String by = it.adjustment() == 0 ? "" : (it.adjustment() > 0 ? " + " : " - ") + Math.abs((long) it.adjustment());
        String strip = it.strip() == 0 ? ", header kept" : ", without the first " + it.strip();
        return drawn(it.before(), "before")
                + '[' + it.field() + (counts ? " counted from " + it.countedFrom() : "") + by + ']'
                + drawn(it.after(), "after") + "[payload]" + drawn(it.trailer(), "trailer")
                + (it.strip() == PrefixRule.PAYLOAD_ONLY ? "" : strip);
    }

    private static String drawn(int bytes, String name) {
        return bytes == 0 ? "" : "[" + bytes + " " + name + "]";
    }
}
