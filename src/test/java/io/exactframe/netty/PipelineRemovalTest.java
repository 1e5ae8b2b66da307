package io.exactframe.netty;

import static io.exactframe.netty.PipelineProbe.receive;
import static io.exactframe.netty.PipelineProbe.reenter;
import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelOutboundHandlerAdapter;
import io.netty.channel.embedded.EmbeddedChannel;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What a decoder that leaves the pipeline does with the bytes it has. */
class PipelineRemovalTest {
    private static final String[] PAYLOADS = {"aaaa", "bbbb", "cccc", "dddd"};

    private final PipelineProbe probe = new PipelineProbe();
    private ExactFrameDecoder decoder = new FixedLengthExactDecoder(4);

    private void remove(ChannelHandlerContext ctx) {
        ctx.pipeline().remove(decoder);
    }

    static Stream<Arguments> codecsAndFrames() {
        return Stream.of(PipelineCodec.values())
                .flatMap(codec -> Stream.of(1, 2, 3, 4)
                        .flatMap(k -> Stream.of(false, true).map(throwing -> Arguments.of(codec, k, throwing))));
    }

    @ParameterizedTest(name = "{0}, frame {1}, then a throw: {2}")
    @MethodSource("codecsAndFrames") // 20
    void removedWhileDeliveringAFrameTheRestGoesOnUnchanged(PipelineCodec codec, int k, boolean throwing) {
        decoder = codec.decoder();
        probe.onRead(k, ctx -> {
            remove(ctx);
            probe.note("[handled]");
            if (throwing) {
                throw new IllegalStateException("boom");
            }
        });
        EmbeddedChannel channel = new EmbeddedChannel(decoder, probe);
        String wire = codec.wire(PAYLOADS);
        String partial = wire.substring(0, 3);
        receive(channel, wire + partial);

        List<String> expected = new ArrayList<>();
        for (int i = 0; i < k; i++) {
            expected.add(codec.delivered(PAYLOADS[i]));
        }
        expected.add("[handled]");
        if (throwing) {
            expected.add("[IllegalStateException: boom]");
        }
        expected.add(wire.substring(k * codec.frameLength) + partial);
        expected.add("[complete]"); // of the bytes handed over
        expected.add("[complete]"); // of the read
        assertThat(probe.drain()).isEqualTo(expected);

        receive(channel, "more");
        assertThat(channel.finish()).isFalse();
        assertThat(probe.drain()).containsExactly("more", "[complete]", "[inactive]");
    }

    @ParameterizedTest
    @EnumSource
    void whatCameWhileTheLastFrameWasHandledGoesOnBehindTheRest(PipelineCodec codec) {
        decoder = codec.decoder();
        probe.onRead(1, ctx -> {
            reenter(ctx, "first");
            remove(ctx);
            ctx.pipeline().fireUserEventTriggered("passes by");
        });
        EmbeddedChannel channel = new EmbeddedChannel(decoder, probe);
        receive(channel, codec.wire("aaaa") + "re");
        assertThat(channel.finish()).isFalse();
        List<String> log = probe.log();
        assertThat(log.subList(0, 2)).containsExactly(codec.delivered("aaaa"), "[event String]");
        assertThat(String.join("", log).replace("[complete]", "")).endsWith("[event String]refirst[inactive]");
        assertThat(log.subList(log.size() - 2, log.size())).containsExactly("[complete]", "[inactive]");
    }

    @ParameterizedTest
    @EnumSource // 19, 20
    void bytesThatWaitAreNotOvertakenByThoseThatTheRestBrings(PipelineCodec codec) {
        decoder = codec.decoder();
        probe.onRead(1, ctx -> {
            reenter(ctx, "2");
            remove(ctx);
        });
        probe.onRead(2, ctx -> reenter(ctx, "3"));
        EmbeddedChannel channel = new EmbeddedChannel(decoder, probe);
        receive(channel, codec.wire("aaaa") + "1");
        assertThat(channel.finish()).isFalse();
        assertThat(String.join("", probe.log()).replace("[complete]", ""))
                .isEqualTo(codec.delivered("aaaa") + "123[inactive]");
    }

    @ParameterizedTest
    @EnumSource // 22
    void aPartialFrameGoesOnAsItCame(PipelineCodec codec) {
        String wire = codec.wire("aaaa");
        for (int received = 0; received < wire.length(); received++) {
            for (int cut = 0; cut <= received; cut++) {
                decoder = codec.decoder();
                EmbeddedChannel channel = new EmbeddedChannel(decoder, probe);
                receive(channel, wire.substring(0, cut));
                receive(channel, wire.substring(cut, received));
                assertThat(probe.drain()).containsExactly("[complete]", "[complete]");
                channel.pipeline().remove(decoder);
                if (received == 0) {
                    assertThat(probe.drain()).isEmpty();
                } else {
                    assertThat(probe.drain()).containsExactly(wire.substring(0, received), "[complete]");
                }
                assertThat(channel.finish()).isFalse();
                assertThat(probe.drain()).containsExactly("[inactive]");
            }
        }
    }

    /** Where else than in a frame a decoder may be removed. */
    enum Place {
        READ_COMPLETE,
        OTHER_MESSAGE,
        EVENT,
        EXCEPTION,
        READ_REQUEST
    }

    @ParameterizedTest
    @EnumSource // 22
    void aPartialFrameGoesOnFromWhereverTheDecoderIsRemoved(Place place) {
        boolean[] armed = {false};
        PipelineProbe.Action removal = ctx -> {
            if (armed[0]) {
                armed[0] = false;
                ctx.pipeline().remove(decoder);
            }
        };
        EmbeddedChannel channel = new EmbeddedChannel(
                new ChannelOutboundHandlerAdapter() {
                    @Override
                    public void read(ChannelHandlerContext ctx) throws Exception {
                        if (place == Place.READ_REQUEST) {
                            removal.run(ctx);
                        }
                        ctx.read();
                    }
                },
                decoder,
                probe);
        channel.config().setAutoRead(false);
        receive(channel, "aaaabb");
        probe.drain();
        armed[0] = true;
        switch (place) {
            case READ_COMPLETE -> {
                probe.onReadComplete(removal);
                channel.pipeline().fireChannelReadComplete();
            }
            case OTHER_MESSAGE -> {
                probe.onRead(2, removal);
                channel.pipeline().fireChannelRead("text");
            }
            case EVENT -> {
                probe.onEvent(removal);
                channel.pipeline().fireUserEventTriggered("event");
            }
            case EXCEPTION -> {
                probe.onException(removal);
                channel.pipeline().fireExceptionCaught(new IllegalStateException("boom"));
            }
            case READ_REQUEST -> receive(channel, "b");
        }
        assertThat(armed[0]).isFalse();
        receive(channel, "cccc");
        assertThat(channel.finish()).isFalse();
        List<String> log = probe.log();
        String rest = place == Place.READ_REQUEST ? "bbb" : "bb";
        assertThat(log.stream().filter(line -> !line.startsWith("["))).containsExactly(rest, "cccc");
        assertThat(log).containsSequence(rest, "[complete]");
    }

    @ParameterizedTest
    @EnumSource // 20
    void removedByItsOwnDecodeItGivesThatMessageAndTheRest(PipelineCodec codec) {
        decoder = codec.decoder(this::remove);
        EmbeddedChannel channel = new EmbeddedChannel(decoder, probe);
        receive(channel, codec.wire("aaaa", "bbbb") + "re");
        assertThat(channel.finish()).isFalse();
        assertThat(probe.log())
                .containsExactly(
                        codec.delivered("aaaa"), codec.wire("bbbb") + "re", "[complete]", "[complete]", "[inactive]");
    }

    @ParameterizedTest(name = "{0} bytes of the frame are here")
    @ValueSource(ints = {1, 3, 5, 8}) // 20
    void removedByItsOwnFrameLengthItDecodesNothingMore(int received) {
        decoder = new ExactFrameDecoder(1, 16) {
            private ChannelHandlerContext ctx;

            @Override
            public void handlerAdded(ChannelHandlerContext ctx) {
                this.ctx = ctx;
            }

            @Override
            protected long frameLength(ByteBuf header) {
                if (header.getByte(0) == 'X') {
                    remove(ctx);
                }
                return 5;
            }
        };
        EmbeddedChannel channel = new EmbeddedChannel(decoder, probe);
        String other = "XYZ45678".substring(0, received);
        receive(channel, "1aaaa2bbbb" + other);
        assertThat(channel.finish()).isFalse();
        assertThat(probe.log())
                .containsExactly("1aaaa", "2bbbb", other, "[complete]", "[complete]", "[inactive]");
    }

    @Test // 28, 20
    void removedBehindACloseItHandsOnNothing() {
        probe.onRead(1, ctx -> {
            ctx.close();
            remove(ctx);
        });
        EmbeddedChannel channel = new EmbeddedChannel(decoder, probe);
        receive(channel, "aaaabbbbcc");
        assertThat(channel.finish()).isFalse();
        assertThat(probe.log()).containsExactly("aaaa", "[inactive]");
    }

    @Test // 9, 20
    void removedAfterAViolationItHandsOnNothing() {
        decoder = new LengthPrefixedExactDecoder(16, LengthPrefix.uint16());
        probe.onException(this::remove);
        EmbeddedChannel channel = new EmbeddedChannel(decoder, probe);
        receive(channel, "\0\4aaaa\1\0bbbb");
        receive(channel, "cccc");
        assertThat(channel.finish()).isFalse();
        assertThat(probe.log())
                .containsExactly(
                        "aaaa",
                        "[TooLongFrameException: frame of 258 bytes, the limit is 16]",
                        "[complete]",
                        "cccc",
                        "[complete]",
                        "[inactive]");
    }
}
