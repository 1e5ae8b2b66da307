package io.exactframe.netty;

import static io.exactframe.netty.PipelineProbe.bytes;
import static io.exactframe.netty.PipelineProbe.receive;
import static io.exactframe.netty.PipelineProbe.reenter;
import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.embedded.EmbeddedChannel;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A codec whose frames change as it goes, and what it may ask of its base class. */
class PipelineModesTest {
    private final PipelineProbe probe = new PipelineProbe();

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
        assertThat(channel.finish()).isFalse();
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
        channel.finish();
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
