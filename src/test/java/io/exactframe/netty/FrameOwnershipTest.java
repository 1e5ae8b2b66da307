package io.exactframe.netty;

import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import io.exactframe.netty.testing.Sink.Keeper;
import io.exactframe.netty.testing.Sink;
import io.exactframe.netty.testing.Wire;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.util.IllegalReferenceCountException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** 13, 19 to 22, 26, 28: a frame is its receiver's, whatever becomes of the others, the decoder, the channel and later input. */
class FrameOwnershipTest {
    /** 13: a frame is its receiver's, whatever becomes of the others, of the channel and of later input. */
    @Nested
    class Kept {
        private static final int SEED = 13;

        private final Keeper keeper = Keeper.ofAll();
        private final List<ByteBuf> reads = new ArrayList<>();

        static List<Arguments> streams() {
            Random random = new Random(SEED);
            byte[] medium = Wire.random(random, 3_000);
            byte[] large = Wire.random(random, 100_000);
            Supplier<ExactFrameDecoder> prefixed =
                    () -> new LengthPrefixedExactDecoder(200_000, LengthPrefix.uint32().keepHeader());
            Supplier<ExactFrameDecoder> contiguous = () -> new LengthPrefixedExactDecoder(
                    200_000, LengthPrefix.uint32().keepHeader(), ReceiveOptions.defaults().contiguous());
            byte[] small = Wire.random(random, 4 * 64);
            byte[] mediumFrame = Wire.concat(Wire.number(medium.length, 4, false), medium);
            byte[] largeFrame = Wire.concat(Wire.number(large.length, 4, false), large);
            Supplier<ExactFrameDecoder> fixed = () -> new FixedLengthExactDecoder(4);
            return List.of(
                    arguments("small frames in one read", fixed, small, small.length, 4),
                    arguments("small frames in odd reads", fixed, small, 13, 4),
                    arguments("a frame a read", fixed, small, 4, 4),
                    arguments("medium frames", prefixed, Wire.repeat(mediumFrame, 9), 20_000, mediumFrame.length),
                    arguments("medium frames, cut", prefixed, Wire.repeat(mediumFrame, 9), 1_460, mediumFrame.length),
                    arguments("large frames", prefixed, Wire.repeat(largeFrame, 4), 40_000, largeFrame.length),
                    arguments("large frames, cut", prefixed, Wire.repeat(largeFrame, 4), 1_460, largeFrame.length),
                    arguments("contiguous frames", contiguous, Wire.repeat(largeFrame, 4), 40_000, largeFrame.length));
        }

        @ParameterizedTest(name = "{0}")
        @MethodSource("streams")
        void framesOutliveTheChannelAndLaterInputAndAreReleasedInAnyOrder(
                String name, Supplier<ExactFrameDecoder> decoders, byte[] stream, int size, int frameLength) {
            receive(decoders.get(), stream, size);
            List<ByteBuf> left = new ArrayList<>(keeper.kept);
            Collections.shuffle(left, new Random(SEED));
            while (!left.isEmpty()) {
                for (ByteBuf frame : left) {
                    assertHolds(frame, stream, frameLength);
                }
                ByteBuf frame = left.remove(left.size() - 1);
                int others = (int) left.stream().filter(each -> root(each) == root(frame)).count();
                assertThat(frame.refCnt()).as("frames of its read").isEqualTo(1 + others);
                assertThat(frame.release()).isEqualTo(others == 0);
                if (others > 0) {
                    continue;
                }
                assertThatExceptionOfType(IllegalReferenceCountException.class).isThrownBy(frame::readByte);
                assertThatExceptionOfType(IllegalReferenceCountException.class).isThrownBy(frame::release);
                assertThatExceptionOfType(IllegalReferenceCountException.class).isThrownBy(frame::retain);
            }
            assertThat(reads).allMatch(read -> read.refCnt() == 0);
        }

        @ParameterizedTest(name = "{0}")
        @MethodSource("streams")
        void framesAreReadAndReleasedByAnotherThread(
                String name, Supplier<ExactFrameDecoder> decoders, byte[] stream, int size, int frameLength)
                throws Exception {
            receive(decoders.get(), stream, size);
            Set<ByteBuf> roots = Collections.newSetFromMap(new IdentityHashMap<>());
            keeper.kept.forEach(frame -> roots.add(root(frame)));
            ExecutorService other = Executors.newSingleThreadExecutor();
            try {
                other.submit(() -> {
                            int last = 0;
                            for (ByteBuf frame : keeper.kept) {
                                assertHolds(frame, stream, frameLength);
                                last += frame.release() ? 1 : 0;
                            }
                            assertThat(last).as("one of each read, and each assembled one").isEqualTo(roots.size());
                            assertThat(keeper.kept).allMatch(frame -> frame.refCnt() == 0);
                        })
                        .get(10, SECONDS);
            } finally {
                other.shutdown();
            }
            assertThat(reads).allMatch(read -> read.refCnt() == 0);
        }

        @ParameterizedTest(name = "{0}")
        @MethodSource("streams")
        void whatIsWrittenIntoAFrameIsSeenInNoOther(
                String name, Supplier<ExactFrameDecoder> decoders, byte[] stream, int size, int frameLength) {
            receive(decoders.get(), stream, size);
            List<ByteBuf> frames = keeper.kept;
            for (int i = 0; i < frames.size(); i += 2) {
                frames.get(i).setZero(0, frameLength);
            }
            for (int i = 1; i < frames.size(); i += 2) {
                assertThat(ByteBufUtil.getBytes(frames.get(i)))
                        .isEqualTo(Arrays.copyOfRange(stream, i * frameLength, (i + 1) * frameLength));
            }
            keeper.releaseAll();
        }

        private void receive(ExactFrameDecoder decoder, byte[] stream, int size) {
            EmbeddedChannel channel = Wire.channel(decoder, keeper);
            for (int at = 0; at < stream.length; at += size) {
                int count = Math.min(size, stream.length - at);
                ByteBuf read = channel.alloc().buffer(count).writeBytes(stream, at, count);
                reads.add(read);
                Wire.receive(channel, read);
            }
            channel.finish();
            // Memory that had been given back too early would be somebody else's now.
            List<ByteBuf> others = new ArrayList<>();
            for (int i = 0; i < 16; i++) {
                others.add(channel.alloc().buffer(size).writeZero(size));
            }
            others.forEach(ByteBuf::release);
            assertThat(keeper.faults).isEmpty();
        }

        private void assertHolds(ByteBuf frame, byte[] stream, int frameLength) {
            int at = indexOf(frame) * frameLength;
            assertThat(frame.readerIndex()).isZero();
            assertThat(frame.readableBytes()).isEqualTo(frameLength);
            assertThat(ByteBufUtil.getBytes(frame)).isEqualTo(Arrays.copyOfRange(stream, at, at + frameLength));
        }

        private static ByteBuf root(ByteBuf frame) {
            return frame.unwrap() == null ? frame : root(frame.unwrap());
        }

        /** By identity: frames with equal bytes are equal. */
        private int indexOf(ByteBuf frame) {
            for (int i = 0; ; i++) {
                if (keeper.kept.get(i) == frame) {
                    return i;
                }
            }
        }

        @ParameterizedTest(name = "seed {0}")
        @ValueSource(ints = {1, 2, 3, 4, 5, 6, 7, 8})
        void framesOfAllSizesInOneStreamGiveBackEveryRead(int seed) {
            Random random = new Random(seed);
            byte[][] frames = new byte[200][];
            for (int i = 0; i < frames.length; i++) {
                int length = random.nextInt(1 << (random.nextInt(10) == 0 ? 18 : random.nextInt(12)));
                frames[i] = Wire.concat(Wire.number(length, 4, false), Wire.random(random, length));
            }
            ReceiveOptions options = ReceiveOptions.defaults();
            receive(
                    new LengthPrefixedExactDecoder(
                            1 << 20, LengthPrefix.uint32().keepHeader(), seed % 4 == 0 ? options.contiguous() : options),
                    Wire.concat(frames),
                    seed % 2 == 0 ? 1 << 16 : 20_000);
            List<byte[]> kept = keeper.kept.stream().map(ByteBufUtil::getBytes).toList();
            keeper.releaseAll();
            assertThat(kept).containsExactly(frames);
            assertThat(reads).allMatch(read -> read.refCnt() == 0);
        }

        @Test
        void aReadThatIsOneFrameIsPassedOnAsItIs() {
            EmbeddedChannel channel = Wire.channel(new FixedLengthExactDecoder(4), keeper);
            for (int i = 0; i < 3; i++) {
                ByteBuf read = channel.alloc().buffer(4).writeInt(i);
                Wire.receive(channel, read);
                assertThat(keeper.kept.get(i)).isSameAs(read);
                assertThat(read.refCnt()).isEqualTo(1);
            }
            channel.finish();
            keeper.releaseAll();
        }

        @Test
        void aReadThatIsOneFrameBehindOtherBytesBeginsAtIndexZeroAllTheSame() {
            EmbeddedChannel channel = Wire.channel(new FixedLengthExactDecoder(4), keeper);
            ByteBuf read = channel.alloc().buffer(8).writeInt(1).writeInt(2).readerIndex(4);
            Wire.receive(channel, read);
            channel.finish();
            ByteBuf frame = keeper.kept.get(0);
            assertThat(frame.readerIndex()).isZero();
            assertThat(frame.readInt()).isEqualTo(2);
            assertThatExceptionOfType(IndexOutOfBoundsException.class).isThrownBy(frame::readByte);
            assertThat(frame.capacity()).isEqualTo(4);
            assertThat(frame.release()).isTrue();
            assertThat(read.refCnt()).isZero();
        }
    }

    /**
     * 13, 19 to 22, 26, 28: whatever becomes of a decoder inside the dispatch of a frame, and of that frame, before or
     * after it and on whatever thread, the fragment ends with no reference too many or too few.
     */
    @Tag("slow")
    @Nested
    class EndedInItsDispatch {
        private static final ExecutorService OTHER = Executors.newSingleThreadExecutor();

        /** So few that none is copied the first time, also if each two of them are a read for the second of two decoders. */
        private static final int FRAMES = 30;

        private final List<ByteBuf> kept = new ArrayList<>();
        private final List<String> keptBytes = new ArrayList<>();
        private EmbeddedChannel channel;
        private ExactFrameDecoder decoder;

        @AfterAll
        static void shutDown() {
            OTHER.shutdown();
        }

        /** What happens in the dispatch. */
        private enum Event {
            REMOVED,
            REPLACED,
            CLOSED,
            INPUT_ENDED,
            READ_AGAIN,
            THROWN
        }

        /** What becomes of the frame, before the event or after it; part is what is kept of it, if anything. */
        private enum Holding {
            RELEASED(frame -> {
                int before = frame.refCnt();
                assertThat(frame.release()).as("the test has the read").isFalse();
                assertThat(frame.refCnt()).isEqualTo(before - 1);
                return null;
            }),
            RELEASED_THERE(frame -> {
                assertThat(there(frame)).isFalse();
                return null;
            }),
            RETAINED_AND_RELEASED(frame -> {
                int before = frame.refCnt();
                frame.retain(2).release();
                assertThat(there(frame)).isFalse();
                assertThat(frame.release()).isFalse();
                assertThat(frame.refCnt()).isEqualTo(before - 1);
                return null;
            }),
            KEPT(frame -> frame),
            KEPT_THERE(frame -> {
                frame.retain();
                assertThat(there(frame)).isFalse();
                return frame;
            }),
            PART_KEPT(frame -> {
                ByteBuf part = frame.retainedSlice();
                assertThat(frame.release()).isFalse();
                return part;
            });

            final UnaryOperator<ByteBuf> holder;

            Holding(UnaryOperator<ByteBuf> holder) {
                this.holder = holder;
            }

            private static boolean there(ByteBuf frame) {
                try {
                    return OTHER.submit(() -> frame.release()).get(10, SECONDS);
                } catch (Exception e) {
                    throw new AssertionError(e);
                }
            }
        }

        private static ExactFrameDecoder codec() {
            return new ExactFrameDecoder(1, 4) {
                @Override
                protected long frameLength(ByteBuf header) {
                    return 4;
                }
            };
        }

        @ParameterizedTest
        @EnumSource
        void theFragmentHasItsReferencesAndNoMore(Event event) {
            for (Holding holding : Holding.values()) {
                for (int at : new int[] {0, 1, 14, 15, 16, 17, 18, FRAMES - 2, FRAMES - 1}) {
                    for (int variant = 0; variant < 32; variant++) {
                        check(event, holding, at, variant);
                    }
                }
            }
        }

        private void check(Event event, Holding holding, int at, int variant) {
            boolean eventFirst = (variant & 1) != 0;
            boolean othersKept = (variant & 2) != 0;
            boolean behindAnother = (variant & 4) != 0;
            boolean inFront = (variant & 8) != 0; // what happens, happens to the first of two
            boolean asked = (variant & 16) != 0;
            String what = event + " " + holding + " at " + at + " " + Integer.toBinaryString(variant);
            decoder = asked ? codec() : new FixedLengthExactDecoder(4);
            ExactFrameDecoder first = new FixedLengthExactDecoder(8);
            ByteBuf[] read = new ByteBuf[1];
            StringBuilder received = new StringBuilder();
            Sink sink = new Sink() {
                int number;

                @Override
                public void channelRead(ChannelHandlerContext ctx, Object message) {
                    ByteBuf frame = (ByteBuf) message;
                    boolean now = number++ == at;
                    received.append(ByteBufUtil.hexDump(frame));
                    if (now && eventFirst) {
                        happen(event, behindAnother && inFront ? first : decoder, read[0]);
                    }
                    ByteBuf part = now ? holding.holder.apply(frame) : frame;
                    if (part != null) {
                        if (part != read[0] && (now || othersKept && number % 5 != 0)) {
                            kept.add(part);
                            keptBytes.add(ByteBufUtil.hexDump(part));
                        } else {
                            part.release();
                        }
                    }
                    if (now && !eventFirst) {
                        happen(event, behindAnother && inFront ? first : decoder, read[0]);
                    }
                    if (now && event == Event.THROWN) {
                        throw new IllegalStateException();
                    }
                }
            };
            channel = new EmbeddedChannel();
            if (behindAnother) {
                channel.pipeline().addLast(first);
            }
            channel.pipeline().addLast(decoder, sink);
            read[0] = channel.alloc().buffer(4 * FRAMES); // each frame is small beside it
            for (int i = 0; i < FRAMES; i++) {
                read[0].writeInt(i);
            }
            String stream = ByteBufUtil.hexDump(read[0]);
            Wire.receive(channel, read[0].retain());
            Wire.receive(channel, read[0].retain().readerIndex(0)); // the same object once more
            channel.finishAndReleaseAll(); // also what came when the pipeline was closed
            assertThat(read[0].refCnt()).as(what).isGreaterThan(kept.isEmpty() ? 0 : 1);
            for (int i = 0; i < kept.size(); i++) {
                assertThat(ByteBufUtil.hexDump(kept.get(i))).as(what).isEqualTo(keptBytes.get(i));
            }
            kept.forEach(frame -> assertThat(frame.refCnt()).isPositive());
            kept.forEach(ByteBuf::release);
            kept.clear();
            keptBytes.clear();
            assertThat(read[0].refCnt()).as(what).isEqualTo(1);
            read[0].release();
            String expected = stream.repeat(event == Event.READ_AGAIN ? 3 : 2);
            if (event == Event.CLOSED || event == Event.INPUT_ENDED) {
                assertThat(expected).as(what).startsWith(received);
            } else {
                assertThat(received.toString()).as(what).isEqualTo(expected);
            }
        }

        private void happen(Event event, ExactFrameDecoder target, ByteBuf read) {
            switch (event) {
                case REMOVED -> channel.pipeline().remove(target);
                case REPLACED -> channel.pipeline().replace(target, null, new FixedLengthExactDecoder(4));
                case CLOSED -> channel.close();
                case INPUT_ENDED -> channel.pipeline().fireUserEventTriggered(ChannelInputShutdownEvent.INSTANCE);
                case READ_AGAIN -> channel.pipeline().fireChannelRead(read.retainedDuplicate().setIndex(0, 4 * FRAMES));
                case THROWN -> {}
            }
        }
    }
}
