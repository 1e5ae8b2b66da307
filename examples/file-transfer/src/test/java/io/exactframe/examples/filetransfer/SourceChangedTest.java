package io.exactframe.examples.filetransfer;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.util.LeakPresenceDetector;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A file that is not at rest is not sent: there would be a mix at the other end that never was. */
class SourceChangedTest {
    private static final int SIZE = 20_000_000;

    @TempDir
    Path temp;

    private Path file;
    private Path target;

    @BeforeEach
    void makeFiles() throws Exception {
        target = Files.createDirectory(temp.resolve("target"));
        file = Files.write(temp.resolve("big.bin"), Ends.random(1, SIZE));
    }

    @AfterEach
    void nothingLeaks() {
        LeakPresenceDetector.check();
    }

    private interface Change {
        void apply() throws Exception;
    }

    /** Changes the file when half of it has come. */
    private void changed(Change change, String said) throws Exception {
        Path other = Files.writeString(temp.resolve("other"), "at rest");
        try (Ends.Sending sending = Ends.send(file, other);
                FaultProxy proxy = new FaultProxy(sending.port)) {
            proxy.limit = SIZE / 2;
            proxy.fault = FaultProxy.Fault.HOLD;
            Thread changer = new Thread(() -> {
                Program.await(() -> proxy.passed.get() >= SIZE / 2);
                try {
                    change.apply();
                } catch (Exception e) {
                    throw new IllegalStateException(e);
                }
                proxy.release();
            });
            changer.start();
            Ends.Received received = Ends.receive(proxy.port(), target, false);
            changer.join();
            assertThat(received.exitCode()).isEqualTo(1);
            assertThat(received.said())
                    .isEqualTo("big.bin: it changed while it was sent; run 'receive' again when it is at rest");
            assertThat(received.result().stored()).as("the rest goes on").isEqualTo(1);
            assertThat(sending.user.lines.get(0)).isEqualTo("big.bin: " + said);
            assertThat(sending.waits()).isTrue();
            assertThat(Ends.names(target)).containsExactly("other");

            if (Files.exists(file)) {
                assertThat(Ends.receive(sending.port, target, false).said()).isEmpty();
                assertThat(target.resolve("big.bin")).hasSameBinaryContentAs(file);
                sending.awaitReceipt();
            }
        }
    }

    private static final String END = " while it was sent; it is not sent. Run 'receive' again when it is at rest";

    @Test
    void grown() throws Exception {
        changed(() -> Files.write(file, new byte[1], StandardOpenOption.APPEND), "it grew" + END);
    }

    @Test
    void shrunk() throws Exception {
        changed(
                () -> {
                    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
                        channel.truncate(1000);
                    }
                },
                "it shrank while it was sent; it is not sent");
    }

    @Test
    void rewritten() throws Exception {
        changed(
                () -> {
                    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
                        channel.write(ByteBuffer.allocate(1), 0);
                    }
                },
                "it changed" + END);
    }

    @Test
    void rewrittenAndItsTimeSetBack() throws Exception {
        FileTime time = Files.getLastModifiedTime(file);
        changed(
                () -> {
                    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
                        channel.write(ByteBuffer.allocate(1), 0);
                    }
                    Files.setLastModifiedTime(file, time);
                },
                "it changed" + END);
    }

    @Test
    void deleted() throws Exception {
        changed(() -> Files.delete(file), "it vanished while it was sent: no such file or folder");
    }
}
