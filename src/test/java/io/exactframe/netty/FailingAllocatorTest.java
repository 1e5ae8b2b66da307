package io.exactframe.netty;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import io.exactframe.netty.testing.Sink.Keeper;
import io.exactframe.netty.testing.Network;
import io.exactframe.netty.testing.Wire;
import java.util.List;
import java.util.function.Supplier;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** 16: the allocator throws at its k-th call, for every k: no leak, one exception, still closeable. */
class FailingAllocatorTest {
    private static final ReceiveOptions CONTIGUOUS = ReceiveOptions.defaults().contiguous();

    static List<Arguments> decoders() {
        LengthPrefix kept = LengthPrefix.uint32().keepHeader();
        return List.of(
                arguments("fixed", 300, supplier(() -> new FixedLengthExactDecoder(300)), 7),
                arguments("fixed, growing", 60_000, supplier(() -> new FixedLengthExactDecoder(60_000)), 1_460),
                arguments("fixed, small and kept", 8, supplier(() -> new FixedLengthExactDecoder(8)), 80),
                arguments("prefixed", 300,
                        supplier(() -> new LengthPrefixedExactDecoder(1 << 20, LengthPrefix.uint32())), 7),
                arguments("prefixed, header kept", 60_000,
                        supplier(() -> new LengthPrefixedExactDecoder(1 << 20, kept)), 3),
                arguments("prefixed, small and kept", 8,
                        supplier(() -> new LengthPrefixedExactDecoder(1 << 20, kept)), 80),
                arguments("contiguous", 150_000,
                        supplier(() -> new LengthPrefixedExactDecoder(1 << 20, kept, CONTIGUOUS)), 1_460),
                arguments("large, copied", 150_000,
                        supplier(() -> new LengthPrefixedExactDecoder(1 << 20, kept)), 1_460),
                arguments("large, adopted", 150_000,
                        supplier(() -> new LengthPrefixedExactDecoder(1 << 20, LengthPrefix.uint32())), 50_000),
                arguments("large, both", 150_000,
                        supplier(() -> new LengthPrefixedExactDecoder(1 << 20, kept)), 8_193));
    }

    private static Supplier<ExactFrameDecoder> supplier(Supplier<ExactFrameDecoder> decoders) {
        return decoders;
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("decoders")
    void aDecoderEndsWithOneExceptionAndNoLeak(
            String name, int frameLength, Supplier<ExactFrameDecoder> decoders, int size) {
        byte[] stream = stream(frameLength);
        int inAll = framesUntilTheFailure(decoders, stream, size, 0);
        assertThat(inAll).isEqualTo(stream.length / frameLength);
        int k = 1;
        while (framesUntilTheFailure(decoders, stream, size, k) < inAll) {
            k++;
        }
        assertThat(k).as("calls that failed").isGreaterThan(1);
    }

    private static int framesUntilTheFailure(Supplier<ExactFrameDecoder> decoders, byte[] stream, int size, int k) {
        Keeper keeper = Keeper.ofAll();
        ExactFrameDecoder decoder = decoders.get();
        Network network = new Network(decoder, keeper);
        network.handlers.failingCall = k;
        int atFailure = -1;
        for (int at = 0; at < stream.length; at += size) {
            int count = Math.min(size, stream.length - at);
            network.receive(stream, at, count, count);
            if (atFailure < 0 && decoder.hasEnded()) {
                atFailure = keeper.count;
            }
        }
        int frames = keeper.count;
        if (atFailure >= 0) {
            assertThat(frames).as("k = %d, frames after it", k).isEqualTo(atFailure);
            assertThat(keeper.faults).hasSize(1);
            keeper.releaseAll();
            network.assertNothingHeld();
        }
        network.channel.finish();
        assertThat(keeper.faults).as("k = %d", k).hasSize(atFailure < 0 ? 0 : 1);
        assertThat(keeper.faults).allMatch(e -> e.getMessage().equals("call " + k));
        assertThat(keeper.inactive).isEqualTo(1);
        keeper.releaseAll();
        network.assertNothingHeld();
        return frames;
    }

    private static byte[] stream(int frameLength) {
        byte[] frame = new byte[frameLength];
        System.arraycopy(Wire.number(frameLength - 4, 4, false), 0, frame, 0, 4);
        return Wire.repeat(frame, frameLength < 100 ? 200 : 3);
    }
}
