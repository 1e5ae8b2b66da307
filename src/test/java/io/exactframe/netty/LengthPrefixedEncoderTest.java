package io.exactframe.netty;

import static io.exactframe.netty.LengthPrefix.CountedFrom.FIELD;
import static io.exactframe.netty.LengthPrefix.CountedFrom.FRAME;
import static io.exactframe.netty.LengthPrefix.int64;
import static io.exactframe.netty.LengthPrefix.uint16;
import static io.exactframe.netty.LengthPrefix.uint24;
import static io.exactframe.netty.LengthPrefix.uint32;
import static io.exactframe.netty.LengthPrefix.uint8;
import static io.exactframe.netty.LengthPrefix.varint32;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import io.exactframe.netty.LengthPrefix.CountedFrom;
import io.exactframe.netty.testing.Sink;
import io.exactframe.netty.testing.Wire;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufHolder;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.DefaultByteBufHolder;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelOutboundHandlerAdapter;
import io.netty.channel.ChannelPromise;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.handler.codec.EncoderException;
import io.netty.handler.codec.MessageToByteEncoder;
import io.netty.util.ReferenceCountUtil;
import io.netty.util.internal.PlatformDependent;
import java.io.IOException;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** 54, 55: what is written is what the decoder of the same prefix reads; what does not fit its field is not written. */
class LengthPrefixedEncoderTest {
    private static String written(EmbeddedChannel channel) {
        StringBuilder hex = new StringBuilder();
        for (ByteBuf part; (part = channel.readOutbound()) != null; ) {
            hex.append(Wire.hexAndRelease(part));
        }
        return hex.toString();
    }

    private static ByteBuf buffer(EmbeddedChannel channel, byte[] bytes) {
        return channel.alloc().buffer(bytes.length + 1).writeBytes(bytes);
    }

    private static LengthPrefix prefix(Random random) {
        List<LengthPrefix> fields = List.of(uint8(), uint16(), uint24(), uint32(), int64(), varint32());
        LengthPrefix prefix = fields.get(random.nextInt(fields.size()));
        if (random.nextBoolean() && !prefix.toString().contains("varint")) {
            prefix = prefix.littleEndian();
        }
        prefix = prefix.headerBefore(random.nextInt(4))
                .headerAfter(random.nextInt(4))
                .trailer(random.nextInt(3))
                .countedFrom(CountedFrom.values()[random.nextInt(4)]);
        return random.nextInt(3) == 0 ? prefix.adjustedBy(random.nextInt(9) - 6) : prefix;
    }

    static IntStream seeds() {
        return IntStream.range(0, 20);
    }

    @ParameterizedTest(name = "seed {0}")
    @MethodSource("seeds")
    void theDecoderOfTheSamePrefixGivesBackWhatWasWritten(int seed) {
        // 55
        Random random = new Random(seed);
        for (int i = 0; i < 25; i++) {
            LengthPrefix prefix = prefix(random);
            Sink whole = new Sink();
            Sink payload = new Sink();
            EmbeddedChannel wire = new EmbeddedChannel(new LengthPrefixedEncoder(prefix));
            EmbeddedChannel keeping = Wire.channel(new LengthPrefixedExactDecoder(1 << 20, prefix.keepHeader()), whole);
            EmbeddedChannel stripping = Wire.channel(new LengthPrefixedExactDecoder(1 << 20, prefix), payload);
            List<String> payloads = new ArrayList<>();
            List<String> wholes = new ArrayList<>();
            boolean oneByte = prefix.toString().contains("uint8");
            int large = oneByte || i % 5 != 0 ? 200 : 16_370 + random.nextInt(20); // around a varint's third byte
            for (int length : new int[] {6, 16, random.nextInt(230), 120 + random.nextInt(10), large}) {
                byte[] before = Wire.random(random, Wire.count(prefix, "before"));
                byte[] bytes = Wire.random(random, length);
                int after = Wire.count(prefix, "after");
                byte[] rest = Wire.random(random, after + Wire.count(prefix, "trailer"));
                byte[] message = Wire.concat(
                        before,
                        Arrays.copyOf(rest, after),
                        bytes,
                        Arrays.copyOfRange(rest, after, rest.length));
                ByteBuf in = buffer(wire, message);
                wire.writeOutbound(in);
                assertThat(in.refCnt()).isLessThanOrEqualTo(1);
                String sent = written(wire);
                assertThat(in.refCnt()).isZero();
                wholes.add(sent);
                payloads.add(Wire.hex(bytes, 0, length));
                // The field is the only difference.
                ByteBuf field = Unpooled.buffer();
                prefix.writeLength(field, length);
                String expected = Wire.hex(before, 0, before.length)
                        + ByteBufUtil.hexDump(field)
                        + Wire.hex(message, before.length, message.length);
                assertThat(sent).as("%s", prefix).isEqualTo(expected);
                byte[] stream = Wire.bytes(sent);
                int cut = random.nextInt(stream.length);
                for (EmbeddedChannel decoder : List.of(keeping, stripping)) {
                    Wire.receive(decoder, stream, 0, cut);
                    Wire.receive(decoder, stream, cut, stream.length);
                }
            }
            wire.finish();
            keeping.finish();
            stripping.finish();
            assertThat(whole.frames).as("%s", prefix).isEqualTo(wholes);
            assertThat(payload.frames).as("%s", prefix).isEqualTo(payloads);
            assertThat(whole.faults).isEmpty();
            assertThat(payload.faults).isEmpty();
        }
    }

    static List<Arguments> written() {
        return List.of(
                arguments(uint8(), 0, "00"),
                arguments(uint8(), 255, "ff"),
                arguments(uint16(), 258, "0102"),
                arguments(uint16().littleEndian(), 258, "0201"),
                arguments(uint24(), 0x010203, "010203"),
                arguments(uint24().littleEndian(), 0x010203, "030201"),
                arguments(uint32(), 0xFFFF_FFFFL, "ffffffff"),
                arguments(uint32().littleEndian(), 1, "01000000"),
                arguments(int64(), Long.MAX_VALUE, "7fffffffffffffff"),
                arguments(int64().littleEndian(), 258, "0201000000000000"),
                arguments(varint32(), 0, "00"),
                arguments(varint32(), 127, "7f"),
                arguments(varint32(), 128, "8001"),
                arguments(varint32(), 16_383, "ff7f"),
                arguments(varint32(), 16_384, "808001"),
                arguments(varint32(), 0xFFFF_FFFFL, "ffffffff0f"),
                arguments(varint32().countedFrom(FIELD), 126, "7f"),
                arguments(varint32().countedFrom(FIELD), 127, "8101"), // 129 with its own two bytes
                arguments(uint32().headerBefore(1).countedFrom(FIELD), 2, "00000006"),
                arguments(uint16().headerBefore(2).headerAfter(3).trailer(1).countedFrom(FRAME), 1, "0008"),
                arguments(uint16().adjustedBy(-3), 1, "0004"));
    }

    @ParameterizedTest(name = "{0}: {1} as {2}")
    @MethodSource("written")
    void writeLengthWritesTheFieldAlone(LengthPrefix prefix, long payload, String hex) {
        ByteBuf out = Unpooled.buffer().writeByte(0xAA);
        prefix.writeLength(out, payload);
        assertThat(ByteBufUtil.hexDump(out)).isEqualTo("aa" + hex);
        assertThat(out.refCnt()).isEqualTo(1);
    }

    static List<Arguments> tooLarge() {
        return List.of(
                arguments(uint8(), 256),
                arguments(uint16(), 65_536),
                arguments(uint16().littleEndian(), 65_536),
                arguments(uint24(), 1 << 24),
                arguments(uint32(), 1L << 32),
                arguments(varint32(), 1L << 32),
                arguments(uint32(), Long.MAX_VALUE),
                arguments(varint32(), Long.MAX_VALUE),
                arguments(uint8().countedFrom(FRAME), 255),
                arguments(uint8().headerBefore(10).countedFrom(FRAME), 245),
                arguments(uint8().adjustedBy(-1), 255),
                arguments(uint8().adjustedBy(1), 0), // less than nothing
                arguments(int64().countedFrom(FIELD), Long.MAX_VALUE),
                arguments(int64().countedFrom(FIELD), Long.MAX_VALUE - 7),
                arguments(varint32().countedFrom(FIELD), (1L << 32) - 5),
                arguments(uint8(), -1),
                arguments(uint8().countedFrom(FRAME), -1), // 0 with its own byte
                arguments(int64(), Long.MIN_VALUE),
                arguments(varint32(), -1));
    }

    @ParameterizedTest(name = "{0}: {1}")
    @MethodSource("tooLarge")
    void writeLengthRefusesWhatTheFieldCannotHold(LengthPrefix prefix, long payload) {
        ByteBuf out = Unpooled.buffer();
        assertThatIllegalArgumentException().isThrownBy(() -> prefix.writeLength(out, payload));
        assertThat(out.isReadable()).as("written").isFalse();
    }

    static List<Arguments> unwritable() {
        return List.of(
                arguments(uint8(), 256),
                arguments(uint16(), 65_536),
                arguments(uint8().headerBefore(2).countedFrom(FRAME), 255),
                arguments(uint8().headerBefore(2), 1),
                arguments(uint8().headerAfter(2), 1),
                arguments(uint8().headerBefore(1).headerAfter(1).trailer(1), 2),
                arguments(uint8().adjustedBy(5), 4));
    }

    @ParameterizedTest(name = "{0}: a message of {1} bytes")
    @MethodSource("unwritable")
    void aRefusedMessageFailsItsPromiseIsReleasedAndNotWritten(LengthPrefix prefix, int length) {
        // 54
        EmbeddedChannel channel = new EmbeddedChannel(new LengthPrefixedEncoder(prefix));
        ByteBuf message = channel.alloc().buffer(length, length).writeZero(length);
        ChannelFuture write = channel.writeOneOutbound(message);
        channel.flushOutbound();
        assertThat(write.cause()).isInstanceOf(EncoderException.class)
                .hasCauseInstanceOf(IllegalArgumentException.class);
        assertThat(message.refCnt()).isZero();
        assertThat((Object) channel.readOutbound()).isNull();
        // The channel is as good as before.
        channel.writeOutbound(buffer(channel, new byte[10]));
        assertThat(written(channel)).isNotEmpty();
        channel.finish();
    }

    @Test
    void thePayloadIsNotCopied() {
        EmbeddedChannel channel = new EmbeddedChannel(new LengthPrefixedEncoder(uint16()));
        ByteBuf payload = buffer(channel, new byte[100]);
        channel.writeOutbound(payload.retain());
        assertThat(payload.refCnt()).isEqualTo(2);
        ByteBuf field = channel.readOutbound();
        ByteBuf sent = channel.readOutbound();
        payload.setByte(0, 7);
        assertThat(sent.getByte(sent.readerIndex())).isEqualTo((byte) 7);
        field.release();
        sent.release();
        payload.release();
        channel.finish();
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void eitherOfItsTwoWritesFailsThePromise(int nth) {
        int[] writes = {0};
        EmbeddedChannel channel = new EmbeddedChannel(
                new ChannelOutboundHandlerAdapter() {
                    @Override
                    public void write(ChannelHandlerContext ctx, Object message, ChannelPromise promise) {
                        ReferenceCountUtil.release(message);
                        if (++writes[0] == nth) {
                            promise.setFailure(new IOException("write " + nth));
                        } else {
                            promise.setSuccess();
                        }
                    }
                },
                new LengthPrefixedEncoder(uint16()));
        ChannelFuture write = channel.writeOneOutbound(buffer(channel, new byte[100]));
        channel.flushOutbound();
        assertThat(write.cause()).hasMessage("write " + nth);
        assertThat(writes[0]).isEqualTo(2);
        channel.finish();
    }

    @Test
    void messagesThatAreNotBytesPass() {
        EmbeddedChannel channel = new EmbeddedChannel(new LengthPrefixedEncoder(uint16()));
        channel.writeOutbound("text");
        assertThat((Object) channel.readOutbound()).isEqualTo("text");
        channel.finish();
    }

    @Test
    @SuppressWarnings("deprecation")
    void aLittleEndianMessageIsWrittenAsItIs() {
        EmbeddedChannel channel = new EmbeddedChannel(new LengthPrefixedEncoder(uint16().headerBefore(2)));
        channel.writeOutbound(buffer(channel, Wire.bytes("0a0b 414243")).order(ByteOrder.LITTLE_ENDIAN));
        assertThat(written(channel)).isEqualTo("0a0b0003414243");
        channel.finish();
    }

    @Test
    void oneInstanceServesSeveralChannels() {
        LengthPrefixedEncoder encoder = new LengthPrefixedEncoder(uint8());
        for (int i = 0; i < 2; i++) {
            EmbeddedChannel channel = new EmbeddedChannel(encoder);
            channel.writeOutbound(buffer(channel, Wire.bytes("4142")));
            assertThat(written(channel)).isEqualTo("024142");
            channel.finish();
        }
    }

    @Test
    void aPrefixThatMakesNoSenseIsRefusedByTheConstructor() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new LengthPrefixedEncoder(varint32().littleEndian()));
        assertThatIllegalArgumentException().isThrownBy(() -> new LengthPrefixedEncoder(uint8().adjustedBy(-256)));
        LengthPrefix senseless = uint8().strip(257);
        assertThatIllegalArgumentException().isThrownBy(() -> senseless.writeLength(Unpooled.buffer(), 1));
    }

    /** What Netty's own encoders do with what encoding throws: an EncoderException as it is, all else inside one. */
    @Test
    void whatIsThrownFailsTheWriteAsWithNettysEncoders() {
        for (Throwable thrown : List.of(
                new EncoderException("said so"), new IllegalStateException("state"), new OutOfMemoryError("memory"))) {
            EmbeddedChannel ours = new EmbeddedChannel(new LengthPrefixedEncoder(uint16()) {
                @Override
                protected ByteBuf content(ByteBufHolder message) {
                    PlatformDependent.throwException(thrown);
                    return null;
                }
            });
            EmbeddedChannel nettys = new EmbeddedChannel(new MessageToByteEncoder<ByteBufHolder>() {
                @Override
                protected void encode(ChannelHandlerContext ctx, ByteBufHolder message, ByteBuf out) {
                    PlatformDependent.throwException(thrown);
                }
            });
            List<Throwable> causes = new ArrayList<>();
            for (EmbeddedChannel each : List.of(ours, nettys)) {
                ByteBuf content = Unpooled.copiedBuffer(new byte[3]);
                causes.add(each.writeOneOutbound(new DefaultByteBufHolder(content)).cause());
                assertThat(content.refCnt()).isZero();
                each.finish();
            }
            assertThat(causes.get(0)).isExactlyInstanceOf(causes.get(1).getClass()).hasMessage(causes.get(1).getMessage());
            assertThat(causes.get(0).getCause()).isSameAs(causes.get(1).getCause());
        }
    }
}
