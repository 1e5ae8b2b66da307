package io.exactframe.examples.postgresql;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** A PostgreSQL for all tests of a JVM, its clients, and this example's own program. */
final class Programs {
    record Result(int exitCode, String out, String err) {}

    private static LocalPostgres server;

    private Programs() {}

    /** Skips a test if there is no PostgreSQL; where CI is set there is to be one. */
    static synchronized LocalPostgres server() throws IOException, InterruptedException {
        if (server == null) {
            try {
                server = LocalPostgres.start();
            } catch (IOException e) {
                boolean missing = e.getMessage().startsWith("PostgreSQL is not installed");
                if (!missing || System.getenv("CI") != null) {
                    throw e;
                }
                assumeTrue(false, e.getMessage());
            }
            Runtime.getRuntime().addShutdownHook(new Thread(() -> {
                try {
                    server.close();
                } catch (IOException e) {
                    throw new java.io.UncheckedIOException(e);
                }
            }));
        }
        return server;
    }

    static String url(int port, String... more) {
        return "host=127.0.0.1 port=" + port + " user=" + LocalPostgres.USER + " dbname=postgres "
                + String.join(" ", more);
    }

    static Result psql(int port, String script) throws IOException, InterruptedException {
        return psql(url(port), script);
    }

    static Result psql(String url, String script) throws IOException, InterruptedException {
        return run(List.of(server().program("psql").toString(), "-X", "-q", "-A", "-t", url), script);
    }

    static Result run(List<String> command, String input) throws IOException, InterruptedException {
        Path in = Files.createTempFile("in", ".txt");
        Path out = Files.createTempFile("out", ".txt");
        Path err = Files.createTempFile("err", ".txt");
        try {
            Files.writeString(in, input);
            Process process = new ProcessBuilder(command)
                    .redirectInput(in.toFile())
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
            Files.delete(in);
            Files.delete(out);
            Files.delete(err);
        }
    }

    /** The command line of this example, in a JVM with a heap of 64 MiB. */
    static List<String> relay(String... arguments) {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx64m",
                "-XX:MaxDirectMemorySize=64m",
                "-cp",
                System.getProperty("java.class.path"),
                PostgresRelay.class.getName()));
        command.addAll(List.of(arguments));
        return command;
    }
}
