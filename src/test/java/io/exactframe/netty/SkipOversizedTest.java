package io.exactframe.netty;

import static io.exactframe.netty.LengthPrefix.int64;
import static io.exactframe.netty.LengthPrefix.uint16;
import static io.exactframe.netty.LengthPrefix.uint8;
import static io.exactframe.netty.PipelineProbe.bytes;
import static io.exactframe.netty.SkippingDecoder.LARGEST;
import static io.exactframe.netty.SkippingDecoder.LIMIT;
import static io.exactframe.netty.SkippingDecoder.SKIP;
import static io.exactframe.netty.SkippingDecoder.hasEnded;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.UnpooledHeapByteBuf;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.handler.codec.TooLongFrameException;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** 9: a frame that is too long is reported once and skipped, if the application wants that. */
class SkipOversizedTest {
    private static final String TOO_LONG = "[TooLongFrameException: frame of 6 bytes, the limit is 3]";

    private final PipelineProbe probe = new PipelineProbe();

    private EmbeddedChannel channel(SkippingDecoder kind, InboundCutter decoder) {
        return new EmbeddedChannel(kind.handlers(decoder, probe));
    }

    /** One read. Not writeInbound, which throws what was fired. */
    private static void receive(EmbeddedChannel channel, String text) {
        Wire.receive(channel, bytes(channel, text));
    }

    @ParameterizedTest
    @EnumSource
    void framesOnBothSidesOfItGoOn(SkippingDecoder kind) {
        InboundCutter decoder = kind.decoder();
        EmbeddedChannel channel = channel(kind, decoder);
        receive(channel, "\2AB\5abcde\1C\5fghij\5");
        assertThat(probe.drain()).containsExactly("AB", TOO_LONG, "C", TOO_LONG, TOO_LONG, "[complete]");
        receive(channel, "klm");
        receive(channel, "no\2DE");
        assertThat(probe.drain()).containsExactly("[complete]", "DE", "[complete]");
        assertThat(hasEnded(decoder)).isFalse();
        channel.finish();
        assertThat(probe.log()).containsExactly("[inactive]");
    }

    @ParameterizedTest
    @EnumSource
    void aFrameBeyondTheLargestEndsTheDecoder(SkippingDecoder kind) {
        InboundCutter decoder = kind.decoder();
        EmbeddedChannel channel = channel(kind, decoder);
        receive(channel, "\23" + "x".repeat(19) + "\1A\24" + "x".repeat(20) + "\1B");
        assertThat(probe.drain())
                .containsExactly(
                        "[TooLongFrameException: frame of 20 bytes, the limit is 3]",
                        "A",
                        "[TooLongFrameException: frame of 21 bytes, the limit is 3]",
                        "[complete]");
        assertThat(hasEnded(decoder)).isTrue();
        receive(channel, "\1C");
        channel.finish();
        assertThat(probe.log()).containsExactly("[complete]", "[inactive]");
    }

    @ParameterizedTest
    @EnumSource
    void theEndInsideIsAPrematureClose(SkippingDecoder kind) {
        InboundCutter decoder = kind.decoder();
        EmbeddedChannel channel = channel(kind, decoder);
        receive(channel, "\1A\5ab");
        receive(channel, "cd");
        assertThat(decoder.prematureClose()).isNotNull();
        channel.pipeline().fireUserEventTriggered(ChannelInputShutdownEvent.INSTANCE);
        assertThat(hasEnded(decoder)).isTrue();
        assertThat(decoder.prematureClose()).as("once it was told").isNull();
        channel.finish();
        assertThat(probe.log())
                .containsExactly(
                        "A",
                        TOO_LONG,
                        "[complete]",
                        "[complete]",
                        "[PrematureCloseException: stream ended after 5 of 6 bytes]",
                        "[event ChannelInputShutdownEvent]",
                        "[inactive]");
    }

    @ParameterizedTest
    @EnumSource
    void whatIsSkippedIsHeldNoLongerThanTheReport(SkippingDecoder kind) {
        InboundCutter decoder = kind.decoder();
        PipelineProbe probe = new PipelineProbe();
        int[] held = {0};
        probe.onException(ctx -> held[0] = decoder.bytesNotDelivered());
        EmbeddedChannel channel = new EmbeddedChannel(kind.handlers(decoder, probe));
        for (String text : List.of("\5abc", "d", "e")) {
            ByteBuf read = bytes(channel, text);
            Wire.receive(channel, read);
            assertThat(read.refCnt()).isZero();
            assertThat(decoder.bytesNotDelivered()).isZero();
        }
        assertThat(held[0]).isEqualTo(4);
        receive(channel, "\1A");
        assertThat(probe.log()).contains("A");
        channel.finish();
    }

    @Test
    void aHeaderThatWasSetAsideIsDropped() {
        for (InboundCutter decoder : List.of(
                new LengthPrefixedExactDecoder(LIMIT, uint16(), SKIP),
                new FrameStreamDecoder(LIMIT, uint16(), SKIP))) {
            EmbeddedChannel channel = new EmbeddedChannel(decoder, new StreamProbe());
            receive(channel, "\0");
            assertThat(decoder.bytesNotDelivered()).isOne();
            receive(channel, "\3");
            assertThat(decoder.bytesNotDelivered()).isZero();
            receive(channel, "abc");
            receive(channel, "\0");
            assertThat(decoder.prematureClose()).hasMessage("stream ended after 1 of 2 header bytes");
            receive(channel, "\0");
            channel.finish();
        }
    }

    @Test // 14, 13
    void framesOfTheSameReadStayWhole() {
        Keeper keeper = Keeper.ofAll();
        EmbeddedChannel channel =
                new EmbeddedChannel(new LengthPrefixedExactDecoder(LIMIT, uint8(), SKIP), keeper);
        ByteBuf read = channel.alloc().buffer(1 << 16);
        int frames = 0;
        while (read.readableBytes() < (1 << 16) - 10) {
            read.writeBytes(new byte[] {2, (byte) frames, (byte) (frames >> 8), 5, 0, 0, 0, 0, 0});
            frames++;
        }
        channel.pipeline().fireChannelRead(read);
        assertThat(keeper.faults).hasSize(frames);
        assertThat(keeper.kept).hasSize(frames);
        for (int i = 0; i < frames; i++) {
            assertThat(keeper.kept.get(i).readUnsignedShortLE()).isEqualTo(i);
        }
        keeper.releaseAll();
        assertThat(read.refCnt()).isZero();
        channel.finish();
    }

    @Test
    void whatACodecThrowsEndsIt() {
        InboundCutter decoder = new ExactFrameDecoder(1, 1, LIMIT, SKIP) {
            @Override
            protected long frameLength(ByteBuf header) {
                throw new TooLongFrameException("by the codec");
            }
        };
        EmbeddedChannel channel = channel(SkippingDecoder.CODEC, decoder);
        receive(channel, "\1A");
        receive(channel, "\1B");
        assertThat(hasEnded(decoder)).isTrue();
        channel.finish();
        assertThat(probe.exceptions).singleElement().hasToString(
                "io.netty.handler.codec.TooLongFrameException: by the codec");
    }

    @ParameterizedTest
    @EnumSource
    void anyOtherFaultEndsItWhileItSkips(SkippingDecoder kind) {
        InboundCutter decoder = kind.decoder();
        EmbeddedChannel channel = channel(kind, decoder);
        receive(channel, "\5ab");
        ByteBuf broken = new UnpooledHeapByteBuf(channel.alloc(), 2, 2) {
            @Override
            public boolean release() {
                super.release();
                throw new IllegalStateException("released twice");
            }
        };
        Wire.receive(channel, broken.writeZero(2));
        assertThat(hasEnded(decoder)).isTrue();
        receive(channel, "e\1A");
        channel.finish();
        assertThat(probe.exceptions).hasSize(2).element(1).isInstanceOf(IllegalStateException.class);
        assertThat(probe.log()).doesNotContain("A");
    }

    @Test // 7: a length beyond 2^63 is beyond every limit
    void aLengthThatCannotBeCountedEndsTheDecoder() {
        ReceiveOptions all = ReceiveOptions.defaults().skipOversized(Long.MAX_VALUE);
        for (InboundCutter decoder : List.of(
                new LengthPrefixedExactDecoder(100, int64(), all), new FrameStreamDecoder(100, int64(), all))) {
            PipelineProbe probe = new PipelineProbe();
            EmbeddedChannel channel = new EmbeddedChannel(decoder, probe);
            Wire.receive(channel, Wire.bytes("7ffffffffffffff8"));
            assertThat(hasEnded(decoder)).isTrue();
            channel.finish();
            assertThat(probe.exceptions).singleElement().isInstanceOf(TooLongFrameException.class);
        }
    }

    @Tag("slow")
    @ParameterizedTest // 51
    @ValueSource(longs = {(1L << 31) - 9, (1L << 31) - 8, 1L << 31, 1L << 32, 5L << 30})
    void anyLengthInMemoryThatStaysTheSame(long payload) {
        ReceiveOptions all = ReceiveOptions.defaults().skipOversized(Long.MAX_VALUE);
        for (InboundCutter decoder : List.of(
                new LengthPrefixedExactDecoder(100, int64(), all), new FrameStreamDecoder(100, int64(), all))) {
            Sink sink = new Sink();
            EmbeddedChannel channel = new EmbeddedChannel(
                    decoder instanceof FrameStreamDecoder stream ? new StreamJoiner(stream) : decoder, sink);
            ByteBuf large = channel.alloc().buffer(1 << 20).writeZero(1 << 20);
            CountingAllocator allocator = new CountingAllocator();
            channel.config().setAllocator(allocator);
            Wire.receive(channel, Wire.number(payload, 8, false));
            allocator.calls = 0; // that was the test's own
            assertThat(sink.faults).singleElement().isInstanceOf(TooLongFrameException.class);
            for (long left = payload - 1; left > 0; left -= large.readableBytes()) {
                int count = (int) Math.min(left, large.readableBytes());
                channel.pipeline().fireChannelRead(large.retainedSlice(0, count));
            }
            assertThat(large.refCnt()).isOne();
            assertThat(allocator.calls).isZero();
            assertThat(decoder.prematureClose())
                    .hasMessage("stream ended after " + (payload + 7) + " of " + (payload + 8) + " bytes");
            Wire.receive(channel, Wire.bytes("00 00 00 00 00 00 00 00 01 43"));
            assertThat(sink.frames).containsExactly("43");
            channel.finish();
            assertThat(sink.faults).hasSize(1);
            large.release();
        }
    }

    @ParameterizedTest
    @EnumSource // 8
    void noMoreThanTheLimitIsNothingToSkip(SkippingDecoder kind) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> kind.decoder(LARGEST, SKIP))
                .withMessage("skipOversized(20) skips no frame, maxFrameLength is 20");
        assertThat(kind.decoder(LARGEST - 1, SKIP)).isNotNull();
    }

    @Test // 8
    void framesOfOneLengthAreNeverTooLong() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new FixedLengthExactDecoder(3, SKIP))
                .withMessageContaining("skipOversized");
    }

    @ParameterizedTest // 8
    @ValueSource(longs = {0, -1, Long.MIN_VALUE})
    void lessThanOneByteIsRefused(long maxBytes) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> ReceiveOptions.defaults().skipOversized(maxBytes))
                .withMessage("maxBytes: " + maxBytes + " (expected: 1 or more)");
    }
}
