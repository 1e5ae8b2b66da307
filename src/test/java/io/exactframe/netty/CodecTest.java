package io.exactframe.netty;

import static io.exactframe.netty.testing.Probe.bytes;
import static io.exactframe.netty.testing.Probe.receive;
import static io.exactframe.netty.testing.Probe.reenter;
import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.exactframe.netty.testing.Probe;
import io.exactframe.netty.testing.Sink;
import io.exactframe.netty.testing.Wire;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.embedded.EmbeddedChannel;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** 8, 19, 27, 28: what a codec of one's own may do in frameLength and decode. */
class CodecTest {
    /** A codec whose frames change as it goes, and what it may ask of its base class. */
    @Nested
    class Modes {
        private final Probe probe = new Probe();

        /** A frame begins with its length, a digit, until one ends in a digit: that is the length of all that follow. */
        private static class ModalDecoder extends ExactFrameDecoder {
            int fixedLength;
            final List<Integer> buffered = new ArrayList<>();

            ModalDecoder() {
                super(0, 1, 9, ReceiveOptions.defaults());
            }

            @Override
            protected long frameLength(ByteBuf header) {
                if (fixedLength > 0) {
                    return fixedLength;
                }
                return header.isReadable() ? 1 + header.readByte() - '0' : -1;
            }

            @Override
            protected Object decode(ChannelHandlerContext ctx, ByteBuf frame) {
                buffered.add(bufferedBytes());
                int last = frame.getByte(frame.writerIndex() - 1);
                if (fixedLength == 0 && last >= '0' && last <= '9') {
                    fixedLength = last - '0';
                }
                return frame;
            }
        }

        @ParameterizedTest(name = "in fragments of {0}")
        @ValueSource(ints = {1, 2, 3, 5, 100})
        void decodeMayChangeHowLongTheNextFrameIs(int size) {
            EmbeddedChannel channel = new EmbeddedChannel(new ModalDecoder(), probe);
            String stream = "2aa3bb5cccccddddde";
            for (int i = 0; i < stream.length(); i += size) {
                receive(channel, stream.substring(i, Math.min(stream.length(), i + size)));
            }
            assertThat(Wire.finishByPeer(channel)).isFalse();
            assertThat(probe.log().stream().filter(line -> !line.equals("[complete]")))
                    .containsExactly(
                            "2aa",
                            "3bb5",
                            "ccccc",
                            "ddddd",
                            "[PrematureCloseException: stream ended after 1 of 5 bytes]",
                            "[inactive]");
        }

        @ParameterizedTest(name = "in fragments of {0}")
        @ValueSource(ints = {1, 2, 3, 5, 100})
        void aHandlerBehindMayChangeHowLongTheNextFrameIs(int size) {
            ModalDecoder decoder = new ModalDecoder();
            probe.onRead(2, ctx -> decoder.fixedLength = 3);
            probe.onRead(4, ctx -> decoder.fixedLength = 0);
            EmbeddedChannel channel = new EmbeddedChannel(decoder, probe);
            String stream = "1a1bcccddd1e";
            for (int i = 0; i < stream.length(); i += size) {
                receive(channel, stream.substring(i, Math.min(stream.length(), i + size)));
            }
            assertThat(channel.finish()).isFalse();
            assertThat(probe.log().stream().filter(line -> !line.equals("[complete]")))
                    .containsExactly("1a", "1b", "ccc", "ddd", "1e", "[inactive]");
        }

        @ParameterizedTest(name = "in fragments of {0}")
        @ValueSource(ints = {1, 2, 3, 4, 5, 7, 100})
        void theHeaderIsThePromisedBytesAndNothingElse(int size) {
            List<String> headers = new ArrayList<>();
            ExactFrameDecoder decoder = new ExactFrameDecoder(1, 4, 16, ReceiveOptions.defaults()) {
                @Override
                protected long frameLength(ByteBuf header) {
                    int length = header.readableBytes();
                    headers.add(header.readCharSequence(length, US_ASCII).toString());
                    assertThat(header.isWritable()).isFalse();
                    header.setIndex(1, 1); // free to move
                    return length == 1 ? -2 : length == 2 ? -4 : 5;
                }
            };
            EmbeddedChannel channel = new EmbeddedChannel(decoder, probe);
            String stream = "abcde12345";
            for (int i = 0; i < stream.length(); i += size) {
                receive(channel, stream.substring(i, Math.min(stream.length(), i + size)));
            }
            assertThat(channel.finish()).isFalse();
            assertThat(headers).containsExactly("a", "ab", "abcd", "1", "12", "1234");
            assertThat(probe.log().stream().filter(line -> !line.startsWith("["))).containsExactly("abcde", "12345");
        }

        @Test
        void bufferedBytesAreThoseReceivedAndNotDelivered() {
            ModalDecoder decoder = new ModalDecoder();
            EmbeddedChannel channel = new EmbeddedChannel(decoder, probe);
            assertThat(decoder.bufferedBytes()).isZero();
            receive(channel, "4");
            assertThat(decoder.bufferedBytes()).isEqualTo(1);
            receive(channel, "aa");
            assertThat(decoder.bufferedBytes()).isEqualTo(3);
            probe.onRead(1, ctx -> {
                probe.note("[" + decoder.bufferedBytes() + "]");
                reenter(ctx, "d");
                probe.note("[" + decoder.bufferedBytes() + "]");
            });
            receive(channel, "aa1b3c");
            assertThat(decoder.buffered).containsExactly(4, 3);
            assertThat(decoder.bufferedBytes()).isEqualTo(3);
            channel.pipeline().fireChannelRead(bytes(channel, ""));
            Wire.finishByPeer(channel);
            assertThat(decoder.bufferedBytes()).isZero();
            assertThat(probe.log())
                    .containsExactly(
                            "[complete]",
                            "[complete]",
                            "4aaaa",
                            "[4]",
                            "[5]",
                            "1b",
                            "[complete]",
                            "[PrematureCloseException: stream ended after 3 of 4 bytes]",
                            "[inactive]");
        }

        @ParameterizedTest(name = "{0}")
        @CsvSource({"-1, 1, 16", "2, 1, 16", "2, 17, 16", "0, 0, 0", "1, 1, 0", "0, 0, -1"}) // 8
        void lengthsThatMakeNoSenseAreRefused(int headerLength, int maxHeaderLength, int maxFrameLength) {
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> new ExactFrameDecoder(
                            headerLength, maxHeaderLength, maxFrameLength, ReceiveOptions.defaults()) {
                        @Override
                        protected long frameLength(ByteBuf header) {
                            return 1;
                        }
                    });
        }
    }

    /** 27: a codec that fires its messages itself, and returns none. */
    @Nested
    class OwnMessages {
        private final List<String> events = new ArrayList<>();

        private final class Halves extends ExactFrameDecoder {
            Halves() {
                super(0, 2);
            }

            @Override
            protected long frameLength(ByteBuf header) {
                return 2;
            }

            @Override
            protected Object decode(ChannelHandlerContext ctx, ByteBuf frame) {
                ctx.fireChannelRead(frame.readRetainedSlice(1));
                ctx.fireChannelRead(frame.readRetainedSlice(1));
                return null;
            }
        }

        private final class Recorder extends ChannelInboundHandlerAdapter {
            @Override
            public void channelRead(ChannelHandlerContext ctx, Object message) {
                ByteBuf bytes = (ByteBuf) message;
                events.add(bytes.toString(US_ASCII));
                bytes.release();
            }

            @Override
            public void channelReadComplete(ChannelHandlerContext ctx) {
                events.add("complete");
            }
        }

        @Test
        void theReadTheyCameWithIsStillCompleted() {
            EmbeddedChannel channel = new EmbeddedChannel(new Halves(), new Recorder());
            channel.config().setAutoRead(false);
            channel.writeInbound(channel.alloc().buffer().writeBytes("ABC".getBytes(US_ASCII)));
            assertThat(events).containsExactly("A", "B", "complete");
            events.clear();
            channel.writeInbound(channel.alloc().buffer().writeBytes("D".getBytes(US_ASCII)));
            assertThat(events).containsExactly("C", "D", "complete");
            channel.finish();
        }
    }

    /** 19, 28: a codec that closes the channel when it is asked for a length; an embedded channel is inactive at once. */
    @Nested
    class ClosesWhileItMeasures {
        private static final int HEADER = 2;
        private static final int FRAME = 4;

        private static final class Closer extends ExactFrameDecoder {
            private ChannelHandlerContext context;

            Closer() {
                super(HEADER, 100);
            }

            @Override
            public void handlerAdded(ChannelHandlerContext ctx) {
                context = ctx;
            }

            @Override
            protected long frameLength(ByteBuf header) {
                context.channel().close();
                return FRAME;
            }
        }

        @ParameterizedTest(name = "{0} bytes, then {1}")
        @CsvSource({"0,2", "0,3", "0,4", "0,9", "1,1", "1,2", "1,3", "1,9"})
        void nothingIsDeliveredReportedOrTouchedAfterTheClose(int first, int second) {
            Sink sink = new Sink();
            EmbeddedChannel channel = Wire.channel(new Closer(), sink);
            byte[] stream = new byte[first + second];
            Wire.receive(channel, stream, 0, first);
            ByteBuf read = channel.alloc().buffer().writeBytes(stream, first, second);
            ByteBuf parts = channel.alloc().compositeBuffer().addComponent(true, read);
            Wire.receive(channel, parts);
            assertThat(parts.refCnt()).isZero();
            assertThat(sink.frames).isEmpty();
            assertThat(sink.inactive).isEqualTo(1);
            assertThat(sink.faults).isEmpty();
            channel.finish();
        }
    }
}
