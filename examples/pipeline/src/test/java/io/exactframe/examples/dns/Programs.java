package io.exactframe.examples.dns;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** Programs that a test runs: DNS clients, and this example's own. */
final class Programs {
    record Result(int exitCode, String out, String err) {}

    private Programs() {}

    /** Skips a test whose program is not installed; where CI is set all of them are to be there. */
    static void need(String program) {
        boolean found = Stream.of(System.getenv("PATH").split(":")).anyMatch(d -> Files.isExecutable(Path.of(d, program)));
        assertThat(found || System.getenv("CI") == null)
                .as("%s is installed (see .ci/packages)", program)
                .isTrue();
        assumeTrue(found, program + " is not installed");
    }

    static Result run(List<String> command) throws IOException, InterruptedException {
        Path out = Files.createTempFile("out", ".txt");
        Path err = Files.createTempFile("err", ".txt");
        try {
            Process process = new ProcessBuilder(command)
                    .redirectOutput(out.toFile())
                    .redirectError(err.toFile())
                    .start();
            try {
                assertThat(process.waitFor(60, SECONDS)).as("%s ends", command).isTrue();
            } finally {
                process.destroyForcibly().waitFor();
            }
            return new Result(process.exitValue(), Files.readString(out, UTF_8), Files.readString(err, UTF_8));
        } finally {
            Files.delete(out);
            Files.delete(err);
        }
    }

    /** The command line of this example, in a JVM with a heap of 64 MiB. */
    static List<String> dns(String... arguments) {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx64m",
                "-XX:MaxDirectMemorySize=64m",
                "-cp",
                System.getProperty("java.class.path"),
                Dns.class.getName(),
                "dns"));
        command.addAll(List.of(arguments));
        return command;
    }
}
