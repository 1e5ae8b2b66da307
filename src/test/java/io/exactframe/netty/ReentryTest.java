package io.exactframe.netty;

import static io.exactframe.netty.testing.Probe.bytes;
import static io.exactframe.netty.testing.Probe.receive;
import static io.exactframe.netty.testing.Probe.reenter;
import static org.assertj.core.api.Assertions.assertThat;

import io.exactframe.netty.testing.FrameCodec;
import io.exactframe.netty.testing.Probe;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.util.concurrent.DefaultPromise;
import java.util.ArrayList;
import java.util.List;
import java.util.logging.Level;
import java.util.logging.Logger;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** 19: channelRead called while the decoder is still busy with the bytes before. */
class ReentryTest {
    private final Probe probe = new Probe();

    static Stream<Arguments> codecsThrowingOrNot() {
        return Stream.of(FrameCodec.values())
                .flatMap(codec -> Stream.of(false, true).map(throwing -> Arguments.of(codec, throwing)));
    }

    /** Kept from logging what the tests' listeners throw. */
    private static final Logger PROMISES = Logger.getLogger(DefaultPromise.class.getName());

    @BeforeAll
    static void expectListenersThatThrow() {
        PROMISES.setLevel(Level.OFF);
    }

    @AfterAll
    static void logListenersThatThrow() {
        PROMISES.setLevel(null);
    }

    private static void throwIf(boolean throwing) {
        if (throwing) {
            throw new IllegalStateException("boom");
        }
    }

    /** One more frame, whole and in two reads, and an end on the boundary. */
    private void assertStillUsable(EmbeddedChannel channel, FrameCodec codec) {
        String wire = codec.wire("yyyy", "zzzz");
        probe.drain();
        receive(channel, wire.substring(0, codec.frameLength + 1));
        receive(channel, wire.substring(codec.frameLength + 1));
        assertThat(channel.finish()).isFalse();
        assertThat(probe.drain())
                .containsExactly(
                        codec.delivered("yyyy"), "[complete]", codec.delivered("zzzz"), "[complete]", "[inactive]");
    }

    @ParameterizedTest(name = "{0}, then a throw: {1}")
    @MethodSource("codecsThrowingOrNot")
    void bytesFromDownstreamComeAfterThoseThatWereThere(FrameCodec codec, boolean throwing) {
        String wire = codec.wire("aaaa", "bbbb", "cccc", "dddd", "eeee");
        int first = 2 * codec.frameLength + 3;
        int second = first + codec.frameLength;
        probe.onRead(1, ctx -> {
            reenter(ctx, wire.substring(first, second));
            reenter(ctx, wire.substring(second));
            probe.note("[handled]");
            throwIf(throwing);
        });
        EmbeddedChannel channel = new EmbeddedChannel(codec.decoder(), probe);
        receive(channel, wire.substring(0, first));

        List<String> expected =
                new ArrayList<>(List.of(codec.delivered("aaaa", "bbbb", "cccc", "dddd", "eeee")));
        expected.add(1, "[handled]");
        if (throwing) {
            expected.add(2, "[IllegalStateException: boom]");
        }
        expected.add("[complete]");
        assertThat(probe.log()).isEqualTo(expected);
        assertStillUsable(channel, codec);
    }

    @ParameterizedTest(name = "{0}, then a throw: {1}")
    @MethodSource("codecsThrowingOrNot")
    void bytesFromAWriteListenerComeAfterThoseThatWereThere(FrameCodec codec, boolean throwing) {
        String wire = codec.wire("aaaa", "bbbb", "cccc");
        int first = codec.frameLength + 1;
        probe.onRead(1, ctx -> ctx.writeAndFlush(bytes(ctx.channel(), "reply")).addListener(written -> {
            reenter(ctx, wire.substring(first));
            throwIf(throwing); // Netty logs what a listener throws
        }));
        EmbeddedChannel channel = new EmbeddedChannel(codec.decoder(), probe);
        receive(channel, wire.substring(0, first));
        List<String> expected = new ArrayList<>(List.of(codec.delivered("aaaa", "bbbb", "cccc")));
        expected.add("[complete]");
        assertThat(probe.log()).isEqualTo(expected);
        assertThat(channel.releaseOutbound()).isTrue();
        assertStillUsable(channel, codec);
    }

    @ParameterizedTest(name = "{0}, then a throw: {1}")
    @MethodSource("codecsThrowingOrNot")
    void bytesFromACloseListenerAreReleased(FrameCodec codec, boolean throwing) {
        probe.onRead(1, ctx -> ctx.close().addListener(closed -> {
            reenter(ctx, codec.wire("cccc"));
            throwIf(throwing);
        }));
        EmbeddedChannel channel = new EmbeddedChannel(codec.decoder(), probe);
        receive(channel, codec.wire("aaaa", "bbbb"));
        assertThat(channel.finish()).isFalse();
        assertThat(probe.log()).containsExactly(codec.delivered("aaaa"), "[inactive]");
    }

    @ParameterizedTest(name = "{0}, then a throw: {1}")
    @MethodSource("codecsThrowingOrNot")
    void bytesFromDecodeComeAfterThoseThatWereThere(FrameCodec codec, boolean throwing) {
        String wire = codec.wire("aaaa", "bbbb", "cccc");
        int first = codec.frameLength + 1;
        boolean[] done = {false};
        ExactFrameDecoder decoder = codec.decoder(ctx -> {
            if (!done[0]) {
                done[0] = true;
                reenter(ctx, wire.substring(first));
                throwIf(throwing);
            }
        });
        EmbeddedChannel channel = new EmbeddedChannel(decoder, probe);
        receive(channel, wire.substring(0, first));
        List<String> expected = new ArrayList<>(List.of(codec.delivered("aaaa", "bbbb", "cccc")));
        if (throwing) {
            expected.set(0, "[DecoderException: java.lang.IllegalStateException: boom]");
        }
        expected.add("[complete]");
        assertThat(probe.log()).isEqualTo(expected);
        assertStillUsable(channel, codec);
    }

    @ParameterizedTest(name = "then a throw: {0}")
    @ValueSource(booleans = {false, true})
    void bytesFromFrameLengthComeAfterThoseThatWereThere(boolean throwing) {
        String wire = "\4aaaa\4bbbb\4cccc\4dddd";
        ExactFrameDecoder decoder = new ExactFrameDecoder(1, 16) {
            private boolean done;
            private ChannelHandlerContext ctx;

            @Override
            public void handlerAdded(ChannelHandlerContext ctx) {
                this.ctx = ctx;
            }

            @Override
            protected long frameLength(ByteBuf header) {
                if (!done) {
                    done = true;
                    reenter(ctx, wire.substring(7));
                    throwIf(throwing);
                }
                return 1 + header.readByte();
            }
        };
        EmbeddedChannel channel = new EmbeddedChannel(decoder, probe);
        receive(channel, wire.substring(0, 7));
        if (throwing) {
            assertThat(probe.drain())
                    .containsExactly(
                            "[CorruptedFrameException: the frame's length cannot be told from its header]",
                            "[complete]");
            assertThat(decoder.hasEnded()).isTrue();
            receive(channel, wire);
            assertThat(channel.finish()).isFalse();
            assertThat(probe.drain()).containsExactly("[complete]", "[inactive]");
        } else {
            assertThat(probe.drain()).containsExactly("\4aaaa", "\4bbbb", "\4cccc", "\4dddd", "[complete]");
            assertThat(channel.finish()).isFalse();
        }
    }

    @Test
    void aFrameThatBringsTheNextDoesNotNest() {
        int frames = 20_000;
        int[] seen = {0};
        int[] depth = {0};
        EmbeddedChannel channel = new EmbeddedChannel(
                new FixedLengthExactDecoder(4), new ChannelInboundHandlerAdapter() {
                    @Override
                    public void channelRead(ChannelHandlerContext ctx, Object frame) {
                        assertThat(++depth[0]).isOne();
                        assertThat(((ByteBuf) frame).readInt()).isEqualTo(seen[0]);
                        ((ByteBuf) frame).release();
                        if (++seen[0] < frames) {
                            ctx.pipeline().fireChannelRead(ctx.alloc().buffer().writeInt(seen[0]));
                        }
                        depth[0]--;
                    }
                });
        channel.writeInbound(channel.alloc().buffer().writeInt(0));
        assertThat(channel.finish()).isFalse();
        assertThat(seen[0]).isEqualTo(frames);
    }

    @ParameterizedTest
    @EnumSource
    void everythingElseThatComesBehindSuchBytesWaitsForThem(FrameCodec codec) {
        probe.onRead(1, ctx -> {
            reenter(ctx, codec.wire("cccc"));
            ctx.pipeline().fireChannelRead("text");
            ctx.pipeline().fireUserEventTriggered("event");
            ctx.pipeline().fireChannelReadComplete();
            ctx.pipeline().fireChannelInactive();
        });
        EmbeddedChannel channel = new EmbeddedChannel(codec.decoder(), probe);
        channel.pipeline().fireChannelRead(bytes(channel, codec.wire("aaaa", "bbbb")));
        assertThat(probe.drain())
                .containsExactly(
                        codec.delivered("aaaa"),
                        codec.delivered("bbbb"),
                        codec.delivered("cccc"),
                        "[message text]",
                        "[event String]",
                        "[complete]",
                        "[inactive]");
        channel.finish();
    }

    /** A codec's own fault, and the only way in which a frame's delivery ends with a throw. */
    @ParameterizedTest(name = "removed as well: {0}")
    @ValueSource(booleans = {false, true})
    void aCodecThatReleasesWhatItBorrowsLosesNothingElse(boolean removing) {
        ExactFrameDecoder decoder = new FixedLengthExactDecoder(4) {
            private boolean done;

            @Override
            protected Object decode(ChannelHandlerContext ctx, ByteBuf frame) {
                if (!done) {
                    done = true;
                    frame.release();
                    reenter(ctx, "cccc");
                    if (removing) {
                        ctx.pipeline().remove(this);
                    }
                    return "released";
                }
                return frame;
            }
        };
        EmbeddedChannel channel = new EmbeddedChannel(decoder, probe);
        receive(channel, "aaaa"); // a read of its own, or its neighbours would suffer
        receive(channel, "bbbb");
        assertThat(channel.finish()).isFalse();
        List<String> log = new ArrayList<>(probe.log());
        assertThat(log).filteredOn(line -> line.contains("Exception")).singleElement()
                .asString().startsWith("[IllegalReferenceCountException");
        log.removeIf(line -> line.contains("Exception"));
        if (removing) {
            assertThat(String.join("", log).replace("[complete]", "")).isEqualTo("ccccbbbb[inactive]");
        } else {
            assertThat(log).containsExactly("cccc", "[complete]", "bbbb", "[complete]", "[inactive]");
        }
    }

    @Test
    void whatACodecsFaultLeftBehindComesFirst() {
        boolean[] done = {false};
        EmbeddedChannel channel = new EmbeddedChannel(new FixedLengthExactDecoder(4) {
            @Override
            protected Object decode(ChannelHandlerContext ctx, ByteBuf frame) {
                if (!done[0]) {
                    done[0] = true;
                    frame.release();
                    return "released";
                }
                return frame;
            }
        }, probe);
        channel.pipeline().fireChannelRead(bytes(channel, "aaaa")); // a read of its own, or its neighbours would suffer
        channel.pipeline().fireChannelRead(bytes(channel, "bbbbcc"));
        channel.pipeline().fireChannelRead(bytes(channel, "ccdddd"));
        assertThat(channel.finish()).isFalse();
        assertThat(probe.log().stream().filter(line -> !line.contains("Exception")))
                .containsExactly("bbbb", "cccc", "dddd", "[inactive]");
    }
}
