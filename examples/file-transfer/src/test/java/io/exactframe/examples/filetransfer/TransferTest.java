package io.exactframe.examples.filetransfer;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.util.LeakPresenceDetector;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TransferTest {
    @TempDir
    Path temp;

    private Path source;
    private Path target;

    @BeforeEach
    void makeFolders() throws Exception {
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

    private Ends.Received transfer(boolean overwrite, Path... files) throws Exception {
        try (Ends.Sending sending = Ends.send(files)) {
            Ends.Received received = Ends.receive(sending.port, target, overwrite);
            if (received.exitCode() == 0) {
                sending.awaitReceipt();
            } else {
                assertThat(sending.waits()).isTrue();
            }
            return received;
        }
    }

    @ParameterizedTest(name = "{0} bytes, seed {1}")
    @CsvSource({"0, 1", "1, 2", "65535, 3", "65536, 4", "65537, 5", "1048576, 6", "1048577, 7", "5242880, 8"})
    void whatArrivesIsWhatWasSent(int size, long seed) throws Exception {
        byte[] content = Ends.random(seed, size);
        Ends.Received received = transfer(false, file("file.bin", content));
        assertThat(received.exitCode()).isZero();
        assertThat(received.result().stored()).isEqualTo(1);
        assertThat(target.resolve("file.bin")).hasBinaryContent(content);
        assertThat(Ends.names(target)).containsExactly("file.bin");
    }

    @Test
    void encryptedTheSame() throws Exception {
        byte[] content = Ends.random(9, 5_000_000);
        Path file = file("file.bin", content);
        try (Ends.Sending sending = new Ends.Sending(Security.forSender(), file)) {
            Security security = Security.forReceiver(sending.security.code());
            Ends.Received received = Ends.receive(sending.port, target, false, security, new Ends.Lines());
            assertThat(received.exitCode()).isZero();
            sending.awaitReceipt();
        }
        assertThat(target.resolve("file.bin")).hasBinaryContent(content);
    }

    @Test
    @DisabledOnOs(OS.WINDOWS)
    void aFolderComesWhole() throws Exception {
        Path tree = Files.createDirectories(source.resolve("tree/deep/er"));
        Path script = Files.write(tree.resolve("run.sh"), "echo".getBytes());
        Files.setPosixFilePermissions(script, PosixFilePermissions.fromString("rwxr-x---"));
        Files.setPosixFilePermissions(
                file("tree/secret", new byte[5]), PosixFilePermissions.fromString("rw-------"));
        file("tree/empty", new byte[0]);
        Files.createDirectory(source.resolve("tree/nothing"));
        Files.createSymbolicLink(source.resolve("tree/link"), script);
        FileTime old = FileTime.from(Instant.parse("2001-02-03T04:05:06.789Z"));
        Files.setLastModifiedTime(script, old);
        Files.setLastModifiedTime(tree, old);
        Files.setPosixFilePermissions(tree, PosixFilePermissions.fromString("r-xr-x---"));

        Ends.Received received = transfer(false, source.resolve("tree"));
        assertThat(received.exitCode()).isZero();
        assertThat(received.listed())
                .containsExactly(
                        "tree", "tree/deep", "tree/deep/er", "tree/deep/er/run.sh", "tree/empty", "tree/nothing",
                        "tree/secret");
        Path arrived = target.resolve("tree/deep/er/run.sh");
        assertThat(arrived).hasContent("echo").isExecutable();
        assertThat(Files.getLastModifiedTime(arrived)).isEqualTo(old);
        assertThat(Files.getLastModifiedTime(arrived.getParent())).isEqualTo(old);
        assertThat(Files.getPosixFilePermissions(arrived.getParent()))
                .isEqualTo(PosixFilePermissions.fromString("r-xr-x---"));
        assertThat(Files.getPosixFilePermissions(target.resolve("tree/secret")))
                .isEqualTo(PosixFilePermissions.fromString("rw-------"));
        assertThat(target.resolve("tree/nothing")).isEmptyDirectory();
        assertThat(target.resolve("tree/empty")).isEmptyFile();
        assertThat(Ends.names(target)).containsExactly("tree");
    }

    @Test
    void manyFilesGoInOneTransfer() throws Exception {
        Path tree = Files.createDirectory(source.resolve("many"));
        for (int i = 0; i < 700; i++) {
            Files.write(tree.resolve("f" + i), Ends.random(i, i));
        }
        Ends.Received received = transfer(false, tree);
        assertThat(received.said()).isEmpty();
        assertThat(received.result().stored()).isEqualTo(700);
        for (int i = 0; i < 700; i++) {
            assertThat(target.resolve("many/f" + i)).hasBinaryContent(Ends.random(i, i));
        }
    }

    @Test
    void aFileNamedLikeAnotherOnesPartIsAFileLikeAnyOther() throws Exception {
        Files.writeString(target.resolve("other.part"), "mine");
        Path part = file("z.part", Ends.random(1, 1000));
        Path z = file("z", Ends.random(2, 2000));
        assertThat(transfer(true, part, z).exitCode()).isZero();
        assertThat(target.resolve("z.part")).hasSameBinaryContentAs(part);
        assertThat(target.resolve("z")).hasSameBinaryContentAs(z);
        assertThat(target.resolve("other.part")).hasContent("mine");
    }

    @Test
    void aFileThatIsThereIsComparedAndStaysUnlessOverwritten() throws Exception {
        Path same = file("same", Ends.random(1, 300_000));
        Path other = file("other", Ends.random(2, 1000));
        Path shorter = file("shorter", Ends.random(3, 1000));
        Files.copy(same, target.resolve("same"));
        Files.write(target.resolve("other"), new byte[1000]);
        Files.writeString(target.resolve("shorter"), "mine");

        Ends.Received refused = transfer(false, same, other, shorter);
        assertThat(refused.exitCode()).isEqualTo(1);
        assertThat(refused.result().same()).isEqualTo(1);
        assertThat(refused.lines())
                .containsExactlyInAnyOrder(
                        "other: exists already and is different; --overwrite replaces it",
                        "shorter: exists already and is different; --overwrite replaces it");
        assertThat(target.resolve("other")).hasBinaryContent(new byte[1000]);
        assertThat(target.resolve("shorter")).hasContent("mine");

        Ends.Received replaced = transfer(true, same, other, shorter);
        assertThat(replaced.exitCode()).isZero();
        assertThat(replaced.result().stored()).isEqualTo(2);
        assertThat(target.resolve("other")).hasSameBinaryContentAs(other);
        assertThat(target.resolve("shorter")).hasSameBinaryContentAs(shorter);
        assertThat(Ends.names(target)).containsExactly("other", "same", "shorter");
    }

    @Test
    void aFolderIsNeverReplacedByAFileNorALinkFollowed() throws Exception {
        Files.createDirectory(target.resolve("a"));
        Path elsewhere = Files.writeString(temp.resolve("elsewhere"), "mine");
        Files.createSymbolicLink(target.resolve("b"), elsewhere);
        Path away = Files.createDirectory(temp.resolve("away"));
        Files.createSymbolicLink(target.resolve("tree"), away);
        Path tree = Files.createDirectory(source.resolve("tree"));
        Files.write(tree.resolve("c"), new byte[1]);

        Ends.Received received = transfer(true, file("a", new byte[1]), file("b", new byte[4]), tree);
        assertThat(received.exitCode()).isEqualTo(1);
        assertThat(received.lines())
                .containsExactlyInAnyOrder(
                        "a: exists already, as a folder; move it away",
                        "tree: exists already, and is no folder; move it away",
                        "tree/c: there is no such folder, or it is a link");
        assertThat(elsewhere).as("not written through the link").hasContent("mine");
        assertThat(Files.isRegularFile(target.resolve("b"), LinkOption.NOFOLLOW_LINKS)).isTrue();
        assertThat(away).isEmptyDirectory();
    }

    @Test
    void whatIsDeclinedIsNotReceived() throws Exception {
        Ends.Lines no = new Ends.Lines();
        no.willing = false;
        try (Ends.Sending sending = Ends.send(file("a", new byte[10]))) {
            Ends.Received received = Ends.receive(sending.port, target, false, Security.plain(), no);
            assertThat(received.exitCode()).isEqualTo(1);
            assertThat(received.listed()).containsExactly("a");
            assertThat(sending.waits()).isTrue();
        }
        assertThat(Ends.names(target)).isEmpty();
    }

    @Test
    void twoReceiversAtOnceGetTheSame() throws Exception {
        Path file = file("a", Ends.random(7, 3_000_000));
        Path second = Files.createDirectory(temp.resolve("second"));
        try (Ends.Sending sending = Ends.send(file)) {
            Thread other = new Thread(() -> Ends.receive(
                    sending.port, second, false, Security.plain(), new Ends.Lines()));
            other.start();
            Ends.Received first = Ends.receive(sending.port, target, false);
            other.join(20_000);
            assertThat(first.exitCode()).isZero();
            sending.awaitReceipt();
        }
        assertThat(target.resolve("a")).hasSameBinaryContentAs(file);
        assertThat(Ends.parts(second)).isEmpty();
    }

    @Test
    void theDemoShowsThatBothEndsAgree() throws Exception {
        assertThat(Demo.run(file("a", Ends.random(5, 100_000)), false, new Ends.Lines(), new Ends.Lines()))
                .matches("100000 bytes in \\d+\\.\\d\\d s \\(\\d+ MB/s\\), SHA-256 sent ([0-9a-f]{64}), received \\1");
    }

    @Test
    void progressInALogIsALineNowAndThen() {
        ByteArrayOutputStream log = new ByteArrayOutputStream();
        try (Progress progress = Progress.bar("all", 2000, new PrintStream(log, true))) {
            progress.add(1000);
            progress.add(1000);
        }
        List<String> lines = log.toString().lines().toList();
        assertThat(lines.get(lines.size() - 1)).startsWith("all 100% [").contains("] 2/2 kB");
        assertThat(lines).doesNotHaveDuplicates();
    }
}
