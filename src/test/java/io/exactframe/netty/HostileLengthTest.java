package io.exactframe.netty;

import static io.exactframe.netty.LengthPrefix.CountedFrom.FIELD;
import static io.exactframe.netty.LengthPrefix.CountedFrom.FRAME;
import static io.exactframe.netty.LengthPrefix.int64;
import static io.exactframe.netty.LengthPrefix.uint16;
import static io.exactframe.netty.LengthPrefix.uint24;
import static io.exactframe.netty.LengthPrefix.uint32;
import static io.exactframe.netty.LengthPrefix.uint8;
import static io.exactframe.netty.LengthPrefix.varint32;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import io.netty.buffer.ByteBuf;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.handler.codec.CorruptedFrameException;
import io.netty.handler.codec.TooLongFrameException;
import io.netty.util.concurrent.Future;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** 3, 6, 7, 9: whatever length a peer sends, one exception, and nothing after it. */
class HostileLengthTest {
    private static final Class<? extends Exception> TOO_LONG = TooLongFrameException.class;
    private static final Class<? extends Exception> CORRUPTED = CorruptedFrameException.class;
    private static final int MAX = Integer.MAX_VALUE;

    private static final byte[] LATER = Wire.bytes("0000 0000 0001 4142 0102 00");

    static List<Arguments> violations() {
        return List.of(
                // limit + 1
                arguments(uint8(), 10, "0a", TOO_LONG),
                arguments(uint16(), 10, "0009", TOO_LONG),
                arguments(uint16().littleEndian(), 10, "0900", TOO_LONG),
                arguments(uint24(), 10, "000008", TOO_LONG),
                arguments(uint24().littleEndian(), 10, "080000", TOO_LONG),
                arguments(uint32(), 10, "00000007", TOO_LONG),
                arguments(uint32().littleEndian(), 10, "07000000", TOO_LONG),
                arguments(int64(), 10, "0000000000000003", TOO_LONG),
                arguments(int64().littleEndian(), 10, "0300000000000000", TOO_LONG),
                arguments(varint32(), 10, "0a", TOO_LONG),
                arguments(varint32(), 300, "ab02", TOO_LONG), // 299 and two bytes of header
                arguments(varint32(), 10, "8680808000", TOO_LONG), // 6, and five bytes of header
                arguments(uint8().trailer(3), 10, "07", TOO_LONG),
                arguments(uint8().headerBefore(1).headerAfter(2), 10, "aa07", TOO_LONG),
                arguments(uint8().countedFrom(FRAME), 10, "0b", TOO_LONG),
                // all ones, as each width carries them
                arguments(uint8(), 255, "ff", TOO_LONG),
                arguments(uint16(), 65_536, "ffff", TOO_LONG),
                arguments(uint24(), 1 << 24, "ffffff", TOO_LONG),
                arguments(uint32(), MAX, "ffffffff", TOO_LONG),
                arguments(uint32().littleEndian(), MAX, "ffffffff", TOO_LONG),
                arguments(int64(), MAX, "ffffffffffffffff", CORRUPTED), // 2^64 - 1 is -1
                arguments(varint32(), MAX, "ffffffff0f", TOO_LONG),
                // negative
                arguments(int64(), MAX, "8000000000000000", CORRUPTED),
                arguments(int64().littleEndian(), MAX, "0000000000000080", CORRUPTED),
                arguments(int64().littleEndian(), MAX, "feffffffffffffff", CORRUPTED),
                arguments(int64().adjustedBy(MAX - 8), MAX, "ffffffffffffff00", CORRUPTED),
                // around 2^31
                arguments(uint32(), MAX, "7ffffffc", TOO_LONG),
                arguments(uint32(), MAX, "7fffffff", TOO_LONG),
                arguments(uint32(), MAX, "80000000", TOO_LONG),
                arguments(uint32().trailer(MAX - 10), MAX, "00000007", TOO_LONG),
                arguments(uint32().adjustedBy(MAX - 8), MAX, "00000005", TOO_LONG),
                arguments(uint32().adjustedBy(MAX - 8), MAX, "ffffffff", TOO_LONG),
                arguments(uint32().headerAfter(MAX - 8), MAX, "ffffffff", TOO_LONG),
                arguments(uint32().countedFrom(FRAME), MAX, "80000000", TOO_LONG),
                // around 2^63
                arguments(int64(), MAX, "7fffffffffffffff", TOO_LONG),
                arguments(int64(), MAX, "7ffffffffffffff7", TOO_LONG), // and 8 of header: 2^63 - 1
                arguments(int64(), MAX, "7ffffffffffffff8", TOO_LONG),
                arguments(int64().littleEndian(), MAX, "ffffffffffffff7f", TOO_LONG),
                arguments(int64().adjustedBy(MAX - 8), MAX, "7fffffffffffffff", TOO_LONG),
                arguments(int64().adjustedBy(-8), MAX, "7fffffffffffffff", TOO_LONG),
                arguments(int64().headerBefore(2).headerAfter(3).trailer(4), MAX, "aabb 7fffffffffffffff", TOO_LONG),
                // 0, or too little for the header, what is stripped or the trailer
                arguments(uint8().countedFrom(FRAME), 10, "00", CORRUPTED),
                arguments(uint16().countedFrom(FRAME), 10, "0001", CORRUPTED),
                arguments(uint16().countedFrom(FIELD), 10, "0000", CORRUPTED),
                arguments(uint32().countedFrom(FIELD).headerBefore(1), 100, "51 00000003", CORRUPTED), // PostgreSQL
                arguments(uint8().countedFrom(FIELD).headerAfter(2), 10, "02", CORRUPTED),
                arguments(uint8().countedFrom(FRAME).headerBefore(2).headerAfter(2), 10, "aabb 04", CORRUPTED),
                arguments(uint8().adjustedBy(-3), 10, "02", CORRUPTED),
                arguments(uint8().adjustedBy(-1).trailer(2), 10, "00", CORRUPTED),
                arguments(uint32().adjustedBy(Integer.MIN_VALUE), MAX, "00000000", CORRUPTED),
                arguments(uint32().adjustedBy(Integer.MIN_VALUE), MAX, "7fffffff", CORRUPTED),
                arguments(int64().adjustedBy(Integer.MIN_VALUE), MAX, "0000000000000001", CORRUPTED),
                arguments(uint8().strip(4), 10, "02", CORRUPTED),
                arguments(varint32().countedFrom(FIELD), 10, "8100", CORRUPTED),
                // varints that never end, or have more than 32 bits
                arguments(varint32(), MAX, "8080808080", CORRUPTED),
                arguments(varint32(), MAX, "ffffffffff", CORRUPTED),
                arguments(varint32(), MAX, "ffffffff10", CORRUPTED),
                arguments(varint32(), MAX, "8080808010", CORRUPTED),
                arguments(varint32().headerBefore(1), MAX, "aa 808080807f", CORRUPTED));
    }

    @ParameterizedTest(name = "{0}, limit {1}: {2}")
    @MethodSource("violations")
    void aDecoderFiresOneExceptionAndEnds(LengthPrefix prefix, int limit, String hex, Class<Exception> violation) {
        for (ReceiveOptions options : List.of(ReceiveOptions.defaults(), ReceiveOptions.defaults().contiguous())) {
            for (int size : new int[] {1, 2, 3, 100}) {
                var decoder = new LengthPrefixedExactDecoder(limit, prefix, options);
                Sink sink = new Sink();
                EmbeddedChannel channel = Wire.channel(decoder, sink);
                byte[] header = Wire.bytes(hex);
                Wire.receiveInPieces(channel, Wire.concat(header, LATER), size);
                assertThat(sink.faults).as("in reads of %d", size).hasSize(1);
                assertThat(decoder.hasEnded()).isTrue();
                assertNothingComesAfter(channel, sink);
                assertThat(sink.faults).hasSize(1).first().isExactlyInstanceOf(violation);
            }
        }
    }

    @ParameterizedTest(name = "{0}, limit {1}: {2}")
    @MethodSource("violations")
    void aReceiverFailsWithItAndFiresItOnce(LengthPrefix prefix, int limit, String hex, Class<Exception> violation) {
        for (int size : new int[] {1, 100}) {
            var receiver = new ExactReceiver();
            Sink sink = new Sink();
            EmbeddedChannel channel = Wire.channel(receiver, sink);
            Future<ByteBuf> bad = receiver.receive(prefix, limit);
            Future<ByteBuf> behind = receiver.receive(1);
            Wire.receiveInPieces(channel, Wire.concat(Wire.bytes(hex), LATER), size);
            assertThat(bad.cause()).isExactlyInstanceOf(violation);
            assertThat(behind.cause()).isSameAs(bad.cause());
            assertThat(receiver.receive(1).cause()).isSameAs(bad.cause());
            assertNothingComesAfter(channel, sink);
            assertThat(sink.faults).containsExactly(bad.cause());
        }
    }

    private static void assertNothingComesAfter(EmbeddedChannel channel, Sink sink) {
        ByteBuf later = channel.alloc().buffer().writeBytes(LATER);
        for (int i = 0; i < 100; i++) {
            int from = i % LATER.length;
            Wire.receive(channel, later.retainedSlice(from, LATER.length - from));
            assertThat(later.refCnt()).as("released unread").isEqualTo(1);
        }
        later.release();
        channel.finish();
        assertThat(sink.frames).isEmpty();
        assertThat(sink.inactive).isEqualTo(1);
    }

    static List<Arguments> largestAndSmallest() {
        return List.of(
                arguments(uint8(), 256, "ff", 256),
                arguments(uint16(), 65_537, "ffff", 65_537),
                arguments(uint16().littleEndian(), 3, "0100", 3),
                arguments(uint24(), (1 << 24) + 2, "ffffff", (1 << 24) + 2),
                arguments(uint32(), MAX, "7ffffffb", MAX),
                arguments(uint32().littleEndian(), MAX, "fbffff7f", MAX),
                arguments(uint32().countedFrom(FRAME), MAX, "7fffffff", MAX),
                arguments(uint32().adjustedBy(Integer.MIN_VALUE), MAX, "80000005", 9),
                arguments(uint32().adjustedBy(MAX - 8), MAX, "00000004", MAX),
                arguments(int64(), MAX, "000000007ffffff7", MAX),
                arguments(int64().littleEndian(), MAX, "f7ffff7f00000000", MAX),
                arguments(varint32(), MAX, "faffffff07", MAX),
                arguments(varint32(), 10, "8580808000", 10));
    }

    @ParameterizedTest(name = "{0}, limit {1}: {2} makes {3} bytes")
    @MethodSource("largestAndSmallest")
    void aFrameOfExactlyTheLimitIsWaitedFor(LengthPrefix prefix, int limit, String hex, int frameLength) {
        Sink sink = new Sink();
        EmbeddedChannel channel = Wire.channel(new LengthPrefixedExactDecoder(limit, prefix), sink);
        byte[] header = Wire.bytes(hex);
        Wire.receive(channel, header);
        channel.finish();
        assertThat(sink.faults).hasSize(1).first().isInstanceOfSatisfying(PrematureCloseException.class, e -> {
            assertThat(e.expectedBytes()).isEqualTo(frameLength);
            assertThat(e.receivedBytes()).isEqualTo(header.length);
            assertThat(e.inHeader()).isFalse();
        });
    }

    static List<Arguments> messages() {
        return List.of(
                arguments(int64(), "fffffffffffffff6", "negative length: -10"),
                arguments(varint32(), "8080808080", "a varint of more than 32 bits"),
                arguments(varint32(), "ffffffff10", "a varint of more than 32 bits"),
                arguments(uint16(), "0009", "frame of 11 bytes, the limit is 10"),
                arguments(uint16().countedFrom(FRAME), "0001", "length 1 makes a frame of 1 bytes, less than its"
                        + " header, its trailer or what is to be stripped"));
    }

    @ParameterizedTest(name = "{0}: {2}")
    @MethodSource("messages")
    void theExceptionSaysWhatIsWrong(LengthPrefix prefix, String hex, String message) {
        Sink sink = new Sink();
        EmbeddedChannel channel = Wire.channel(new LengthPrefixedExactDecoder(10, prefix), sink);
        Wire.receive(channel, Wire.bytes(hex));
        channel.finish();
        assertThat(sink.faults).hasSize(1).first().extracting(Throwable::getMessage).isEqualTo(message);
    }

    /** The other violations: an answer of frameLength() that makes no sense. */
    @ParameterizedTest(name = "{0}")
    @ValueSource(
            longs = {Long.MIN_VALUE, -1000, -4, -2, -1, 0, 1, 11, 1L << 31, 1L << 32, Long.MAX_VALUE})
    void aSenselessAnswerOfACodecEndsItsDecoder(long answer) {
        Sink sink = new Sink();
        var codec = new ExactFrameDecoder(2, 3, 10, ReceiveOptions.defaults()) {
            @Override
            protected long frameLength(ByteBuf header) {
                return answer;
            }
        };
        EmbeddedChannel channel = Wire.channel(codec, sink);
        Wire.receive(channel, LATER);
        assertThat(codec.hasEnded()).isTrue();
        assertNothingComesAfter(channel, sink);
        assertThat(sink.faults).hasSize(1).first().isExactlyInstanceOf(answer > 10 ? TOO_LONG : CORRUPTED);
    }
}
