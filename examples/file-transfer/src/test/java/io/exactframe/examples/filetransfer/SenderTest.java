package io.exactframe.examples.filetransfer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.netty.util.LeakPresenceDetector;
import java.io.DataInputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A sender whose receiver is a plain socket that breaks off or lies. */
class SenderTest {
    /** More than the socket buffers hold: the sender is still sending when the receiver acts. */
    private static final int MUCH = 16 << 20;

    private static final int METADATA_LENGTH = 2 + 18 + "file.bin".length();
    private static final byte[] READY = {0, 1, 1};
    private static final byte[] VERIFIED = {0, 1, 2};

    @TempDir
    Path source;

    private Path file;

    @BeforeEach
    void writeFile() throws Exception {
        file = Files.write(source.resolve("file.bin"), new byte[MUCH]);
    }

    @AfterEach
    void nothingLeaks() {
        LeakPresenceDetector.check();
    }

    private static Socket connect(Cli.Sending sending) throws IOException {
        Socket socket = new Socket(InetAddress.getLoopbackAddress(), sending.port());
        socket.setSoTimeout(20_000);
        return socket;
    }

    private static byte[] read(Socket socket, int size) throws IOException {
        byte[] bytes = new byte[size];
        new DataInputStream(socket.getInputStream()).readFully(bytes);
        return bytes;
    }

    @Test
    void metadataComesFirstAndNothingElseUnasked() throws Exception {
        Cli.Sending sending = Cli.send(file);
        try (Socket receiver = connect(sending)) {
            assertThat(read(receiver, METADATA_LENGTH)).isEqualTo(RawSender.metadata(MUCH, "file.bin"));
            receiver.shutdownOutput();
            assertThat(receiver.getInputStream().readAllBytes()).isEmpty();
        }
        assertThat(sending.result().exitCode()).isEqualTo(1);
        assertThat(sending.result().err())
                .isEqualTo("file.bin: the connection ended before the receiver verified the file"
                        + " (stream ended after 0 of 2 header bytes)");
    }

    @Test
    void aReceiverThatLeavesDuringTheContentIsReported() throws Exception {
        Cli.Sending sending = Cli.send(file);
        try (Socket receiver = connect(sending)) {
            read(receiver, METADATA_LENGTH);
            receiver.getOutputStream().write(READY);
            read(receiver, 100_000);
        }
        assertThat(sending.result().exitCode()).isEqualTo(1);
        assertThat(sending.result().err())
                .startsWith("file.bin: the connection ended before the receiver verified the file (");
    }

    @Test
    void aReceiverThatLeavesWithoutAVerdictIsReported() throws Exception {
        Cli.Sending sending = Cli.send(file);
        try (Socket receiver = connect(sending)) {
            read(receiver, METADATA_LENGTH);
            receiver.getOutputStream().write(READY);
            read(receiver, MUCH + 34);
        }
        assertThat(sending.result().exitCode()).isEqualTo(1);
        assertThat(sending.result().err()).contains("before the receiver verified the file");
    }

    @ParameterizedTest
    @CsvSource({
        "3, the receiver refuses the name",
        "4, the receiver has a file of that name already",
        "5, the receiver has not enough free space",
        "8, 'the receiver does not understand this sender, which may be newer'",
        "2, the receiver verified the file",
        "99, the receiver does not speak this protocol",
    })
    void aRefusalIsToldToTheUser(int code, String message) throws Exception {
        Cli.Sending sending = Cli.send(file);
        try (Socket receiver = connect(sending)) {
            read(receiver, METADATA_LENGTH);
            receiver.getOutputStream().write(new byte[] {0, 1, (byte) code});
            assertThat(receiver.getInputStream().readAllBytes()).isEmpty();
        }
        assertThat(sending.result().exitCode()).isEqualTo(1);
        assertThat(sending.result().err()).isEqualTo("file.bin: " + message);
    }

    @Test
    void aRefusalDuringTheContentStopsIt() throws Exception {
        Cli.Sending sending = Cli.send(file);
        try (Socket receiver = connect(sending)) {
            read(receiver, METADATA_LENGTH);
            receiver.getOutputStream().write(READY);
            read(receiver, 100_000);
            receiver.getOutputStream().write(new byte[] {0, 1, 6});
            assertThat(receiver.getInputStream().readAllBytes()).hasSizeLessThan(MUCH);
        }
        assertThat(sending.result().exitCode()).isEqualTo(1);
        assertThat(sending.result().err()).isEqualTo("file.bin: the receiver cannot write the file");
    }

    @Test
    void aFileCannotBeVerifiedBeforeItIsSent() throws Exception {
        Cli.Sending sending = Cli.send(file);
        try (Socket receiver = connect(sending)) {
            read(receiver, METADATA_LENGTH);
            receiver.getOutputStream().write(READY);
            receiver.getOutputStream().write(VERIFIED);
            receiver.getInputStream().readNBytes(1);
            assertThat(sending.result().exitCode()).isEqualTo(1);
            assertThat(sending.result().err()).isEqualTo("file.bin: the receiver does not speak this protocol");
        }
    }

    @Test
    void aFileThatShrinksIsNotSent() throws Exception {
        Cli.Sending sending = Cli.send(file);
        try (Socket receiver = connect(sending)) {
            read(receiver, METADATA_LENGTH);
            try (FileChannel shrinking = FileChannel.open(file, StandardOpenOption.WRITE)) {
                shrinking.truncate(100_000);
            }
            receiver.getOutputStream().write(READY);
            assertThat(receiver.getInputStream().readAllBytes()).hasSizeLessThanOrEqualTo(100_000);
        }
        assertThat(sending.result().exitCode()).isEqualTo(1);
        assertThat(sending.result().err()).isEqualTo("file.bin: cannot be read: it became shorter while it was sent");
    }

    @Test
    void onlyTheFirstReceiverGetsTheFiles() throws Exception {
        Cli.Sending sending = Cli.send(file);
        try (Socket receiver = connect(sending)) {
            read(receiver, METADATA_LENGTH);
            // Refused, or accepted by the system while the port is being closed and then ended.
            assertThatExceptionOfType(IOException.class)
                    .isThrownBy(() -> {
                        try (Socket second = connect(sending)) {
                            read(second, 1);
                        }
                    })
                    .isNotInstanceOf(SocketTimeoutException.class);
        }
        assertThat(sending.result().exitCode()).isEqualTo(1);
    }

    @Test
    void filesAreCheckedBeforeAnybodyConnects() throws Exception {
        Path other =
                Files.createFile(Files.createDirectory(source.resolve("other")).resolve("file.bin"));
        Path missing = source.resolve("missing");
        Path device = Files.createFile(source.resolve("nul.txt"));
        assertThat(Cli.run("send", missing.toString())).isEqualTo(new Cli.Result(1, "", missing + ": no such file"));
        assertThat(Cli.run("send", source.toString()))
                .isEqualTo(new Cli.Result(1, "", source + ": not a regular file"));
        assertThat(Cli.run("send", file.toString(), other.toString()))
                .isEqualTo(new Cli.Result(1, "", other + ": another file is named file.bin too"));
        assertThat(Cli.run("send", device.toString()))
                .isEqualTo(new Cli.Result(1, "", "the file name 'nul.txt' is refused: it is a device on Windows"));
    }

    @Test
    void aPortThatIsTakenIsReported() throws Exception {
        try (ServerSocket taken = new ServerSocket(0)) {
            int port = taken.getLocalPort();
            assertThat(Cli.run("send", "--port", "" + port, file.toString()))
                    .isEqualTo(new Cli.Result(1, "", "cannot listen on port " + port + ": Address already in use"));
        }
    }
}
