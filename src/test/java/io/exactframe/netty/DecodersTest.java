package io.exactframe.netty;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.exactframe.netty.testing.Sink.Keeper;
import io.exactframe.netty.testing.Sink;
import io.exactframe.netty.testing.Wire;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.CompositeByteBuf;
import io.netty.channel.ChannelHandler;
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

/** 1, 4, 8: the two decoders as their reader meets them first. */
class DecodersTest {
    @Nested
    class FixedLength {
        private final EmbeddedChannel channel = new EmbeddedChannel(new FixedLengthExactDecoder(4));

        private void receive(String text) {
            channel.writeInbound(channel.alloc().buffer().writeBytes(text.getBytes(US_ASCII)));
        }

        private List<String> frames() {
            List<ByteBuf> frames = new ArrayList<>();
            for (ByteBuf frame; (frame = channel.readInbound()) != null; ) {
                assertThat(frame.readerIndex()).isZero();
                frames.add(frame);
            }
            List<String> texts = frames.stream().map(frame -> frame.toString(US_ASCII)).toList();
            frames.forEach(ByteBuf::release);
            assertThat(frames).allMatch(frame -> frame.refCnt() == 0);
            return texts;
        }

        @ParameterizedTest(name = "cut at byte {0}")
        @ValueSource(ints = {0, 1, 2, 3, 4, 5, 6, 7, 8})
        void framesDoNotDependOnWhereTheStreamIsCut(int cut) {
            receive("ABCDEFGH".substring(0, cut));
            receive("ABCDEFGH".substring(cut));
            assertThat(frames()).containsExactly("ABCD", "EFGH");
            assertThat(channel.finish()).isFalse();
        }

        @Test
        void closingInsideAFrameReportsHowMuchArrived() {
            receive("AB");
            receive("CDE");
            assertThatExceptionOfType(PrematureCloseException.class)
                    .isThrownBy(() -> Wire.finishByPeer(channel))
                    .withMessage("stream ended after 1 of 4 bytes")
                    .satisfies(e -> assertThat(e.expectedBytes()).isEqualTo(4))
                    .satisfies(e -> assertThat(e.receivedBytes()).isEqualTo(1))
                    .satisfies(e -> assertThat(e.inHeader()).isFalse());
            assertThat(frames()).containsExactly("ABCD");
        }

        @ParameterizedTest
        @ValueSource(ints = {0, -1, Integer.MIN_VALUE})
        void aLengthBelowOneIsRefused(int length) {
            assertThatIllegalArgumentException().isThrownBy(() -> new FixedLengthExactDecoder(length));
            channel.finish();
        }
    }

    @Nested
    class LengthPrefixed {
        private static final ReceiveOptions CONTIGUOUS = ReceiveOptions.defaults().contiguous();

        private final Keeper keeper = Keeper.ofAll();

        private void receive(ChannelHandler decoder, byte[] stream, int size) {
            EmbeddedChannel channel = Wire.channel(decoder, keeper);
            Wire.receiveInPieces(channel, stream, size);
            channel.finish();
            assertThat(keeper.faults).isEmpty();
        }

        private static byte[] frame(int payload) {
            return Wire.concat(Wire.number(payload, 4, false), new byte[payload]);
        }

        @ParameterizedTest(name = "{0} bytes in reads of {1}")
        @CsvSource({"1,1", "100,7", "4096,1000", "5000,1", "65536,9000", "65536,40000", "65536,65000"})
        void aFrameUpTo64KiBIsOnePiece(int length, int size) {
            receive(new LengthPrefixedExactDecoder(1 << 20, LengthPrefix.uint32()), frame(length), size);
            assertThat(keeper.kept).hasSize(1).allMatch(frame -> frame.nioBufferCount() == 1 && frame.isContiguous());
            keeper.releaseAll();
        }

        @ParameterizedTest(name = "{0} bytes in reads of {1}")
        @CsvSource({"65537,9000", "65537,65536", "300000,1460", "300000,100000", "1000000,65536"})
        void aContiguousFrameIsOnePiece(int length, int size) {
            receive(new LengthPrefixedExactDecoder(1 << 20, LengthPrefix.uint32(), CONTIGUOUS), frame(length), size);
            assertThat(keeper.kept).hasSize(1).allMatch(frame -> frame.nioBufferCount() == 1 && frame.isContiguous());
            keeper.releaseAll();
        }

        @Test
        void aLargeFrameIsMadeOfItsLargeReads() {
            receive(new LengthPrefixedExactDecoder(1 << 20, LengthPrefix.uint32()), frame(300_000), 100_000);
            ByteBuf frame = keeper.kept.get(0);
            assertThat(frame).isInstanceOf(CompositeByteBuf.class);
            assertThat(frame.nioBufferCount()).isEqualTo(4);
            assertThat(frame.readableBytes()).isEqualTo(300_000);
            keeper.releaseAll();
        }

        @ParameterizedTest(name = "contiguous: {0}")
        @ValueSource(booleans = {false, true})
        void aFrameIsOnePieceIfItsReadIsNot(boolean contiguous) {
            ReceiveOptions options = contiguous ? CONTIGUOUS : ReceiveOptions.defaults();
            int length = contiguous ? 100_000 : 1_000;
            EmbeddedChannel channel =
                    Wire.channel(new LengthPrefixedExactDecoder(1 << 20, LengthPrefix.uint32(), options), keeper);
            CompositeByteBuf read = channel.alloc().compositeBuffer();
            byte[] stream = Wire.repeat(frame(length), 2);
            for (int at = 0; at < stream.length; at += stream.length / 8) {
                int count = Math.min(stream.length / 8, stream.length - at);
                read.addComponent(true, channel.alloc().buffer(count).writeBytes(stream, at, count));
            }
            Wire.receive(channel, read);
            assertThat(keeper.kept).hasSize(2);
            List<Boolean> pieces = keeper.kept.stream().map(ByteBuf::isContiguous).toList();
            keeper.releaseAll();
            channel.finish();
            assertThat(pieces).containsExactly(true, true);
        }

        @Test
        void aLargeFrameInAReadOfSeveralPiecesIsNotCopied() {
            EmbeddedChannel channel =
                    Wire.channel(new LengthPrefixedExactDecoder(1 << 20, LengthPrefix.uint32()), keeper);
            byte[] stream = frame(100_000);
            ByteBuf end = channel.alloc().buffer(stream.length - 50_000).writeBytes(stream, 50_000, stream.length - 50_000);
            CompositeByteBuf read = channel.alloc().compositeBuffer()
                    .addComponent(true, channel.alloc().buffer(50_000).writeBytes(stream, 0, 50_000))
                    .addComponent(true, end);
            Wire.receive(channel, read);
            byte other = (byte) (stream[50_000] + 1);
            end.setByte(0, other);
            byte seen = keeper.kept.get(0).getByte(50_000 - 4);
            keeper.releaseAll();
            channel.finish();
            assertThat(seen).isEqualTo(other);
        }

        @Test
        void messagesThatAreNotBytesPassInOrder() {
            // 17
            EmbeddedChannel channel = new EmbeddedChannel(new LengthPrefixedExactDecoder(100, LengthPrefix.uint8()));
            Object message = new Object();
            channel.writeInbound(
                    "first",
                    channel.alloc().buffer().writeBytes(Wire.bytes("01 41 02 42")),
                    message,
                    channel.alloc().buffer().writeBytes(Wire.bytes("43")),
                    "last");
            List<Object> out = new ArrayList<>();
            for (Object next; (next = channel.readInbound()) != null; ) {
                out.add(next instanceof ByteBuf frame ? Wire.hexAndRelease(frame) : next);
            }
            assertThat(out).containsExactly("first", "41", message, "4243", "last");
            channel.finish();
        }

        @Test
        void messagesThatAreNotBytesPassWhenTheDecoderHasEnded() {
            Sink sink = new Sink();
            LengthPrefixedExactDecoder decoder = new LengthPrefixedExactDecoder(2, LengthPrefix.uint8());
            EmbeddedChannel channel = new EmbeddedChannel(decoder, new ChannelInboundHandlerAdapter() {
                @Override
                public void channelRead(ChannelHandlerContext ctx, Object message) {
                    sink.frames.add(message.toString());
                }

                @Override
                public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
                    sink.faults.add(cause);
                }
            });
            Wire.receive(channel, Wire.bytes("ff"));
            channel.pipeline().fireChannelRead("still");
            assertThat(decoder.hasEnded()).isTrue();
            assertThat(sink.frames).containsExactly("still");
            channel.finish();
            assertThat(sink.faults).hasSize(1);
        }

        @Test
        void closingInsideAFrameReportsHowMuchArrived() {
            EmbeddedChannel channel = new EmbeddedChannel(new LengthPrefixedExactDecoder(100, LengthPrefix.uint16()));
            channel.writeInbound(channel.alloc().buffer().writeBytes(Wire.bytes("0001 41 0003 42")));
            assertThatExceptionOfType(PrematureCloseException.class)
                    .isThrownBy(() -> Wire.finishByPeer(channel))
                    .withMessage("stream ended after 3 of 5 bytes");
            ByteBuf frame = channel.readInbound();
            assertThat(Wire.hexAndRelease(frame)).isEqualTo("41");
        }

        @Test
        void closingInsideAHeaderSaysSo() {
            EmbeddedChannel channel = new EmbeddedChannel(new LengthPrefixedExactDecoder(100, LengthPrefix.uint32()));
            channel.writeInbound(channel.alloc().buffer().writeBytes(Wire.bytes("0000 00")));
            assertThatExceptionOfType(PrematureCloseException.class)
                    .isThrownBy(() -> Wire.finishByPeer(channel))
                    .withMessage("stream ended after 3 of 4 header bytes");
        }

        @Test
        void aVarintsHeaderIsExpectedByteByByte() {
            EmbeddedChannel channel = new EmbeddedChannel(new LengthPrefixedExactDecoder(100, LengthPrefix.varint32()));
            channel.writeInbound(channel.alloc().buffer().writeBytes(Wire.bytes("ff80")));
            assertThatExceptionOfType(PrematureCloseException.class)
                    .isThrownBy(() -> Wire.finishByPeer(channel))
                    .satisfies(e -> assertThat(e.inHeader()).isTrue())
                    .satisfies(e -> assertThat(e.receivedBytes()).isEqualTo(2))
                    .satisfies(e -> assertThat(e.expectedBytes()).isEqualTo(3));
        }
    }
}
