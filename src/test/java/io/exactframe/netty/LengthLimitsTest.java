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

import io.exactframe.netty.testing.Sink.Keeper;
import io.exactframe.netty.testing.Sink;
import io.exactframe.netty.testing.StreamProbe;
import io.exactframe.netty.testing.Wire;
import io.netty.buffer.AbstractByteBufAllocator;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.UnpooledHeapByteBuf;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.handler.codec.CorruptedFrameException;
import io.netty.handler.codec.TooLongFrameException;
import io.netty.util.concurrent.Future;
import java.util.List;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** 3, 6, 7, 9, 51: lengths at and beyond every limit. */
class LengthLimitsTest {
    /** 3, 6, 7, 9: whatever length a peer sends, one exception, and nothing after it. */
    @Nested
    class Hostile {
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
                            + " header, its trailer or what is to be stripped"),
                    // What an adjustment can make of a length is corrupted, not too long: the last below 0, and 0.
                    arguments(uint32().countedFrom(FRAME).adjustedBy(Integer.MIN_VALUE), "7fffffff", "length 2147483647"
                            + " makes a frame of -1 bytes, less than its header, its trailer or what is to be stripped"),
                    arguments(uint32().countedFrom(FRAME).adjustedBy(Integer.MIN_VALUE), "80000000", "length 2147483648"
                            + " makes a frame of 0 bytes, less than its header, its trailer or what is to be stripped"));
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

    /** 6, 7, 9, 51: lengths around 2^31, 2^32 and 2^63, told as they are or refused. */
    @Nested
    class Streamed {
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

    /** 6: a frame of Integer.MAX_VALUE bytes arrives whole, in memory that only pretends to be there. */
    @Nested
    class LargestInMemory {
        private static final int READ = 1 << 26;

        /** Has a capacity and nothing else. */
        private static final class Pretence extends UnpooledHeapByteBuf {
            private final int capacity;

            Pretence(ByteBufAllocator alloc, int capacity) {
                super(alloc, 0, capacity);
                this.capacity = capacity;
            }

            @Override
            public int capacity() {
                return capacity;
            }

            @Override
            public boolean hasArray() {
                return false;
            }

            @Override
            protected byte _getByte(int index) {
                return 0;
            }

            @Override
            protected void _setByte(int index, int value) {}

            @Override
            public ByteBuf setBytes(int index, ByteBuf source, int sourceIndex, int length) {
                return this;
            }

            @Override
            public ByteBuf getBytes(int index, ByteBuf target, int targetIndex, int length) {
                return this;
            }
        }

        private static final class Pretender extends AbstractByteBufAllocator {
            @Override
            protected ByteBuf newHeapBuffer(int initialCapacity, int maxCapacity) {
                return new Pretence(this, initialCapacity);
            }

            @Override
            protected ByteBuf newDirectBuffer(int initialCapacity, int maxCapacity) {
                return newHeapBuffer(initialCapacity, maxCapacity);
            }

            @Override
            public boolean isDirectBufferPooled() {
                return false;
            }
        }

        @ParameterizedTest(name = "{0} bytes, contiguous: {1}")
        @CsvSource({"2147479552,false", "2147479553,false", "2147483647,false", "2147483647,true"})
        void aFrameOfTheGreatestLengthArrives(int length, boolean contiguous) {
            ReceiveOptions options = contiguous ? ReceiveOptions.defaults().contiguous() : ReceiveOptions.defaults();
            Keeper keeper = Keeper.ofAll();
            EmbeddedChannel channel = Wire.channel(new FixedLengthExactDecoder(length, options), keeper);
            channel.config().setAllocator(new Pretender());
            // A quarter of its root each: no read is worth keeping, all are copied into chunks.
            ByteBuf root = new Pretence(channel.alloc(), 4 * READ).writerIndex(4 * READ);
            for (long left = length; left > 0; left -= READ) {
                Wire.receive(channel, root.retainedSlice(0, (int) Math.min(left, READ)));
            }
            assertThat(keeper.faults).isEmpty();
            assertThat(keeper.kept).hasSize(1);
            assertThat(keeper.kept.get(0).readableBytes()).isEqualTo(length);
            keeper.releaseAll();
            assertThat(root.refCnt()).isEqualTo(1);
            root.release();
            channel.finish();
            assertThat(keeper.faults).isEmpty();
        }
    }
}
