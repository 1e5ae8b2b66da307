package io.exactframe.netty;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.netty.buffer.ByteBuf;
import io.netty.channel.embedded.EmbeddedChannel;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class FixedLengthExactDecoderTest {
    private final EmbeddedChannel channel = new EmbeddedChannel(new FixedLengthExactDecoder(4));

    private void receive(String text) {
        channel.writeInbound(channel.alloc().buffer().writeBytes(text.getBytes(US_ASCII)));
    }

    private List<String> frames() {
        List<String> frames = new ArrayList<>();
        for (ByteBuf frame; (frame = channel.readInbound()) != null; ) {
            assertThat(frame.readerIndex()).isZero();
            frames.add(frame.toString(US_ASCII));
            assertThat(frame.release()).isTrue();
        }
        return frames;
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
                .isThrownBy(channel::finish)
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
