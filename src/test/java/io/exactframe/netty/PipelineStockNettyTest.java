package io.exactframe.netty;

import static io.exactframe.netty.PipelineProbe.receive;
import static io.exactframe.netty.PipelineProbe.reenter;
import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.handler.codec.DecoderException;
import io.netty.handler.codec.FixedLengthFrameDecoder;
import io.netty.handler.codec.LengthFieldBasedFrameDecoder;
import io.netty.handler.codec.PrematureChannelClosureException;
import io.netty.handler.flow.FlowControlHandler;
import io.netty.util.IllegalReferenceCountException;
import java.util.List;
import org.junit.jupiter.api.Test;

/**
 * What Netty's own decoders do; what these do in the same place is in the tests that cite the same number. Where Netty
 * changes, a test fails here and the README has to follow.
 */
class PipelineStockNettyTest {
    private final PipelineProbe probe = new PipelineProbe();

    @Test // 19
    void reenteredFromDownstreamNettyReadsAReleasedBuffer() {
        probe.onRead(1, ctx -> reenter(ctx, "c".repeat(4096)));
        EmbeddedChannel netty = new EmbeddedChannel(new FixedLengthFrameDecoder(4), probe);
        receive(netty, "aaaabbbb");
        netty.finish();
        assertThat(probe.log()).startsWith("aaaa", "bbbb", "cccc"); // and these inside the delivery of aaaa
        assertThat(probe.exceptions).singleElement()
                .satisfies(e -> assertThat(e).isInstanceOf(DecoderException.class)
                        .hasCauseInstanceOf(IllegalReferenceCountException.class));
    }

    @Test // 19
    void reenteredFromDecodeThatThenThrowsNettyQueuesForEver() {
        boolean[] done = {false};
        ByteBuf[] stuck = new ByteBuf[3];
        EmbeddedChannel netty = new EmbeddedChannel(
                new FixedLengthFrameDecoder(4) {
                    @Override
                    protected Object decode(ChannelHandlerContext ctx, ByteBuf in) throws Exception {
                        if (!done[0]) {
                            done[0] = true;
                            ctx.pipeline().fireChannelRead(stuck[0]);
                            throw new IllegalStateException("boom");
                        }
                        return super.decode(ctx, in);
                    }
                },
                probe);
        for (int i = 0; i < stuck.length; i++) {
            stuck[i] = PipelineProbe.bytes(netty, "bbbb");
        }
        receive(netty, "aaaa");
        netty.writeInbound(stuck[1]);
        netty.writeInbound(stuck[2]);
        assertThat(probe.drain())
                .containsExactly(
                        "[DecoderException: java.lang.IllegalStateException: boom]",
                        "[complete]",
                        "[complete]",
                        "[complete]");
        netty.finishAndReleaseAll();
        assertThat(stuck).allMatch(buffer -> buffer.refCnt() == 1); // leaked
        for (ByteBuf buffer : stuck) {
            buffer.release();
        }
    }

    @Test // 20
    void removedInADeliveryNettyHandsOnTheRestInsideOfIt() {
        FixedLengthFrameDecoder decoder = new FixedLengthFrameDecoder(4);
        probe.onRead(1, ctx -> {
            ctx.pipeline().remove(decoder);
            probe.note("[handled]");
        });
        EmbeddedChannel netty = new EmbeddedChannel(decoder, probe);
        receive(netty, "aaaabbbb");
        netty.finish();
        assertThat(probe.drain())
                .containsExactly("aaaa", "bbbb", "[complete]", "[handled]", "[complete]", "[inactive]");
    }

    @Test // 28
    void closedInADeliveryNettyDeliversWhatIsLeft() {
        probe.onRead(1, ChannelHandlerContext::close);
        EmbeddedChannel netty = new EmbeddedChannel(new LengthFieldBasedFrameDecoder(16, 0, 2, 0, 2), probe);
        receive(netty, "\0\4aaaa\0\4bbbb\0\4cccc");
        netty.finish();
        assertThat(probe.log()).containsExactly("aaaa", "bbbb", "cccc", "[inactive]");
    }

    @Test // 31
    void withFlowControlBehindNettyForgetsAReadThatMetAPartialFrame() {
        EmbeddedChannel netty = new EmbeddedChannel();
        netty.config().setAutoRead(false);
        netty.pipeline().addLast(new FixedLengthFrameDecoder(4), new FlowControlHandler(), probe);
        netty.read();
        receive(netty, "aa");
        receive(netty, "aa");
        assertThat(probe.drain()).containsExactly("[complete]");
        netty.read();
        assertThat(probe.drain()).containsExactly("aaaa", "[complete]");
        netty.finish();
    }

    @Test // 33
    void closedInAFrameNettySaysNothing() {
        String stream = "\0\4aaaa\0\4bbbb";
        for (int received = 7; received < stream.length(); received++) {
            EmbeddedChannel netty = new EmbeddedChannel(new LengthFieldBasedFrameDecoder(16, 0, 2, 0, 2), probe);
            receive(netty, stream.substring(0, received));
            netty.finish();
            assertThat(probe.drain()).containsExactly("aaaa", "[complete]", "[inactive]");
        }
    }

    /** The only way to report it with Netty's decoders. */
    private static final class ReportingDecoder extends FixedLengthFrameDecoder {
        ReportingDecoder() {
            super(4);
        }

        @Override
        protected void decodeLast(ChannelHandlerContext ctx, ByteBuf in, List<Object> out) throws Exception {
            super.decodeLast(ctx, in, out);
            if (in.isReadable()) {
                throw new PrematureChannelClosureException("said so");
            }
        }
    }

    @Test // 34
    void whatDecodeLastThrowsNettyWrapsAndFiresBehindChannelInactive() {
        EmbeddedChannel netty = new EmbeddedChannel(new ReportingDecoder(), probe);
        receive(netty, "aaaabb");
        netty.finish();
        assertThat(probe.log())
                .containsExactly(
                        "aaaa",
                        "[complete]",
                        "[inactive]",
                        "[DecoderException: io.netty.handler.codec.PrematureChannelClosureException: said so]");
    }

    @Test // 34
    void whatDecodeLastThrowsAtAHalfCloseTakesNettysEventAway() {
        EmbeddedChannel netty = new EmbeddedChannel(new ReportingDecoder(), probe);
        receive(netty, "aaaabb");
        netty.pipeline().fireUserEventTriggered(ChannelInputShutdownEvent.INSTANCE);
        netty.finish();
        assertThat(probe.log())
                .containsExactly(
                        "aaaa",
                        "[complete]",
                        "[DecoderException: io.netty.handler.codec.PrematureChannelClosureException: said so]",
                        "[inactive]");
    }

    @Test // 9
    void beyondTheLimitNettySkipsWhatWasDeclaredAndGoesOn() {
        EmbeddedChannel netty = new EmbeddedChannel(new LengthFieldBasedFrameDecoder(16, 0, 2, 0, 2), probe);
        receive(netty, "\0\21" + "x".repeat(17));
        receive(netty, "\0\1a");
        netty.finish();
        assertThat(probe.log())
                .containsExactly(
                        "[TooLongFrameException: Adjusted frame length exceeds 16: 19 - discarded]",
                        "[complete]",
                        "a",
                        "[complete]",
                        "[inactive]");
    }
}
