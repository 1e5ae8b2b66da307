package io.exactframe.examples.pipeline;

import static io.exactframe.netty.LengthPrefix.CountedFrom.FIELD;
import static io.exactframe.netty.LengthPrefix.CountedFrom.FRAME;
import static io.exactframe.netty.LengthPrefix.uint16;
import static io.exactframe.netty.LengthPrefix.uint24;
import static io.exactframe.netty.LengthPrefix.uint32;
import static io.exactframe.netty.LengthPrefix.varint32;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.exactframe.netty.FixedLengthExactDecoder;
import io.exactframe.netty.LengthPrefix;
import io.exactframe.netty.LengthPrefixedEncoder;
import io.exactframe.netty.LengthPrefixedExactDecoder;
import io.exactframe.netty.PrematureCloseException;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPipeline;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.handler.codec.LengthFieldBasedFrameDecoder;
import io.netty.util.LeakPresenceDetector;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** What the README shows, compiled and run. */
class ReadmeSamplesTest {
    private final List<String> events = new ArrayList<>();

    private final class PacketHandler extends SimpleChannelInboundHandler<ByteBuf> {
        @Override
        protected void channelRead0(ChannelHandlerContext ctx, ByteBuf packet) {
            events.add("packet of " + packet.readableBytes());
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
            String message = cause.getMessage().replace(", closed on this side", ""); // as finish() does
            events.add(cause.getClass().getSimpleName() + ": " + message);
            if (cause instanceof PrematureCloseException e) {
                events.add("peer left after " + e.receivedBytes() + " of " + e.expectedBytes() + " bytes");
            }
            ctx.close(); // the decoder ends at a fault, closing is yours
        }

        @Override
        public void channelInactive(ChannelHandlerContext ctx) {
            events.add("channelInactive");
        }
    }

    @Test
    void theOpeningDoesWhatItSays() {
        EmbeddedChannel channel = new EmbeddedChannel();
        ChannelPipeline pipeline = channel.pipeline();
        pipeline.addLast(new FixedLengthExactDecoder(188), new PacketHandler());
        channel.writeInbound(channel.alloc().buffer().writeZero(200));
        channel.finish();
        assertThat(events)
                .containsExactly(
                        "packet of 188",
                        "PrematureCloseException: stream ended after 12 of 188 bytes",
                        "peer left after 12 of 188 bytes",
                        "channelInactive");
    }

    /** A frame as its protocol's specification has it: {@code header [length] header | payload | trailer}. */
    record Sample(String protocol, LengthPrefix prefix, String frame) {
        byte[] wire() {
            return hex(frame);
        }

        byte[] wireWithoutLength() {
            return hex(frame.replaceAll("\\[.*]", ""));
        }

        byte[] payload() {
            return hex(frame.split("\\|")[1]);
        }

        private static byte[] hex(String text) {
            return HexFormat.of().parseHex(text.replaceAll("[^0-9A-F]", ""));
        }

        @Override
        public String toString() {
            return protocol;
        }
    }

    static Stream<Sample> samples() {
        return Stream.of(
                // Query "SELECT 1"
                new Sample(
                        "PostgreSQL",
                        uint32().headerBefore(1).countedFrom(FIELD),
                        "51 [00 00 00 0D] | 53 45 4C 45 43 54 20 31 00 |"),
                // COM_QUERY "select 1", packet 0
                new Sample(
                        "MySQL",
                        uint24().littleEndian().headerAfter(1),
                        "[09 00 00] 00 | 03 73 65 6C 65 63 74 20 31 |"),
                // Set "Hello" to "World", with flags DEADBEEF and an expiry of 0E10
                new Sample(
                        "memcached",
                        uint32().headerBefore(8).headerAfter(12),
                        "80 01 00 05 08 00 00 00 [00 00 00 12] 00 00 00 00 00 00 00 00 00 00 00 00"
                                + "| DE AD BE EF 00 00 0E 10 48 65 6C 6C 6F 57 6F 72 6C 64 |"),
                // OPEN: version 4, AS 65001, hold time 180 s, identifier 192.0.2.1, no parameters
                new Sample(
                        "BGP OPEN",
                        uint16().headerBefore(16).headerAfter(1).countedFrom(FRAME),
                        "FF FF FF FF FF FF FF FF FF FF FF FF FF FF FF FF [00 1D] 01"
                                + "| 04 FD E9 00 B4 C0 00 02 01 00 |"),
                // KEEPALIVE, which is a header and nothing else
                new Sample(
                        "BGP KEEPALIVE",
                        uint16().headerBefore(16).headerAfter(1).countedFrom(FRAME),
                        "FF FF FF FF FF FF FF FF FF FF FF FF FF FF FF FF [00 13] 04 | |"),
                // Alert: warning, close_notify
                new Sample("TLS", uint16().headerBefore(3), "15 03 03 [00 02] | 01 00 |"),
                // connection.tune-ok: 2047 channels, frames of 131072 bytes, heartbeat 60 s; then the end octet
                new Sample(
                        "AMQP",
                        uint32().headerBefore(3).trailer(1),
                        "01 00 00 [00 00 00 0C] | 00 0A 00 1F 07 FF 00 02 00 00 00 3C | CE"),
                // SMB2 ECHO request, message 1
                new Sample(
                        "SMB",
                        uint24().headerBefore(1),
                        "00 [00 00 44] | FE 53 4D 42 40 00 00 00 00 00 00 00 0D 00 01 00"
                                + "00 00 00 00 00 00 00 00 01 00 00 00 00 00 00 00"
                                + "00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00"
                                + "00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 04 00 00 00 |"),
                // Query for example.com, type A, class IN, over TCP
                new Sample(
                        "DNS",
                        uint16(),
                        "[00 1D] | AA AA 01 00 00 01 00 00 00 00 00 00"
                                + "07 65 78 61 6D 70 6C 65 03 63 6F 6D 00 00 01 00 01 |"),
                // ApiVersions request, version 0, correlation 1, client "demo"
                new Sample("Kafka", uint32(), "[00 00 00 0E] | 00 12 00 00 00 00 00 01 00 04 64 65 6D 6F |"),
                // Test1 { a: 150 }, written delimited
                new Sample("protobuf", varint32(), "[03] | 08 96 01 |"));
    }

    @ParameterizedTest
    @MethodSource("samples")
    void aPrefixReadsItsProtocol(Sample sample) {
        for (int cut = 0; cut <= sample.wire().length; cut++) {
            List<String> payloads = decode(new LengthPrefixedExactDecoder(1024, sample.prefix()), sample.wire(), cut);
            String payload = ByteBufUtil.hexDump(sample.payload());
            assertThat(payloads).as("cut at byte %d", cut).containsExactly(payload, payload);
        }
    }

    @ParameterizedTest
    @MethodSource("samples")
    void aPrefixWritesItsProtocol(Sample sample) {
        EmbeddedChannel channel = new EmbeddedChannel(new LengthPrefixedEncoder(sample.prefix()));
        channel.writeOutbound(channel.alloc().buffer().writeBytes(sample.wireWithoutLength()));
        channel.finish();
        StringBuilder wire = new StringBuilder();
        for (ByteBuf part; (part = channel.readOutbound()) != null; part.release()) {
            wire.append(ByteBufUtil.hexDump(part));
        }
        assertThat(wire).hasToString(ByteBufUtil.hexDump(sample.wire()));
    }

    record Parameters(int offset, int length, int adjustment, int strip) {
        ChannelHandler decoder() {
            return new LengthFieldBasedFrameDecoder(1024, offset, length, adjustment, strip);
        }

        LengthPrefix prefix() {
            return LengthPrefix.fromLengthField(offset, length, adjustment, strip);
        }
    }

    /** The examples in the documentation of LengthFieldBasedFrameDecoder, in its order: header, what is left of it. */
    static Stream<Arguments> nettysExamples() {
        return Stream.of(
                Arguments.of("000C", "000C", new Parameters(0, 2, 0, 0), uint16().keepHeader()),
                Arguments.of("000C", "", new Parameters(0, 2, 0, 2), uint16()),
                Arguments.of(
                        "000E",
                        "000E",
                        new Parameters(0, 2, -2, 0),
                        uint16().countedFrom(FRAME).keepHeader()),
                Arguments.of(
                        "CAFE00000C",
                        "CAFE00000C",
                        new Parameters(2, 3, 0, 0),
                        uint24().headerBefore(2).keepHeader()),
                Arguments.of(
                        "00000CCAFE",
                        "00000CCAFE",
                        new Parameters(0, 3, 2, 0),
                        uint24().headerAfter(2).keepHeader()),
                Arguments.of(
                        "CA000CFE",
                        "FE",
                        new Parameters(1, 2, 1, 3),
                        uint16().headerBefore(1).headerAfter(1).strip(3)),
                Arguments.of(
                        "CA0010FE",
                        "FE",
                        new Parameters(1, 2, -3, 3),
                        uint16().headerBefore(1)
                                .headerAfter(1)
                                .countedFrom(FRAME)
                                .strip(3)));
    }

    @ParameterizedTest(name = "{2} is {3}")
    @MethodSource("nettysExamples")
    void nettysParametersAndTheirWordsMeanTheSame(String header, String left, Parameters nettys, LengthPrefix words) {
        String content = ByteBufUtil.hexDump("HELLO, WORLD".getBytes(UTF_8));
        byte[] wire = HexFormat.of().parseHex(header + content);
        String frame = left.toLowerCase(Locale.ROOT) + content;
        for (int cut = 0; cut <= wire.length; cut++) {
            assertThat(decode(nettys.decoder(), wire, cut)).containsExactly(frame, frame);
            assertThat(decode(new LengthPrefixedExactDecoder(1024, nettys.prefix()), wire, cut))
                    .containsExactly(frame, frame);
            assertThat(decode(new LengthPrefixedExactDecoder(1024, words), wire, cut))
                    .containsExactly(frame, frame);
        }
    }

    /** Two frames with so much of the first in a read of its own. */
    private static List<String> decode(ChannelHandler decoder, byte[] wire, int cut) {
        EmbeddedChannel channel = new EmbeddedChannel(decoder);
        channel.writeInbound(channel.alloc().buffer().writeBytes(wire, 0, cut));
        channel.writeInbound(channel.alloc().buffer().writeBytes(wire, cut, wire.length - cut));
        channel.writeInbound(channel.alloc().buffer().writeBytes(wire));
        channel.finish();
        List<String> frames = new ArrayList<>();
        for (ByteBuf frame; (frame = channel.readInbound()) != null; frame.release()) {
            frames.add(ByteBufUtil.hexDump(frame));
        }
        return frames;
    }

    @AfterEach
    void nothingLeaks() {
        LeakPresenceDetector.check();
    }
}
