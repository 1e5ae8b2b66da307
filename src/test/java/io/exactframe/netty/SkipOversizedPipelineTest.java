package io.exactframe.netty;

import static io.exactframe.netty.LengthPrefix.uint8;
import static io.exactframe.netty.testing.Probe.bytes;
import static io.exactframe.netty.testing.Probe.reenter;
import static io.exactframe.netty.testing.SkippingDecoder.LIMIT;
import static io.exactframe.netty.testing.SkippingDecoder.SKIP;
import static org.assertj.core.api.Assertions.assertThat;

import io.exactframe.netty.testing.Probe;
import io.exactframe.netty.testing.SkippingDecoder;
import io.exactframe.netty.testing.Wire;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandler;
import io.netty.channel.ChannelOutboundHandlerAdapter;
import io.netty.channel.ChannelPromise;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.handler.flow.FlowControlHandler;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** 9, 19 to 22, 30, 31: what a pipeline does while a frame that is too long is reported and skipped. */
class SkipOversizedPipelineTest {
    private static final String TOO_LONG = "[TooLongFrameException: frame of 6 bytes, the limit is 3]";

    private final Probe probe = new Probe();

    private EmbeddedChannel channel(SkippingDecoder kind, ChannelInboundHandler decoder) {
        return new EmbeddedChannel(kind.handlers(decoder, probe));
    }

    /** One read. Not writeInbound, which throws what was fired. */
    private static void receive(EmbeddedChannel channel, String text) {
        Wire.receive(channel, bytes(channel, text));
    }

    /** How a close goes on behind the decoder. */
    private enum Close {
        AT_ONCE,
        SLOWLY,
        INACTIVE_INSIDE
    }

    static Stream<Arguments> closes() {
        return Stream.of(SkippingDecoder.values())
                .flatMap(kind -> Stream.of(Close.values()).map(close -> Arguments.of(kind, close)));
    }

    @ParameterizedTest(name = "{0}, {1}")
    @MethodSource("closes") // 28, 33: what came later in the same read counts
    void closedByTheReport(SkippingDecoder kind, Close close) {
        for (String read : List.of("\5abc", "\5abcde", "\5abcde\1A")) {
            Probe probe = new Probe();
            probe.onException(ctx -> {
                if (probe.exceptions.size() == 2) {
                    ctx.close();
                    if (close == Close.INACTIVE_INSIDE) {
                        ctx.pipeline().fireChannelInactive();
                    }
                }
            });
            EmbeddedChannel channel = new EmbeddedChannel(new ChannelOutboundHandlerAdapter() {
                @Override
                public void close(ChannelHandlerContext ctx, ChannelPromise promise) {
                    if (close != Close.SLOWLY) {
                        ctx.close(promise);
                    }
                }
            });
            channel.pipeline().addLast(kind.handlers(kind.decoder(), probe));
            receive(channel, "\5fghij");
            receive(channel, read);
            if (close == Close.SLOWLY) {
                channel.pipeline().removeFirst();
            }
            channel.finish();
            assertThat(probe.log()).as(read).doesNotContain("A").contains(TOO_LONG, "[inactive]");
            assertThat(probe.exceptions.stream().skip(2))
                    .map(Throwable::getMessage)
                    .as(read)
                    .isEqualTo(read.length() < 6 ? List.of("stream ended after 4 of 6 bytes, closed on this side") : List.of());
        }
    }

    @ParameterizedTest
    @EnumSource // 19
    void bytesThatComeInsideTheReportComeBehindIt(SkippingDecoder kind) {
        for (boolean throwing : new boolean[] {false, true}) {
            Probe probe = new Probe();
            probe.onException(ctx -> {
                if (probe.exceptions.size() == 1) {
                    reenter(ctx, "de\2EF\5x");
                    if (throwing) {
                        throw new IllegalStateException("from exceptionCaught, which Netty logs");
                    }
                }
            });
            EmbeddedChannel channel = new EmbeddedChannel(kind.handlers(kind.decoder(), probe));
            receive(channel, "\5abc");
            receive(channel, "xxxx\1G");
            assertThat(probe.log()).containsExactly(TOO_LONG, "EF", TOO_LONG, "[complete]", "G", "[complete]");
            channel.finish();
            assertThat(probe.exceptions).hasSize(2);
        }
    }

    @ParameterizedTest
    @EnumSource // 20, 21: wherever it is cut, its successor sees all of it
    void removedOrReplacedInTheReportTheWholeFrameGoesOn(SkippingDecoder kind) {
        String stream = "\1A\5abcde\1B";
        for (boolean replaced : new boolean[] {false, true}) {
            for (int cut = 0; cut <= stream.length(); cut++) {
                boolean all = cut == stream.length();
                ChannelInboundHandler decoder = kind.decoder();
                Probe probe = new Probe();
                probe.onException(ctx -> {
                    if (all) {
                        ctx.pipeline().fireUserEventTriggered(ChannelInputShutdownEvent.INSTANCE); // waits
                    }
                    if (replaced) {
                        ctx.pipeline().replace(decoder, null, new LengthPrefixedExactDecoder(9, uint8()));
                    } else {
                        ctx.pipeline().remove(decoder);
                    }
                });
                EmbeddedChannel channel = new EmbeddedChannel(kind.handlers(decoder, probe));
                receive(channel, stream.substring(0, cut));
                receive(channel, stream.substring(cut));
                channel.finish();
                List<String> log = probe.log().stream().filter(line -> !line.startsWith("[")).toList();
                assertThat(replaced ? String.join("-", log) : String.join("", log))
                        .as("cut at %d", cut)
                        .isEqualTo(replaced ? "A-abcde-B" : "A\5abcde\1B");
                assertThat(probe.exceptions).hasSize(1);
            }
        }
    }

    @ParameterizedTest
    @EnumSource // 22
    void removedWhileSkippingTheRestGoesOnAsItComes(SkippingDecoder kind) {
        ChannelInboundHandler decoder = kind.decoder();
        EmbeddedChannel channel = channel(kind, decoder);
        receive(channel, "\5ab");
        channel.pipeline().remove(decoder);
        receive(channel, "cde\1A");
        channel.finish();
        assertThat(probe.log()).containsExactly(TOO_LONG, "[complete]", "cde\1A", "[complete]", "[inactive]");
    }

    @ParameterizedTest
    @EnumSource // 30
    void aReadThatWasSkippedAsksForAnother(SkippingDecoder kind) {
        int[] reads = {0};
        EmbeddedChannel channel = new EmbeddedChannel(new ChannelOutboundHandlerAdapter() {
            @Override
            public void read(ChannelHandlerContext ctx) {
                reads[0]++;
            }
        });
        channel.config().setAutoRead(false);
        channel.pipeline().addLast(kind.handlers(kind.decoder(), probe));
        reads[0] = 0;
        for (String read : List.of("\5", "abc", "de\5abcde", "\5abcd")) {
            receive(channel, read);
            assertThat(reads[0]).as(read).isOne();
            reads[0] = 0;
        }
        receive(channel, "e\2AB");
        assertThat(reads[0]).isZero();
        assertThat(probe.log()).containsExactly(TOO_LONG, TOO_LONG, TOO_LONG, "AB", "[complete]");
        channel.finish();
    }

    @ParameterizedTest
    @EnumSource // 31
    void behindItTheNextDemandIsAnswered(SkippingDecoder kind) {
        FlowControlHandler control = new FlowControlHandler();
        EmbeddedChannel channel = new EmbeddedChannel(kind.handlers(kind.decoder()));
        channel.config().setAutoRead(false);
        channel.pipeline().addLast(control, probe);
        channel.read();
        receive(channel, "\5abc");
        receive(channel, "de\1A\1B\5abcde\1C");
        assertThat(probe.drain()).contains("A").doesNotContain("B");
        channel.read();
        assertThat(probe.drain()).contains("B").doesNotContain("C");
        channel.read();
        assertThat(probe.drain()).contains("C");
        channel.finish();
    }

    @Test // 20: nothing of the frame is skipped by a decoder that is gone
    void removedByItsCodecThatTellsTheLength() {
        Probe probe = this.probe;
        EmbeddedChannel channel = new EmbeddedChannel();
        ChannelInboundHandler decoder = new ExactFrameDecoder(1, 1, LIMIT, SKIP) {
            @Override
            protected long frameLength(ByteBuf header) {
                channel.pipeline().remove(this);
                return 6;
            }
        };
        channel.pipeline().addLast(decoder, probe);
        receive(channel, "\5abcde\1A");
        channel.finish();
        assertThat(probe.log()).containsExactly("\5abcde\1A", "[complete]", "[complete]", "[inactive]");
    }

    @Test // 28: nothing is told behind channelInactive
    void closedByItsCodecThatTellsTheLength() {
        EmbeddedChannel channel = new EmbeddedChannel(new ChannelOutboundHandlerAdapter() {
            @Override
            public void close(ChannelHandlerContext ctx, ChannelPromise promise) {
                ctx.fireChannelInactive(); // at once
            }
        });
        ChannelInboundHandler decoder = new ExactFrameDecoder(1, 1, LIMIT, SKIP) {
            @Override
            protected long frameLength(ByteBuf header) {
                channel.pipeline().close();
                return 6;
            }
        };
        channel.pipeline().addLast(decoder, probe);
        receive(channel, "\5abcde\1A");
        assertThat(probe.exceptions).isEmpty();
        assertThat(probe.log()).containsExactly("[inactive]", "[complete]");
        channel.deregister();
    }
}
