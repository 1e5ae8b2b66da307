package io.exactframe.examples.filetransfer;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;

class CommandLineTest {
    @TempDir
    Path temp;

    private record Result(int exitCode, String out, String err) {}

    private static Result run(String... args) {
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        CommandLine commands = FileTransfer.newCommandLine();
        commands.setOut(new PrintWriter(out, true)).setErr(new PrintWriter(err, true));
        return new Result(commands.execute(args), out.toString(), err.toString().strip());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '"',
            value = {
                "receive nowhere DIR | 'nowhere' is not HOST:PORT, such as 192.0.2.7:4000 or [::1]:4000",
                "receive host:0 DIR | 'host:0' is not HOST:PORT",
                "receive host:65536 DIR | is not HOST:PORT",
                "receive ::1:80 DIR | is not HOST:PORT",
                "receive 127.0.0.1:80 | Missing required parameter: 'DIR'",
                "send | Missing required parameter: 'FILE'",
                "send --port 99999 pom.xml | '99999' is not a port, 0 to 65535",
                "send --port -1 pom.xml | '-1' is not a port",
                "send --timeout 0 pom.xml | '0' is not a number of seconds",
                "send --code abc pom.xml | Unknown option: '--code'",
                "demo a b | Unmatched argument",
                "fetch | Unmatched argument",
                "\"\" | Missing required subcommand"
            })
    void wrongUsageIsExitCode2AndSaysWhat(String line, String said) {
        Result result = run(line.isEmpty() ? new String[0] : line.split(" "));
        assertThat(result.exitCode()).isEqualTo(2);
        assertThat(result.err()).contains(said).contains("--help'.").doesNotContain("Exception", "java.", "int");
    }

    @ParameterizedTest
    @ValueSource(strings = {"--help", "send --help", "receive --help"})
    void helpHasExamples(String line) {
        Result result = run(line.split(" "));
        assertThat(result.exitCode()).isZero();
        assertThat(result.out()).contains("Example").doesNotContain("@");
    }

    @ParameterizedTest
    @CsvSource({"host:80, host, 80", "192.0.2.7:1, 192.0.2.7, 1", "[::1]:65535, ::1, 65535"})
    void addressesAreReadAndShownAlike(String text, String host, int port) {
        assertThat(Address.parse(text)).isEqualTo(new Address(host, port)).hasToString(text);
    }

    @Test
    void whatCannotBeSentIsSaidBeforeAnybodyConnects() throws Exception {
        Path missing = temp.resolve("missing");
        assertThat(run("send", missing.toString()))
                .isEqualTo(new Result(1, "", missing + ": no such file or folder"));
        Path a = Files.createFile(temp.resolve("a"));
        Path other = Files.createFile(Files.createDirectory(temp.resolve("d")).resolve("a"));
        assertThat(run("send", a.toString(), other.toString()).err())
                .isEqualTo(other + ": another one is named a too; send them one after the other");
    }

    @Test
    void whereThingsAreNotIsSaid() throws Exception {
        assertThat(run("receive", "--plain", "127.0.0.1:80", temp.resolve("no").toString()).err())
                .endsWith(": no such folder; make it with mkdir");
        int port;
        try (ServerSocket taken = new ServerSocket(0)) {
            port = taken.getLocalPort();
            assertThat(run("send", "--plain", "--port", "" + port, temp.toString()).err())
                    .isEqualTo("cannot listen on port " + port
                            + ": Address already in use; choose another with --port, or leave it out");
        }
        Result refused = run("receive", "--plain", "127.0.0.1:" + port, temp.toString());
        assertThat(refused.exitCode()).isEqualTo(3);
        assertThat(refused.err())
                .isEqualTo("cannot connect to 127.0.0.1:" + port
                        + ": connection refused; is 'send' still running there, and is this what it printed?");
    }

    @Test
    void aFullDiskKeepsWhatCameAndSaysWhatToDo() throws Exception {
        Path file = Files.write(temp.resolve("big.bin"), Ends.random(1, 5_000_000));
        Path target = Files.createDirectory(temp.resolve("target"));
        try (Program sender = Program.send("--plain", file)) {
            // No file may get larger than 3 MB: to the program the same as a full disk.
            try (Program receiver = Program.receive(
                    List.of("bash", "-c", "trap '' XFSZ; ulimit -f 3000; exec \"$@\"", "bash"),
                    sender.port(),
                    null,
                    target)) {
                assertThat(receiver.exit()).isEqualTo(1);
                assertThat(receiver.said())
                        .contains("cannot write: File too large; what came is kept: make room, then run this again");
            }
            assertThat(Ends.parts(target)).hasSize(1);
            assertThat(Files.size(Ends.parts(target).get(0))).isGreaterThan(2_000_000);
            try (Program receiver = Program.receive(sender.port(), null, target)) {
                assertThat(receiver.exit()).as(receiver.said()).isZero();
            }
            assertThat(sender.exit()).isZero();
            assertThat(sender.said()).contains("Lost a receiver: the receiver cannot write it");
        }
        assertThat(target.resolve("big.bin")).hasSameBinaryContentAs(file);
    }

    @Test
    void withoutALocaleNoNameIsChangedAndSaysWhatToDo() throws Exception {
        Path folder = Files.createDirectory(temp.resolve("folder"));
        Path file = Files.writeString(folder.resolve("größe.txt"), "x");
        Path target = Files.createDirectory(temp.resolve("target"));
        String advice = "set LC_ALL=C.UTF-8 and run the command again";
        try (Program named = Program.runWithoutLocale("send", "--plain", file);
                Program inFolder =
                        Program.runWithoutLocale("send", "--plain", "--host", "127.0.0.1", folder)) {
            assertThat(named.exit()).isNotZero();
            assertThat(named.said()).contains(advice).doesNotContain("java.");
            Program.await(() -> inFolder.said().contains("To get them"));
            assertThat(inFolder.said()).contains(advice).contains("Sending 0 files");
        }
        try (Program sender = Program.send("--plain", folder);
                Program receiver = Program.runWithoutLocale(
                        "receive", "-y", "--plain", "127.0.0.1:" + sender.port(), target)) {
            assertThat(receiver.exit()).isEqualTo(1);
            assertThat(receiver.said()).contains(advice);
            assertThat(Ends.names(target.resolve("folder"))).isEmpty();
        }
    }
}
