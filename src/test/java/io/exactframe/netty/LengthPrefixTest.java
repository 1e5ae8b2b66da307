package io.exactframe.netty;

import static io.exactframe.netty.LengthPrefix.CountedFrom.AFTER_FIELD;
import static io.exactframe.netty.LengthPrefix.CountedFrom.FIELD;
import static io.exactframe.netty.LengthPrefix.CountedFrom.FRAME;
import static io.exactframe.netty.LengthPrefix.CountedFrom.PAYLOAD;
import static io.exactframe.netty.LengthPrefix.fromLengthField;
import static io.exactframe.netty.LengthPrefix.int64;
import static io.exactframe.netty.LengthPrefix.uint16;
import static io.exactframe.netty.LengthPrefix.uint24;
import static io.exactframe.netty.LengthPrefix.uint32;
import static io.exactframe.netty.LengthPrefix.uint8;
import static io.exactframe.netty.LengthPrefix.varint32;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import io.exactframe.netty.testing.Sink;
import io.exactframe.netty.testing.Wire;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.channel.embedded.EmbeddedChannel;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** 6, 8: what a prefix can say, how it is drawn, and what it refuses. */
class LengthPrefixTest {
    private static final int MAX = Integer.MAX_VALUE;

    private static List<String> frames(LengthPrefix prefix, String hex) {
        Sink sink = new Sink();
        EmbeddedChannel channel = Wire.channel(new LengthPrefixedExactDecoder(1000, prefix), sink);
        Wire.receive(channel, Wire.bytes(hex));
        channel.finish();
        assertThat(sink.faults).isEmpty();
        return sink.frames;
    }

    static List<Arguments> protocols() {
        return List.of(
                arguments("PostgreSQL", uint32().headerBefore(1).countedFrom(FIELD),
                        "[1 before][uint32 counted from FIELD][payload]", "51 00000006 4142  53 00000004", "4142"),
                arguments("MySQL", uint24().littleEndian().headerAfter(1),
                        "[uint24 little-endian][1 after][payload]", "020000 07 4142  000000 08", "4142"),
                arguments("memcached", uint32().headerBefore(8).headerAfter(12),
                        "[8 before][uint32][12 after][payload]",
                        "80 00 0001 00 00 0000  00000002  00000000 0000000000000000  4142"
                                + "80 00 0001 00 00 0000  00000000  00000000 0000000000000000", "4142"),
                arguments("BGP", uint16().headerBefore(16).headerAfter(1).countedFrom(FRAME),
                        "[16 before][uint16 counted from FRAME][1 after][payload]",
                        "ffffffffffffffffffffffffffffffff 0015 04 4142  ffffffffffffffffffffffffffffffff 0013 04",
                        "4142"),
                arguments("TLS", uint16().headerBefore(3), "[3 before][uint16][payload]",
                        "170303 0002 4142  170303 0000", "4142"),
                arguments("AMQP", uint32().headerBefore(3).trailer(1), "[3 before][uint32][payload][1 trailer]",
                        "01 0000 00000002 4142 ce  08 0000 00000000 ce", "4142"),
                arguments("SMB", uint24().headerBefore(1), "[1 before][uint24][payload]",
                        "00 000002 4142  00 000000", "4142"),
                arguments("DNS", uint16(), "[uint16][payload]", "0002 4142  0000", "4142"),
                arguments("Kafka", uint32(), "[uint32][payload]", "00000002 4142  00000000", "4142"),
                arguments("protobuf", varint32(), "[varint32][payload]", "02 4142  00", "4142"));
    }

    @ParameterizedTest(name = "{0}: {2}")
    @MethodSource("protocols")
    void wellKnownPrefixesReadAsOneExpects(
            String name, LengthPrefix prefix, String drawn, String stream, String payload) {
        assertThat(prefix).hasToString(drawn);
        assertThat(frames(prefix, stream)).containsExactly(payload, "");
    }

    static List<Arguments> drawings() {
        return List.of(
                arguments(uint8(), "[uint8][payload]"),
                arguments(int64(), "[int64][payload]"),
                arguments(int64().littleEndian(), "[int64 little-endian][payload]"),
                arguments(uint16().countedFrom(PAYLOAD), "[uint16][payload]"),
                arguments(uint16().adjustedBy(0), "[uint16 counted from AFTER_FIELD][payload]"),
                arguments(uint16().adjustedBy(-3), "[uint16 counted from AFTER_FIELD - 3][payload]"),
                arguments(uint16().countedFrom(FRAME).adjustedBy(4), "[uint16 counted from FRAME + 4][payload]"),
                arguments(uint16().adjustedBy(Integer.MIN_VALUE),
                        "[uint16 counted from AFTER_FIELD - 2147483648][payload]"),
                arguments(uint16().keepHeader(), "[uint16][payload], header kept"),
                arguments(uint16().strip(1), "[uint16][payload], without the first 1"),
                arguments(fromLengthField(1, 4, -2, 3),
                        "[1 before][uint32 counted from AFTER_FIELD - 2][payload], without the first 3"));
    }

    @ParameterizedTest(name = "{1}")
    @MethodSource("drawings")
    void toStringDrawsTheLayout(LengthPrefix prefix, String drawn) {
        assertThat(prefix).hasToString(drawn);
    }

    @ParameterizedTest
    @ValueSource(ints = {-1, Integer.MIN_VALUE})
    void aNegativeNumberOfBytesIsRefusedAtOnce(int bytes) {
        LengthPrefix prefix = uint16();
        assertThatIllegalArgumentException().isThrownBy(() -> prefix.headerBefore(bytes));
        assertThatIllegalArgumentException().isThrownBy(() -> prefix.headerAfter(bytes));
        assertThatIllegalArgumentException().isThrownBy(() -> prefix.trailer(bytes));
        assertThatIllegalArgumentException().isThrownBy(() -> prefix.strip(bytes));
        assertThatIllegalArgumentException().isThrownBy(() -> fromLengthField(bytes, 2, 0, 0));
        assertThatIllegalArgumentException().isThrownBy(() -> fromLengthField(0, 2, 0, bytes));
        assertThatIllegalArgumentException().isThrownBy(() -> fromLengthField(0, bytes, 0, 0));
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 5, 6, 7, 9, 16, MAX})
    void aWidthThatNoFieldHasIsRefusedAtOnce(int width) {
        assertThatIllegalArgumentException().isThrownBy(() -> fromLengthField(0, width, 0, 0));
    }

    @Test
    void countedFromNothingIsRefusedAtOnce() {
        LengthPrefix prefix = uint16();
        assertThatNullPointerException().isThrownBy(() -> prefix.countedFrom(null));
    }

    /** What makes no sense together, and the least limit with which it would; 0 if there is none. */
    static List<Arguments> impossible() {
        return List.of(
                arguments(varint32().littleEndian(), 0),
                arguments(varint32().littleEndian().headerBefore(1), 0),
                // headers longer than the limit
                arguments(uint8(), 1),
                arguments(uint32(), 4),
                arguments(varint32(), 1),
                arguments(uint16().headerBefore(3), 5),
                arguments(uint16().headerAfter(3), 5),
                arguments(uint16().trailer(3), 5),
                arguments(uint16().headerBefore(1).headerAfter(2).trailer(3).countedFrom(FRAME), 8),
                arguments(uint16().headerBefore(MAX - 2), MAX),
                arguments(uint16().headerBefore(MAX), 0),
                arguments(uint16().headerAfter(MAX), 0),
                arguments(uint16().trailer(MAX), 0),
                arguments(uint16().headerBefore(MAX).headerAfter(MAX).trailer(MAX), 0),
                arguments(varint32().headerBefore(MAX), 0),
                // nothing is left of a frame, or more than every frame is stripped
                arguments(uint16().strip(100), 100),
                arguments(uint32().strip(MAX), MAX),
                arguments(uint8().strip(257), 0),
                arguments(uint8().strip(256), 256),
                arguments(uint8().trailer(4).strip(260), 260),
                arguments(uint8().trailer(4).strip(261), 0),
                // an adjustment that makes every frame too short, or too long
                arguments(uint8().adjustedBy(-256), 0),
                arguments(uint8().adjustedBy(-255), 1),
                arguments(uint8().headerAfter(1).adjustedBy(-255), 0),
                arguments(uint16().adjustedBy(-65_536), 0),
                arguments(uint16().adjustedBy(Integer.MIN_VALUE), 0),
                arguments(uint8().countedFrom(FRAME).headerBefore(250).headerAfter(5), 0),
                arguments(uint8().countedFrom(FRAME).headerBefore(250).headerAfter(4), 255),
                arguments(uint8().adjustedBy(100), 101),
                arguments(uint32().adjustedBy(MAX), 0),
                arguments(int64().adjustedBy(MAX), 0));
    }

    @ParameterizedTest(name = "{0}, makes sense from {1}")
    @MethodSource("impossible")
    void whatMakesNoSenseIsRefusedByTheHandler(LengthPrefix prefix, int leastLimit) {
        // 8
        int limit = leastLimit == 0 ? MAX : leastLimit - 1;
        assertThatIllegalArgumentException().isThrownBy(() -> new LengthPrefixedExactDecoder(limit, prefix));
        ExactReceiver receiver = new ExactReceiver();
        EmbeddedChannel channel = new EmbeddedChannel(receiver);
        assertThatIllegalArgumentException().isThrownBy(() -> receiver.receive(prefix, limit));
        if (leastLimit != 0) {
            assertThatCode(() -> new LengthPrefixedExactDecoder(leastLimit, prefix)).doesNotThrowAnyException();
            assertThat(receiver.receive(prefix, leastLimit).isDone()).isFalse();
        }
        channel.finish();
    }

    @ParameterizedTest
    @ValueSource(ints = {0, -1, Integer.MIN_VALUE})
    void aLimitBelowOneIsRefusedByTheHandler(int limit) {
        assertThatIllegalArgumentException().isThrownBy(() -> new LengthPrefixedExactDecoder(limit, uint8()))
                .withMessageContaining("maxFrameLength");
    }

    static IntStream seeds() {
        return IntStream.range(0, 300);
    }

    @ParameterizedTest(name = "seed {0}")
    @MethodSource("seeds")
    void theOrderOfTheChainNeverMatters(int seed) {
        Random random = new Random(seed);
        int before = random.nextInt(4);
        int after = random.nextInt(4);
        int trailer = random.nextInt(3);
        int adjustment = random.nextInt(5) - 2;
        int strip = random.nextInt(8);
        LengthPrefix.CountedFrom from = LengthPrefix.CountedFrom.values()[random.nextInt(4)];
        List<UnaryOperator<LengthPrefix>> chain = new ArrayList<>(List.of(
                prefix -> prefix.headerBefore(before),
                prefix -> prefix.headerAfter(after),
                prefix -> prefix.trailer(trailer),
                prefix -> prefix.countedFrom(from),
                LengthPrefix::littleEndian,
                prefix -> prefix.adjustedBy(adjustment),
                prefix -> prefix.strip(strip)));
        for (int without = random.nextInt(4); without > 0; without--) {
            chain.remove(random.nextInt(chain.size()));
        }
        LengthPrefix first = apply(chain);
        byte[] stream = Wire.random(random, 100);
        for (int i = 0; i < 100; i += 1 + random.nextInt(8)) {
            stream[i] = (byte) random.nextInt(16);
        }
        Sink expected = decode(first, stream);
        for (int i = 0; i < 5; i++) {
            Collections.shuffle(chain, random);
            LengthPrefix other = apply(chain);
            assertThat(other).hasToString(first.toString());
            Sink sink = decode(other, stream);
            assertThat(sink.frames).as("%s", first).isEqualTo(expected.frames);
            assertThat(sink.faults.toString()).as("%s", first).isEqualTo(expected.faults.toString());
            assertThat(written(other)).isEqualTo(written(first));
        }
    }

    private static LengthPrefix apply(List<UnaryOperator<LengthPrefix>> chain) {
        LengthPrefix prefix = uint16();
        for (UnaryOperator<LengthPrefix> step : chain) {
            LengthPrefix before = prefix;
            String drawn = before.toString();
            prefix = step.apply(prefix);
            assertThat(before).as("immutable").hasToString(drawn);
        }
        return prefix;
    }

    private static Sink decode(LengthPrefix prefix, byte[] stream) {
        Sink sink = new Sink();
        EmbeddedChannel channel = Wire.channel(new LengthPrefixedExactDecoder(5000, prefix), sink);
        Wire.receive(channel, stream);
        channel.finish();
        return sink;
    }

    private static String written(LengthPrefix prefix) {
        ByteBuf out = Unpooled.buffer();
        prefix.writeLength(out, 77);
        return ByteBufUtil.hexDump(out);
    }

    @Test
    void payloadAloneIsWhatGoesOnUnlessToldOtherwise() {
        String frame = "aa 02 bb 4142 ce";
        LengthPrefix prefix = uint8().headerBefore(1).headerAfter(1).trailer(1);
        assertThat(frames(prefix, frame)).containsExactly("4142");
        assertThat(frames(prefix.keepHeader(), frame)).containsExactly("aa02bb4142ce");
        assertThat(frames(prefix.strip(2), frame)).containsExactly("bb4142ce");
        assertThat(frames(prefix.strip(4), frame)).containsExactly("42ce");
        assertThat(frames(prefix.strip(6), frame)).containsExactly("");
    }

    @Test
    void countedBytesStartWhereTheyAreSaidTo() {
        LengthPrefix prefix = uint8().headerBefore(1).headerAfter(1).trailer(1);
        assertThat(frames(prefix.countedFrom(PAYLOAD), "aa 02 bb 4142 ce")).containsExactly("4142");
        assertThat(frames(prefix.countedFrom(AFTER_FIELD), "aa 03 bb 4142 ce")).containsExactly("4142");
        assertThat(frames(prefix.countedFrom(FIELD), "aa 04 bb 4142 ce")).containsExactly("4142");
        assertThat(frames(prefix.countedFrom(FRAME), "aa 05 bb 4142 ce")).containsExactly("4142");
        assertThat(frames(prefix.adjustedBy(-4), "aa 07 bb 4142 ce")).containsExactly("4142");
        assertThat(frames(prefix.countedFrom(PAYLOAD).adjustedBy(1), "aa 01 bb 4142 ce")).containsExactly("4142");
    }
}
