package io.exactframe.examples.filetransfer;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.util.LeakPresenceDetector;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class TransferTest {
    @TempDir
    Path temp;

    private Path source;
    private Path target;

    @BeforeEach
    void makeDirectories() throws Exception {
        source = Files.createDirectory(temp.resolve("source"));
        target = Files.createDirectory(temp.resolve("target"));
    }

    @AfterEach
    void nothingLeaks() {
        LeakPresenceDetector.check();
    }

    private Path file(String name, byte[] content) throws Exception {
        return Files.write(source.resolve(name), content);
    }

    private Stream<String> received() throws Exception {
        try (Stream<Path> files = Files.list(target)) {
            return files.map(file -> file.getFileName().toString()).toList().stream();
        }
    }

    @ParameterizedTest(name = "{0} bytes, seed {1}")
    @CsvSource({"0, 1", "1, 2", "65535, 3", "65536, 4", "65537, 5", "262144, 6", "262145, 7", "5242880, 8"})
    void whatArrivesIsWhatWasSent(int size, long seed) throws Exception {
        byte[] content = RawSender.random(seed, size);
        Cli.Sending sending = Cli.send(file("file.bin", content));
        Cli.Result received = Cli.receive(sending.address(), target);

        String line = "file.bin, " + size + " bytes, SHA-256 " + HexFormat.of().formatHex(RawSender.sha256(content))
                + " verified";
        assertThat(received).isEqualTo(new Cli.Result(0, "received " + line + System.lineSeparator(), ""));
        assertThat(sending.result().out()).endsWith("sent " + line + System.lineSeparator());
        assertThat(sending.result().err()).isEmpty();
        assertThat(sending.result().exitCode()).isZero();
        assertThat(target.resolve("file.bin")).hasBinaryContent(content);
        assertThat(received()).containsExactly("file.bin");
    }

    @Test
    void severalFilesGoInOneTransfer() throws Exception {
        Path text = file("with space.txt", RawSender.random(1, 70_000));
        Cli.Sending sending = Cli.send(text, file("empty", new byte[0]), file("b.bin", RawSender.random(2, 300_000)));
        Cli.Result received = Cli.receive(sending.address(), target);

        assertThat(received.exitCode()).isZero();
        assertThat(sending.result().exitCode()).isZero();
        assertThat(received()).containsExactlyInAnyOrder("with space.txt", "empty", "b.bin");
        assertThat(target.resolve("with space.txt")).hasSameBinaryContentAs(text);
        assertThat(target.resolve("b.bin")).hasBinaryContent(RawSender.random(2, 300_000));
    }

    @Test
    void aFileThatIsThereStaysUnlessOverwritten() throws Exception {
        Path file = file("a", RawSender.random(3, 1000));
        Files.writeString(target.resolve("a"), "mine");

        Cli.Sending refused = Cli.send(file);
        Cli.Result refusal = Cli.receive(refused.address(), target);
        assertThat(refusal).isEqualTo(new Cli.Result(1, "", "a exists already; --overwrite replaces it"));
        assertThat(refused.result().exitCode()).isEqualTo(1);
        assertThat(refused.result().err()).isEqualTo("a: the receiver has a file of that name already");
        assertThat(target.resolve("a")).hasContent("mine");
        assertThat(received()).containsExactly("a");

        Cli.Sending accepted = Cli.send(file);
        assertThat(Cli.receive(accepted.address(), target, "--overwrite").exitCode())
                .isZero();
        assertThat(accepted.result().exitCode()).isZero();
        assertThat(target.resolve("a")).hasSameBinaryContentAs(file);
    }

    @Test
    void aPartFileThatIsThereStaysUnlessOverwritten() throws Exception {
        Path file = file("a", RawSender.random(4, 1000));
        Path elsewhere = Files.writeString(temp.resolve("elsewhere"), "mine");
        Files.createSymbolicLink(target.resolve("a.part"), elsewhere);

        Cli.Sending refused = Cli.send(file);
        Cli.Result refusal = Cli.receive(refused.address(), target);
        assertThat(refusal).isEqualTo(new Cli.Result(1, "", "a.part exists already; --overwrite replaces it"));
        assertThat(refused.result().exitCode()).isEqualTo(1);

        Cli.Sending accepted = Cli.send(file);
        assertThat(Cli.receive(accepted.address(), target, "--overwrite").exitCode())
                .isZero();
        assertThat(accepted.result().exitCode()).isZero();
        assertThat(elsewhere).as("not written through the link").hasContent("mine");
        assertThat(received()).containsExactly("a");
    }

    @Test
    void aDirectoryIsNeverReplaced() throws Exception {
        Files.createDirectory(target.resolve("a"));
        Cli.Sending sending = Cli.send(file("a", new byte[1]));
        Cli.Result received = Cli.receive(sending.address(), target, "--overwrite");
        assertThat(received).isEqualTo(new Cli.Result(1, "", "a exists already, as a directory"));
        assertThat(sending.result().exitCode()).isEqualTo(1);
        assertThat(target.resolve("a")).isEmptyDirectory();
    }

    @Test
    void theDemoShowsThatBothEndsAgree() throws Exception {
        byte[] content = RawSender.random(5, 100_000);
        String sha256 = HexFormat.of().formatHex(RawSender.sha256(content));
        Cli.Result demo = Cli.run("demo", "--quiet", file("a", content).toString());
        assertThat(demo.err()).isEmpty();
        assertThat(demo.out().lines().reduce((first, last) -> last).orElseThrow())
                .matches("100000 bytes in \\d+\\.\\d\\d s \\(\\d+ MB/s\\), SHA-256 sent " + sha256 + ", received "
                        + sha256 + ": equal");
        assertThat(demo.exitCode()).isZero();
    }

    @Test
    void progressInALogIsALineNowAndThen() {
        ByteArrayOutputStream log = new ByteArrayOutputStream();
        Progress.Display display = Progress.bar(new PrintStream(log, true));
        try (Progress progress = display.start("some.file", 2000)) {
            progress.reached(1000);
            progress.reached(2000);
        }
        try (Progress progress = display.start("empty", 0)) {
            progress.reached(0);
        }
        List<String> lines = log.toString().lines().toList();
        assertThat(lines.get(lines.size() - 1)).startsWith("some.file 100% [").contains("] 2/2 kB");
        assertThat(lines).doesNotHaveDuplicates();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "receive nowhere DIR",
                "receive host:0 DIR",
                "receive host:65536 DIR",
                "receive ::1:80 DIR",
                "receive 127.0.0.1:80",
                "send",
                "send --port 65536 pom.xml",
                "send --port -1 pom.xml",
                "demo a b",
                "fetch",
                ""
            })
    void wrongUsageIsExitCode2(String line) {
        Cli.Result result = Cli.run(line.isEmpty() ? new String[0] : line.split(" "));
        assertThat(result.exitCode()).isEqualTo(2);
        assertThat(result.err()).contains("Usage: file-transfer");
    }

    @ParameterizedTest
    @CsvSource({"host:80, host, 80", "192.0.2.7:1, 192.0.2.7, 1", "[::1]:65535, ::1, 65535"})
    void addressesAreReadAndShownAlike(String text, String host, int port) {
        assertThat(Address.parse(text)).isEqualTo(new Address(host, port)).hasToString(text);
    }
}
