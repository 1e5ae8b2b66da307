package io.exactframe.netty;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import io.exactframe.netty.testing.CountingAllocator;
import io.exactframe.netty.testing.HeapBytes;
import io.exactframe.netty.testing.Sink.Keeper;
import io.exactframe.netty.testing.Network;
import io.exactframe.netty.testing.Sink;
import io.exactframe.netty.testing.Wire;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.embedded.EmbeddedChannel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** 15, 18: memory follows what was received, and the cost of a frame its size. */
class MemoryBoundTest {
    /** 15: memory follows what was received, whatever was declared and however it is cut. */
    @Tag("slow")
    @Nested
    class Memory {
        private static final int ALWAYS = 4 * 1024;
        private static final int LIMIT = Integer.MAX_VALUE;

        /** The sizes of reads, in turn, and the capacity of the buffer each comes in; 0 for just as much. */
        private record Reads(String drawn, int capacity, int... sizes) {
            @Override
            public String toString() {
                return drawn;
            }
        }

        private static final List<Reads> READS = List.of(
                new Reads("one byte a read", 0, 1),
                new Reads("one byte in 2 KiB", 2048, 1),
                new Reads("8192 and 1 byte in turn", 0, 8192, 1),
                new Reads("8192 and 1 byte in turn, in 64 KiB", 1 << 16, 8192, 1),
                new Reads("8 KiB in 64 KiB", 1 << 16, 8192),
                new Reads("half of 64 KiB", 1 << 16, 1 << 15),
                new Reads("less than half of 64 KiB", 1 << 16, (1 << 15) - 1),
                new Reads("64 KiB", 0, 1 << 16),
                new Reads("1460 in 2 KiB", 2048, 1460),
                new Reads("1 byte and 64 KiB in turn", 0, 1, 1 << 16),
                new Reads("4095, 8192 and 1 byte in turn", 0, 4095, 8192, 1),
                // A first chunk that has grown counts as what it is, beside parts of which half is used.
                new Reads("4 KiB in pieces, then half of 64 KiB", 1 << 16,
                        5, 251, 256, 512, 1024, 2048, 1 << 15, 1 << 15, 1 << 15));

        static Stream<Arguments> readsAndFrames() {
            int[] lengths = {8, 100, 4096, 5000, 1 << 16, (1 << 16) + 1, 70_000, 180_000, 1 << 20};
            return READS.stream().flatMap(reads -> IntStream.of(lengths)
                    // By single bytes a large frame takes long.
                    .filter(length -> reads.sizes.length > 1 || reads.sizes[0] > 1 || length <= 70_000)
                    .mapToObj(length -> arguments(reads, length)));
        }

        @ParameterizedTest(name = "{0}, frames of {1}")
        @MethodSource("readsAndFrames")
        void noMoreIsHeldThanTwiceWhatWasReceived(Reads reads, int frameLength) {
            byte[] stream = frames(frameLength, Math.max(2, Math.min(20, 200_000 / frameLength)));
            boolean inOnePiece = frameLength <= 1 << 16;
            Run normal = new Run(frameLength, ReceiveOptions.defaults(), inOnePiece);
            Run contiguous = new Run(frameLength, ReceiveOptions.defaults().contiguous(), true);
            for (Run run : List.of(normal, contiguous)) {
                int turn = 0;
                for (int at = 0; at < stream.length; ) {
                    int count = Math.min(reads.sizes[turn++ % reads.sizes.length], stream.length - at);
                    run.receive(stream, at, count, Math.max(reads.capacity, count));
                    at += count;
                }
                run.finish();
            }
        }

        /** 53: what a budget counts is what is held, also of reads that fill only half of their buffers. */
        @ParameterizedTest(name = "{0}, frames of {1}")
        @MethodSource("readsAndFrames")
        void noMoreIsHeldThanTheBudgetWasAskedFor(Reads reads, int frameLength) {
            byte[] stream = frames(frameLength, Math.max(2, Math.min(20, 200_000 / frameLength)));
            for (ReceiveOptions options : List.of(ReceiveOptions.defaults(), ReceiveOptions.defaults().contiguous())) {
                ReceiveBudget budget = new ReceiveBudget(10 << 20);
                Run run = new Run(frameLength, options.budget(budget).frameDeadline(Duration.ofDays(1)), true);
                int turn = 0;
                for (int at = 0; at < stream.length; ) {
                    int count = Math.min(reads.sizes[turn++ % reads.sizes.length], stream.length - at);
                    run.receive(stream, at, count, Math.max(reads.capacity, count));
                    at += count;
                    long held = run.network.held();
                    assertThat(held).as("held after %d bytes", at).isLessThanOrEqualTo(budget.used() + ALWAYS);
                }
                run.finish();
            }
        }

        @ParameterizedTest(name = "seed {0}")
        @MethodSource("seeds")
        void noMoreIsHeldHoweverTheStreamIsCut(int seed) {
            Random random = new Random(seed);
            int frameLength = 5 + random.nextInt(1 << (4 + random.nextInt(17)));
            boolean contiguous = random.nextBoolean();
            ReceiveOptions options = contiguous ? ReceiveOptions.defaults().contiguous() : ReceiveOptions.defaults();
            Run run = new Run(frameLength, options, contiguous || frameLength <= 1 << 16);
            byte[] stream = frames(frameLength, 3);
            int largest = Math.max(1 << random.nextInt(18), stream.length / 2000);
            for (int at = 0; at < stream.length; ) {
                int count = Math.min(1 + random.nextInt(largest), stream.length - at);
                run.receive(stream, at, count, count + (random.nextBoolean() ? 0 : random.nextInt(1 << 17)));
                at += count;
            }
            run.finish();
        }

        static IntStream seeds() {
            return IntStream.range(0, 200);
        }

        /** One channel and its bound, checked after each read and, for what the handler allocates, within it. */
        private static final class Run {
            private final int frameLength;
            private final int whileCopied;
            private final Sink sink = new Keeper(frame -> false);
            private final Network network;
            private long received;

            Run(int frameLength, ReceiveOptions options, boolean inOnePiece) {
                this.frameLength = frameLength;
                this.whileCopied = inOnePiece ? 3 : 2;
                LengthPrefix prefix = LengthPrefix.uint32().keepHeader();
                network = new Network(new LengthPrefixedExactDecoder(LIMIT, prefix, options), sink);
            }

            void receive(byte[] stream, int at, int count, int capacity) {
                network.handlers.resetPeak();
                boolean ofOneFrame = received % frameLength + count <= frameLength;
                long pinned = ofOneFrame ? network.reads.live : 0; // else given back on the way
                network.receive(stream, at, count, capacity);
                long most = pinned + network.handlers.peak;
                long mostOfAFrame = Math.min(frameLength, received % frameLength + count);
                received += count;
                long partial = received % frameLength;
                if (network.held() > 2 * partial + ALWAYS
                        || most > whileCopied * mostOfAFrame + ALWAYS
                        || partial == 0 && network.held() != 0) {
                    assertThat(network.held()).as("held after %d bytes", partial).isLessThanOrEqualTo(2 * partial + ALWAYS);
                    assertThat(most).as("at most, in the read up to byte %d", mostOfAFrame)
                            .isLessThanOrEqualTo(whileCopied * mostOfAFrame + ALWAYS);
                    assertThat(network.held()).as("held between frames").isZero();
                }
            }

            void finish() {
                assertThat(((Keeper) sink).count).isEqualTo((int) (received / frameLength));
                assertThat(network.channel.finish()).isFalse();
                assertThat(sink.faults).isEmpty();
                network.assertNothingHeld();
            }
        }

        private static byte[] frames(int frameLength, int count) {
            byte[] frame = new byte[frameLength];
            System.arraycopy(Wire.number(frameLength - 4, 4, false), 0, frame, 0, 4);
            return Wire.repeat(frame, count);
        }

        /** 18: the first chunk of a large frame has room for what came, at least 256 bytes, and grows from there. */
        @ParameterizedTest(name = "{0} bytes in a chunk of {1}")
        @CsvSource({"1, 256", "256, 256", "257, 512", "1500, 2048", "2048, 2048", "2049, 4096"})
        void theFirstChunkIsAsLargeAsWhatCame(int count, int chunk) {
            byte[] stream = new byte[1 << 20];
            for (int before : new int[] {0, 1 << 16}) { // bytes that stay as they came
                Network network = new Network(new FixedLengthExactDecoder(stream.length), new Sink());
                if (before > 0) {
                    network.receive(stream, 0, before, before);
                }
                network.receive(stream, 0, count, 1 << 16);
                assertThat(network.handlers.allocated).isEqualTo(chunk);
                network.channel.finish();
                network.assertNothingHeld();
            }
        }

        /** 15, 18: in one piece as soon as that is within the bound, or its bytes are copied more often than need be. */
        @Test
        void aContiguousFrameIsWholeAtOnceIfNearlyHalfOfItIsHere() {
            byte[] stream = new byte[70_000];
            Network network = new Network(contiguous(stream.length), new Sink());
            network.receive(stream, 0, (stream.length - ALWAYS) / 2, 1 << 16);
            assertThat(network.handlers.allocated).isEqualTo(stream.length);
            assertThat(network.reads.live).isZero();
            network.channel.finish();
            network.assertNothingHeld();
        }

        /** Behind a chunk that grew to 4 KiB, or none. */
        @ParameterizedTest(name = "{0} bytes first")
        @ValueSource(ints = {0, 4096})
        void aContiguousFrameOfHalfFilledReadsIsWholeAsSoonAsThatMayBeHeld(int first) {
            int read = 1 << 15;
            int held = first + 2 * 2 * read; // at the third such read, and without it
            byte[] stream = new byte[3 * (first + 3 * read) + ALWAYS - held];
            Network network = new Network(contiguous(stream.length), new Sink());
            for (int at = 0; at < first; at += Math.max(at, 256)) {
                network.receive(stream, at, Math.max(at, 256), 1 << 12);
            }
            for (int at = first; at < first + 3 * read; at += read) {
                assertThat(network.handlers.live).isEqualTo(first); // as they came
                network.receive(stream, at, read, 2 * read);
            }
            assertThat(network.handlers.live).isEqualTo(stream.length);
            assertThat(network.reads.live).isZero();
            network.channel.finish();
            network.assertNothingHeld();
        }

        private static FixedLengthExactDecoder contiguous(int frameLength) {
            return new FixedLengthExactDecoder(frameLength, ReceiveOptions.defaults().contiguous());
        }

        @ParameterizedTest(name = "{0} bytes in 64 KiB")
        @ValueSource(ints = {(1 << 16) - ALWAYS, (1 << 16) - ALWAYS - 1}) // 53: it pins no more than was asked for
        void withABudgetAReadIsAPartIfItIsNearlyFull(int count) {
            ReceiveBudget budget = new ReceiveBudget(1 << 20);
            ReceiveOptions options = ReceiveOptions.defaults().budget(budget).frameDeadline(Duration.ofDays(1));
            Network network = new Network(new FixedLengthExactDecoder(200_000, options), new Sink());
            network.receive(new byte[count], 0, count, 1 << 16);
            assertThat(network.reads.live).isEqualTo(count == (1 << 16) - ALWAYS ? 1 << 16 : 0);
            network.channel.finish();
            network.assertNothingHeld();
        }

        @Test
        void slicesOfALargeReadPinItNoLongerThanHalfOfItIsUsed() {
            // 8 KiB slices of 64 KiB buffers: each adopted one would keep 64 KiB alive.
            byte[] stream = new byte[1 << 20];
            Network network = new Network(new FixedLengthExactDecoder(stream.length), new Sink());
            for (int at = 0; at < stream.length - (1 << 16); at += 1 << 16) {
                network.receiveInSlices(stream, at, 1 << 16, 8192);
                assertThat(network.held()).isLessThanOrEqualTo(2L * (at + (1 << 16)) + ALWAYS);
                assertThat(network.pinnedReads()).isZero();
            }
            network.channel.finish();
            network.assertNothingHeld();
        }

        @Test
        void aCompositeReadCountsWithWhatItKeepsAlive() {
            // 14 and 15
            Keeper keeper = Keeper.ofAll();
            Network network = new Network(new FixedLengthExactDecoder(1 << 20), new Sink());
            Network kept = new Network(new FixedLengthExactDecoder(1024), keeper);
            for (int i = 1; i <= 64; i++) {
                for (Network each : List.of(network, kept)) {
                    ByteBuf root = each.reads.buffer(1 << 16).writeZero(1 << 16);
                    ByteBuf slice = root.readRetainedSlice(8192);
                    root.release();
                    Wire.receive(each.channel, each.reads.compositeBuffer().addComponent(true, slice));
                }
                assertThat(network.held()).isLessThanOrEqualTo(2L * i * 8192 + ALWAYS);
                assertThat(kept.reads.live).as("reads pinned by frames").isLessThanOrEqualTo(16L << 16);
            }
            keeper.releaseAll();
            network.channel.finish();
            kept.channel.finish();
            network.assertNothingHeld();
            kept.assertNothingHeld();
        }

        @ParameterizedTest(name = "{0} bytes in 64 KiB, then silence")
        @MethodSource("beginnings")
        void aBeginningPinsNoRead(int count) {
            byte[] stream = frames(1 << 20, 1);
            for (LengthPrefix prefix : List.of(
                    LengthPrefix.uint32(), LengthPrefix.uint32().keepHeader(), LengthPrefix.uint32().strip(1000))) {
                Network network = new Network(new LengthPrefixedExactDecoder(LIMIT, prefix), new Sink());
                network.receive(stream, 0, count, 1 << 16);
                assertThat(network.reads.live).isZero();
                assertThat(network.handlers.live).isLessThanOrEqualTo(count < 4 ? 0 : 2L * count + ALWAYS);
                network.channel.finish();
                network.assertNothingHeld();
            }
        }

        @Test
        void aHeaderThatIsStrippedCostsNoMemoryBeforeItsPayload() {
            Network network = new Network(new LengthPrefixedExactDecoder(LIMIT, LengthPrefix.uint32()), new Sink());
            network.receive(frames(1000, 1), 0, 4, 1 << 16);
            assertThat(network.handlers.live).isZero();
            network.channel.finish();
            network.assertNothingHeld();
        }

        static IntStream beginnings() {
            return IntStream.of(1, 2, 3, 4, 5, 4096);
        }

        /** What the decoders hold, and the memory of what came. On the heap, all of it, where it is counted a second time. */
        @ParameterizedTest(name = "{0} bytes of 2 GiB from each of 10,000 peers")
        @ValueSource(ints = {6, 100, 257, 261, 513, 1000})
        void whoDeclares2GiBHoldsWhatItSentAnd1000Bytes(int sent) {
            int peers = 10_000;
            byte[] bytes = new byte[sent];
            System.arraycopy(Wire.bytes("7ffffffb"), 0, bytes, 0, 4);
            for (LengthPrefix prefix : List.of(LengthPrefix.uint32(), LengthPrefix.uint32().keepHeader())) {
                for (boolean dripped : new boolean[] {false, true}) {
                    CountingAllocator handlers = new CountingAllocator();
                    List<EmbeddedChannel> channels = new ArrayList<>();
                    for (int i = 0; i < peers; i++) {
                        EmbeddedChannel channel = new EmbeddedChannel();
                        channel.config().setAllocator(handlers);
                        channels.add(channel);
                    }
                    long before = HeapBytes.used();
                    for (EmbeddedChannel channel : channels) {
                        channel.pipeline().addLast(new LengthPrefixedExactDecoder(LIMIT, prefix));
                        ByteBuf read = Unpooled.buffer(1 << 11).writeBytes(bytes);
                        for (int step = dripped ? 1 + sent / 3 : sent; read.isReadable(); ) {
                            channel.pipeline().fireChannelRead(read.readRetainedSlice(Math.min(step, read.readableBytes())));
                        }
                        assertThat(read.refCnt()).isEqualTo(1);
                        read.release();
                    }
                    long heap = HeapBytes.used() - before;
                    assertThat(handlers.live).isLessThanOrEqualTo(peers * (sent + 1000L));
                    assertThat(heap).as("with the decoder and its place in the pipeline")
                            .isLessThanOrEqualTo(peers * (sent + 1000L));
                    for (EmbeddedChannel channel : channels) {
                        channel.pipeline().addLast(new Sink());
                        channel.finish();
                    }
                    assertThat(handlers.live).isZero();
                }
            }
        }

        /** What is for what waits is made when something waits. */
        @Test
        void anIdleDecoderIsSmall() {
            long without = heapOf(() -> new EmbeddedChannel(new ChannelDuplexHandler()));
            long with = heapOf(() -> new EmbeddedChannel(new FixedLengthExactDecoder(4)));
            assertThat(with - without).isLessThan(80);
        }

        /** Bytes of each. */
        private static long heapOf(Supplier<EmbeddedChannel> idle) {
            int count = 10_000;
            List<EmbeddedChannel> channels = new ArrayList<>(count);
            long before = HeapBytes.used();
            for (int i = 0; i < count; i++) {
                channels.add(idle.get());
            }
            long used = HeapBytes.used() - before;
            channels.forEach(EmbeddedChannel::finish);
            return used / count;
        }

        @Test
        void aHeaderOf2GiBFromEveryPeerCostsNothing() {
            int peers = 10_000;
            byte[] header = Wire.bytes("7ffffffb");
            CountingAllocator reads = new CountingAllocator();
            CountingAllocator handlers = new CountingAllocator();
            List<EmbeddedChannel> channels = new ArrayList<>();
            List<ReceiveOptions> options =
                    List.of(ReceiveOptions.defaults(), ReceiveOptions.defaults().contiguous());
            Sink sink = new Sink() {
                @Override
                public boolean isSharable() {
                    return true;
                }
            };
            for (int i = 0; i < peers; i++) {
                ByteBuf read = reads.buffer(1 << 16).writeBytes(header);
                EmbeddedChannel channel = Wire.channel(
                        new LengthPrefixedExactDecoder(LIMIT, LengthPrefix.uint32(), options.get(i % 2)), sink);
                channel.config().setAllocator(handlers);
                channels.add(channel);
                Wire.receive(channel, read);
            }
            assertThat(reads.live).as("after the header").isZero();
            assertThat(handlers.live).as("after the header").isLessThanOrEqualTo(peers * (2L * header.length + ALWAYS));
            for (EmbeddedChannel channel : channels) {
                handlers.resetPeak();
                long before = handlers.live;
                Wire.receive(channel, reads.buffer(1 << 16).writeByte(0));
                assertThat(handlers.peak - before).isLessThanOrEqualTo(2 * 5 + ALWAYS);
                assertThat(reads.live).isZero();
            }
            channels.forEach(EmbeddedChannel::finish);
            assertThat(handlers.live).isZero();
            assertThat(sink.frames).isEmpty();
            assertThat(sink.faults).hasSize(peers).allMatch(e -> e instanceof PrematureCloseException);
        }
    }

    /** 18: what a frame costs is linear in its size, for every size of read. Counted, not timed. */
    @Tag("slow")
    @Nested
    class Cost {
        private static final int READ = 1 << 16;

        /** What the first chunk of a large frame copies while it grows from 256 bytes to 4 KiB: 256, 512, 1024, 2048. */
        private static final int GROWTH = 4096 - 256;

        private static final int GROWTHS = 4;

        static Stream<Arguments> framesAndReads() {
            return IntStream.of(1 << 10, 1 << 12, 1 << 14, 1 << 16, 1 << 18, 1 << 20, 1 << 22)
                    .boxed()
                    .flatMap(frame -> IntStream.of(1, 100, 1_460, 8_191, READ)
                            .filter(read -> frame / read <= 1 << 18)
                            .mapToObj(read -> arguments(frame, read)));
        }

        @ParameterizedTest(name = "frame of {0} in reads of {1}")
        @MethodSource("framesAndReads")
        void aFrameIsCopiedOnceIntoMemoryOfItsSize(int frameLength, int size) {
            CountingAllocator cost = receive(frameLength, size, ReceiveOptions.defaults());
            if (frameLength > READ) {
                assertThat(cost.copied).isLessThanOrEqualTo(frameLength + GROWTH);
                assertThat(cost.allocated).isLessThanOrEqualTo(frameLength + GROWTH);
            } else {
                assertThat(cost.copied).isLessThanOrEqualTo(2L * frameLength);
                assertThat(cost.allocated).isLessThanOrEqualTo(2L * frameLength);
            }
            assertThat(cost.calls).isLessThanOrEqualTo(mostCalls(frameLength));
        }

        @ParameterizedTest(name = "frame of {0} in reads of {1}")
        @MethodSource("framesAndReads")
        void aContiguousFrameIsCopiedTwiceAtMost(int frameLength, int size) {
            CountingAllocator cost = receive(frameLength, size, ReceiveOptions.defaults().contiguous());
            assertThat(cost.copied).isLessThanOrEqualTo(2L * frameLength);
            assertThat(cost.allocated).isLessThanOrEqualTo(2L * frameLength);
            assertThat(cost.calls).isLessThanOrEqualTo(mostCalls(frameLength));
            if (frameLength > 2 * READ) {
                assertThat(cost.peak).as("the frame and a half").isLessThanOrEqualTo(3L * frameLength / 2 + READ);
            }
        }

        @ParameterizedTest(name = "{0} bytes")
        @ValueSource(ints = {1 << 18, 1 << 20, 1 << 24})
        void aLargeFrameInLargeReadsIsNotCopied(int frameLength) {
            CountingAllocator cost = receive(frameLength, READ, ReceiveOptions.defaults());
            assertThat(cost.copied).isZero();
            assertThat(cost.allocated).isZero();
        }

        /** The cost of the frame, without that of its reads. */
        private static CountingAllocator receive(int frameLength, int size, ReceiveOptions options) {
            Keeper keeper = Keeper.ofAll();
            Network network = new Network(new FixedLengthExactDecoder(frameLength, options), keeper);
            byte[] bytes = new byte[READ];
            for (int at = 0; at < frameLength; ) {
                int count = Math.min(size < READ / 2 ? READ / size * size : size, frameLength - at);
                network.receiveInSlices(bytes, 0, count, size);
                at += count;
            }
            assertThat(keeper.kept).hasSize(1);
            assertThat(keeper.kept.get(0).readableBytes()).isEqualTo(frameLength);
            keeper.releaseAll();
            network.channel.finish();
            network.assertNothingHeld();
            return network.handlers;
        }

        /** One for each doubling from 4 KiB on, in front of that those of a large frame's first chunk. */
        private static int mostCalls(int frameLength) {
            int doublings = 32 - Integer.numberOfLeadingZeros(frameLength / 4096);
            return 2 + doublings + (frameLength > READ ? GROWTHS : 0);
        }

        @ParameterizedTest(name = "{0} bytes one by one")
        @ValueSource(ints = {1 << 10, 1 << 14, 1 << 17})
        void aByteCostsNoObject(int frameLength) {
            Keeper keeper = new Keeper(number -> false);
            Network network = new Network(new FixedLengthExactDecoder(frameLength), keeper);
            ByteBuf one = network.reads.buffer(1).writeByte(0);
            long heap = HeapBytes.of(() -> {
                for (int i = 0; i < frameLength; i++) {
                    network.channel.pipeline().fireChannelRead(one.retain().readerIndex(0));
                }
            });
            // The frame's memory, twice if it grows in one piece, and what is made once a frame.
            long frame = frameLength > READ ? frameLength + GROWTH : frameLength <= 4096 ? frameLength : 2L * frameLength;
            assertThat(heap).isLessThan(frame + 2_000);
            assertThat(keeper.count).isEqualTo(HeapBytes.RUNS);
            one.release();
            network.channel.finish();
            network.assertNothingHeld();
        }

        @Test
        void aSmallFrameCostsItsSliceAndNoMore() {
            Keeper keeper = new Keeper(number -> false);
            Network network = new Network(new LengthPrefixedExactDecoder(100, LengthPrefix.uint8()), keeper);
            byte[] frame = Wire.bytes("03 010203");
            ByteBuf read = network.reads.buffer(READ).writeBytes(Wire.repeat(frame, READ / frame.length));
            long heap = HeapBytes.of(() -> network.channel.pipeline().fireChannelRead(read.retain().readerIndex(0)));
            assertThat(keeper.count).isEqualTo(HeapBytes.RUNS * READ / frame.length);
            assertThat(heap).as("for %d frames", READ / frame.length).isLessThan(40L * READ / frame.length + 2_000);
            read.release();
            network.channel.finish();
            network.assertNothingHeld();
        }
    }
}
