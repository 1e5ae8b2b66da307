package io.exactframe.examples.filetransfer;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import io.netty.util.LeakPresenceDetector;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.ServerSocket;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** A receiver whose sender is a plain socket that breaks off, lies or attacks. */
class ReceiverTest {
    private static final String NAME = "file.bin";
    private static final int SIZE = 300_000;
    private static final byte[] CONTENT = RawSender.random(300, SIZE);
    private static final byte[] METADATA = RawSender.metadata(SIZE, NAME);
    private static final byte[] TRAILER = RawSender.trailer(RawSender.sha256(CONTENT));
    private static final byte[] NO_MORE = {0, 0};
    private static final int CONTENT_START = METADATA.length;
    private static final int TRAILER_START = CONTENT_START + SIZE;

    @TempDir
    Path target;

    private final ByteArrayOutputStream replies = new ByteArrayOutputStream();

    @AfterEach
    void nothingLeaks() {
        LeakPresenceDetector.check();
    }

    private Cli.Result receive(byte[] stream) throws Exception {
        try (RawSender sender = RawSender.sending(stream, replies)) {
            return Cli.receive(sender.address(), target);
        }
    }

    private List<String> stored() throws IOException {
        try (Stream<Path> files = Files.list(target)) {
            return files.map(file -> file.getFileName().toString()).toList();
        }
    }

    private byte[] replied(int... codes) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        IntStream.of(codes).forEach(code -> bytes.writeBytes(new byte[] {0, 1, (byte) code}));
        return bytes.toByteArray();
    }

    private static String inMetadata(String count) {
        return "the connection ended before the sender said what comes next, or that nothing does (stream ended after "
                + count + ")";
    }

    private static String inContent(int bytes) {
        return "file.bin: the connection ended after " + bytes + " of 300000 bytes (stream ended after " + bytes
                + " of 300000 bytes); file.bin.part is kept and holds them";
    }

    private static String inTrailer(String count) {
        return "file.bin: all 300000 bytes came, but not their SHA-256 (stream ended after " + count
                + "); file.bin.part is kept";
    }

    static Stream<Arguments> cuts() {
        return Stream.of(
                arguments(0, inMetadata("0 of 2 header bytes"), -1),
                arguments(1, inMetadata("1 of 2 header bytes"), -1),
                arguments(2, inMetadata("2 of 28 bytes"), -1),
                arguments(3, inMetadata("3 of 28 bytes"), -1),
                arguments(27, inMetadata("27 of 28 bytes"), -1),
                arguments(CONTENT_START, inContent(0), 0),
                arguments(CONTENT_START + 1, inContent(1), 1),
                arguments(CONTENT_START + 262_144, inContent(262_144), 262_144),
                arguments(TRAILER_START - 1, inContent(SIZE - 1), SIZE - 1),
                arguments(TRAILER_START, inTrailer("0 of 2 header bytes"), SIZE),
                arguments(TRAILER_START + 1, inTrailer("1 of 2 header bytes"), SIZE),
                arguments(TRAILER_START + 2, inTrailer("2 of 34 bytes"), SIZE),
                arguments(TRAILER_START + 33, inTrailer("33 of 34 bytes"), SIZE));
    }

    @ParameterizedTest(name = "ends after {0} bytes")
    @MethodSource("cuts")
    void aStreamThatEndsEarlyIsReportedWithItsCounts(int cut, String message, int held) throws Exception {
        byte[] whole = RawSender.join(METADATA, CONTENT, TRAILER);
        assertThat(receive(Arrays.copyOf(whole, cut))).isEqualTo(new Cli.Result(1, "", message));
        if (held < 0) {
            assertThat(stored()).isEmpty();
        } else {
            assertThat(stored()).containsExactly("file.bin.part");
            assertThat(target.resolve("file.bin.part")).hasBinaryContent(Arrays.copyOf(CONTENT, held));
        }
    }

    @Test
    void anEndBetweenFilesIsEarlyUnlessTheSenderSaidSo() throws Exception {
        Cli.Result result = receive(RawSender.join(METADATA, CONTENT, TRAILER));
        assertThat(result.exitCode()).isEqualTo(1);
        assertThat(result.err()).isEqualTo(inMetadata("0 of 2 header bytes"));
        assertThat(stored()).as("this one was verified").containsExactly(NAME);
    }

    @Test
    void aResetIsReportedWithTheFilesCounts() throws Exception {
        Cli.Result result;
        try (RawSender sender = new RawSender(receiver -> {
            receiver.getOutputStream().write(METADATA);
            RawSender.readReply(receiver);
            receiver.getOutputStream().write(CONTENT, 0, 10);
            receiver.setSoLinger(true, 0);
        })) {
            result = Cli.receive(sender.address(), target);
        }
        assertThat(result.exitCode()).isEqualTo(1);
        assertThat(result.err())
                .matches("file.bin: the connection ended after (0|10) of 300000 bytes \\(Connection reset.*\\);"
                        + " file.bin.part is kept and holds them");
        assertThat(stored()).containsExactly("file.bin.part");
    }

    @Test
    void contentWithAnotherDigestDoesNotGetTheName() throws Exception {
        byte[] changed = CONTENT.clone();
        changed[SIZE - 1] ^= 1;
        Cli.Result result = receive(RawSender.join(METADATA, changed, TRAILER, NO_MORE));
        assertThat(result)
                .isEqualTo(new Cli.Result(
                        1, "", "file.bin: what came has another SHA-256 than what was sent; file.bin.part is kept"));
        assertThat(stored()).containsExactly("file.bin.part");
        assertThat(replies.toByteArray()).isEqualTo(replied(1, 7));
    }

    @Test
    void aFileThatAppearsDuringTheTransferStays() throws Exception {
        Cli.Result result;
        try (RawSender sender = new RawSender(receiver -> {
            receiver.getOutputStream().write(METADATA);
            RawSender.readReply(receiver);
            Files.writeString(target.resolve(NAME), "mine");
            receiver.getOutputStream().write(RawSender.join(CONTENT, TRAILER));
            assertThat(RawSender.readReply(receiver)).isEqualTo(4);
        })) {
            result = Cli.receive(sender.address(), target);
        }
        assertThat(result)
                .isEqualTo(new Cli.Result(
                        1, "", "file.bin has appeared meanwhile; what came is whole and in file.bin.part"));
        assertThat(target.resolve(NAME)).hasContent("mine");
        assertThat(target.resolve("file.bin.part")).hasBinaryContent(CONTENT);
    }

    @Test
    void aTrailerThatIsTooShortIsAnotherDigest() throws Exception {
        assertThat(receive(RawSender.join(METADATA, CONTENT, RawSender.trailer(new byte[31]), NO_MORE))
                        .err())
                .contains("another SHA-256");
        assertThat(stored()).containsExactly("file.bin.part");
    }

    static Stream<Arguments> badNames() {
        List<Arguments> names = new ArrayList<>();
        List.of("", ".", "..", " ", "a ", "a.").forEach(name -> names.add(arguments(name)));
        List.of("../a", "a/../../b", "/etc/passwd", "a/b", "a/", "..\\a", "\\\\host\\share\\a", "a\\b", "C:\\a", "c:a")
                .forEach(name -> names.add(arguments(name)));
        List.of("a\0b", "a\nb", "a\u001b[2Jb", "a\u007f", "a\u0085b", "a\u202etxt.exe", "a\u2066b", "a\u2028b", "\t")
                .forEach(name -> names.add(arguments(name)));
        List.of("CON", "nul", "Aux.txt", "PRN.tar.gz", "com1", "COM9.log", "lpt1", "LPT\u00b9", "CONIN$", "NUL .txt")
                .forEach(name -> names.add(arguments(name)));
        names.add(arguments("a".repeat(251)));
        names.add(arguments("\u00e9".repeat(126)));
        names.add(arguments("a".repeat(4000)));
        return names.stream();
    }

    @ParameterizedTest(name = "[{index}]")
    @MethodSource("badNames")
    void aNameThatIsNotOnePlainFileIsRefused(String name) throws Exception {
        Cli.Result result = receive(RawSender.metadata(1, name));
        assertThat(result.exitCode()).isEqualTo(1);
        assertThat(result.err()).startsWith("the file name '").contains("' is refused: ");
        assertThat(result.err().codePoints()).noneMatch(c -> Character.isISOControl(c) || c == 0x202E);
        assertThat(result.err()).hasSizeLessThan(200);
        assertThat(stored()).isEmpty();
        assertThat(replies.toByteArray()).isEqualTo(replied(3));
    }

    @Test
    void aNameThatIsNotUtf8IsRefused() throws Exception {
        Cli.Result result = receive(RawSender.metadata(1, 0, 0, 1, new byte[] {'a', (byte) 0xC0, (byte) 0xAF}));
        assertThat(result).isEqualTo(new Cli.Result(1, "", "the sender's file name is not UTF-8"));
        assertThat(stored()).isEmpty();
    }

    @ParameterizedTest
    @MethodSource("goodNames")
    void anOrdinaryNameIsAccepted(String name) throws Exception {
        byte[] stream =
                RawSender.join(RawSender.metadata(0, name), RawSender.trailer(RawSender.sha256(new byte[0])), NO_MORE);
        assertThat(receive(stream).exitCode()).isZero();
        assertThat(stored()).containsExactly(name);
    }

    static Stream<String> goodNames() {
        return Stream.of(
                "a", "...a", "a..b", ".hidden", "-rf", "a b", "CONSOLE", "com10", "nullable.txt", "a".repeat(250));
    }

    static Stream<Arguments> nonsense() {
        byte[] name = NAME.getBytes(UTF_8);
        return Stream.of(
                arguments(RawSender.metadata(2, 0, 0, 1, name), "version 2 (known: 1)"),
                arguments(RawSender.metadata(1, 4, 0, 1, name), "flags 4, offset 0 (known: 0, 0)"),
                arguments(RawSender.metadata(1, 0, 5, 1, name), "flags 0, offset 5 (known: 0, 0)"),
                arguments(RawSender.metadata(1, 0, 0, -1, name), "a size of -1 bytes"),
                arguments(new byte[] {0, 1, 1}, "metadata of 1 bytes"));
    }

    @ParameterizedTest(name = "{1}")
    @MethodSource("nonsense")
    void whatThisVersionDoesNotKnowIsRefused(byte[] stream, String what) throws Exception {
        assertThat(receive(stream))
                .isEqualTo(new Cli.Result(1, "", "the sender says what this version cannot: " + what));
        assertThat(replies.toByteArray()).isEqualTo(replied(8));
        assertThat(stored()).isEmpty();
    }

    @Test
    void whatIsNoSenderIsSaidToBeNone() throws Exception {
        assertThat(receive("HTTP/1.1 400 Bad Request\r\n\r\n".getBytes(UTF_8)).err())
                .endsWith("(what came is not a file transfer)");
        assertThat(stored()).isEmpty();
    }

    @Test
    void aSizeBeyondTheFreeSpaceIsRefused() throws Exception {
        Cli.Result result = receive(RawSender.metadata(Long.MAX_VALUE, NAME));
        assertThat(result.exitCode()).isEqualTo(1);
        assertThat(result.err()).matches("file.bin: needs 9223372036854775807 bytes, only \\d+ are free");
        assertThat(replies.toByteArray()).isEqualTo(replied(5));
        assertThat(stored()).isEmpty();
    }

    @Test
    void aDeclaredSizeReservesNothing() throws Exception {
        long size = Files.getFileStore(target).getUsableSpace() / 2;
        Cli.Result result = receive(RawSender.metadata(size, NAME));
        assertThat(result.exitCode()).isEqualTo(1);
        assertThat(result.err()).startsWith("file.bin: the connection ended after 0 of " + size + " bytes");
        assertThat(target.resolve("file.bin.part")).isEmptyFile();
    }

    @Test
    @EnabledOnOs(OS.LINUX)
    void aFullDiskIsReportedAtBothEnds() throws Exception {
        Receiver receiver = new Receiver(target, false, Progress.none()) {
            @Override
            PartFile create(Path directory, Metadata file, boolean overwrite) throws TransferException {
                try {
                    FileChannel full = FileChannel.open(Path.of("/dev/full"), StandardOpenOption.WRITE);
                    return new PartFile(directory.resolve(file.name()), overwrite, full);
                } catch (IOException e) {
                    throw new AssertionError(e);
                }
            }
        };
        AtomicInteger reply = new AtomicInteger();
        // More than the socket buffers hold: most of it is under way when the disk turns out to be full.
        byte[] much = new byte[16 << 20];
        try (RawSender sender = new RawSender(socket -> {
            socket.getOutputStream().write(RawSender.metadata(much.length, NAME));
            assertThat(RawSender.readReply(socket)).isEqualTo(1);
            socket.getOutputStream().write(much);
            reply.set(RawSender.readReply(socket));
        })) {
            assertThatExceptionOfType(TransferException.class)
                    .isThrownBy(() -> receiver.receive(Address.parse(sender.address()), file -> {}))
                    .withMessage("file.bin: cannot be written: No space left on device; file.bin.part holds 0 bytes");
        }
        assertThat(reply).hasValue(6);
    }

    @Test
    @EnabledOnOs(OS.LINUX)
    void aDirectoryThatCannotBeWrittenIsReportedAtBothEnds() throws Exception {
        try (RawSender sender = RawSender.sending(METADATA, replies)) {
            Cli.Result result = Cli.receive(sender.address(), "/proc");
            assertThat(result.exitCode()).isEqualTo(1);
            assertThat(result.err()).startsWith("file.bin.part: cannot be created: ");
        }
        assertThat(replies.toByteArray()).isEqualTo(replied(6));
    }

    @Test
    void aTargetThatIsNoDirectoryIsRefusedBeforeConnecting() throws Exception {
        Path file = Files.createFile(target.resolve("a"));
        assertThat(Cli.receive("127.0.0.1:1", file)).isEqualTo(new Cli.Result(1, "", file + ": not a directory"));
        Path missing = target.resolve("b");
        assertThat(Cli.receive("127.0.0.1:1", missing))
                .isEqualTo(new Cli.Result(1, "", missing + ": no such directory"));
    }

    @Test
    void aMessageHasTheAddressThatWasTypedAndNoOther() throws Exception {
        int port;
        try (ServerSocket unused = new ServerSocket(0)) {
            port = unused.getLocalPort();
        }
        assertThat(Cli.receive("localhost:" + port, target))
                .isEqualTo(new Cli.Result(1, "", "cannot connect to localhost:" + port + ": connection refused"));
        assertThat(Cli.receive("nowhere.invalid:80", target))
                .isEqualTo(new Cli.Result(1, "", "cannot connect to nowhere.invalid:80: unknown host"));
    }
}
