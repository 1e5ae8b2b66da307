package io.exactframe.netty;

import static io.exactframe.netty.LengthPrefix.int64;
import static io.exactframe.netty.LengthPrefix.uint16;
import static io.exactframe.netty.LengthPrefix.uint8;
import static io.exactframe.netty.testing.Probe.bytes;
import static io.exactframe.netty.testing.SkippingDecoder.LARGEST;
import static io.exactframe.netty.testing.SkippingDecoder.LIMIT;
import static io.exactframe.netty.testing.SkippingDecoder.SKIP;
import static io.exactframe.netty.testing.SkippingDecoder.hasEnded;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.exactframe.netty.testing.SkippingDecoder.ChunkJoiner;
import io.exactframe.netty.testing.CountingAllocator;
import io.exactframe.netty.testing.Sink.Keeper;
import io.exactframe.netty.testing.Probe;
import io.exactframe.netty.testing.Sink;
import io.exactframe.netty.testing.SkippingDecoder;
import io.exactframe.netty.testing.StreamProbe;
import io.exactframe.netty.testing.Wire;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.UnpooledHeapByteBuf;
import io.netty.channel.ChannelInboundHandler;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.handler.codec.TooLongFrameException;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** 9: a frame that is too long is reported once and skipped, if the application wants that. */
class SkipOversizedTest {
    private static final String TOO_LONG = "[TooLongFrameException: frame of 6 bytes, the limit is 3]";

    private final Probe probe = new Probe();

    private EmbeddedChannel channel(SkippingDecoder kind, ChannelInboundHandler decoder) {
        return new EmbeddedChannel(kind.handlers(decoder, probe));
    }

    /** One read. Not writeInbound, which throws what was fired. */
    private static void receive(EmbeddedChannel channel, String text) {
        Wire.receive(channel, bytes(channel, text));
    }

    @ParameterizedTest
    @EnumSource
    void framesOnBothSidesOfItGoOn(SkippingDecoder kind) {
        ChannelInboundHandler decoder = kind.decoder();
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
        ChannelInboundHandler decoder = kind.decoder();
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
        ChannelInboundHandler decoder = kind.decoder();
        EmbeddedChannel channel = channel(kind, decoder);
        receive(channel, "\1A\5ab");
        receive(channel, "cd");
        channel.pipeline().fireUserEventTriggered(ChannelInputShutdownEvent.INSTANCE);
        assertThat(hasEnded(decoder)).isTrue();
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
        EmbeddedChannel channel = channel(kind, kind.decoder());
        for (String text : List.of("\5abc", "d", "e")) {
            ByteBuf read = bytes(channel, text);
            Wire.receive(channel, read);
            assertThat(read.refCnt()).isZero();
        }
        receive(channel, "\1A");
        assertThat(probe.log()).contains("A");
        channel.finish();
    }

    @Test
    void aHeaderThatWasSetAsideIsDropped() {
        for (ChannelInboundHandler decoder : List.of(
                new LengthPrefixedExactDecoder(LIMIT, uint16(), SKIP),
                new FrameStreamDecoder(LIMIT, uint16(), SKIP))) {
            StreamProbe probe = new StreamProbe();
            EmbeddedChannel channel = new EmbeddedChannel(decoder, probe);
            receive(channel, "\0");
            receive(channel, "\3");
            receive(channel, "abc");
            receive(channel, "\0");
            Wire.finishByPeer(channel);
            assertThat(probe.faults)
                    .map(Throwable::getMessage)
                    .containsExactly("frame of 5 bytes, the limit is 3", "stream ended after 1 of 2 header bytes");
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
        ChannelInboundHandler decoder = new ExactFrameDecoder(1, 1, LIMIT, SKIP) {
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
        ChannelInboundHandler decoder = kind.decoder();
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
        for (ChannelInboundHandler decoder : List.of(
                new LengthPrefixedExactDecoder(100, int64(), all), new FrameStreamDecoder(100, int64(), all))) {
            Probe probe = new Probe();
            EmbeddedChannel channel = new EmbeddedChannel(decoder, probe);
            Wire.receive(channel, Wire.bytes("7ffffffffffffff8"));
            assertThat(hasEnded(decoder)).isTrue();
            channel.finish();
            assertThat(probe.exceptions).singleElement().isInstanceOf(TooLongFrameException.class);
        }
    }

    @Tag("slow")
    @ParameterizedTest // 51
    @CsvSource({"2147483639,false", "2147483640,true", "2147483648,true", "4294967296,true", "5368709120,false"})
    void anyLengthInMemoryThatStaysTheSame(long payload, boolean ends) {
        ReceiveOptions all = ReceiveOptions.defaults().skipOversized(Long.MAX_VALUE);
        for (ChannelInboundHandler decoder : List.of(
                new LengthPrefixedExactDecoder(100, int64(), all), new FrameStreamDecoder(100, int64(), all))) {
            Sink sink = new Sink();
            EmbeddedChannel channel = new EmbeddedChannel(
                    decoder instanceof FrameStreamDecoder stream ? new ChunkJoiner(stream) : decoder, sink);
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
            if (ends) {
                Wire.finishByPeer(channel);
                assertThat(sink.faults)
                        .element(1)
                        .hasToString(PrematureCloseException.class.getName() + ": stream ended after "
                                + (payload + 7) + " of " + (payload + 8) + " bytes");
                large.release();
                continue;
            }
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
