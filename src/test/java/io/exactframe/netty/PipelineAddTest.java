package io.exactframe.netty;

import static io.exactframe.netty.PipelineProbe.bytes;
import static io.exactframe.netty.PipelineProbe.receive;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandler.Sharable;
import io.netty.channel.ChannelPipelineException;
import io.netty.channel.embedded.EmbeddedChannel;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Where and when a decoder may be added. */
class PipelineAddTest {
    private final PipelineProbe probe = new PipelineProbe();

    @ParameterizedTest
    @EnumSource // 23
    void anInstanceIsAddedOnce(PipelineCodec codec) {
        ExactFrameDecoder decoder = codec.decoder();
        EmbeddedChannel channel = new EmbeddedChannel(decoder, probe);
        EmbeddedChannel other = new EmbeddedChannel();
        assertThatExceptionOfType(ChannelPipelineException.class)
                .isThrownBy(() -> channel.pipeline().addLast(decoder));
        assertThatExceptionOfType(ChannelPipelineException.class)
                .isThrownBy(() -> other.pipeline().addLast(decoder));
        channel.pipeline().remove(decoder);
        assertThatExceptionOfType(ChannelPipelineException.class)
                .isThrownBy(() -> other.pipeline().addLast(decoder));
        channel.finish();
        other.finish();
    }

    @Sharable
    private static final class SharedFixed extends FixedLengthExactDecoder {
        SharedFixed() {
            super(4);
        }
    }

    @Sharable
    private static final class SharedPrefixed extends LengthPrefixedExactDecoder {
        SharedPrefixed() {
            super(16, LengthPrefix.uint16());
        }
    }

    @Sharable
    private static final class SharedOwn extends ExactFrameDecoder {
        SharedOwn() {
            super(1, 16);
        }

        @Override
        protected long frameLength(ByteBuf header) {
            return 1;
        }
    }

    @Test // 23
    void aSharableSubclassIsRefused() {
        assertThatIllegalStateException().isThrownBy(SharedFixed::new);
        assertThatIllegalStateException().isThrownBy(SharedPrefixed::new);
        assertThatIllegalStateException().isThrownBy(SharedOwn::new);
    }

    @ParameterizedTest
    @EnumSource // 24
    void addedToAnActiveChannelItCutsFromThereOn(PipelineCodec codec) {
        EmbeddedChannel channel = new EmbeddedChannel(probe);
        receive(channel, "before");
        channel.pipeline().addFirst(codec.decoder());
        receive(channel, codec.wire("aaaa") + "x");
        channel.finish();
        assertThat(probe.log())
                .containsExactly(
                        "before",
                        "[complete]",
                        codec.delivered("aaaa"),
                        "[complete]",
                        codec.truncated(1),
                        "[inactive]");
    }

    @ParameterizedTest
    @EnumSource // 24
    void addedToAChannelThatIsNotRegisteredItWorksFromItsFirstByte(PipelineCodec codec) throws Exception {
        EmbeddedChannel channel = new EmbeddedChannel(false, false);
        channel.pipeline().addLast(codec.decoder(), probe);
        assertThat(channel.isRegistered()).isFalse();
        channel.register();
        receive(channel, codec.wire("aaaa"));
        channel.finish();
        assertThat(probe.log()).containsExactly(codec.delivered("aaaa"), "[complete]", "[inactive]");
    }

    @ParameterizedTest
    @EnumSource // 24
    void addedToAClosedChannelItDoesNothing(PipelineCodec codec) {
        EmbeddedChannel channel = new EmbeddedChannel();
        channel.finish();
        ExactFrameDecoder decoder = codec.decoder();
        channel.pipeline().addLast(decoder, probe);
        channel.runPendingTasks();
        assertThat(probe.log()).isEmpty();
        channel.pipeline().fireChannelRead(bytes(channel, codec.wire("aaaa") + "x"));
        channel.pipeline().remove(decoder);
        assertThat(probe.log()).containsExactly(codec.delivered("aaaa"), "x", "[complete]");
    }
}
