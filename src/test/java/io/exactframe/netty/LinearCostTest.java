package io.exactframe.netty;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import io.netty.buffer.ByteBuf;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** 18: what a frame costs is linear in its size, for every size of read. Counted, not timed. */
@Tag("slow")
class LinearCostTest {
    private static final int READ = 1 << 16;

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
            assertThat(cost.copied).isLessThanOrEqualTo(frameLength);
            assertThat(cost.allocated).isLessThanOrEqualTo(frameLength);
        } else {
            assertThat(cost.copied).isLessThanOrEqualTo(2L * frameLength);
            assertThat(cost.allocated).isLessThanOrEqualTo(2L * frameLength);
        }
        assertThat(cost.calls).isLessThanOrEqualTo(2 + doublings(frameLength));
    }

    @ParameterizedTest(name = "frame of {0} in reads of {1}")
    @MethodSource("framesAndReads")
    void aContiguousFrameIsCopiedTwiceAtMost(int frameLength, int size) {
        CountingAllocator cost = receive(frameLength, size, ReceiveOptions.defaults().contiguous());
        assertThat(cost.copied).isLessThanOrEqualTo(2L * frameLength);
        assertThat(cost.allocated).isLessThanOrEqualTo(2L * frameLength);
        assertThat(cost.calls).isLessThanOrEqualTo(2 + doublings(frameLength));
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

    private static int doublings(int frameLength) {
        return 32 - Integer.numberOfLeadingZeros(frameLength / 4096);
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
        assertThat(heap).isLessThan((frameLength > READ || frameLength <= 4096 ? 1L : 2L) * frameLength + 2_000);
        assertThat(keeper.count).isEqualTo(HeapBytes.RUNS);
        one.release();
        network.channel.finish();
        network.assertNothingHeld();
    }

    @Test
    void aSmallFrameCostsNoObject() {
        Keeper keeper = new Keeper(number -> false);
        Network network = new Network(new LengthPrefixedExactDecoder(100, LengthPrefix.uint8()), keeper);
        byte[] frame = Wire.bytes("03 010203");
        ByteBuf read = network.reads.buffer(READ).writeBytes(Wire.repeat(frame, READ / frame.length));
        long heap = HeapBytes.of(() -> network.channel.pipeline().fireChannelRead(read.retain().readerIndex(0)));
        assertThat(keeper.count).isEqualTo(HeapBytes.RUNS * READ / frame.length);
        assertThat(heap).as("for %d frames", READ / frame.length).isLessThan(2_000);
        read.release();
        network.channel.finish();
        network.assertNothingHeld();
    }
}
