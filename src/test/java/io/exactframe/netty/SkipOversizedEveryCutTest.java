package io.exactframe.netty;

import static io.exactframe.netty.LengthPrefix.int64;
import static io.exactframe.netty.LengthPrefix.uint16;
import static io.exactframe.netty.LengthPrefix.uint8;
import static io.exactframe.netty.LengthPrefix.varint32;
import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import io.exactframe.netty.testing.SkippingDecoder.ChunkJoiner;
import io.exactframe.netty.testing.DecoderVerifier;
import io.exactframe.netty.testing.StreamProbe;
import io.exactframe.netty.testing.Wire;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.handler.codec.LengthFieldBasedFrameDecoder;
import io.netty.handler.codec.TooLongFrameException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** 2, 3, 9: frames that are too long are reported and skipped in their place, however the stream is cut. */
@Tag("slow")
class SkipOversizedEveryCutTest {
    private static final int LARGEST = 20;
    private static final ReceiveOptions SKIP = ReceiveOptions.defaults().skipOversized(LARGEST);

    /** Puts a decoder in front of itself; each report of a frame that is too long goes on as a frame: what it says. */
    private static final class Reports extends ChannelInboundHandlerAdapter {
        private final ChannelHandler decoder;

        Reports(ChannelHandler decoder) {
            this.decoder = decoder;
        }

        @Override
        public void handlerAdded(ChannelHandlerContext ctx) {
            ctx.pipeline().addBefore(ctx.name(), null, decoder);
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
            if (cause.getClass() == TooLongFrameException.class) {
                ctx.fireChannelRead(ctx.alloc().buffer().writeBytes(cause.getMessage().getBytes(US_ASCII)));
            } else {
                ctx.fireExceptionCaught(cause);
            }
        }
    }

    private static String tooLong(int length, int limit) {
        return HexFormat.of().formatHex(("frame of " + length + " bytes, the limit is " + limit).getBytes(US_ASCII));
    }

    static Stream<Arguments> streams() {
        return Stream.of(
                arguments(uint8(), 3, "02 4142  05 6162636465  00  01 43  03 616263",
                        List.of("4142", tooLong(6, 3), "", "43", tooLong(4, 3))),
                arguments(uint8(), 3, "03 616263  04 61626364  03 616263", // nothing else
                        List.of(tooLong(4, 3), tooLong(5, 3), tooLong(4, 3))),
                arguments(uint16(), 3, "0001 43  0003 616263  0002 6162  0000",
                        List.of("43", tooLong(5, 3), tooLong(4, 3), "")),
                arguments(uint16().littleEndian(), 4, "0300 616263  0200 4142", List.of(tooLong(5, 4), "4142")),
                arguments(int64(), 8, "0000000000000002 6162  0000000000000000", List.of(tooLong(10, 8), "")),
                arguments(varint32(), 6, "8280808000 6162  05 4142434445", List.of(tooLong(7, 6), "4142434445")),
                arguments(varint32(), 2, "8100 61  01 43  8080808000  00", // the header alone is too long
                        List.of(tooLong(3, 2), "43", tooLong(5, 2), "")),
                arguments(uint8().headerBefore(1).headerAfter(1).trailer(1), 5, "aa 02 bb 6162 ce  aa 01 bb 43 ce",
                        List.of(tooLong(6, 5), "43")),
                arguments(uint8().trailer(2), 3, "01 61 cece  00 cece  03 616263 cece",
                        List.of(tooLong(4, 3), "", tooLong(6, 3))),
                arguments(uint8().keepHeader(), 3, "03 616263  02 4142  03 616263",
                        List.of(tooLong(4, 3), "024142", tooLong(4, 3))),
                arguments(uint8(), 3, "13 61626364656667686970717273747576777879  01 43", // 20: as many as may be
                        List.of(tooLong(LARGEST, 3), "43")));
    }

    @ParameterizedTest(name = "{0}, limit {1}: {2}")
    @MethodSource("streams")
    void reportsAndFramesDoNotDependOnTheCut(LengthPrefix prefix, int limit, String stream, List<String> messages) {
        for (ReceiveOptions options : List.of(SKIP, SKIP.contiguous())) {
            DecoderVerifier.verify(
                    () -> new Reports(new LengthPrefixedExactDecoder(limit, prefix, options)),
                    Wire.bytes(stream),
                    messages);
        }
    }

    @ParameterizedTest(name = "{0}, limit {1}: {2}")
    @MethodSource("streams")
    void reportsAndChunksDoNotDependOnTheCut(LengthPrefix prefix, int limit, String stream, List<String> messages) {
        if (!prefix.toString().contains("header kept")) {
            DecoderVerifier.verify(
                    () -> new Reports(new ChunkJoiner(new FrameStreamDecoder(limit, prefix, SKIP))),
                    Wire.bytes(stream),
                    messages);
        }
    }

    /** A type byte: 1 has one byte of length, 2 has two, 0 none. Types above are in another mode, of single bytes. */
    private static final class Codec extends ExactFrameDecoder {
        private boolean single;

        Codec() {
            super(0, 3, 4, SKIP);
        }

        @Override
        protected long frameLength(ByteBuf header) {
            if (single) {
                return 1;
            }
            if (!header.isReadable()) {
                return -1;
            }
            int type = header.readByte();
            if (header.readableBytes() < type) {
                return -(type + 1);
            }
            return 1 + type + (type == 0 ? 0 : type == 1 ? header.readByte() : header.readShort());
        }

        @Override
        protected Object decode(ChannelHandlerContext ctx, ByteBuf frame) {
            single = !single && frame.getByte(0) == 0;
            return frame;
        }
    }

    @Test
    void aCodecsReportsDoNotDependOnTheCut() {
        DecoderVerifier.verify(
                () -> new Reports(new Codec()),
                Wire.bytes("00 09  01 03 616263  02 0001 43  02 0002 6162"),
                List.of("00", "09", tooLong(5, 4), "02000143", tooLong(5, 4)));
    }

    @ParameterizedTest(name = "{0}, limit {1}: {2}")
    @MethodSource("streams")
    void closedAtAnyByteItSaysWhatADecoderSaysThatSkipsNothing(
            LengthPrefix prefix, int limit, String hex, List<String> messages) {
        byte[] stream = Wire.bytes(hex);
        for (int received = 0; received <= stream.length; received++) {
            for (int cut = 0; cut <= received; cut++) {
                List<String> expected = faults(new LengthPrefixedExactDecoder(1000, prefix), stream, cut, received);
                assertThat(faults(new LengthPrefixedExactDecoder(limit, prefix, SKIP), stream, cut, received))
                        .as("received %d, cut at %d", received, cut)
                        .isEqualTo(expected);
                if (!prefix.toString().contains("header kept")) {
                    assertThat(faults(new FrameStreamDecoder(limit, prefix, SKIP), stream, cut, received))
                            .as("as a stream, received %d, cut at %d", received, cut)
                            .isEqualTo(expected);
                }
            }
        }
    }

    private static List<String> faults(ChannelHandler decoder, byte[] stream, int cut, int received) {
        StreamProbe probe = new StreamProbe();
        EmbeddedChannel channel = new EmbeddedChannel(decoder, probe);
        Wire.receive(channel, stream, 0, cut);
        Wire.receive(channel, stream, cut, received);
        channel.finish();
        return probe.faults.stream()
                .filter(fault -> !(fault instanceof TooLongFrameException || fault instanceof AssertionError))
                .map(Throwable::toString)
                .toList();
    }

    static IntStream seeds() {
        return IntStream.range(0, 200);
    }

    @ParameterizedTest(name = "seed {0}")
    @MethodSource("seeds") // Netty skips too, whatever the length
    void framesAndReportsAreThoseOfNettysDecoder(int seed) {
        Random random = new Random(seed);
        int width = random.nextInt(4) + 1;
        int offset = random.nextInt(3);
        int limit = 20 + random.nextInt(60);
        byte[] stream = {};
        for (int frames = random.nextInt(20); frames >= 0; frames--) {
            int payload = random.nextInt(1 << random.nextInt(width == 1 ? 8 : 12));
            byte[] field = Wire.number(payload, width, false);
            stream = Wire.concat(stream, Wire.random(random, offset), field, Wire.random(random, payload));
        }
        List<Integer> ends = new ArrayList<>();
        for (int at = 0; at < stream.length; ) {
            at = Math.min(stream.length, at + 1 + random.nextInt(1 << random.nextInt(13)));
            ends.add(at);
        }
        var nettys = new LengthFieldBasedFrameDecoder(limit, offset, width, 0, offset + width, true);
        List<String> expected = run(nettys, stream, ends);
        LengthPrefix prefix = LengthPrefix.fromLengthField(offset, width, 0, offset + width);
        ReceiveOptions options = ReceiveOptions.defaults().skipOversized(Long.MAX_VALUE);
        assertThat(run(new LengthPrefixedExactDecoder(limit, prefix, options), stream, ends)).isEqualTo(expected);
        LengthPrefix streamed = List.of(LengthPrefix.uint8(), uint16(), LengthPrefix.uint24(), LengthPrefix.uint32())
                .get(width - 1)
                .headerBefore(offset);
        assertThat(run(new ChunkJoiner(new FrameStreamDecoder(limit, streamed, options)), stream, ends))
                .isEqualTo(expected);
    }

    /** Frames, and the word "long" for each that is too long. */
    private static List<String> run(ChannelHandler decoder, byte[] stream, List<Integer> ends) {
        List<String> messages = new ArrayList<>();
        EmbeddedChannel channel = new EmbeddedChannel(decoder, new ChannelInboundHandlerAdapter() {
            @Override
            public void channelRead(ChannelHandlerContext ctx, Object message) {
                messages.add(Wire.hexAndRelease((ByteBuf) message));
            }

            @Override
            public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
                messages.add(cause instanceof TooLongFrameException ? "long" : cause.toString());
            }
        });
        int from = 0;
        for (int to : ends) {
            Wire.receive(channel, stream, from, to);
            from = to;
            // Netty's throws, and leaves what is behind such a frame for the next read.
            for (int again = 0; again < 30; again++) {
                Wire.receive(channel, stream, to, to);
            }
        }
        channel.finish();
        return messages;
    }
}
