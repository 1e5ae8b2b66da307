package io.exactframe.netty;

import static io.exactframe.netty.PipelineProbe.bytes;
import static io.exactframe.netty.PipelineProbe.receive;
import static io.exactframe.netty.PipelineProbe.reenter;
import static org.assertj.core.api.Assertions.assertThat;

import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOutboundHandlerAdapter;
import io.netty.channel.ChannelPromise;
import io.netty.channel.embedded.EmbeddedChannel;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** What a handler behind sees when it throws or closes while frames are being delivered, and in which order. */
class PipelineDeliveryTest {
    private static final String[] PAYLOADS = {"aaaa", "bbbb", "cccc"};

    private final PipelineProbe probe = new PipelineProbe();

    static Stream<Arguments> codecsAndFrames() {
        return Stream.of(PipelineCodec.values()).flatMap(codec -> Stream.of(1, 2, 3).map(k -> Arguments.of(codec, k)));
    }

    @ParameterizedTest(name = "{0}, frame {1}")
    @MethodSource("codecsAndFrames") // 26, 27
    void aThrowDownstreamStopsNoOtherFrame(PipelineCodec codec, int k) {
        probe.onRead(k, ctx -> {
            throw new IllegalStateException("boom");
        });
        EmbeddedChannel channel = new EmbeddedChannel(codec.decoder(), probe);
        receive(channel, codec.wire(PAYLOADS));
        List<String> expected = new ArrayList<>(List.of(codec.delivered(PAYLOADS)));
        expected.add(k, "[IllegalStateException: boom]");
        expected.add("[complete]");
        assertThat(probe.drain()).isEqualTo(expected);
        receive(channel, codec.wire("dddd"));
        assertThat(channel.finish()).isFalse();
        assertThat(probe.log()).containsExactly(codec.delivered("dddd"), "[complete]", "[inactive]");
    }

    enum Closing {
        CONTEXT_CLOSE {
            @Override
            void run(ChannelHandlerContext ctx) {
                ctx.close();
            }
        },
        CHANNEL_CLOSE {
            @Override
            void run(ChannelHandlerContext ctx) {
                ctx.channel().close();
            }
        },
        CONTEXT_DISCONNECT {
            @Override
            void run(ChannelHandlerContext ctx) {
                ctx.disconnect();
            }
        },
        CHANNEL_DISCONNECT {
            @Override
            void run(ChannelHandlerContext ctx) {
                ctx.channel().disconnect();
            }
        };

        abstract void run(ChannelHandlerContext ctx);
    }

    static Stream<Arguments> closings() {
        return codecsAndFrames().flatMap(codecAndFrame -> Stream.of(Closing.values())
                .map(closing -> Arguments.of(codecAndFrame.get()[0], codecAndFrame.get()[1], closing)));
    }

    @ParameterizedTest(name = "{0}, frame {1}, {2}")
    @MethodSource("closings") // 28
    void noFrameComesAfterOneAtWhichTheChannelWasClosed(PipelineCodec codec, int k, Closing closing) {
        probe.onRead(k, ctx -> {
            reenter(ctx, codec.wire("xxxx"));
            closing.run(ctx);
            reenter(ctx, codec.wire("yyyy"));
            probe.note("[handled]");
        });
        EmbeddedChannel channel = new EmbeddedChannel(true, codec.decoder(), probe);
        receive(channel, codec.wire(PAYLOADS) + "z");
        channel.finish();
        List<String> expected = new ArrayList<>(List.of(codec.delivered(PAYLOADS)).subList(0, k));
        expected.add("[handled]");
        expected.add("[inactive]");
        assertThat(probe.log().stream().filter(line -> !line.equals("[complete]")).toList())
                .isEqualTo(expected);
    }

    @ParameterizedTest
    @EnumSource // 28
    void noFrameComesAfterACloseThatAHandlerInFrontHoldsUp(PipelineCodec codec) {
        probe.onRead(1, ChannelHandlerContext::close);
        EmbeddedChannel channel = new EmbeddedChannel(
                new ChannelOutboundHandlerAdapter() {
                    @Override
                    public void close(ChannelHandlerContext ctx, ChannelPromise promise) {
                        ctx.executor().execute(() -> ctx.close(promise));
                    }
                },
                codec.decoder(),
                probe);
        channel.pipeline().fireChannelRead(bytes(channel, codec.wire(PAYLOADS)));
        assertThat(channel.isActive()).isTrue();
        channel.pipeline().fireChannelRead(bytes(channel, codec.wire("dddd")));
        channel.pipeline().fireChannelReadComplete();
        channel.runPendingTasks();
        channel.finish();
        assertThat(probe.log()).containsExactly(codec.delivered("aaaa"), "[complete]", "[inactive]");
    }

    @ParameterizedTest
    @EnumSource // 28
    void framesThatAreHereComeAlthoughTheTransportIsClosed(PipelineCodec codec) {
        probe.onRead(1, ctx -> {
            ctx.pipeline().firstContext().close(); // not through the decoder: a failed write, say
            assertThat(ctx.channel().isActive()).isFalse();
        });
        EmbeddedChannel channel = new EmbeddedChannel(new ChannelInboundHandlerAdapter(), codec.decoder(), probe);
        receive(channel, codec.wire(PAYLOADS));
        List<String> expected = new ArrayList<>(List.of(codec.delivered(PAYLOADS)));
        expected.add("[inactive]");
        assertThat(probe.log()).isEqualTo(expected);
    }

    @ParameterizedTest
    @EnumSource // 28
    void aChannelThatGoesInactiveInsideTheDeliveryIsDoneWith(PipelineCodec codec) {
        probe.onRead(1, ctx -> {
            reenter(ctx, codec.wire("cccc"));
            ctx.close();
            ((EmbeddedChannel) ctx.channel()).runPendingTasks(); // a nested run of the loop
        });
        EmbeddedChannel channel = new EmbeddedChannel(codec.decoder(), probe);
        receive(channel, codec.wire("aaaa", "bbbb") + "x");
        channel.finish();
        assertThat(probe.log()).containsExactly(codec.delivered("aaaa"), "[inactive]");
    }

    @ParameterizedTest
    @EnumSource // 27
    void channelReadCompleteComesOnceBehindTheFramesOfTheRead(PipelineCodec codec) {
        EmbeddedChannel channel = new EmbeddedChannel(codec.decoder(), probe);
        String wire = codec.wire("aaaa", "bbbb");
        channel.writeInbound(bytes(channel, wire.substring(0, 3)), bytes(channel, wire.substring(3)));
        assertThat(probe.drain()).containsExactly(codec.delivered("aaaa"), codec.delivered("bbbb"), "[complete]");
        channel.flushInbound();
        assertThat(probe.drain()).containsExactly("[complete]");
        channel.finish();
    }

    @ParameterizedTest
    @EnumSource // 29, 17
    void eventsAndOtherMessagesGoOnOnceAndInOrder(PipelineCodec codec) {
        EmbeddedChannel channel = new EmbeddedChannel(codec.decoder(), probe);
        String wire = codec.wire("aaaa", "bbbb");
        channel.pipeline().fireUserEventTriggered("event");
        channel.pipeline().fireChannelRead(bytes(channel, wire.substring(0, codec.frameLength + 1)));
        channel.pipeline().fireUserEventTriggered(1);
        channel.pipeline().fireChannelRead("text");
        channel.pipeline().fireUserEventTriggered(1L);
        channel.pipeline().fireChannelRead(bytes(channel, wire.substring(codec.frameLength + 1)));
        channel.pipeline().fireUserEventTriggered('x');
        channel.finish();
        assertThat(probe.log())
                .containsExactly(
                        "[event String]",
                        codec.delivered("aaaa"),
                        "[event Integer]",
                        "[message text]",
                        "[event Long]",
                        codec.delivered("bbbb"),
                        "[event Character]",
                        "[inactive]");
    }

    @Test // 29
    void anExceptionFromInFrontPassesAndEndsNothing() {
        FixedLengthExactDecoder decoder = new FixedLengthExactDecoder(4);
        EmbeddedChannel channel = new EmbeddedChannel(decoder, probe);
        receive(channel, "aaaabb");
        channel.pipeline().fireExceptionCaught(new IllegalStateException("in front"));
        assertThat(decoder.hasEnded()).isFalse();
        receive(channel, "bb");
        channel.finish();
        assertThat(probe.log())
                .containsExactly(
                        "aaaa",
                        "[complete]",
                        "[IllegalStateException: in front]",
                        "bbbb",
                        "[complete]",
                        "[inactive]");
    }
}
