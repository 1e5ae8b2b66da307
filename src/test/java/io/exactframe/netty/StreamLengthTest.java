package io.exactframe.netty;

import static io.exactframe.netty.LengthPrefix.CountedFrom.FIELD;
import static io.exactframe.netty.LengthPrefix.CountedFrom.FRAME;
import static io.exactframe.netty.LengthPrefix.int64;
import static io.exactframe.netty.LengthPrefix.uint16;
import static io.exactframe.netty.LengthPrefix.uint32;
import static io.exactframe.netty.LengthPrefix.uint8;
import static io.exactframe.netty.LengthPrefix.varint32;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import io.netty.buffer.ByteBuf;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.handler.codec.CorruptedFrameException;
import io.netty.handler.codec.TooLongFrameException;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** 6, 7, 9, 51: lengths around 2^31, 2^32 and 2^63, told as they are or refused. */
class StreamLengthTest {
    private static final long MAX = Long.MAX_VALUE;
    private static final Class<? extends Exception> TOO_LONG = TooLongFrameException.class;
    private static final Class<? extends Exception> CORRUPTED = CorruptedFrameException.class;

    private final StreamProbe probe = new StreamProbe();

    static List<Arguments> lengths() {
        return List.of(
                arguments(uint32(), MAX, "7fffffff", 4 + (1L << 31) - 1, (1L << 31) - 1),
                arguments(uint32(), MAX, "80000000", 4 + (1L << 31), 1L << 31),
                arguments(uint32(), MAX, "ffffffff", 4 + (1L << 32) - 1, (1L << 32) - 1),
                arguments(uint32().littleEndian(), MAX, "00000080", 4 + (1L << 31), 1L << 31),
                arguments(varint32(), MAX, "ffffffff0f", 5 + (1L << 32) - 1, (1L << 32) - 1),
                arguments(uint32().countedFrom(FRAME), MAX, "ffffffff", (1L << 32) - 1, (1L << 32) - 5),
                arguments(uint32().adjustedBy(Integer.MAX_VALUE), MAX, "ffffffff",
                        4 + (1L << 32) - 1 + (1L << 31) - 1, (1L << 32) - 1 + (1L << 31) - 1),
                arguments(int64(), MAX, "0000000100000000", 8 + (1L << 32), 1L << 32),
                arguments(int64().littleEndian(), MAX, "0000000001000000", 8 + (1L << 32), 1L << 32),
                // the largest of all
                arguments(int64(), MAX, "7ffffffffffffff7", MAX, MAX - 8),
                arguments(int64().headerBefore(2).headerAfter(3).trailer(4), MAX, "aabb 7fffffffffffffee cccccc",
                        MAX, MAX - 17),
                arguments(int64().countedFrom(FRAME), MAX, "7fffffffffffffff", MAX, MAX - 8),
                arguments(int64().countedFrom(FIELD).trailer(1), MAX, "7ffffffffffffffe", MAX, MAX - 9),
                arguments(int64().adjustedBy(-8), MAX, "7fffffffffffffff", MAX, MAX - 8),
                // as long as the limit
                arguments(int64(), 1L << 40, "000000fffffffff8", 1L << 40, (1L << 40) - 8),
                arguments(uint8(), 10, "09", 10, 9));
    }

    @ParameterizedTest(name = "{0}: {2}")
    @MethodSource("lengths")
    void lengthsAreToldAsTheyAre(LengthPrefix prefix, long limit, String header, long frameLength, long payload) {
        EmbeddedChannel channel = new EmbeddedChannel(new FrameStreamDecoder(limit, prefix), probe);
        byte[] bytes = Wire.bytes(header);
        probe.receive(channel, bytes, 0, bytes.length);
        probe.receive(channel, "abc");
        probe.receive(channel, "def");
        assertThat(probe.log()).first().asString().startsWith("start " + frameLength + "/" + payload + " ");
        assertThat(probe.log()).contains("abc@0", "def@3");
        channel.finish();
        assertThat(probe.faults).singleElement().isInstanceOfSatisfying(PrematureCloseException.class, close -> {
            assertThat(close.expectedBytes()).isEqualTo(frameLength);
            assertThat(close.receivedBytes()).isEqualTo(bytes.length + 6);
            assertThat(close.inHeader()).isFalse();
        });
    }

    static List<Arguments> violations() {
        return List.of(
                arguments(uint8(), 10, "0a", TOO_LONG),
                arguments(uint32(), (1L << 31) + 3, "80000000", TOO_LONG),
                arguments(uint32(), (1L << 32) + 2, "ffffffff", TOO_LONG),
                arguments(varint32(), 1L << 32, "ffffffff0f", TOO_LONG),
                arguments(uint32().trailer(Integer.MAX_VALUE), 1L << 32, "80000000", TOO_LONG),
                arguments(int64(), 1L << 40, "000000fffffffff9", TOO_LONG),
                arguments(int64(), MAX - 1, "7ffffffffffffff7", TOO_LONG),
                // more than 2^63 - 1: no limit allows that
                arguments(int64(), MAX, "7ffffffffffffff8", TOO_LONG),
                arguments(int64(), MAX, "7fffffffffffffff", TOO_LONG),
                arguments(int64().littleEndian(), MAX, "ffffffffffffff7f", TOO_LONG),
                arguments(int64().trailer(1), MAX, "7ffffffffffffff7", TOO_LONG),
                arguments(int64().headerBefore(1), MAX, "aa7ffffffffffffff7", TOO_LONG),
                arguments(int64().countedFrom(FRAME).trailer(1), MAX, "7fffffffffffffff", TOO_LONG),
                arguments(int64().adjustedBy(Integer.MAX_VALUE), MAX, "7fffffffffffffff", TOO_LONG),
                arguments(int64().adjustedBy(-7), MAX, "7fffffffffffffff", TOO_LONG),
                // negative, or less than the header
                arguments(int64(), MAX, "8000000000000000", CORRUPTED),
                arguments(int64(), MAX, "ffffffffffffffff", CORRUPTED),
                arguments(int64().countedFrom(FRAME), MAX, "0000000000000007", CORRUPTED),
                arguments(uint16().countedFrom(FIELD), MAX, "0001", CORRUPTED),
                arguments(uint32().adjustedBy(Integer.MIN_VALUE), MAX, "7fffffff", CORRUPTED),
                arguments(varint32(), MAX, "ffffffff1f", CORRUPTED));
    }

    @ParameterizedTest(name = "{0}: {2}, limit {1}")
    @MethodSource("violations") // 9
    void aLengthThatCannotBeEndsItWithOneException(
            LengthPrefix prefix, long limit, String header, Class<? extends Exception> fault) {
        byte[] bytes = Wire.bytes(header);
        for (int size : new int[] {1, 3, bytes.length}) {
            FrameStreamDecoder decoder = new FrameStreamDecoder(limit, prefix);
            EmbeddedChannel channel = new EmbeddedChannel(decoder, probe);
            for (int at = 0; at < bytes.length; at += size) {
                probe.receive(channel, bytes, at, Math.min(at + size, bytes.length));
            }
            assertThat(decoder.hasEnded()).isTrue();
            assertThat(probe.faults).singleElement().isInstanceOf(fault);
            ByteBuf later = channel.alloc().buffer().writeZero(1 << 16);
            probe.receive(channel, later.retain());
            assertThat(later.release()).as("the only reference left").isTrue();
            channel.finish();
            assertThat(probe.log()).as("in reads of %d", size).noneMatch(line -> line.startsWith("start"));
            assertThat(probe.faults).hasSize(1);
            probe.faults.clear();
        }
    }

    @Test // 9
    void framesInFrontOfAViolationAreGiven() {
        EmbeddedChannel channel = new EmbeddedChannel(new FrameStreamDecoder(5, uint8()), probe);
        probe.receive(channel, "\2ab\1c\5defgh\1i");
        probe.receive(channel, "\1j");
        channel.finish();
        assertThat(probe.log())
                .containsExactly(
                        "start 3/2 \2", "ab@0 last",
                        "start 2/1 \1", "c@0 last",
                        "[TooLongFrameException: frame of 6 bytes, the limit is 5]",
                        "[complete]", "[complete]", "[inactive]");
    }
}
