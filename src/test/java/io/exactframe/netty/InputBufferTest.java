package io.exactframe.netty;

import static org.assertj.core.api.Assertions.assertThat;

import io.exactframe.netty.testing.Receiving;
import io.exactframe.netty.testing.SkippingDecoder.ChunkJoiner;
import io.exactframe.netty.testing.Sink;
import io.exactframe.netty.testing.Wire;
import io.netty.buffer.AdaptiveByteBufAllocator;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.CompositeByteBuf;
import io.netty.buffer.PooledByteBufAllocator;
import io.netty.buffer.Unpooled;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.netty.channel.ChannelHandler;
import io.netty.channel.embedded.EmbeddedChannel;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.function.Function;
import java.util.function.Supplier;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** 5, 10, 11, 12: every kind of buffer is read right, nothing outside its indices, and never written to. */
class InputBufferTest {
    /** What is around the readable bytes, and must never be seen. */
    private static final byte OUTSIDE = (byte) 0xEE;

    private static final ByteBufAllocator POOLED = PooledByteBufAllocator.DEFAULT;
    private static final ByteBufAllocator UNPOOLED = UnpooledByteBufAllocator.DEFAULT;
    private static final ByteBufAllocator ADAPTIVE = new AdaptiveByteBufAllocator(true);

    @SuppressWarnings({"deprecation", "unused"})
    enum Kind {
        POOLED_HEAP(bytes -> filled(POOLED.heapBuffer(), bytes)),
        POOLED_DIRECT(bytes -> filled(POOLED.directBuffer(), bytes)),
        UNPOOLED_HEAP(bytes -> filled(UNPOOLED.heapBuffer(), bytes)),
        UNPOOLED_DIRECT(bytes -> filled(UNPOOLED.directBuffer(), bytes)),
        ADAPTIVE_HEAP(bytes -> filled(ADAPTIVE.heapBuffer(), bytes)),
        ADAPTIVE_DIRECT(bytes -> filled(ADAPTIVE.directBuffer(), bytes)),
        COMPOSITE(bytes -> {
            CompositeByteBuf composite = POOLED.compositeBuffer();
            int third = (bytes.length + 2) / 3;
            for (int from = 0; from < bytes.length; from += third) {
                byte[] part = Arrays.copyOfRange(bytes, from, Math.min(from + third, bytes.length));
                composite.addComponent(true, (from == 0 ? UNPOOLED_HEAP : POOLED_DIRECT).of(part));
            }
            return composite;
        }),
        FIXED_COMPOSITE(bytes -> {
            int half = bytes.length / 2;
            // It ignores the reader index of its parts.
            ByteBuf first = POOLED.heapBuffer().writeBytes(bytes, 0, half);
            ByteBuf second = POOLED.directBuffer().writeBytes(bytes, half, bytes.length - half);
            return Unpooled.wrappedUnmodifiableBuffer(first, second);
        }),
        READ_ONLY(bytes -> POOLED_DIRECT.of(bytes).asReadOnly()),
        READ_ONLY_NIO(bytes -> Unpooled.wrappedBuffer(ByteBuffer.wrap(bytes.clone()).asReadOnlyBuffer())),
        SLICE(bytes -> {
            ByteBuf whole = POOLED_DIRECT.of(bytes);
            return whole.slice(); // its own indices; release is the whole's
        }),
        DUPLICATE(bytes -> POOLED_HEAP.of(bytes).duplicate()),
        RETAINED_SLICE(bytes -> {
            ByteBuf whole = POOLED_HEAP.of(bytes);
            ByteBuf slice = whole.readRetainedSlice(bytes.length);
            whole.release();
            return slice;
        }),
        WRAPPED_ARRAY(bytes -> Unpooled.wrappedBuffer(surrounded(bytes), 3, bytes.length)),
        WRAPPED_NIO(bytes -> {
            ByteBuffer direct = ByteBuffer.allocateDirect(bytes.length);
            return Unpooled.wrappedBuffer(direct.put(bytes).flip());
        }),
        LITTLE_ENDIAN(bytes -> POOLED_DIRECT.of(bytes).order(ByteOrder.LITTLE_ENDIAN)),
        LITTLE_ENDIAN_SLICE(bytes -> UNPOOLED_HEAP.of(bytes).order(ByteOrder.LITTLE_ENDIAN).slice()),
        UNRELEASABLE(bytes -> Unpooled.unreleasableBuffer(Unpooled.copiedBuffer(bytes)));

        private final Function<byte[], ByteBuf> made;

        Kind(Function<byte[], ByteBuf> made) {
            this.made = made;
        }

        ByteBuf of(byte[] bytes) {
            return made.apply(bytes);
        }

        private static byte[] surrounded(byte[] bytes) {
            byte[] all = new byte[bytes.length + 7];
            Arrays.fill(all, OUTSIDE);
            System.arraycopy(bytes, 0, all, 3, bytes.length);
            return all;
        }

        /** Reader index 3, and four bytes behind the writer index. */
        private static ByteBuf filled(ByteBuf buffer, byte[] bytes) {
            buffer.writeBytes(surrounded(bytes));
            return buffer.setIndex(3, 3 + bytes.length);
        }
    }

    private record Case(String name, Supplier<ChannelHandler> decoders, byte[] stream, List<String> frames) {}

    private static final List<Case> CASES = cases();

    private static List<Case> cases() {
        byte[] large = Wire.random(new Random(1), 70_000);
        byte[] largeFrame = Wire.concat(Wire.number(large.length, 4, false), large);
        String small = "0002 4142  0000  0005 4344454647  0001 48";
        List<String> payloads = List.of("4142", "", "4344454647", "48");
        int limit = 100_000;
        ReceiveOptions contiguous = ReceiveOptions.defaults().contiguous();
        return List.of(
                new Case("fixed", () -> new FixedLengthExactDecoder(4), Wire.bytes("00010203 04050607 08090a0b"),
                        List.of("00010203", "04050607", "08090a0b")),
                new Case("uint16", () -> new LengthPrefixedExactDecoder(limit, LengthPrefix.uint16()),
                        Wire.bytes(small), payloads),
                new Case("little-endian",
                        () -> new LengthPrefixedExactDecoder(limit, LengthPrefix.uint16().littleEndian()),
                        Wire.bytes("0200 4142  0000  0500 4344454647"), List.of("4142", "", "4344454647")),
                new Case("keepHeader", () -> new LengthPrefixedExactDecoder(limit, LengthPrefix.uint16().keepHeader()),
                        Wire.bytes(small), List.of("00024142", "0000", "00054344454647", "000148")),
                new Case("varint", () -> new LengthPrefixedExactDecoder(limit, LengthPrefix.varint32()),
                        Wire.bytes("02 4142  00  8100 43"), List.of("4142", "", "43")),
                new Case("large", () -> new LengthPrefixedExactDecoder(limit, LengthPrefix.uint32()),
                        Wire.repeat(largeFrame, 2), List.of(hex(large), hex(large))),
                new Case("contiguous", () -> new LengthPrefixedExactDecoder(limit, LengthPrefix.uint32(), contiguous),
                        Wire.repeat(largeFrame, 2), List.of(hex(large), hex(large))),
                new Case("received", () -> new Receiving(new ExactReceiver(), it -> it.receiveOrEnd(4)),
                        Wire.bytes("00010203 04050607 08090a0b"), List.of("00010203", "04050607", "08090a0b")),
                new Case("received, uint16", () -> receiving(new ExactReceiver(), LengthPrefix.uint16()),
                        Wire.bytes(small), payloads),
                new Case("received, large", () -> receiving(new ExactReceiver(), LengthPrefix.uint32()),
                        Wire.repeat(largeFrame, 2), List.of(hex(large), hex(large))),
                new Case("received, contiguous",
                        () -> receiving(new ExactReceiver(contiguous), LengthPrefix.uint32()),
                        Wire.repeat(largeFrame, 2), List.of(hex(large), hex(large))),
                new Case("stream", () -> new ChunkJoiner(new FrameStreamDecoder(limit, LengthPrefix.uint16())),
                        Wire.bytes(small), payloads),
                new Case("large stream", () -> new ChunkJoiner(new FrameStreamDecoder(limit, LengthPrefix.uint32())),
                        Wire.repeat(largeFrame, 2), List.of(hex(large), hex(large))));
    }

    private static Receiving receiving(ExactReceiver receiver, LengthPrefix prefix) {
        return new Receiving(receiver, it -> it.receive(prefix, 100_000));
    }

    private static String hex(byte[] bytes) {
        return Wire.hex(bytes, 0, bytes.length);
    }

    @ParameterizedTest(name = "{0}")
    @EnumSource
    void everyKindOfBufferGivesTheSameFrames(Kind kind) {
        for (Case given : CASES) {
            boolean large = given.stream.length > 1000;
            for (int size : large ? new int[] {70_004, 40_000, 9_000, 1_000} : new int[] {100, 7, 4, 3, 2, 1}) {
                Sink sink = new Sink();
                EmbeddedChannel channel = Wire.channel(given.decoders.get(), sink);
                List<ByteBuf> reads = new ArrayList<>();
                for (byte[] piece : pieces(given.stream, size)) {
                    ByteBuf read = kind.of(piece);
                    reads.add(read);
                    Wire.receive(channel, read);
                    Wire.receive(channel, kind.of(new byte[0])); // 5
                }
                assertThat(sink.frames).as("%s in reads of %d", given.name, size).isEqualTo(given.frames);
                channel.finish();
                assertThat(sink.faults).isEmpty();
                if (kind != Kind.UNRELEASABLE) {
                    assertThat(reads).as("%s in reads of %d", given.name, size).allMatch(read -> read.refCnt() == 0);
                }
            }
        }
    }

    @ParameterizedTest(name = "{0}")
    @EnumSource
    void inputThatOthersHoldIsNeverWrittenTo(Kind kind) {
        // 12
        for (Case given : CASES) {
            for (int size : given.stream.length > 1000 ? new int[] {70_004, 40_000, 9_000} : new int[] {100, 5, 1}) {
                Sink sink = new Sink();
                EmbeddedChannel channel = Wire.channel(given.decoders.get(), sink);
                List<ByteBuf> reads = new ArrayList<>();
                List<String> before = new ArrayList<>();
                for (byte[] piece : pieces(given.stream, size)) {
                    ByteBuf read = kind.of(piece);
                    before.add(everything(read));
                    reads.add(read.retain());
                    Wire.receive(channel, read);
                }
                channel.finish();
                assertThat(sink.frames).isEqualTo(given.frames);
                for (int i = 0; i < reads.size(); i++) {
                    assertThat(everything(reads.get(i))).as("%s in reads of %d", given.name, size)
                            .isEqualTo(before.get(i));
                    assertThat(reads.get(i).refCnt()).isEqualTo(1);
                    reads.get(i).release();
                }
            }
        }
    }

    /** All of its memory, and how much there is. */
    private static String everything(ByteBuf buffer) {
        return hex(ByteBufUtil.getBytes(buffer, 0, buffer.capacity()));
    }

    private static List<byte[]> pieces(byte[] stream, int size) {
        List<byte[]> pieces = new ArrayList<>();
        for (int at = 0; at < stream.length; at += size) {
            pieces.add(Arrays.copyOfRange(stream, at, Math.min(at + size, stream.length)));
        }
        return pieces;
    }
}
