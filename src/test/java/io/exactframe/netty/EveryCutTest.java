package io.exactframe.netty;

import static io.exactframe.netty.LengthPrefix.CountedFrom.AFTER_FIELD;
import static io.exactframe.netty.LengthPrefix.CountedFrom.FIELD;
import static io.exactframe.netty.LengthPrefix.CountedFrom.FRAME;
import static io.exactframe.netty.LengthPrefix.int64;
import static io.exactframe.netty.LengthPrefix.uint16;
import static io.exactframe.netty.LengthPrefix.uint24;
import static io.exactframe.netty.LengthPrefix.uint32;
import static io.exactframe.netty.LengthPrefix.uint8;
import static io.exactframe.netty.LengthPrefix.varint32;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.util.ReferenceCountUtil;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** 1 to 4: the same frames however the stream is cut. */
@Tag("slow")
class EveryCutTest {
    private static final int LIMIT = 1000;

    @ParameterizedTest(name = "frames of {0}")
    @ValueSource(ints = {1, 2, 3, 4, 5, 8, 16})
    void fixedFramesDoNotDependOnTheCut(int frameLength) {
        byte[] stream = Wire.bytes("00 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f");
        int whole = stream.length / frameLength * frameLength;
        List<String> frames = new ArrayList<>();
        for (int at = 0; at < whole; at += frameLength) {
            frames.add(Wire.hex(stream, at, at + frameLength));
        }
        DecoderVerifier.verify(
                () -> new FixedLengthExactDecoder(frameLength), Arrays.copyOf(stream, whole), frames);
    }

    // Each stream has a zero-length frame in it where the layout can tell one (4).
    static List<Arguments> prefixes() {
        return List.of(
                arguments(uint8(), "02 4142  00  01 43", List.of("4142", "", "43")),
                arguments(uint16(), "0002 4142  0000  0001 43", List.of("4142", "", "43")),
                arguments(uint16().littleEndian(), "0200 4142  0000  0100 43", List.of("4142", "", "43")),
                arguments(uint24(), "000002 4142  000000  000001 43", List.of("4142", "", "43")),
                arguments(uint32().littleEndian(), "02000000 4142  00000000  01000000 43", List.of("4142", "", "43")),
                arguments(int64(), "0000000000000000  0000000000000000", List.of("", "")),
                arguments(int64().littleEndian(), "0600000000000000 414243444546", List.of("414243444546")),
                arguments(varint32(), "02 4142  00  01 43", List.of("4142", "", "43")),
                arguments(varint32(), "8200 4142  8080808000  818000 43", List.of("4142", "", "43")), // overlong, valid
                arguments(uint8().keepHeader(), "02 4142  00  01 43", List.of("024142", "00", "0143")),
                arguments(uint16().keepHeader(), "0002 4142  0000  0001 43", List.of("00024142", "0000", "000143")),
                arguments(varint32().keepHeader(), "8200 4142  00  8080808000",
                        List.of("82004142", "00", "8080808000")),
                arguments(uint8().headerBefore(2), "aabb 02 4142  aabb 00  aabb 01 43", List.of("4142", "", "43")),
                arguments(uint8().headerAfter(2), "02 aabb 4142  00 aabb  01 aabb 43", List.of("4142", "", "43")),
                arguments(uint8().trailer(1), "02 4142 ce  00 ce  01 43 ce", List.of("4142", "", "43")),
                arguments(uint16().trailer(1), "0002 4142 ce  0000 ce  0001 43 ce", List.of("4142", "", "43")),
                arguments(uint8().trailer(1).keepHeader(), "02 4142 ce  00 ce  01 43 ce",
                        List.of("024142ce", "00ce", "0143ce")),
                arguments(uint8().trailer(2).strip(1), "02 4142 cede  00 cede", List.of("4142cede", "cede")),
                arguments(uint16().headerBefore(1).headerAfter(1).keepHeader(), "aa 0002 bb 4142  aa 0000 bb",
                        List.of("aa0002bb4142", "aa0000bb")),
                arguments(uint8().headerBefore(1).headerAfter(1).countedFrom(FRAME), "aa 05 bb 4142  aa 03 bb",
                        List.of("4142", "")),
                arguments(uint8().headerBefore(1).headerAfter(1).countedFrom(FIELD), "aa 04 bb 4142  aa 02 bb",
                        List.of("4142", "")),
                arguments(uint8().headerBefore(1).headerAfter(1).countedFrom(AFTER_FIELD), "aa 03 bb 4142  aa 01 bb",
                        List.of("4142", "")),
                arguments(uint16().strip(1), "0002 4142  0000  0001 43", List.of("024142", "00", "0143")),
                arguments(uint16().strip(3), "0002 4142  0001 43  0001 44", List.of("42", "", "")), // beyond the header
                arguments(uint8().strip(4), "04 41424344  03 454647", List.of("44", "")),
                arguments(uint8().adjustedBy(-3).strip(1), "05 4142  03  04 43", List.of("4142", "", "43")),
                arguments(varint32().countedFrom(FRAME), "03 4142  8200  01", List.of("4142", "", "")));
    }

    @ParameterizedTest(name = "{0}: {1}")
    @MethodSource("prefixes")
    void prefixedFramesDoNotDependOnTheCut(LengthPrefix prefix, String stream, List<String> frames) {
        DecoderVerifier.verify(
                () -> new LengthPrefixedExactDecoder(LIMIT, prefix), Wire.bytes(stream), frames);
        DecoderVerifier.verify(
                () -> new LengthPrefixedExactDecoder(LIMIT, prefix, ReceiveOptions.defaults().contiguous()),
                Wire.bytes(stream),
                frames);
    }

    /** A type byte: 1 has one byte of length, 2 has two, 0 none. The header goes on, as the base class has it. */
    private static final class Codec extends ExactFrameDecoder {
        Codec() {
            super(1, 3, LIMIT, ReceiveOptions.defaults());
        }

        @Override
        protected long frameLength(ByteBuf header) {
            int type = header.readByte();
            if (header.readableBytes() < type) {
                return -(type + 1);
            }
            return 1 + type + (type == 0 ? 0 : type == 1 ? header.readByte() : header.readShort());
        }
    }

    @Test
    void aCodecsFramesDoNotDependOnTheCut() {
        DecoderVerifier.verify(
                Codec::new,
                Wire.bytes("00  01 02 4142  01 00  02 0001 43  02 0000"),
                List.of("00", "01024142", "0100", "02000143", "020000"));
    }

    @Test
    void framesOfAShortenedMessageDoNotDependOnTheCut() {
        // What decode() returns goes on instead of the frame, which is released.
        DecoderVerifier.verify(
                () -> new FixedLengthExactDecoder(4) {
                    @Override
                    protected Object decode(ChannelHandlerContext ctx, ByteBuf frame) {
                        ByteBuf tail = frame.slice(2, 2);
                        return ReferenceCountUtil.retain(tail);
                    }
                },
                Wire.bytes("00010203 04050607 08090a0b"),
                List.of("0203", "0607", "0a0b"));
    }
}
