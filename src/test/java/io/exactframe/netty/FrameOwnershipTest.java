package io.exactframe.netty;

import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.util.IllegalReferenceCountException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** 13: a frame is its receiver's, whatever becomes of the others, of the channel and of later input. */
class FrameOwnershipTest {
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
            assertThat(frame.refCnt()).isEqualTo(1);
            assertThat(frame.release()).isTrue();
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
        ExecutorService other = Executors.newSingleThreadExecutor();
        try {
            other.submit(() -> {
                        for (ByteBuf frame : keeper.kept) {
                            assertHolds(frame, stream, frameLength);
                            assertThat(frame.release()).isTrue();
                        }
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
