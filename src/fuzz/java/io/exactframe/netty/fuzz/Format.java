package io.exactframe.netty.fuzz;

import io.exactframe.netty.LengthPrefix;
import io.exactframe.netty.LengthPrefix.CountedFrom;
import java.math.BigInteger;

/**
 * How frames look on the wire, as a script chose it, and what that makes of bytes: written from the documentation, byte by
 * byte from the front, and with nothing of the library in it but the words to tell it the same.
 */
final class Format {
    enum Kind { FIXED, PREFIXED, CODEC }

    /** What the first bytes of a frame say. */
    enum Says { MORE_HEADER, LENGTH, CORRUPTED, TOO_LONG }

    private static final CountedFrom[] STARTS = CountedFrom.values();
    private static final int[] WIDTHS = {1, 2, 3, 4, 8, 0};
    private static final BigInteger LONG_MAX = BigInteger.valueOf(Long.MAX_VALUE);

    static final int CODEC_LONGEST_HEADER = 4;
    static final int PAYLOAD_ONLY = -1;

    Kind kind = Kind.FIXED;
    long max; // the limit; a fixed frame's length
    int width; // 0: a varint
    boolean littleEndian;
    int before;
    int after;
    int trailer;
    CountedFrom from; // null: not said
    int adjustment;
    boolean adjusted;
    int strip = PAYLOAD_ONLY;

    // What measure() found.
    long told; // the length; the bytes of header that are needed
    int header; // that the length was told from

    static Format fixed(Script script) {
        Format it = new Format();
        it.max = Math.max(script.size(), 1);
        return it;
    }

    static Format codec(Script script) {
        Format it = new Format();
        it.kind = Kind.CODEC;
        it.max = CODEC_LONGEST_HEADER + script.size();
        return it;
    }

    static Format prefixed(Script script, boolean wholeFrames) {
        Format it = new Format();
        it.kind = Kind.PREFIXED;
        it.width = WIDTHS[script.upTo(5)];
        int shape = script.next();
        it.littleEndian = it.width > 1 && (shape & 1) != 0;
        it.before = (shape & 2) != 0 ? script.upTo(5) : 0;
        it.after = (shape & 4) != 0 ? script.upTo(5) : 0;
        it.trailer = (shape & 8) != 0 ? script.upTo(4) : 0;
        it.from = (shape & 16) != 0 ? STARTS[script.upTo(3)] : null;
        it.adjusted = (shape & 32) != 0;
        it.adjustment = it.adjusted ? script.upTo(16) - 8 : 0;
        it.strip = wholeFrames && (shape & 64) != 0 ? script.upTo(9) : PAYLOAD_ONLY;
        it.max = Math.max(it.least(), it.frameLength(BigInteger.ZERO, it.fieldLeast()).longValue()) + script.size();
        return it;
    }

    int fieldLeast() {
        return Math.max(width, 1);
    }

    int fieldMost() {
        return width == 0 ? 5 : width;
    }

    /** The fewest bytes a frame may have for its parts to be in it. */
    long least() {
        return switch (kind) {
            case FIXED -> max;
            case CODEC -> 1;
            case PREFIXED -> Math.max((long) before + fieldLeast() + after + trailer, strip);
        };
    }

    /** The same, in the library's words. */
    LengthPrefix prefix() {
        LengthPrefix prefix = switch (width) {
            case 0 -> LengthPrefix.varint32();
            case 1 -> LengthPrefix.uint8();
            case 2 -> LengthPrefix.uint16();
            case 3 -> LengthPrefix.uint24();
            case 4 -> LengthPrefix.uint32();
            default -> LengthPrefix.int64();
        };
        prefix = littleEndian ? prefix.littleEndian() : prefix;
        prefix = prefix.headerBefore(before).headerAfter(after).trailer(trailer);
        prefix = from == null ? prefix : prefix.countedFrom(from);
        prefix = adjusted ? prefix.adjustedBy(adjustment) : prefix;
        return strip == PAYLOAD_ONLY ? prefix : prefix.strip(strip);
    }

    CountedFrom start() {
        return from != null ? from : adjusted ? CountedFrom.AFTER_FIELD : CountedFrom.PAYLOAD;
    }

    /** The whole frame's length if the field, which has so many bytes, says value. */
    BigInteger frameLength(BigInteger value, int field) {
        int notCounted = switch (start()) {
            case FRAME -> 0;
            case FIELD -> before;
            case AFTER_FIELD -> before + field;
            case PAYLOAD -> before + field + after;
        };
        return value.add(BigInteger.valueOf((long) notCounted + trailer + adjustment));
    }

    /** What the field of so many bytes says in a frame of such a length; not for every pair is there one. */
    long valueFor(long length, int field) {
        return length - frameLength(BigInteger.ZERO, field).longValue();
    }

    Says measure(byte[] in, int at, int available, int mode) {
        return switch (kind) {
            case FIXED -> length(max, 0);
            case CODEC -> measureCodec(in, at, available, mode);
            case PREFIXED -> measurePrefix(in, at, available);
        };
    }

    private Says measurePrefix(byte[] in, int at, int available) {
        int field = fieldLeast();
        if (width == 0) {
            while (available >= before + field && in[at + before + field - 1] < 0 && field < 5) {
                field++;
            }
        }
        if (available < before + field) {
            return more(before + field);
        }
        BigInteger value = BigInteger.ZERO;
        for (int i = 0; i < field; i++) {
            boolean lastFirst = littleEndian || width == 0;
            int each = in[at + before + (lastFirst ? field - 1 - i : i)] & 0xff;
            value = width == 0
                    ? value.shiftLeft(7).or(BigInteger.valueOf(each & 0x7f))
                    : value.shiftLeft(8).or(BigInteger.valueOf(each));
        }
        if (width == 0 && (in[at + before + field - 1] < 0 || value.bitLength() > 32)) {
            return Says.CORRUPTED;
        }
        if (width == 8 && value.compareTo(LONG_MAX) > 0) {
            return Says.CORRUPTED;
        }
        BigInteger length = frameLength(value, field);
        if (length.compareTo(LONG_MAX) > 0) {
            return Says.TOO_LONG;
        }
        long whole = length.longValue();
        boolean hasItsParts = whole >= (long) before + field + after + trailer && whole >= strip;
        return hasItsParts ? length(whole, before + field) : Says.CORRUPTED;
    }

    private Says more(int bytes) {
        told = bytes;
        return Says.MORE_HEADER;
    }

    private Says length(long length, int header) {
        this.told = length;
        this.header = header;
        return length < Math.max(header, 1) ? Says.CORRUPTED : Says.LENGTH;
    }

    /** The codec's protocol: its first byte tells how the length is told, and a mode turns its bits round. */
    private Says measureCodec(byte[] in, int at, int available, int mode) {
        if (available < 1) {
            return more(1);
        }
        int first = (in[at] ^ (mode == 0 ? 0 : 0xff)) & 0xff;
        switch (first >> 6) {
            case 0:
                return length(1 + (first & 63), 1);
            case 1:
                return available < 3 ? more(3) : length(3 + ((in[at + 1] & 0xff) << 8 | in[at + 2] & 0xff), 3);
            case 2:
                if (available < 2) {
                    return more(2);
                }
                if ((in[at + 1] & 0x80) == 0) {
                    return length(in[at + 1], 2); // 0 and 1 are less than the header
                }
                return available < 4 ? more(4) : length((in[at + 2] & 0xff) << 8 | in[at + 3] & 0xff, 4);
            default:
                return switch (first & 15) {
                    case 0, 1, 2, 3, 4, 5, 6 -> Says.CORRUPTED;
                    case 7 -> Says.TOO_LONG;
                    default -> length(7, 1);
                };
        }
    }

    /** The answer of the codec's frameLength, by the same protocol. */
    static long codecAnswer(io.netty.buffer.ByteBuf header, int mode) {
        int promised = header.readableBytes();
        int first = (header.readByte() ^ (mode == 0 ? 0 : 0xff)) & 0xff;
        switch (first >> 6) {
            case 0:
                return 1 + (first & 63);
            case 1:
                return promised < 3 ? -3 : 3 + header.readUnsignedShort();
            case 2:
                if (promised < 2) {
                    return -2;
                }
                byte second = header.readByte();
                return second >= 0 ? second : promised < 4 ? -4 : header.readUnsignedShort();
            default:
                switch (first & 15) {
                    case 0:
                        throw new IllegalStateException("frameLength");
                    case 1:
                        throw new io.netty.handler.codec.CorruptedFrameException("frameLength");
                    case 2:
                        return -1; // no more than now
                    case 3:
                        return -(CODEC_LONGEST_HEADER + 1);
                    case 4:
                        return 0;
                    case 5:
                        return Long.MIN_VALUE;
                    case 6:
                        throw new AssertionError("an Error of a codec");
                    case 7:
                        throw new io.netty.handler.codec.TooLongFrameException("frameLength");
                    default:
                        return 7;
                }
        }
    }

    /** Sends a frame with about so much payload, that is right unless there is no right one. */
    void send(Wire wire, int payload, int choice, int mode) {
        switch (kind) {
            case FIXED -> wire.sendFill((int) max);
            case CODEC -> sendCodec(wire, payload, choice, mode);
            case PREFIXED -> sendPrefixed(wire, payload, choice);
        }
    }

    private void sendPrefixed(Wire wire, int payload, int choice) {
        int field = fieldLeast();
        long value = 0;
        for (; field <= fieldMost(); field++) {
            value = valueFor((long) before + field + after + payload + trailer, field);
            if (width != 0 || choice % 5 + 1 <= field && value >>> (7 * field) == 0) {
                break; // a varint may be longer than it needs to be
            }
        }
        field = Math.min(field, fieldMost());
        wire.sendFill(before);
        if (width == 0) {
            for (int i = 0; i < field; i++) {
                wire.send((int) (value >>> (7 * i)) & 0x7f | (i < field - 1 ? 0x80 : 0));
            }
        } else {
            wire.send(value, width, littleEndian);
        }
        wire.sendFill(after + payload + trailer);
    }

    private static void sendCodec(Wire wire, int payload, int choice, int mode) {
        int flip = mode == 0 ? 0 : 0xff;
        switch (choice % 4) {
            case 0 -> {
                wire.send((payload & 63) ^ flip);
                wire.sendFill(payload & 63);
            }
            case 1 -> {
                wire.send((64 | choice >> 2) ^ flip);
                wire.send(payload, 2, false);
                wire.sendFill(payload & 0xffff);
            }
            case 2 -> {
                int length = Math.min(Math.max(payload, 2), 127);
                wire.send(128 ^ flip);
                wire.send(length);
                wire.sendFill(length - 2);
            }
            default -> {
                int length = Math.min(Math.max(payload, 4), 0xffff);
                wire.send(128 ^ flip);
                wire.send(128);
                wire.send(length, 2, false);
                wire.sendFill(length - 4);
            }
        }
    }
}
