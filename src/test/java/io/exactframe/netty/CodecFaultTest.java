package io.exactframe.netty;

import static io.exactframe.netty.testing.Probe.bytes;
import static io.exactframe.netty.testing.Probe.receive;
import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import io.exactframe.netty.testing.Probe;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.handler.codec.CorruptedFrameException;
import io.netty.handler.codec.DecoderException;
import io.netty.handler.codec.TooLongFrameException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Whose fault it is: what a codec throws or says, and what becomes of the frame that it borrows. */
class CodecFaultTest {
    private final Probe probe = new Probe();

    private interface LengthOf {
        long of(ByteBuf header) throws Exception;
    }

    /** Frames that begin with '!' have the length under test, others have 4 bytes. */
    private static ExactFrameDecoder codec(LengthOf length) {
        return new ExactFrameDecoder(1, 3, 16, ReceiveOptions.defaults()) {
            @Override
            protected long frameLength(ByteBuf header) throws Exception {
                return header.getByte(0) == '!' ? length.of(header) : 4;
            }
        };
    }

    static Stream<Arguments> nonsense() {
        String header = "a frame of -%s bytes, or a header of %1$s bytes asked for after 1 with a limit of 3";
        String corrupted = "CorruptedFrameException: ";
        String cannotBeTold = corrupted + "the frame's length cannot be told from its header";
        return Stream.of(
                says("nothing", h -> 0, corrupted + "frame of 0 bytes, less than its header of 1"),
                says(
                        "less than the header",
                        h -> h.readableBytes() == 1 ? -3 : 2,
                        corrupted + "frame of 2 bytes, less than its header of 3"),
                says("as many as it had", h -> -1, corrupted + header.formatted(1)),
                says("fewer than it had", h -> h.readableBytes() == 1 ? -3 : -2, corrupted + "a frame of -2 bytes"), // it had the longest
                says("more than the longest header", h -> -4, corrupted + header.formatted(4)),
                says(
                        "a very negative length",
                        h -> Long.MIN_VALUE + 1,
                        corrupted + header.formatted(Long.MAX_VALUE)),
                says(
                        "the most negative length",
                        h -> Long.MIN_VALUE,
                        corrupted + header.formatted(Long.MIN_VALUE).replace("--", "-")),
                says("more than the limit", h -> 17, "TooLongFrameException: frame of 17 bytes, the limit is 16"),
                says(
                        "more than an int",
                        h -> (1L << 32) + 4,
                        "TooLongFrameException: frame of 4294967300 bytes, the limit is 16"),
                says("what it throws", CodecFaultTest::fail, cannotBeTold),
                says("what it reads beyond the header", h -> h.getByte(1), cannotBeTold),
                says("an Error", h -> {
                    throw new AssertionError("error");
                }, cannotBeTold),
                says("corrupted", h -> {
                    throw new CorruptedFrameException("said so");
                }, corrupted + "said so"),
                says("too long", h -> {
                    throw new TooLongFrameException("said so");
                }, "TooLongFrameException: said so"));
    }

    private static long fail(ByteBuf header) throws IOException {
        throw new IOException("broken");
    }

    private static Arguments says(String name, LengthOf length, String exception) {
        return Arguments.of(name, length, exception);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("nonsense") // 9, 35
    void aLengthThatMakesNoSenseIsOneExceptionAndTheEnd(String name, LengthOf length, String exception) {
        for (int cut = 4; cut <= 7; cut++) {
            ExactFrameDecoder decoder = codec(length);
            EmbeddedChannel channel = new EmbeddedChannel(decoder, probe);
            String stream = "aaaa!bbcccc";
            ByteBuf first = bytes(channel, stream.substring(0, cut));
            ByteBuf second = bytes(channel, stream.substring(cut));
            channel.writeInbound(first, second);
            assertThat(probe.drain()).containsExactly("aaaa", "[" + exception + "]", "[complete]");
            assertThat(decoder.hasEnded()).isTrue();
            assertThat(decoder.bufferedBytes()).isZero();
            assertThat(first.refCnt() + second.refCnt()).isZero();

            receive(channel, "dddd!ee");
            assertThat(channel.finish()).isFalse();
            assertThat(probe.drain()).containsExactly("[complete]", "[inactive]");
        }
    }

    @Test
    void whatFrameLengthThrewIsTheCause() {
        EmbeddedChannel channel = new EmbeddedChannel(codec(CodecFaultTest::fail), probe);
        receive(channel, "!");
        channel.finish();
        assertThat(probe.exceptions).singleElement().satisfies(e -> {
            assertThat(e).isExactlyInstanceOf(CorruptedFrameException.class);
            assertThat(e).hasCauseInstanceOf(IOException.class);
        });
    }

    /** What a codec does with the frame that it was lent. */
    private interface Decode {
        Object decode(ChannelHandlerContext ctx, ByteBuf frame) throws Exception;
    }

    private EmbeddedChannel decoding(Decode decode) {
        return new EmbeddedChannel(
                new ExactFrameDecoder(1, 16) {
                    @Override
                    protected long frameLength(ByteBuf header) {
                        return 4;
                    }

                    @Override
                    protected Object decode(ChannelHandlerContext ctx, ByteBuf frame) throws Exception {
                        return frame.getByte(0) == '!' ? decode.decode(ctx, frame) : frame;
                    }
                },
                probe);
    }

    /** A frame of interest between two others, in one read, then dripped. */
    private void receiveBothWays(EmbeddedChannel channel) {
        receive(channel, "aaaa!bbbcccc");
        probe.note("[dripped]");
        for (char c : "dddd!eeeffff".toCharArray()) {
            channel.pipeline().fireChannelRead(bytes(channel, String.valueOf(c)));
        }
        channel.finish();
    }

    @Test
    void aFrameThatDecodeFailsAtIsOneDecoderExceptionAndTheNextGoesOn() {
        receiveBothWays(decoding((ctx, frame) -> {
            throw new IOException("broken");
        }));
        assertThat(probe.log())
                .containsExactly(
                        "aaaa",
                        "[DecoderException: java.io.IOException: broken]",
                        "cccc",
                        "[complete]",
                        "[dripped]",
                        "dddd",
                        "[DecoderException: java.io.IOException: broken]",
                        "ffff",
                        "[inactive]");
        assertThat(probe.exceptions).allMatch(e -> e.getClass() == DecoderException.class);
    }

    @Test
    void aDecoderExceptionOfDecodeIsNotWrapped() {
        DecoderException thrown = new DecoderException("own");
        TooLongFrameException other = new TooLongFrameException("too long");
        boolean[] first = {true};
        receiveBothWays(decoding((ctx, frame) -> {
            boolean wasFirst = first[0];
            first[0] = false;
            throw wasFirst ? thrown : other;
        }));
        assertThat(probe.exceptions).containsExactly(thrown, other);
        assertThat(probe.log()).contains("cccc", "ffff");
    }

    @Test // 9
    void aCorruptedFrameOfDecodeEndsTheDecoder() {
        CorruptedFrameException thrown = new CorruptedFrameException("checksum");
        receiveBothWays(decoding((ctx, frame) -> {
            throw thrown;
        }));
        assertThat(probe.exceptions).containsExactly(thrown);
        assertThat(probe.log())
                .containsExactly(
                        "aaaa", "[CorruptedFrameException: checksum]", "[complete]", "[dripped]", "[inactive]");
    }

    static Stream<Arguments> messages() {
        return Stream.of(
                Arguments.of("nothing", (Decode) (ctx, frame) -> null, List.of()),
                Arguments.of("another object", (Decode) (ctx, frame) -> "text", List.of("[message text]")),
                Arguments.of("the frame itself", (Decode) (ctx, frame) -> frame, List.of("!xxx")),
                Arguments.of("the frame, cut down", (Decode) (ctx, frame) -> frame.skipBytes(1), List.of("xxx")),
                Arguments.of(
                        "a part of it", (Decode) (ctx, frame) -> frame.retainedSlice(1, 2), List.of("xx")),
                Arguments.of("a duplicate", (Decode) (ctx, frame) -> frame.retainedDuplicate(), List.of("!xxx")),
                Arguments.of(
                        "two messages and the frame",
                        (Decode) (ctx, frame) -> {
                            ctx.fireChannelRead("one");
                            ctx.fireChannelRead(frame.retainedSlice(2, 2));
                            return frame;
                        },
                        List.of("[message one]", "xx", "!xxx")));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("messages") // 13
    void whatDecodeReturnsGoesOnAndTheFrameIsReleased(String name, Decode decode, List<String> expected) {
        receiveBothWays(decoding(decode));
        List<String> lines = new ArrayList<>();
        lines.add("aaaa");
        expected.forEach(line -> lines.add(line.replace('x', 'b')));
        lines.addAll(List.of("cccc", "[complete]", "[dripped]", "dddd"));
        expected.forEach(line -> lines.add(line.replace('x', 'e')));
        lines.addAll(List.of("ffff", "[inactive]"));
        // The 'x' of "text" is no payload.
        lines.replaceAll(line -> line.startsWith("[message te") ? "[message text]" : line);
        assertThat(probe.log()).isEqualTo(lines);
    }

    @Test // 13
    void whatDecodeKeepsOutlivesTheChannel() {
        List<ByteBuf> kept = new ArrayList<>();
        receiveBothWays(decoding((ctx, frame) -> {
            kept.add(frame.retainedSlice(1, 3));
            kept.add(frame.retain());
            return frame;
        }));
        assertThat(kept.stream().map(part -> part.toString(US_ASCII)))
                .containsExactly("bbb", "!bbb", "eee", "!eee");
        kept.forEach(ByteBuf::release);
    }

    /** Whose message is the codec's, and fails. */
    private static final class Unspeakable extends RuntimeException {
        private static final long serialVersionUID = 1;

        @Override
        public String getMessage() {
            throw new IllegalStateException("on purpose");
        }
    }

    @Test
    void decodeThrowsWhatCannotSayWhatItIs() {
        EmbeddedChannel channel = new EmbeddedChannel(
                new ExactFrameDecoder(0, 1) {
                    @Override
                    protected long frameLength(ByteBuf header) {
                        return 1;
                    }

                    @Override
                    protected Object decode(ChannelHandlerContext ctx, ByteBuf frame) {
                        if (frame.getByte(0) == '!') {
                            throw new Unspeakable();
                        }
                        return frame;
                    }
                },
                probe);
        receive(channel, "a!b");
        assertThat(probe.log())
                .containsExactly("a", "[DecoderException: " + Unspeakable.class.getName() + "]", "b", "[complete]");
        assertThat(probe.exceptions.get(0).getCause().getClass()).isEqualTo(Unspeakable.class);
        channel.finish();
    }
}
