package io.exactframe.netty;

import static io.exactframe.netty.testing.Loopback.done;
import static org.assertj.core.api.Assertions.assertThat;

import io.exactframe.netty.testing.Loopback;
import java.time.Duration;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** 48 on a real event loop, whose clock is the system's: all other tests of time hold it still. */
class RealTimeTest {
    private static final Duration SHORT = Duration.ofMillis(20);

    static Stream<ReceiveOptions> limits() {
        return Stream.of(
                ReceiveOptions.defaults().frameDeadline(SHORT),
                ReceiveOptions.defaults().stallTimeout(SHORT));
    }

    @ParameterizedTest
    @MethodSource("limits")
    void aFrameThatIsNotFinishedIsTooLate(ReceiveOptions limit) throws Exception {
        try (Loopback connection = new Loopback(Loopback.Transport.nio(), new FixedLengthExactDecoder(4, limit))) {
            connection.send("abcdABC");
            assertThat(connection.nextPassed()).isEqualTo("abcd");
            assertThat(connection.nextPassed()).isEqualTo("FrameTimeoutException");
        }
    }

    @Test
    void aReceiveThatTakesTooLongFails() throws Exception {
        ExactReceiver receiver = new ExactReceiver();
        try (Loopback connection = new Loopback(Loopback.Transport.nio(), receiver)) {
            connection.send("ABC");
            assertThat(done(receiver.receive(4, SHORT)).cause()).isInstanceOf(FrameTimeoutException.class);
        }
    }
}
