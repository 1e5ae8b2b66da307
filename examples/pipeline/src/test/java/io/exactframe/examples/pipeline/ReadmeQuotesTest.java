package io.exactframe.examples.pipeline;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/** The README quotes this code as it is, so that what it shows is what was compiled and tested. */
class ReadmeQuotesTest {
    private static final Path SOURCES = Path.of("src/test/java/io/exactframe/examples/pipeline");

    @Test
    void theReceiverIsQuotedAsItIs() throws IOException {
        String source = Files.readString(SOURCES.resolve("GreetingServer.java"));
        String region = source.substring(source.indexOf("// tag::receiver[]"), source.indexOf("// end::receiver[]"));
        String quoted = region.substring(region.indexOf('\n') + 1)
                .stripIndent()
                .strip()
                .replace("private static final class", "final class");
        assertThat(Files.readString(Path.of("../../README.md"))).contains(quoted);
    }
}
