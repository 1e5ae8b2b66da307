package io.exactframe.netty;

import static io.exactframe.netty.LengthPrefix.fromLengthField;
import static io.exactframe.netty.LengthPrefix.int64;
import static io.exactframe.netty.LengthPrefix.uint16;
import static io.exactframe.netty.LengthPrefix.uint32;
import static io.exactframe.netty.LengthPrefix.uint8;
import static io.exactframe.netty.LengthPrefix.varint32;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.exactframe.netty.testing.Probe;
import io.exactframe.netty.testing.StreamProbe;
import io.exactframe.netty.testing.Wire;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandler.Sharable;
import io.netty.channel.embedded.EmbeddedChannel;
import java.nio.ReadOnlyBufferException;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Starts, chunks, and what their reader can rely on. */
class FrameStreamDecoderTest {
    private final StreamProbe probe = new StreamProbe();

    private EmbeddedChannel channel(LengthPrefix prefix) {
        return new EmbeddedChannel(new FrameStreamDecoder(100, prefix), probe);
    }

    private List<String> received(LengthPrefix prefix, String... reads) {
        EmbeddedChannel channel = channel(prefix);
        for (String read : reads) {
            probe.receive(channel, read);
        }
        Wire.finishByPeer(channel);
        return probe.log().stream().filter(line -> !line.equals("[complete]")).toList();
    }

    @Test // the first picture of the class's comment
    void aFrameIsAStartAndChunksAsTheyCome() {
        assertThat(received(uint16(), "\0", "\3a", "bc"))
                .containsExactly("start 5/3 \0\3", "a@0", "bc@1 last", "[inactive]");
    }

    @Test // 4
    void anEmptyFrameIsOneEmptyLastChunk() {
        assertThat(received(uint16(), "\0\0")).containsExactly("start 2/0 \0\0", "@0 last", "[inactive]");
        assertThat(received(uint16(), "\0", "\0", "\0\0\0\0"))
                .endsWith("start 2/0 \0\0", "@0 last", "start 2/0 \0\0", "@0 last", "start 2/0 \0\0", "@0 last",
                        "[inactive]");
    }

    @Test // 33, 52
    void aTruncatedFrameHasNoLastChunk() {
        assertThat(received(uint16(), "\0\3a", "b"))
                .containsExactly(
                        "start 5/3 \0\3",
                        "a@0",
                        "b@1",
                        "[PrematureCloseException: stream ended after 4 of 5 bytes]",
                        "[inactive]");
    }

    @Test // 33, 35
    void aTruncatedHeaderHasNoStart() {
        assertThat(received(uint16(), "\0"))
                .containsExactly("[PrematureCloseException: stream ended after 1 of 2 header bytes]", "[inactive]");
        assertThat(received(uint16().headerAfter(2), "\0\3a"))
                .as("its length is known")
                .endsWith("[PrematureCloseException: stream ended after 3 of 7 bytes]", "[inactive]");
    }

    @Test // 1
    void oneReadMayHoldFramesAndAPartOfTheNext() {
        assertThat(received(uint8(), "\2ab\0\1c\3de"))
                .containsExactly(
                        "start 3/2 \2", "ab@0 last",
                        "start 1/0 \0", "@0 last",
                        "start 2/1 \1", "c@0 last",
                        "start 4/3 \3", "de@0",
                        "[PrematureCloseException: stream ended after 3 of 4 bytes]", "[inactive]");
    }

    @Test
    void theHeaderIsAllThatIsInFrontOfThePayload() {
        assertThat(received(uint16().headerBefore(2).headerAfter(1), "<>\0", "\2;", "abAB\0\1Cc"))
                .containsExactly("start 7/2 <>\0\2;", "ab@0 last", "start 6/1 AB\0\1C", "c@0 last", "[inactive]");
        assertThat(received(varint32(), "\u0082\u0080", "\0xy\1z"))
                .endsWith("start 5/2 \u0082\u0080\0", "xy@0 last", "start 2/1 \1", "z@0 last", "[inactive]");
    }

    @Test
    void aTrailerDoesNotGoOnAndNothingIsLastBeforeIt() {
        LengthPrefix prefix = uint8().trailer(2);
        assertThat(received(prefix, "\2ab;;\1c;;"))
                .containsExactly("start 5/2 \2", "ab@0 last", "start 4/1 \1", "c@0 last", "[inactive]");
        probe.drain();
        assertThat(received(prefix, "\2ab;", ";"))
                .containsExactly("start 5/2 \2", "ab@0", "@2 last", "[inactive]");
        probe.drain();
        assertThat(received(prefix, "\2ab", ";", "", ";\0", ";", ";"))
                .containsExactly("start 5/2 \2", "ab@0", "@2 last", "start 3/0 \0", "@0 last", "[inactive]");
        probe.drain();
        assertThat(received(prefix, "\2ab;"))
                .containsExactly(
                        "start 5/2 \2",
                        "ab@0",
                        "[PrematureCloseException: stream ended after 4 of 5 bytes]",
                        "[inactive]");
        probe.drain();
        assertThat(received(prefix, "\0;"))
                .containsExactly(
                        "start 3/0 \0", "[PrematureCloseException: stream ended after 2 of 3 bytes]", "[inactive]");
    }

    @Test
    void aStartIsForKeeping() {
        AtomicReference<FrameStart> kept = new AtomicReference<>();
        EmbeddedChannel channel = new EmbeddedChannel(new FrameStreamDecoder(100, uint16().headerBefore(3)));
        channel.writeInbound(Probe.bytes(channel, "abc\0\0abd\0\0"));
        kept.set(channel.readInbound());
        channel.releaseInbound();
        channel.finish();
        FrameStart start = kept.get();
        assertThat(start.frameLength()).isEqualTo(5);
        assertThat(start.payloadLength()).isZero();
        assertThat(start).hasToString("FrameStart(5 bytes, 5 of header, 0 of payload)");
        ByteBuf header = start.header();
        assertThat(header.release()).isFalse();
        assertThat(header.skipBytes(3).readUnsignedShort()).isZero();
        assertThatThrownBy(() -> header.setByte(0, 1)).isInstanceOf(ReadOnlyBufferException.class);
        assertThat(start.header()).as("indices of its own").isEqualTo(Unpooled.copiedBuffer(Wire.bytes("6162630000")));
    }

    @Test // 17
    void messagesThatAreNotBytesPassInOrder() {
        EmbeddedChannel channel = channel(uint8());
        channel.pipeline().fireChannelRead(Probe.bytes(channel, "\2a"));
        channel.pipeline().fireChannelRead("text");
        channel.pipeline().fireChannelRead(Probe.bytes(channel, "b\0"));
        assertThat(probe.log())
                .containsExactly("start 3/2 \2", "a@0", "[message text]", "b@1 last", "start 1/0 \0", "@0 last");
        channel.finish();
    }

    @Test
    void itTellsWhatItHoldsAndWhetherItHasEnded() {
        FrameStreamDecoder decoder = new FrameStreamDecoder(100, uint16().headerAfter(2).trailer(1));
        EmbeddedChannel channel = new EmbeddedChannel(decoder, probe);
        for (String read : List.of("\0", "\3", "x", "y", "a", "bc")) {
            probe.receive(channel, read);
            int sent = List.of("\0", "\3", "x").indexOf(read) + 1;
            assertThat(decoder.bufferedBytes()).as(read).isEqualTo(sent);
            assertThat(decoder.hasEnded()).isFalse();
        }
        int[] inside = {-1};
        probe.on(5, ctx -> {
            ctx.pipeline().fireChannelRead(Probe.bytes(ctx.channel(), "12"));
            inside[0] = decoder.bufferedBytes();
        });
        probe.receive(channel, ";\0\1xyz;\u00ff\u00ff");
        assertThat(probe.log()).contains("@3 last", "z@0 last");
        assertThat(inside[0]).as("of the read, and what was re-entered").isEqualTo(4 + 2);
        assertThat(decoder.hasEnded()).isTrue();
        assertThat(decoder.bufferedBytes()).isZero();
        channel.finish();
    }

    static List<LengthPrefix> notForAStream() {
        return List.of(
                uint32().keepHeader(),
                uint32().strip(4),
                uint32().strip(1).trailer(1),
                fromLengthField(0, 4, 0, 4),
                int64().headerBefore(Integer.MAX_VALUE - 8 - 7),
                int64().headerAfter(Integer.MAX_VALUE).headerBefore(Integer.MAX_VALUE),
                // and what no handler takes
                varint32().littleEndian(),
                uint8().adjustedBy(-300));
    }

    @ParameterizedTest
    @MethodSource("notForAStream") // 8
    void aPrefixThatMakesNoSenseHereIsRefused(LengthPrefix prefix) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new FrameStreamDecoder(Long.MAX_VALUE, prefix))
                .withMessageContaining(prefix.toString().contains("varint") ? "varint" : prefix.toString());
    }

    @Test // 8
    void aHeaderMayBeAsLongAsAnArray() {
        assertThat(new FrameStreamDecoder(Long.MAX_VALUE, int64().headerBefore(Integer.MAX_VALUE - 8 - 8)).hasEnded())
                .isFalse();
    }

    @ParameterizedTest
    @ValueSource(longs = {Long.MIN_VALUE, -1, 0, 1, 3}) // 8
    void aLimitThatNoFrameIsWithinIsRefused(long limit) {
        assertThatIllegalArgumentException().isThrownBy(() -> new FrameStreamDecoder(limit, uint32()));
    }

    @Test // 8
    void contiguousChunksAreRefused() {
        ReceiveOptions contiguous = ReceiveOptions.defaults().contiguous();
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new FrameStreamDecoder(100, uint32(), contiguous))
                .withMessageContaining("contiguous()");
    }

    @Sharable
    private static final class Shared extends FrameStreamDecoder {
        Shared() {
            super(100, uint32());
        }
    }

    @Test // 23
    void anInstanceServesOneChannel() {
        assertThatThrownBy(Shared::new).isInstanceOf(IllegalStateException.class);
        FrameStreamDecoder decoder = new FrameStreamDecoder(100, uint32());
        EmbeddedChannel channel = new EmbeddedChannel(decoder);
        channel.pipeline().remove(decoder);
        assertThatThrownBy(() -> channel.pipeline().addLast(decoder)).hasMessageContaining("not a @Sharable handler");
        channel.finish();
    }
}
