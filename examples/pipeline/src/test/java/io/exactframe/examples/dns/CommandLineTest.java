package io.exactframe.examples.dns;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Everything that is given wrong is one clear line and an exit code. */
class CommandLineTest {
    private static void assertFails(int exitCode, String line, String... arguments) throws Exception {
        Programs.Result result = Programs.run(Programs.dns(arguments));
        assertThat(result.err().strip()).contains(line).doesNotContain("\n");
        assertThat(result.exitCode()).isEqualTo(exitCode);
        assertThat(result.out()).isEmpty();
    }

    @ParameterizedTest(name = "{0}")
    @CsvSource(
            delimiter = '|',
            value = {
                "--zone example.test.zone --prot 1     | 2 | Unknown options: '--prot', '1'",
                "--port 5                              | 2 | Missing required option: '--zone=FILE'",
                "--zone example.test.zone --port x     | 2 | Invalid value for option '--port'",
                "--zone no.zone                        | 1 | no.zone (No such file or directory)",
                "--zone .                              | 1 | . (Is a directory)",
                "--zone example.test.zone --port 70000 | 1 | port out of range:70000",
                "--zone example.test.zone --deadline 0 | 1 | a time limit is more than nothing",
                "--zone example.test.zone --host 192.0.2.1 | 1 | cannot listen at /192.0.2.1:5353",
            })
    void whatMakesNoSense(String arguments, int exitCode, String line) throws Exception {
        assertFails(exitCode, line, arguments.split(" "));
    }

    @Test
    void helpWithoutACommand() throws Exception {
        List<String> command = Programs.dns("--help");
        command.remove("dns");
        Programs.Result result = Programs.run(command);
        assertThat(result.out()).contains("Usage: pipeline.jar", "Answers DNS queries over TCP");
        assertThat(result.exitCode()).isZero();
    }

    @Test
    void aPortInUse() throws Exception {
        try (ServerSocket other = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            String port = "" + other.getLocalPort();
            assertFails(1, "127.0.0.1:" + port + ": Address already in use", "--zone", "example.test.zone", "--port", port);
        }
    }

    @ParameterizedTest(name = "{0}")
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "www IN A 192.0.2.1                       | a zone file begins with its SOA record",
                "@ IN SOA ns host 1 2 3 4 5               | no NS set specified",
                "@ IN SOA ns host 1 2 3 4 5;@ IN NS ns;www IN A 192.0.2.256 | broken.zone:5: Invalid address: 192.0.2.256",
                "@ IN SOA ns host 1 2 3 4 5;@ IN NS ns;www IN WHAT 1       | Invalid type",
                "@ IN SOA ns host 1 2 3 4 5;@ IN NS ns;www.example.org. IN A 192.0.2.1 | www.example.org. is not inside of the zone",
            })
    void aZoneThatMakesNoSense(String lines, String message, @TempDir Path folder) throws Exception {
        Path zone = folder.resolve("broken.zone");
        Files.writeString(zone, "$ORIGIN example.test.\n$TTL 60\n" + lines.replace(';', '\n') + "\n");
        assertFails(1, message, "--zone", zone.toString());
    }

    @Test
    void anAnswerThatFitsInNoMessage(@TempDir Path folder) throws Exception {
        Path zone = folder.resolve("large.zone");
        String large = "large IN TXT \"" + "x".repeat(250) + "\"\n";
        StringBuilder text = new StringBuilder("$ORIGIN example.test.\n$TTL 60\n@ IN SOA ns host 1 2 3 4 5\n IN NS ns\n");
        for (int i = 0; i < 250; i++) {
            text.append(large.replace("xxx\"", String.format("%03d\"", i)));
        }
        Files.writeString(zone, text);
        assertFails(1, "the records of large.example.test. do not fit in an answer", "--zone", zone.toString());
    }

    @Test
    void onlyDebugShowsAStackTrace() throws Exception {
        Programs.Result result = Programs.run(Programs.dns("--zone", "no.zone", "--debug"));
        assertThat(result.err()).contains("\tat ");
        assertThat(result.exitCode()).isEqualTo(1);
    }
}
