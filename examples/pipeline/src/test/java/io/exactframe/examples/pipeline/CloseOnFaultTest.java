package io.exactframe.examples.pipeline;

import static org.assertj.core.api.Assertions.assertThat;

import io.exactframe.netty.FixedLengthExactDecoder;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.handler.codec.CorruptedFrameException;
import io.netty.handler.codec.TooLongFrameException;
import io.netty.util.LeakPresenceDetector;
import java.io.IOException;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class CloseOnFaultTest {
    private final Logged logged = new Logged();

    static Stream<Arguments> faults() {
        return Stream.of(
                Arguments.of(
                        new TooLongFrameException("300 bytes"),
                        "WARNING the peer does not keep to the protocol: 300 bytes"),
                Arguments.of(
                        new CorruptedFrameException("length -1"),
                        "WARNING the peer does not keep to the protocol: length -1"),
                Arguments.of(new IOException("Connection reset"), "INFO the connection was lost: Connection reset"),
                Arguments.of(new IllegalStateException(), "SEVERE a fault of our own"));
    }

    @ParameterizedTest(name = "{1}")
    @MethodSource("faults")
    void eachFaultHasItsWordsAndClosesTheChannel(Exception fault, String words) {
        EmbeddedChannel channel = new EmbeddedChannel(new CloseOnFault());
        channel.pipeline().fireExceptionCaught(fault);
        assertThat(logged.lines()).containsExactly(words);
        assertThat(channel.isOpen()).isFalse();
    }

    @Test
    void aPeerThatLeftInsideAFrameIsLoggedWithBothCounts() {
        EmbeddedChannel channel = new EmbeddedChannel(new FixedLengthExactDecoder(16), new CloseOnFault());
        channel.writeInbound(channel.alloc().buffer().writeZero(10));
        channel.finish();
        assertThat(logged.lines()).containsExactly("INFO the peer left after 10 of 16 bytes");
    }

    @AfterEach
    void nothingLeaks() {
        logged.close();
        LeakPresenceDetector.check();
    }
}
