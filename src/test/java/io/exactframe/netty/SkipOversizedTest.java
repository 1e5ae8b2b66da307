package io.exactframe.netty;

import static io.exactframe.netty.LengthPrefix.int64;
import static io.exactframe.netty.LengthPrefix.uint16;
import static io.exactframe.netty.LengthPrefix.uint8;
import static io.exactframe.netty.PipelineProbe.bytes;
import static io.exactframe.netty.PipelineProbe.reenter;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelOutboundHandlerAdapter;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.handler.codec.TooLongFrameException;
import io.netty.handler.flow.FlowControlHandler;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** 9: a frame that is too long is reported once and skipped, if the application wants that. */
class SkipOversizedTest {
    private static final int LIMIT = 3;
    private static final int LARGEST = 20;
    private static final ReceiveOptions SKIP = ReceiveOptions.defaults().skipOversized(LARGEST);
    private static final String TOO_LONG = "[TooLongFrameException: frame of 6 bytes, the limit is 3]";

    /** Frames of one byte of length and the payload, which goes on alone. */
    enum Kind {
        PREFIXED,
        CODEC,
        STREAM;

        InboundCutter decoder(int limit, ReceiveOptions options) {
            return switch (this) {
                case PREFIXED -> new LengthPrefixedExactDecoder(limit, uint8(), options);
                case CODEC -> new ExactFrameDecoder(1, 1, limit, options) {
                    @Override
                    protected long frameLength(ByteBuf header) {
                        return 1 + header.readUnsignedByte();
                    }

                    @Override
                    protected Object decode(ChannelHandlerContext ctx, ByteBuf frame) {
                        return frame.readRetainedSlice(frame.skipBytes(1).readableBytes());
                    }
                };
                case STREAM -> new FrameStreamDecoder(limit, uint8(), options);
            };
        }

        InboundCutter decoder() {
            return decoder(LIMIT, SKIP);
        }

        /** In front of the probe. */
        ChannelHandler[] handlers(InboundCutter decoder, ChannelHandler... behind) {
            ChannelHandler first = this == STREAM ? new StreamJoiner((FrameStreamDecoder) decoder) : decoder;
            ChannelHandler[] all = new ChannelHandler[1 + behind.length];
            all[0] = first;
            System.arraycopy(behind, 0, all, 1, behind.length);
            return all;
        }
    }

    private final PipelineProbe probe = new PipelineProbe();

    private EmbeddedChannel channel(Kind kind, InboundCutter decoder) {
        return new EmbeddedChannel(kind.handlers(decoder, probe));
    }

    /** One read. Not writeInbound, which throws what was fired. */
    private static void receive(EmbeddedChannel channel, String text) {
        Wire.receive(channel, bytes(channel, text));
    }

    private static boolean hasEnded(InboundCutter decoder) {
        return decoder instanceof ExactFrameDecoder frames
                ? frames.hasEnded()
                : ((FrameStreamDecoder) decoder).hasEnded();
    }

    @ParameterizedTest
    @EnumSource
    void framesOnBothSidesOfItGoOn(Kind kind) {
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
    void aFrameBeyondTheLargestEndsTheDecoder(Kind kind) {
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
    void theEndInsideIsAPrematureClose(Kind kind) {
        InboundCutter decoder = kind.decoder();
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
    @EnumSource // what came later in the same read counts
    void closedByTheReport(Kind kind) {
        for (String read : List.of("\5abc", "\5abcde", "\5abcde\1A")) {
            PipelineProbe probe = new PipelineProbe().onException(ctx -> ctx.close());
            EmbeddedChannel channel = new EmbeddedChannel(kind.handlers(kind.decoder(), probe));
            receive(channel, read);
            channel.finish();
            assertThat(probe.log()).as(read).doesNotContain("A").startsWith(TOO_LONG);
            assertThat(probe.exceptions.stream().skip(1))
                    .map(Throwable::getMessage)
                    .as(read)
                    .isEqualTo(read.length() < 6 ? List.of("stream ended after 4 of 6 bytes") : List.of());
        }
    }

    @ParameterizedTest
    @EnumSource // the same if channelInactive comes at once
    void closedAndInactiveInsideTheReport(Kind kind) {
        for (String read : List.of("\5abc", "\5abcde", "\5abcde\1A")) {
            PipelineProbe probe = new PipelineProbe().onException(ctx -> {
                if (ctx.channel().isOpen()) {
                    ctx.close();
                    ctx.pipeline().fireChannelInactive();
                }
            });
            InboundCutter decoder = kind.decoder();
            EmbeddedChannel channel = new EmbeddedChannel(kind.handlers(decoder, probe));
            receive(channel, read);
            channel.finish();
            assertThat(probe.log()).as(read).doesNotContain("A").contains(TOO_LONG, "[inactive]");
            assertThat(probe.exceptions.stream().skip(1))
                    .map(Throwable::getMessage)
                    .as(read)
                    .isEqualTo(read.length() < 6 ? List.of("stream ended after 4 of 6 bytes") : List.of());
            assertThat(decoder.bytesNotDelivered()).isZero();
        }
    }

    @ParameterizedTest
    @EnumSource // 19
    void bytesThatComeInsideTheReportComeBehindIt(Kind kind) {
        for (boolean throwing : new boolean[] {false, true}) {
            PipelineProbe probe = new PipelineProbe();
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
    void removedOrReplacedInTheReportTheWholeFrameGoesOn(Kind kind) {
        String stream = "\1A\5abcde\1B";
        for (boolean replaced : new boolean[] {false, true}) {
            for (int cut = 0; cut <= stream.length(); cut++) {
                InboundCutter decoder = kind.decoder();
                PipelineProbe probe = new PipelineProbe();
                probe.onException(ctx -> {
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
    void removedWhileSkippingTheRestGoesOnAsItComes(Kind kind) {
        InboundCutter decoder = kind.decoder();
        EmbeddedChannel channel = channel(kind, decoder);
        receive(channel, "\5ab");
        channel.pipeline().remove(decoder);
        receive(channel, "cde\1A");
        channel.finish();
        assertThat(probe.log()).containsExactly(TOO_LONG, "[complete]", "cde\1A", "[complete]", "[inactive]");
    }

    @ParameterizedTest
    @EnumSource // 30
    void aReadThatWasSkippedAsksForAnother(Kind kind) {
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
    void behindItTheNextDemandIsAnswered(Kind kind) {
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

    @ParameterizedTest
    @EnumSource
    void whatIsSkippedIsHeldNoLongerThanTheReport(Kind kind) {
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
        EmbeddedChannel channel = channel(Kind.CODEC, decoder);
        receive(channel, "\1A");
        receive(channel, "\1B");
        assertThat(hasEnded(decoder)).isTrue();
        channel.finish();
        assertThat(probe.exceptions).singleElement().hasToString(
                "io.netty.handler.codec.TooLongFrameException: by the codec");
    }

    @Test // 20: nothing of the frame is skipped by a decoder that is gone
    void removedByItsCodecThatTellsTheLength() {
        PipelineProbe probe = this.probe;
        EmbeddedChannel channel = new EmbeddedChannel();
        InboundCutter decoder = new ExactFrameDecoder(1, 1, LIMIT, SKIP) {
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
    void noMoreThanTheLimitIsNothingToSkip(Kind kind) {
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
