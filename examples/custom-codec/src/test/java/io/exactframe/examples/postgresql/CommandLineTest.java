package io.exactframe.examples.postgresql;

import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The program as it is, in a JVM of its own with 64 MiB. */
class CommandLineTest {
    private static void assertFails(int exitCode, String line, String... arguments) throws Exception {
        Programs.Result result = Programs.run(Programs.relay(arguments), "");
        assertThat(result.err().strip()).contains(line).doesNotContain("\n");
        assertThat(result.exitCode()).isEqualTo(exitCode);
        assertThat(result.out()).isEmpty();
    }

    @ParameterizedTest(name = "{0}")
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "delay                               | 2 | Unmatched argument at index 0: 'delay'",
                "relay --listen 1 --to localhost:1 --pool 3 | 2 | Unknown options",
                "relay --listen 6432                 | 2 | Missing required option: '--to=HOST:PORT'",
                "relay --listen 6432 --to localhost:x | 2 | 'localhost:x' is not HOST:PORT",
                "relay --listen 6432 --to nowhere.invalid:1 | 2 | there is no host 'nowhere.invalid'",
                "relay --listen 6432 --to localhost:5432 --key k.pem | 1 | --cert and --key go together",
                "relay --listen 6432 --to localhost:5432 --key k.pem --cert c.pem | 1 | File does not contain valid certificates",
            })
    void whatMakesNoSense(String arguments, int exitCode, String line) throws Exception {
        assertFails(exitCode, line, arguments.split(" "));
    }

    @Test
    void helpIsWhatThereIs() throws Exception {
        Programs.Result result = Programs.run(Programs.relay("--help"), "");
        assertThat(result.out()).contains("Usage: custom-codec.jar", "Relays clients to a server.");
        assertThat(result.exitCode()).isZero();
    }

    @Test
    void aPortInUse() throws Exception {
        try (ServerSocket other = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            String port = "" + other.getLocalPort();
            assertFails(1, ":" + port + ": Address already in use", "relay", "--listen", port, "--to", "localhost:5432");
        }
    }

    @Test
    void demoShowsWhatWentThrough() throws Exception {
        Programs.server();
        Programs.Result result = Programs.run(Programs.relay("demo"), "");
        assertThat(result.exitCode()).isZero();
        assertThat(result.out())
                .contains("exactly this", "10000000", "COPY 100000", "number of failed transactions: 0 ")
                .containsPattern("\n0 connections, \\d+ in all; 40\\d\\d queries, 1 errors")
                .containsPattern("DataRow +[\\d,]+ messages +8,\\d{3},\\d{3} bytes");
        assertThat(result.err()).contains("relation \"nowhere\" does not exist").doesNotContain("connection ");
    }

    @Test
    void jsonIsALineForEachQueryAndMemoryIsFlat() throws Exception {
        LocalPostgres server = Programs.server();
        Process process = new ProcessBuilder(Programs.relay(
                        "relay", "--listen", "0", "--to", "127.0.0.1:" + server.port(), "--json"))
                .start();
        try (BufferedReader err = process.errorReader();
                BufferedReader out = process.inputReader()) {
            Matcher listening = Pattern.compile("relaying from /127.0.0.1:(\\d+) to .*").matcher(err.readLine());
            assertThat(listening.matches()).isTrue();
            String url = Programs.url(Integer.parseInt(listening.group(1)));

            // Rows of 60 MB each, four at a time, to clients that take them slowly, in a heap of 64 MiB.
            List<Process> clients = new ArrayList<>();
            for (int i = 0; i < 4; i++) {
                clients.add(new ProcessBuilder(
                                server.program("psql").toString(), "-X", "-q", "-A", "-t", url, "-c",
                                "copy (select repeat('x', 60000000)) to stdout")
                        .redirectError(ProcessBuilder.Redirect.INHERIT)
                        .start());
            }
            for (Process client : clients) {
                try (InputStream rows = client.getInputStream()) {
                    assertThat(rows.readAllBytes()).hasSize(60_000_001);
                }
                assertThat(client.waitFor(10, SECONDS)).isTrue();
            }
            for (int i = 0; i < 4; i++) {
                assertThat(out.readLine())
                        .matches("\\{\"connection\":\\d,\"kind\":\"simple\",\"milliseconds\":[\\d.]+,\"rows\":1,"
                                + "\"bytesOut\":\\d+,\"bytesIn\":600000\\d\\d,\"error\":null}");
            }
        } finally {
            process.destroy();
            assertThat(process.waitFor(10, SECONDS)).isTrue();
        }
    }
}
