package io.exactframe.netty;

import static io.exactframe.netty.PipelineProbe.receive;
import static io.exactframe.netty.PipelineProbe.reenter;
import static org.assertj.core.api.Assertions.assertThat;

import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.embedded.EmbeddedChannel;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** 21: another decoder takes over in the middle of the stream. */
class PipelineUpgradeTest {
    private final PipelineProbe probe = new PipelineProbe();

    enum Way {
        REPLACE {
            @Override
            void upgrade(ChannelHandlerContext ctx, ExactFrameDecoder from, ExactFrameDecoder to) {
                ctx.pipeline().replace(from, null, to);
            }
        },
        ADD_THEN_REMOVE {
            @Override
            void upgrade(ChannelHandlerContext ctx, ExactFrameDecoder from, ExactFrameDecoder to) {
                ctx.pipeline().addAfter(ctx.pipeline().context(from).name(), null, to);
                ctx.pipeline().remove(from);
            }
        };

        abstract void upgrade(ChannelHandlerContext ctx, ExactFrameDecoder from, ExactFrameDecoder to);
    }

    static Stream<Arguments> upgrades() {
        return Stream.of(PipelineCodec.values())
                .flatMap(from -> Stream.of(PipelineCodec.values())
                        .flatMap(to -> Stream.of(Way.values()).map(way -> Arguments.of(from, to, way))));
    }

    @ParameterizedTest(name = "{0} to {1} by {2}")
    @MethodSource("upgrades")
    void noByteIsLostOrDoubledWhereverTheStreamIsCut(PipelineCodec from, PipelineCodec to, Way way) {
        String wire = from.wire("aaaa", "bbbb") + to.wire("cccc", "dddd");
        for (int cut = 0; cut <= wire.length(); cut++) {
            PipelineProbe probe = new PipelineProbe();
            ExactFrameDecoder old = from.decoder();
            probe.onRead(2, ctx -> way.upgrade(ctx, old, to.decoder()));
            EmbeddedChannel channel = new EmbeddedChannel(old, probe);
            receive(channel, wire.substring(0, cut));
            receive(channel, wire.substring(cut));
            assertThat(channel.finish()).isFalse();
            assertThat(probe.log().stream().filter(line -> !line.equals("[complete]")))
                    .as("cut at %d", cut)
                    .containsExactly(
                            from.delivered("aaaa"),
                            from.delivered("bbbb"),
                            to.delivered("cccc"),
                            to.delivered("dddd"),
                            "[inactive]");
        }
    }

    @ParameterizedTest
    @EnumSource
    void betweenReadsAPartialFrameGoesToTheSuccessor(Way way) {
        ExactFrameDecoder old = new LengthPrefixedExactDecoder(16, LengthPrefix.uint16());
        EmbeddedChannel channel = new EmbeddedChannel(old, probe);
        receive(channel, "\0\4aaaa\0\4b");
        way.upgrade(channel.pipeline().context(probe), old, new FixedLengthExactDecoder(2));
        receive(channel, "b");
        assertThat(channel.finish()).isFalse();
        assertThat(probe.log())
                .containsExactly("aaaa", "[complete]", "\0\4", "[complete]", "bb", "[complete]", "[inactive]");
    }

    @Test
    void aSuccessorThatIsReplacedAtItsFirstFrameHandsOnAsWell() {
        ExactFrameDecoder first = new FixedLengthExactDecoder(4);
        ExactFrameDecoder second = new LengthPrefixedExactDecoder(16, LengthPrefix.uint8());
        probe.onRead(1, ctx -> ctx.pipeline().replace(first, null, second));
        probe.onRead(2, ctx -> ctx.pipeline().replace(second, null, new FixedLengthExactDecoder(3)));
        EmbeddedChannel channel = new EmbeddedChannel(first, probe);
        receive(channel, "aaaa\2bbccc\1dd");
        assertThat(channel.finish()).isFalse();
        assertThat(probe.log().stream().filter(line -> !line.equals("[complete]")))
                .containsExactly("aaaa", "bb", "ccc", "\1dd", "[inactive]");
    }

    @ParameterizedTest
    @EnumSource // 19
    void bytesThatWaitAreNotOvertakenByThoseThatTheSuccessorsFrameBrings(Way way) {
        ExactFrameDecoder old = new FixedLengthExactDecoder(4);
        probe.onRead(1, ctx -> {
            reenter(ctx, "cc");
            ctx.pipeline().fireChannelReadComplete();
            ctx.pipeline().fireUserEventTriggered("event");
            reenter(ctx, "ddee");
            ctx.pipeline().fireChannelReadComplete();
            way.upgrade(ctx, old, new FixedLengthExactDecoder(2));
        });
        probe.onRead(2, ctx -> reenter(ctx, "ff"));
        EmbeddedChannel channel = new EmbeddedChannel(old, probe);
        receive(channel, "aaaabb");
        assertThat(channel.finish()).isFalse();
        assertThat(probe.log().stream().filter(line -> !line.startsWith("[")))
                .containsExactly("aaaa", "bb", "cc", "dd", "ee", "ff");
        assertThat(probe.log()).containsOnlyOnce("[event String]").containsOnlyOnce("[inactive]");
    }

    @Test
    void aSuccessorAddedAfterTheRemovalIsBypassed() {
        ExactFrameDecoder old = new FixedLengthExactDecoder(4);
        probe.onRead(1, ctx -> {
            ctx.pipeline().remove(old);
            ctx.pipeline().addBefore(ctx.name(), null, new FixedLengthExactDecoder(2));
        });
        EmbeddedChannel channel = new EmbeddedChannel(old, probe);
        receive(channel, "aaaabbcc");
        receive(channel, "ddee");
        assertThat(channel.finish()).isFalse();
        List<String> bytes =
                probe.log().stream().filter(line -> !line.equals("[complete]")).toList();
        assertThat(bytes).containsExactly("aaaa", "bbcc", "dd", "ee", "[inactive]");
    }
}
