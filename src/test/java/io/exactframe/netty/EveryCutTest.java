package io.exactframe.netty;

import static io.exactframe.netty.LengthPrefix.CountedFrom.AFTER_FIELD;
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

import io.exactframe.netty.testing.SkippingDecoder.ChunkJoiner;
import io.exactframe.netty.testing.DecoderVerifier;
import io.exactframe.netty.testing.Sink;
import io.exactframe.netty.testing.StreamProbe;
import io.exactframe.netty.testing.Wire;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.util.ReferenceCountUtil;
import io.netty.util.concurrent.Future;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Queue;
import java.util.Random;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** 1 to 4, 33 to 37: the same frames however the stream is cut. */
class EveryCutTest {
    /** 1 to 4: the same frames however the stream is cut. */
    @Tag("slow")
    @Nested
    class Frames {
        private static final int LIMIT = 1000;

        @ParameterizedTest(name = "frames of {0}")
        @ValueSource(ints = {1, 2, 3, 4, 5, 8, 16})
        void fixedFramesDoNotDependOnTheCut(int frameLength) {
            byte[] stream = Wire.bytes("00 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f");
            int whole = stream.length / frameLength * frameLength;
            List<String> frames = new ArrayList<>();
            for (int at = 0; at < whole; at += frameLength) {
                frames.add(Wire.hex(stream, at, at + frameLength));
            }
            DecoderVerifier.verify(
                    () -> new FixedLengthExactDecoder(frameLength), Arrays.copyOf(stream, whole), frames);
        }

        // Each stream has a zero-length frame in it where the layout can tell one (4).
        static List<Arguments> prefixes() {
            return List.of(
                    arguments(uint8(), "02 4142  00  01 43", List.of("4142", "", "43")),
                    arguments(uint16(), "0002 4142  0000  0001 43", List.of("4142", "", "43")),
                    arguments(uint16().littleEndian(), "0200 4142  0000  0100 43", List.of("4142", "", "43")),
                    arguments(uint24(), "000002 4142  000000  000001 43", List.of("4142", "", "43")),
                    arguments(uint32().littleEndian(), "02000000 4142  00000000  01000000 43", List.of("4142", "", "43")),
                    arguments(int64(), "0000000000000000  0000000000000000", List.of("", "")),
                    arguments(int64().littleEndian(), "0600000000000000 414243444546", List.of("414243444546")),
                    arguments(varint32(), "02 4142  00  01 43", List.of("4142", "", "43")),
                    arguments(varint32(), "8200 4142  8080808000  818000 43", List.of("4142", "", "43")), // overlong, valid
                    arguments(uint8().keepHeader(), "02 4142  00  01 43", List.of("024142", "00", "0143")),
                    arguments(uint16().keepHeader(), "0002 4142  0000  0001 43", List.of("00024142", "0000", "000143")),
                    arguments(varint32().keepHeader(), "8200 4142  00  8080808000",
                            List.of("82004142", "00", "8080808000")),
                    arguments(uint8().headerBefore(2), "aabb 02 4142  aabb 00  aabb 01 43", List.of("4142", "", "43")),
                    arguments(uint8().headerAfter(2), "02 aabb 4142  00 aabb  01 aabb 43", List.of("4142", "", "43")),
                    arguments(uint8().trailer(1), "02 4142 ce  00 ce  01 43 ce", List.of("4142", "", "43")),
                    arguments(uint16().trailer(1), "0002 4142 ce  0000 ce  0001 43 ce", List.of("4142", "", "43")),
                    arguments(uint8().trailer(1).keepHeader(), "02 4142 ce  00 ce  01 43 ce",
                            List.of("024142ce", "00ce", "0143ce")),
                    arguments(uint8().trailer(2).strip(1), "02 4142 cede  00 cede", List.of("4142cede", "cede")),
                    arguments(uint16().headerBefore(1).headerAfter(1).keepHeader(), "aa 0002 bb 4142  aa 0000 bb",
                            List.of("aa0002bb4142", "aa0000bb")),
                    arguments(uint8().headerBefore(1).headerAfter(1).countedFrom(FRAME), "aa 05 bb 4142  aa 03 bb",
                            List.of("4142", "")),
                    arguments(uint8().headerBefore(1).headerAfter(1).countedFrom(FIELD), "aa 04 bb 4142  aa 02 bb",
                            List.of("4142", "")),
                    arguments(uint8().headerBefore(1).headerAfter(1).countedFrom(AFTER_FIELD), "aa 03 bb 4142  aa 01 bb",
                            List.of("4142", "")),
                    arguments(uint16().strip(1), "0002 4142  0000  0001 43", List.of("024142", "00", "0143")),
                    arguments(uint16().strip(3), "0002 4142  0001 43  0001 44", List.of("42", "", "")), // beyond the header
                    arguments(uint8().strip(4), "04 41424344  03 454647", List.of("44", "")),
                    arguments(uint8().adjustedBy(-3).strip(1), "05 4142  03  04 43", List.of("4142", "", "43")),
                    arguments(varint32().countedFrom(FRAME), "03 4142  8200  01", List.of("4142", "", "")));
        }

        @ParameterizedTest(name = "{0}: {1}")
        @MethodSource("prefixes")
        void prefixedFramesDoNotDependOnTheCut(LengthPrefix prefix, String stream, List<String> frames) {
            DecoderVerifier.verify(
                    () -> new LengthPrefixedExactDecoder(LIMIT, prefix), Wire.bytes(stream), frames);
            DecoderVerifier.verify(
                    () -> new LengthPrefixedExactDecoder(LIMIT, prefix, ReceiveOptions.defaults().contiguous()),
                    Wire.bytes(stream),
                    frames);
        }

        /** A type byte: 1 has one byte of length, 2 has two, 0 none. The header goes on, as the base class has it. */
        private static final class Codec extends ExactFrameDecoder {
            Codec() {
                super(1, 3, LIMIT, ReceiveOptions.defaults());
            }

            @Override
            protected long frameLength(ByteBuf header) {
                int type = header.readByte();
                if (header.readableBytes() < type) {
                    return -(type + 1);
                }
                return 1 + type + (type == 0 ? 0 : type == 1 ? header.readByte() : header.readShort());
            }
        }

        @Test
        void aCodecsFramesDoNotDependOnTheCut() {
            DecoderVerifier.verify(
                    Codec::new,
                    Wire.bytes("00  01 02 4142  01 00  02 0001 43  02 0000"),
                    List.of("00", "01024142", "0100", "02000143", "020000"));
        }

        @Test
        void framesOfAShortenedMessageDoNotDependOnTheCut() {
            // What decode() returns goes on instead of the frame, which is released.
            DecoderVerifier.verify(
                    () -> new FixedLengthExactDecoder(4) {
                        @Override
                        protected Object decode(ChannelHandlerContext ctx, ByteBuf frame) {
                            ByteBuf tail = frame.slice(2, 2);
                            return ReferenceCountUtil.retain(tail);
                        }
                    },
                    Wire.bytes("00010203 04050607 08090a0b"),
                    List.of("0203", "0607", "0a0b"));
        }
    }

    /** 1 to 4, 33 to 37: a stream's chunks, put together, are the frames that the decoder of whole frames gives. */
    @Tag("slow")
    @Nested
    class Streams {
        private static final int LIMIT = 1000;

        static Stream<Arguments> prefixes() {
            return Frames.prefixes().stream().filter(each -> !each.get()[0].toString().contains(", "));
        }

        @ParameterizedTest(name = "{0}: {1}")
        @MethodSource("prefixes") // 1, 2, 3, 4
        void payloadsDoNotDependOnTheCut(LengthPrefix prefix, String stream, List<String> payloads) {
            Supplier<ChunkJoiner> joined = () -> new ChunkJoiner(new FrameStreamDecoder(LIMIT, prefix));
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
            int before = Wire.count(prefix, "before");
            int around = Wire.count(prefix, "after") + Wire.count(prefix, "trailer");
            for (int i = random.nextInt(6); i >= 0; i--) {
                int payload = random.nextInt(3) == 0 ? 0 : random.nextInt(100);
                stream.writeBytes(Wire.random(random, before));
                prefix.writeLength(stream, payload);
                stream.writeBytes(Wire.random(random, payload + around));
            }
            if (random.nextInt(4) == 0) {
                stream.writeBytes(Wire.random(random, before));
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
            int trailer = Wire.count(prefix, "trailer");
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

    /** 2 and 3 for the receiver: the same bytes however the stream is cut and whenever they are asked for. */
    @Tag("slow")
    @Nested
    class Receives {
        private static final int LIMIT = 1000;

        private record Ask(String drawn, Function<ExactReceiver, Future<ByteBuf>> call) {
            @Override
            public String toString() {
                return drawn;
            }
        }

        private static Ask size(int size) {
            return new Ask("receive(" + size + ")", receiver -> receiver.receive(size));
        }

        private static Ask orEnd(int size) {
            return new Ask("receiveOrEnd(" + size + ")", receiver -> receiver.receiveOrEnd(size));
        }

        private static Ask frame(LengthPrefix prefix) {
            return new Ask("receive(" + prefix + ")", receiver -> receiver.receive(prefix, LIMIT));
        }

        static List<Arguments> conversations() {
            Ask uint16 = frame(LengthPrefix.uint16());
            return List.of(
                    arguments(
                            "01 0203 040506 0708090a 0b0c0d0e 0f",
                            List.of(size(1), size(2), size(3), size(4), orEnd(4), size(1)),
                            List.of("01", "0203", "040506", "0708090a", "0b0c0d0e", "0f")),
                    arguments("0102030405060708090a0b0c0d0e0f10", List.of(size(16)),
                            List.of("0102030405060708090a0b0c0d0e0f10")),
                    arguments("0002 4142  0000  0001 43  0003 444546", List.of(uint16, uint16, uint16, uint16),
                            List.of("4142", "", "43", "444546")),
                    arguments("0002 4142  0000  0001 43", List.of(
                                    frame(LengthPrefix.uint16().keepHeader()),
                                    frame(LengthPrefix.uint16().keepHeader()),
                                    frame(LengthPrefix.uint16().strip(1))),
                            List.of("00024142", "0000", "0143")),
                    arguments("8200 4142  8080808000  00  01 43", List.of(
                                    frame(LengthPrefix.varint32()),
                                    frame(LengthPrefix.varint32().keepHeader()),
                                    frame(LengthPrefix.varint32().keepHeader()),
                                    frame(LengthPrefix.varint32())),
                            List.of("4142", "8080808000", "00", "43")),
                    arguments("aa 02 bb 4142 ce  0304  05  0001 43", List.of(
                                    frame(LengthPrefix.uint8().headerBefore(1).headerAfter(1).trailer(1)),
                                    size(2),
                                    orEnd(1),
                                    uint16),
                            List.of("4142", "0304", "05", "43")));
        }

        private final ExactReceiver receiver = new ExactReceiver();
        private final Sink sink = new Sink();
        private final EmbeddedChannel channel = Wire.channel(receiver, sink);
        private final List<String> received = new ArrayList<>();

        @ParameterizedTest(name = "{0} {1}")
        @MethodSource("conversations")
        void bytesAskedForBeforeTheyComeDoNotDependOnTheCut(String stream, List<Ask> asked, List<String> answers) {
            inEveryWay(stream, answers, false, () -> asked.forEach(ask -> ask(ask)));
        }

        @ParameterizedTest(name = "{0} {1}")
        @MethodSource("conversations")
        void bytesAskedForAfterTheyCameDoNotDependOnTheCut(String stream, List<Ask> asked, List<String> answers) {
            inEveryWay(stream, answers, true, () -> asked.forEach(ask -> ask(ask)));
        }

        @ParameterizedTest(name = "{0} {1}")
        @MethodSource("conversations")
        void bytesAskedForOneAfterTheOtherDoNotDependOnTheCut(String stream, List<Ask> asked, List<String> answers) {
            inEveryWay(stream, answers, false, () -> askInTurn(new ArrayDeque<>(asked)));
        }

        private Future<ByteBuf> ask(Ask ask) {
            return ask.call().apply(receiver).addListener((Future<ByteBuf> future) ->
                    received.add(future.isSuccess() ? Wire.hexAndRelease(future.getNow()) : future.cause().toString()));
        }

        private void askInTurn(Queue<Ask> asked) {
            Ask next = asked.poll();
            if (next != null) {
                ask(next).addListener(answered -> askInTurn(asked));
            }
        }

        private void inEveryWay(String hex, List<String> answers, boolean afterwards, Runnable ask) {
            byte[] stream = Wire.bytes(hex);
            ByteBuf all = channel.alloc().buffer().writeBytes(stream);
            for (int cuts = 0; cuts < 1 << (stream.length - 1); cuts++) {
                if (!afterwards) {
                    ask.run();
                }
                for (int from = 0; from < stream.length; ) {
                    int to = DecoderVerifier.endOfPiece(cuts, from, stream.length);
                    Wire.receive(channel, all.retainedSlice(from, to - from));
                    from = to;
                }
                if (afterwards) {
                    ask.run();
                }
                if (!received.equals(answers) || all.refCnt() != 1) {
                    assertThat(received).as("cuts behind the bytes of %x", cuts).isEqualTo(answers);
                    assertThat(all.refCnt()).isEqualTo(1);
                }
                received.clear();
            }
            all.release();
            channel.finish();
            assertThat(sink.faults).isEmpty();
            assertThat(sink.frames).isEmpty();
        }
    }
}
