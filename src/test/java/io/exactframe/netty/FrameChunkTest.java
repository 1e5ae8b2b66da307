package io.exactframe.netty;

import static io.exactframe.netty.LengthPrefix.uint16;
import static io.exactframe.netty.LengthPrefix.uint32;
import static io.exactframe.netty.LengthPrefix.uint8;
import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import io.exactframe.netty.testing.HeapBytes;
import io.exactframe.netty.testing.Network;
import io.exactframe.netty.testing.Sink;
import io.exactframe.netty.testing.Wire;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.embedded.EmbeddedChannel;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.IntPredicate;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** 13 to 16, 18: the chunks of a stream, and whose memory they are in. */
class FrameChunkTest {
    /** What a ByteBufHolder promises, and that what is made of a chunk still says where it belongs. */
    @Nested
    class Holder {
        private static final long FAR = 5_000_000_000L;

        private FrameChunk chunk;

        @BeforeEach
        void make() {
            chunk = new FrameChunk(abc(), FAR, true);
        }

        private static ByteBuf abc() {
            return ByteBufAllocator.DEFAULT.buffer().writeBytes("abc".getBytes(US_ASCII));
        }

        @AfterEach
        void release() {
            while (chunk.refCnt() > 0) {
                chunk.release();
            }
        }

        static Stream<Arguments> others() {
            return Stream.of(
                    other("copy", FrameChunk::copy, true),
                    other("duplicate", FrameChunk::duplicate, false),
                    other("retainedDuplicate", FrameChunk::retainedDuplicate, true),
                    other("retain", FrameChunk::retain, true),
                    other("retain(1)", chunk -> chunk.retain(1), true),
                    other("touch", FrameChunk::touch, false),
                    other("touch(hint)", chunk -> chunk.touch("here"), false),
                    other("replace", chunk -> chunk.replace(abc()), true));
        }

        private static Arguments other(String name, UnaryOperator<FrameChunk> made, boolean owned) {
            return Arguments.of(name, made, owned);
        }

        @ParameterizedTest(name = "{0}")
        @MethodSource("others")
        void whatIsMadeOfAChunkIsAChunkOfTheSamePlace(String name, UnaryOperator<FrameChunk> made, boolean owned) {
            FrameChunk other = made.apply(chunk);
            assertThat(other.offset()).isEqualTo(FAR);
            assertThat(other.isLast()).isTrue();
            assertThat(other).isEqualTo(chunk).hasSameHashCodeAs(chunk);
            assertThat(other.content().toString(US_ASCII)).isEqualTo("abc");
            if (owned) {
                other.release();
            }
            assertThat(chunk.refCnt()).isEqualTo(1);
        }

        @Test
        void theLastReleaseSaysSo() {
            chunk.retain(2);
            assertThat(chunk.release()).isFalse();
            assertThat(chunk.release(1)).isFalse();
            assertThat(chunk.release()).isTrue();
            chunk = new FrameChunk(abc(), FAR, true);
            assertThat(chunk.retain().release(2)).isTrue();
        }

        @Test
        void chunksOfDifferentPlacesAreNotEqual() {
            assertThat(chunk)
                    .isNotEqualTo(new FrameChunk(chunk.content(), FAR + 1, true))
                    .isNotEqualTo(new FrameChunk(chunk.content(), FAR, false))
                    .isNotEqualTo(new FrameChunk(Unpooled.EMPTY_BUFFER, FAR, true))
                    .isNotEqualTo(null);
        }

        @Test
        void itSaysWhereItBelongsAndNoByteOfWhatItHolds() {
            assertThat(chunk.toString()).startsWith("FrameChunk(offset 5000000000, last, ").doesNotContain("abc");
            assertThat(new FrameChunk(chunk.content(), 7, false).toString())
                    .startsWith("FrameChunk(offset 7, ")
                    .doesNotContain("last");
            chunk.release();
            assertThat(chunk.toString()).contains("freed");
        }
    }

    /** 13 to 16, 18: whose memory a stream's chunks are in, and how much of it there is. */
    @Nested
    class Memory {
        /** Keeps chunks, all or some, as they are. */
        private static final class ChunkKeeper extends Sink {
            final List<FrameChunk> kept = new ArrayList<>();
            private final IntPredicate keeps;
            int chunks;
            long bytes;
            FrameStart start;

            ChunkKeeper(IntPredicate keeps) {
                this.keeps = keeps;
            }

            @Override
            public void channelRead(ChannelHandlerContext ctx, Object message) {
                if (message instanceof FrameChunk chunk) {
                    bytes += chunk.content().readableBytes();
                    if (keeps.test(chunks++)) {
                        kept.add(chunk);
                    } else {
                        chunk.release();
                    }
                } else {
                    start = (FrameStart) message;
                }
            }

            void releaseAll() {
                kept.forEach(FrameChunk::release);
                kept.clear();
            }
        }

        private final ChunkKeeper keeper = new ChunkKeeper(number -> true);

        @Test
        void aReadOfPayloadGoesOnAsItIs() {
            EmbeddedChannel channel = new EmbeddedChannel(new FrameStreamDecoder(1 << 20, uint32()), keeper);
            Wire.receive(channel, Wire.number(3 << 16, 4, false));
            for (int i = 0; i < 3; i++) {
                ByteBuf read = channel.alloc().buffer(1 << 16).writeZero(1 << 16);
                Wire.receive(channel, read);
                assertThat(keeper.kept.get(i).content()).isSameAs(read);
            }
            assertThat(keeper.kept).extracting(FrameChunk::isLast).containsExactly(false, false, true);
            keeper.releaseAll();
            channel.finish();
        }

        @Test
        void aPartOfAReadSharesItsMemory() {
            Network network = new Network(new FrameStreamDecoder(1 << 20, uint16()), keeper);
            byte[] stream = new byte[10_000];
            stream[0] = 0x0f; // 3840 and 2
            stream[3842] = 0x10; // 4096 and 2
            network.receive(stream, 0, stream.length, stream.length);
            assertThat(keeper.bytes).isEqualTo(3840 + 4096);
            assertThat(network.handlers.calls).as("allocations").isZero();
            assertThat(network.pinnedReads()).isEqualTo(1);
            keeper.kept.get(0).content().setByte(7, 42);
            assertThat(keeper.kept.get(0).content().getByte(7)).isEqualTo((byte) 42);
            network.channel.finish();
            keeper.releaseAll();
            network.assertNothingHeld();
        }

        @Test // 15: of the frame nothing is held between reads, and of a header only its bytes, apart from their reads
        void anIncompleteHeaderPinsNoRead() {
            Network network = new Network(new FrameStreamDecoder(1 << 20, uint32().headerBefore(9)), new Sink() {
                @Override
                public void channelRead(ChannelHandlerContext ctx, Object message) {
                    if (message instanceof FrameChunk chunk) {
                        chunk.release();
                    }
                }
            });
            byte[] stream = new byte[13 + 256];
            stream[11] = 1;
            for (int i = 0; i < stream.length; i++) {
                network.receive(stream, i, 1, 1 << 16);
                network.assertNothingHeld();
            }
            assertThat(network.handlers.calls).isZero();
            network.channel.finish();
        }

        @Test // 15, 18
        void theMemoryOfAHeaderFollowsWhatCame() {
            LengthPrefix prefix = uint8().headerBefore(Integer.MAX_VALUE - 100);
            EmbeddedChannel channel = new EmbeddedChannel(new FrameStreamDecoder(Long.MAX_VALUE, prefix), keeper);
            byte[] bytes = new byte[1000];
            long heap = HeapBytes.of(() -> Wire.receive(channel, bytes));
            assertThat(heap).isLessThan(100_000);
            assertThat(keeper.faults).isEmpty();
            channel.finish();
            assertThat(keeper.faults).singleElement().isInstanceOf(PrematureCloseException.class);
        }

        @ParameterizedTest(name = "{0} bytes in reads of {1}")
        @CsvSource({"1,1", "1000,1", "100000,7", "50000000,1000"}) // 18
        void aLongHeaderCostsNoMoreThanItsBytes(int before, int size) {
            LengthPrefix prefix = uint8().headerBefore(before);
            EmbeddedChannel channel = new EmbeddedChannel(new FrameStreamDecoder(Long.MAX_VALUE, prefix), keeper);
            ByteBuf zeros = channel.alloc().buffer(size).writeZero(size);
            for (int left = before; left > 0; left -= size) {
                Wire.receive(channel, zeros.retainedSlice(0, Math.min(size, left)));
            }
            Wire.receive(channel, Wire.bytes("00"));
            zeros.release();
            assertThat(keeper.start.header().readableBytes()).isEqualTo(before + 1);
            assertThat(keeper.start.payloadLength()).isZero();
            channel.finish();
            assertThat(keeper.faults).isEmpty();
            keeper.releaseAll();
        }

        @ParameterizedTest(name = "frames of {0} bytes, every {1}th chunk kept")
        @CsvSource({"4,1", "64,7", "200,1000"}) // 14
        void smallChunksThatAreKeptPinSixteenReadsAndTheirOwnSize(int payload, int every) {
            ChunkKeeper some = new ChunkKeeper(number -> number % every == 0);
            Network network = new Network(new FrameStreamDecoder(1000, uint8()), some);
            byte[] frame = new byte[payload + 1];
            frame[0] = (byte) payload;
            byte[] read = Wire.repeat(frame, (1 << 16) / frame.length);
            for (int i = 0; i < 40; i++) {
                network.receive(read, 0, read.length, 1 << 16);
                assertThat(network.pinnedReads()).isLessThanOrEqualTo(16);
                assertThat(network.handlers.live).isLessThanOrEqualTo((long) some.kept.size() * payload);
            }
            some.releaseAll();
            network.channel.finish();
            network.assertNothingHeld();
        }

        @Test // 14
        void emptyChunksCountForNothing() {
            ChunkKeeper empty = new ChunkKeeper(number -> number % 4 != 3);
            Network network = new Network(new FrameStreamDecoder(1000, uint8()), empty);
            byte[] read = Wire.repeat(Wire.bytes("00 00 00 02 4142"), 100);
            for (int i = 0; i < 40; i++) {
                network.receive(read, 0, read.length, 1 << 16);
                assertThat(network.pinnedReads()).isZero();
            }
            assertThat(empty.kept).hasSize(40 * 300);
            assertThat(network.handlers.calls).as("copies").isZero();
            network.channel.finish();
            network.assertNothingHeld();
        }

        @ParameterizedTest(name = "call {0}")
        @ValueSource(ints = {1, 2, 7}) // 16
        void anAllocatorThatFailsEndsItWithOneException(int k) {
            FrameStreamDecoder decoder = new FrameStreamDecoder(1000, uint8());
            Network network = new Network(decoder, keeper);
            for (int i = 0; i < 16; i++) {
                network.receive(Wire.bytes("02 4142"), 0, 3, 1 << 16);
            }
            network.handlers.failingCall = k; // from here on they are copied
            byte[] read = Wire.repeat(Wire.bytes("02 4142"), 100);
            network.receive(read, 0, read.length, 1 << 16);
            assertThat(keeper.faults).singleElement().hasToString("java.lang.OutOfMemoryError: call " + k);
            assertThat(keeper.kept).hasSize(16 + k - 1);
            assertThat(decoder.hasEnded()).isTrue();
            network.channel.finish();
            assertThat(keeper.faults).hasSize(1);
            keeper.releaseAll();
            network.assertNothingHeld();
        }

        @Test // 13
        void chunksOutliveTheChannelAndAreReleasedByAnyThread() throws Exception {
            EmbeddedChannel channel = new EmbeddedChannel(new FrameStreamDecoder(1000, uint8()), keeper);
            Wire.receive(channel, Wire.bytes("02 4142 03 43"));
            Wire.receive(channel, Wire.bytes("4445"));
            channel.finish();
            List<FrameChunk> chunks = List.copyOf(keeper.kept);
            CompletableFuture.runAsync(() -> {
                for (int i = chunks.size() - 1; i >= 0; i--) {
                    assertThat(Wire.hexAndRelease(chunks.get(i).content())).isEqualTo(List.of("4142", "43", "4445").get(i));
                }
            }).get();
            assertThat(chunks).allMatch(chunk -> chunk.refCnt() == 0);
        }

        @Test
        void aChunkMayBeRetainedAndReleasedLater() {
            List<FrameChunk> retained = new ArrayList<>();
            EmbeddedChannel channel = new EmbeddedChannel(
                    new FrameStreamDecoder(1000, uint8()), new ChannelInboundHandlerAdapter() {
                        @Override
                        public void channelRead(ChannelHandlerContext ctx, Object message) {
                            if (message instanceof FrameChunk chunk) {
                                retained.add(chunk.retain());
                                chunk.release();
                            }
                        }
                    });
            Wire.receive(channel, Wire.bytes("01 41 01 42 02 43"));
            assertThat(retained).extracting(chunk -> Wire.hexAndRelease(chunk.content())).containsExactly("41", "42", "43");
            channel.close();
        }
    }
}
