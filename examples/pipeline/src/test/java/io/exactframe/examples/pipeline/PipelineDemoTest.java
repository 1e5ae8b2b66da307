package io.exactframe.examples.pipeline;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.netty.util.LeakPresenceDetector;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

class PipelineDemoTest {
    @Test
    @Timeout(60)
    void theDemoEndsByItselfAndShowsWhatItGot() throws Exception {
        ByteArrayOutputStream printed = new ByteArrayOutputStream();
        PrintStream before = System.out;
        try (Logged logged = new Logged();
                PrintStream out = new PrintStream(printed, true, UTF_8)) {
            System.setOut(out);
            PipelineDemo.main(new String[0]);
            assertThat(logged.lines()).containsExactly("INFO the peer left after 10 of 16 bytes");
        } finally {
            System.setOut(before);
        }
        assertThat(printed.toString(UTF_8).lines().skip(1))
                .containsExactly(
                        "reply: sensor 7: 20.5, highest of 1: 20.5",
                        "reply: sensor 7: 21.5, highest of 2: 21.5",
                        "reply: sensor 4000000000: 3.0, highest of 3: 21.5",
                        "now 10 bytes of a reading's 16, then the end",
                        "greeting: Hello, Ada!");
        LeakPresenceDetector.check();
    }
}
