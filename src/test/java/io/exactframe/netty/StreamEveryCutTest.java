package io.exactframe.netty;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.embedded.EmbeddedChannel;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** 1 to 4, 33 to 37: a stream's chunks, put together, are the frames that the decoder of whole frames gives. */
@Tag("slow")
class StreamEveryCutTest {
    private static final int LIMIT = 1000;

    static Stream<Arguments> prefixes() {
        return EveryCutTest.prefixes().stream().filter(each -> !each.get()[0].toString().contains(", "));
    }

    @ParameterizedTest(name = "{0}: {1}")
    @MethodSource("prefixes") // 1, 2, 3, 4
    void payloadsDoNotDependOnTheCut(LengthPrefix prefix, String stream, List<String> payloads) {
        Supplier<StreamJoiner> joined = () -> new StreamJoiner(new FrameStreamDecoder(LIMIT, prefix));
        DecoderVerifier.verify(joined, Wire.bytes(stream), payloads);
    }

    @ParameterizedTest(name = "{0}: {1}")
    @MethodSource("prefixes") // 33 to 37, 52
    void closedAtAnyByteItSaysWhatTheDecoderOfWholeFramesSays(LengthPrefix prefix, String hex, List<String> payloads) {
        byte[] stream = Wire.bytes(hex);
        for (int received = 0; received <= stream.length; received++) {
            for (int cut = 0; cut <= received; cut++) {
                assertSame(prefix, stream, "received " + received, cut, received);
            }
        }
    }

    static Stream<Arguments> seeds() {
        return Stream.iterate(1, seed -> seed + 1).limit(400).map(Arguments::of);
    }

    @ParameterizedTest(name = "seed {0}")
    @MethodSource("seeds")
    void randomStreamsDoNotDependOnTheCut(int seed) {
        Random random = new Random(seed);
        LengthPrefix prefix = prefix(random);
        byte[] stream = stream(random, prefix);
        int received = random.nextBoolean() ? stream.length : random.nextInt(stream.length + 1);
        List<Integer> cuts = new ArrayList<>();
        for (int at = 0; at < received; at += 1 + random.nextInt(1 << random.nextInt(8))) {
            cuts.add(at);
        }
        cuts.add(received);
        assertSame(prefix, stream, "seed " + seed, cuts.stream().mapToInt(Integer::intValue).toArray());
    }

    private static LengthPrefix prefix(Random random) {
        LengthPrefix prefix = List.of(
                        LengthPrefix.uint8(), LengthPrefix.uint16(), LengthPrefix.uint24(), LengthPrefix.uint32(),
                        LengthPrefix.int64(), LengthPrefix.varint32(), LengthPrefix.uint16().littleEndian())
                .get(random.nextInt(7));
        prefix = prefix.headerBefore(random.nextInt(4)).headerAfter(random.nextInt(3)).trailer(random.nextInt(3));
        return random.nextBoolean() ? prefix : prefix.headerBefore(100 + random.nextInt(100));
    }

    /** Frames; at their end, sometimes, one that is too long or garbage. */
    private static byte[] stream(Random random, LengthPrefix prefix) {
        ByteBuf stream = Unpooled.buffer();
        int after = (int) prefix.headerAndTrailer() - prefix.before();
        for (int i = random.nextInt(6); i >= 0; i--) {
            int payload = random.nextInt(3) == 0 ? 0 : random.nextInt(100);
            stream.writeBytes(Wire.random(random, prefix.before()));
            prefix.writeLength(stream, payload);
            stream.writeBytes(Wire.random(random, payload + after));
        }
        if (random.nextInt(4) == 0) {
            stream.writeBytes(Wire.random(random, prefix.before()));
            stream.writeBytes(Wire.bytes("ff ff ff ff ff ff ff ff ff ff"));
        }
        byte[] bytes = new byte[stream.readableBytes()];
        stream.readBytes(bytes);
        return bytes;
    }

    /** Header and payload of every frame, and every exception, as from a decoder that keeps the header. */
    private static void assertSame(LengthPrefix prefix, byte[] stream, String what, int... ends) {
        Sink sink = new Sink();
        EmbeddedChannel whole =
                Wire.channel(new LengthPrefixedExactDecoder(LIMIT, prefix.keepHeader()), sink);
        StreamProbe probe = new StreamProbe();
        EmbeddedChannel streamed = new EmbeddedChannel(new FrameStreamDecoder(LIMIT, prefix), probe);
        int from = 0;
        for (int to : ends) {
            Wire.receive(whole, stream, from, to);
            probe.receive(streamed, stream, from, to);
            from = to;
        }
        int trailer = prefix.strippedEnd;
        assertThat(probe.frames)
                .as(what)
                .map(HexFormat.of()::formatHex)
                .isEqualTo(sink.frames.stream()
                        .map(frame -> frame.substring(0, frame.length() - 2 * trailer))
                        .toList());
        whole.finish();
        streamed.finish();
        assertThat(probe.faults).as(what).map(Throwable::toString).isEqualTo(
                sink.faults.stream().map(Throwable::toString).toList());
        assertThat(probe.isInFrame()).isFalse();
    }
}
