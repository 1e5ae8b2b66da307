package io.exactframe.netty;

import static io.exactframe.netty.PipelineProbe.bytes;
import static io.exactframe.netty.PipelineProbe.receive;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import java.lang.reflect.Field;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** 33 to 38, 40: the stream ends. */
class PipelineEndOfStreamTest {
    private static final String[] PAYLOADS = {"aaaa", "bbbb", "cccc"};

    private final PipelineProbe probe = new PipelineProbe();

    /** What is written down for a stream of three frames of which so many bytes came. */
    private static List<String> framesOf(PipelineCodec codec, int received) {
        return new ArrayList<>(List.of(codec.delivered(PAYLOADS)).subList(0, received / codec.frameLength));
    }

    @ParameterizedTest
    @EnumSource // 33, 34, 35, 36, 37
    void closedAtAnyByteItSaysHowFarTheFrameGot(PipelineCodec codec) {
        String wire = codec.wire(PAYLOADS);
        for (int received = 0; received <= wire.length(); received++) {
            for (int cut = 0; cut <= received; cut++) {
                EmbeddedChannel channel = new EmbeddedChannel(codec.decoder(), probe);
                channel.writeInbound(
                        bytes(channel, wire.substring(0, cut)), bytes(channel, wire.substring(cut, received)));
                assertThat(channel.finish()).isFalse();

                List<String> expected = framesOf(codec, received);
                expected.add("[complete]");
                int partial = received % codec.frameLength;
                if (partial != 0) {
                    expected.add(codec.truncated(partial));
                }
                expected.add("[inactive]");
                assertThat(probe.drain()).as("%d bytes, cut at %d", received, cut).isEqualTo(expected);
            }
        }
    }

    @ParameterizedTest
    @EnumSource // 34, 38
    void halfClosedAndThenClosedItSaysSoOnce(PipelineCodec codec) {
        String wire = codec.wire(PAYLOADS);
        for (int received = 0; received <= wire.length(); received++) {
            ExactFrameDecoder decoder = codec.decoder();
            EmbeddedChannel channel = new EmbeddedChannel(decoder, probe);
            receive(channel, wire.substring(0, received));
            assertThat(decoder.hasEnded()).isFalse();
            channel.pipeline().fireUserEventTriggered(ChannelInputShutdownEvent.INSTANCE);
            assertThat(decoder.hasEnded()).isTrue();
            channel.writeOutbound(bytes(channel, "still possible"));
            assertThat(channel.releaseOutbound()).isTrue();
            channel.pipeline().fireUserEventTriggered(ChannelInputShutdownEvent.INSTANCE);
            assertThat(channel.finish()).isFalse();

            List<String> expected = framesOf(codec, received);
            expected.add("[complete]");
            int partial = received % codec.frameLength;
            if (partial != 0) {
                expected.add(codec.truncated(partial));
            }
            expected.addAll(
                    List.of("[event ChannelInputShutdownEvent]", "[event ChannelInputShutdownEvent]", "[inactive]"));
            assertThat(probe.drain()).as("%d bytes", received).isEqualTo(expected);
        }
    }

    @ParameterizedTest
    @EnumSource // 38
    void whatComesBehindTheEndOfInputIsReleased(PipelineCodec codec) {
        EmbeddedChannel channel = new EmbeddedChannel(codec.decoder(), probe);
        channel.pipeline().fireUserEventTriggered(ChannelInputShutdownEvent.INSTANCE);
        receive(channel, codec.wire("aaaa") + "x");
        assertThat(channel.finish()).isFalse();
        assertThat(probe.log()).containsExactly("[event ChannelInputShutdownEvent]", "[complete]", "[inactive]");
    }

    @Test // 37
    void nothingEverArrived() {
        ExactFrameDecoder decoder = new FixedLengthExactDecoder(4);
        EmbeddedChannel channel = new EmbeddedChannel(decoder, probe);
        assertThat(channel.finish()).isFalse();
        assertThat(probe.log()).containsExactly("[inactive]");
        assertThat(decoder.hasEnded()).isTrue();
    }

    @ParameterizedTest(name = "{0} bytes of header, 400 of payload")
    @CsvSource(
            delimiter = '|',
            value = {
                "1 | stream ended after 1 of 2 header bytes | 2 | 1 | true",
                "2 | stream ended after 2 of 402 bytes | 402 | 2 | false",
                "3 | stream ended after 3 of 402 bytes | 402 | 3 | false",
                "401 | stream ended after 401 of 402 bytes | 402 | 401 | false",
            }) // 35
    void theCountsAreThoseOfTheHeaderUntilItIsComplete(
            int received, String message, long expectedBytes, long receivedBytes, boolean inHeader) {
        ByteBuf stream = Unpooled.buffer();
        LengthPrefix.varint32().writeLength(stream, 400);
        stream.writeZero(400);
        for (boolean dripped : new boolean[] {false, true}) {
            EmbeddedChannel channel =
                    new EmbeddedChannel(new LengthPrefixedExactDecoder(1024, LengthPrefix.varint32()));
            for (int i = 0; i < received; i += dripped ? 1 : received) {
                channel.writeInbound(channel.alloc().buffer().writeBytes(stream, i, dripped ? 1 : received));
            }
            assertThatExceptionOfType(PrematureCloseException.class)
                    .isThrownBy(channel::finish)
                    .withMessage(message)
                    .withNoCause()
                    .satisfies(e -> assertThat(e.expectedBytes()).isEqualTo(expectedBytes))
                    .satisfies(e -> assertThat(e.receivedBytes()).isEqualTo(receivedBytes))
                    .satisfies(e -> assertThat(e.inHeader()).isEqualTo(inHeader))
                    .satisfies(e -> assertThat(e.getSuppressed()).isEmpty());
        }
    }

    @Test // 33, 4
    void behindAnEmptyFrameIsABoundary() {
        EmbeddedChannel channel =
                new EmbeddedChannel(new LengthPrefixedExactDecoder(16, LengthPrefix.uint16()), probe);
        receive(channel, "\0");
        receive(channel, "\0");
        assertThat(channel.finish()).isFalse();
        assertThat(probe.log()).containsExactly("[complete]", "", "[complete]", "[inactive]");
    }

    static Stream<LengthPrefix> largePrefixes() {
        return Stream.of(LengthPrefix.uint32(), LengthPrefix.uint32().keepHeader());
    }

    /** 40: of one piece, of several, of a header alone. */
    @ParameterizedTest
    @MethodSource("largePrefixes")
    void thePartialFrameIsReleasedBeforeAnybodyIsTold(LengthPrefix prefix) {
        for (ReceiveOptions options : List.of(
                ReceiveOptions.defaults(), ReceiveOptions.defaults().contiguous())) {
            for (int length : new int[] {1, 4, 5, 100, 60_000, 70_000, 150_000}) {
                for (int size : new int[] {1_000, 16_384, 65_536}) {
                    EmbeddedChannel channel = new EmbeddedChannel(
                            new LengthPrefixedExactDecoder(1 << 20, prefix, options), probe);
                    List<ByteBuf> fragments = new ArrayList<>();
                    probe.onException(ctx -> fragments.stream()
                            .filter(fragment -> fragment.refCnt() != 0)
                            .forEach(fragment -> probe.note("[held: " + fragment + "]")));
                    byte[] stream = new byte[length];
                    if (length >= 4) {
                        Unpooled.wrappedBuffer(stream).setInt(0, length < 50_000 ? 50_000 : 200_000);
                    }
                    for (int i = 0; i < length; i += size) {
                        int count = Math.min(size, length - i);
                        ByteBuf fragment = channel.alloc().buffer(count).writeBytes(stream, i, count);
                        fragments.add(fragment);
                        channel.writeInbound(fragment);
                    }
                    assertThat(channel.finish()).isFalse();
                    List<String> log = new ArrayList<>(probe.drain());
                    log.removeIf(line -> line.equals("[complete]"));
                    assertThat(log).hasSize(2);
                    assertThat(log.get(0))
                            .startsWith("[PrematureCloseException: stream ended after " + length + " of ");
                    assertThat(log.get(1)).isEqualTo("[inactive]");
                }
            }
        }
    }

    @Test // 40
    void noBufferIsReachableFromTheException() {
        for (Class<?> type = PrematureCloseException.class; type != Exception.class; type = type.getSuperclass()) {
            for (Field field : type.getDeclaredFields()) {
                assertThat(field.getType().isPrimitive()).as(field.toString()).isTrue();
            }
        }
    }
}
