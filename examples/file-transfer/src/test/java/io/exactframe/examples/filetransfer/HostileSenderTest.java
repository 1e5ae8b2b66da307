package io.exactframe.examples.filetransfer;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.util.LeakPresenceDetector;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A receiver whose sender is a plain socket that breaks off, lies, stalls or attacks. */
class HostileSenderTest {
    private static final int SIZE = 300_000;
    private static final byte[] CONTENT = Ends.random(300, SIZE);
    private static final byte[] SHA256 = Digests.sha256(CONTENT);
    private static final byte[] LIST =
            Raw.frames(Message.Hello.OURS, Raw.file("file.bin", SIZE), new Message.Listed(1, SIZE));
    private static final byte[] WHOLE = Raw.frames(
            LIST,
            new Message.Begin(0, 0),
            new Message.Piece(SIZE / 3),
            Arrays.copyOf(CONTENT, SIZE / 3),
            new Message.Piece(SIZE - SIZE / 3),
            Arrays.copyOfRange(CONTENT, SIZE / 3, SIZE),
            new Message.End(SHA256));

    @TempDir
    Path temp;

    private Path target;

    @BeforeEach
    void makeFolder() throws Exception {
        target = Files.createDirectory(temp.resolve("target"));
    }

    @AfterEach
    void nothingLeaks() {
        LeakPresenceDetector.check();
    }

    private Ends.Received receive(Object... stream) throws Exception {
        try (Raw.Server sender = Raw.sender(receiver -> {
            receiver.send(stream);
            receiver.socket.shutdownOutput();
            receiver.drain();
        })) {
            return Ends.receive(sender.port(), target, false);
        }
    }

    static IntStream cuts() {
        List<Integer> cuts = new ArrayList<>(List.of(
                0, 1, 2, 7, 8, LIST.length - 1, LIST.length, LIST.length + 15, LIST.length + 16, LIST.length + 22,
                LIST.length + 23, SIZE / 3 + LIST.length + 22, SIZE / 3 + LIST.length + 25, WHOLE.length - 36,
                WHOLE.length - 35, WHOLE.length - 1));
        return cuts.stream().mapToInt(Integer::intValue);
    }

    @ParameterizedTest(name = "ends after {0} bytes")
    @MethodSource("cuts")
    void aStreamThatEndsEarlyIsNeverAFile(int cut) throws Exception {
        Ends.Received received = receive((Object) Arrays.copyOf(WHOLE, cut));
        assertThat(received.exitCode()).isEqualTo(TransferException.LOST);
        assertThat(received.said()).containsAnyOf("the other end has closed", "the connection ended");
        assertThat(target.resolve("file.bin")).doesNotExist();
        for (Path part : Ends.parts(target)) {
            byte[] held = Files.readAllBytes(part);
            assertThat(held).isNotEmpty().isEqualTo(Arrays.copyOf(CONTENT, held.length));
        }
    }

    @Test
    void whatCameWholeIsStoredThoughTheSenderLeaves() throws Exception {
        try (Raw.Server sender = Raw.sender(receiver -> {
            receiver.send((Object) WHOLE);
            while (!(receiver.read() instanceof Message.Done)) {
                // until it has said everything
            }
        })) {
            Ends.Received received = Ends.receive(sender.port(), target, false);
            assertThat(received.exitCode()).isZero();
            assertThat(received.said()).startsWith("All that came is stored, but the sender may not know it");
        }
        assertThat(target.resolve("file.bin")).hasBinaryContent(CONTENT);
    }

    static Stream<Arguments> lies() {
        byte[] another = SHA256.clone();
        another[31]++;
        Message begin = new Message.Begin(0, 0);
        return Stream.of(
                Arguments.of("no magic", new Object[] {new Message.Hello(1, Limits.VERSION)}),
                Arguments.of("another version", new Object[] {new Message.Hello(Message.MAGIC, 3)}),
                Arguments.of("an unknown frame", new Object[] {new byte[] {0, 1, 77}}),
                Arguments.of("an empty frame", new Object[] {new byte[] {0, 0}}),
                Arguments.of("an endless frame", new Object[] {new byte[] {(byte) 255, (byte) 255}}),
                Arguments.of("a wrong count", new Object[] {Message.Hello.OURS, new Message.Listed(1, 0)}),
                Arguments.of("a wrong sum", new Object[] {
                    Message.Hello.OURS, Raw.file("a", 5), new Message.Listed(1, 6)
                }),
                Arguments.of("sizes that overflow", new Object[] {
                    Message.Hello.OURS, Raw.file("a", Long.MAX_VALUE), Raw.file("b", 2), new Message.Listed(2, 1)
                }),
                Arguments.of("a negative size", new Object[] {Message.Hello.OURS, Raw.file("a", -1)}),
                Arguments.of("a folder with a size", new Object[] {
                    Message.Hello.OURS, new Entry(true, 0755, 1, Instant.EPOCH, "d")
                }),
                Arguments.of("a time that overflows", new Object[] {
                    Message.Hello.OURS, new Entry(false, 0644, 1, Instant.MAX, "d")
                }),
                Arguments.of("a name that is not UTF-8", new Object[] {Message.Hello.OURS, notUtf8()}),
                Arguments.of("another index", new Object[] {LIST, new Message.Begin(1, 0)}),
                Arguments.of("an offset not asked for", new Object[] {LIST, new Message.Begin(0, 5)}),
                Arguments.of("an empty piece", new Object[] {LIST, begin, new Message.Piece(0)}),
                Arguments.of("a negative piece", new Object[] {LIST, begin, new Message.Piece(-1)}),
                Arguments.of("a piece too long", new Object[] {LIST, begin, new Message.Piece(SIZE + 1)}),
                Arguments.of("an end too early", new Object[] {LIST, begin, new Message.End(SHA256)}),
                Arguments.of("a digest too short", new Object[] {LIST, begin, new byte[] {0, 2, 7, 0}}),
                Arguments.of("a file without a beginning", new Object[] {LIST, new Message.Piece(5)}),
                Arguments.of("a small file instead of a large one", new Object[] {
                    LIST, new Message.Whole(0, SHA256, new byte[5])
                }),
                Arguments.of("a small file of another index", new Object[] {
                    LIST, new Message.Whole(1, SHA256, new byte[0])
                }),
                Arguments.of("a goodbye too early", new Object[] {LIST, new Message.Bye()}),
                Arguments.of("the receiver's frames", new Object[] {LIST, new Message.Done()}));
    }

    private static byte[] notUtf8() {
        byte[] frame = Raw.frame(Raw.file("abc", 5));
        frame[frame.length - 1] = (byte) 0xFF;
        return frame;
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("lies")
    void aStreamThatIsNotRightIsRefused(String what, Object[] stream) throws Exception {
        Ends.Received received = receive(stream);
        assertThat(received.exitCode()).isEqualTo(1);
        assertThat(received.said())
                .matches("the other end (sent .*; use the same version on both|is of another version; use the same on both)")
                .doesNotContain("Exception", "java");
        assertThat(Ends.names(target)).isEmpty();
    }

    static Stream<Arguments> anotherDigest() {
        byte[] another = SHA256.clone();
        another[31]++;
        byte[] small = new byte[5];
        return Stream.of(
                Arguments.of("in pieces", new Object[] {
                    LIST, new Message.Begin(0, 0), new Message.Piece(SIZE), CONTENT, new Message.End(another)
                }),
                Arguments.of("in one frame", new Object[] {
                    Message.Hello.OURS, Raw.file("file.bin", 5), new Message.Listed(1, 5),
                    new Message.Whole(0, another, small)
                }));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("anotherDigest")
    void anotherDigestIsNoFile(String how, Object[] stream) throws Exception {
        try (Raw.Server sender = Raw.sender(receiver -> {
            receiver.send(stream);
            Message message;
            do {
                message = receiver.read();
            } while (!(message instanceof Message.Receipt));
            assertThat(message).isEqualTo(new Message.Receipt(0, Reason.DIGEST_DIFFERS));
            receiver.send(new Message.Bye());
            receiver.drain();
        })) {
            Ends.Received received = Ends.receive(sender.port(), target, false);
            assertThat(received.exitCode()).isEqualTo(1);
            assertThat(received.said()).isEqualTo("file.bin: what came has another SHA-256 than what was sent");
        }
        assertThat(Ends.names(target)).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "../evil", "/etc/evil", "a/../../evil", "..", ".", "", "a//b", "a/", "a\u0000b", "a\nb", "a\u001b[2J",
                "a\u202Egnp.exe", ".xft-lock", ".xft-12345678.part", "no/such/folder"
            })
    void anUnsafeNameIsRefusedAndTheRestGoesOn(String name) throws Exception {
        try (Raw.Server sender = Raw.sender(receiver -> {
            receiver.send(Message.Hello.OURS, Raw.file(name, 3), Raw.file("good", 2), new Message.Listed(2, 5));
            receiver.send(new Message.Begin(1, 0), new Message.Piece(2), new byte[2]);
            receiver.send(new Message.End(Digests.sha256(new byte[2])));
            while (!(receiver.read() instanceof Message.Done)) {
                // receipts
            }
            receiver.send(new Message.Bye());
        })) {
            Ends.Received received = Ends.receive(sender.port(), target, true);
            assertThat(received.exitCode()).isEqualTo(1);
            assertThat(received.lines()).hasSize(1);
            assertThat(received.said()).matches("[^\\p{Cntrl}\u202E]*: (the name is refused: .*|there is no such folder.*)");
        }
        assertThat(Ends.names(target)).containsExactly("good");
        assertThat(Ends.names(temp)).containsExactly("target");
    }

    @Test
    void aSmallFileThatWasOnlyToBeComparedIsNotStored() throws Exception {
        Files.writeString(target.resolve("a"), "mine");
        try (Raw.Server sender = Raw.sender(receiver -> {
            receiver.send(Message.Hello.OURS, Raw.file("a", 4), new Message.Listed(1, 4));
            receiver.send(new Message.Whole(0, Digests.sha256("evil".getBytes()), "evil".getBytes()));
            receiver.drain();
        })) {
            assertThat(Ends.receive(sender.port(), target, false).said()).contains("another file than was asked for");
        }
        assertThat(target.resolve("a")).hasContent("mine");
    }

    @Test
    void aNameListedTwiceIsReceivedOnce() throws Exception {
        try (Raw.Server sender = Raw.sender(receiver -> {
            receiver.send(Message.Hello.OURS, Raw.file("a", 0), Raw.file("a", 0), new Message.Listed(2, 0));
            receiver.send(new Message.Begin(0, 0), new Message.End(Digests.sha256(new byte[0])));
            while (!(receiver.read() instanceof Message.Done)) {
                // receipts
            }
            receiver.send(new Message.Bye());
        })) {
            assertThat(Ends.receive(sender.port(), target, true).said()).isEqualTo("a: is listed twice");
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 8, 70, 90, 200_000})
    void aSenderThatStandsStillIsNotWaitedForForever(int after) throws Exception {
        try (Raw.Server sender = Raw.sender(receiver -> {
            receiver.send((Object) Arrays.copyOf(WHOLE, after));
            receiver.drain();
        })) {
            Ends.Received received = Ends.receive(sender.port(), target, false);
            assertThat(received.exitCode()).isEqualTo(TransferException.LOST);
            assertThat(received.said()).contains("nothing came from the other end for 2 s");
        }
        assertThat(target.resolve("file.bin")).doesNotExist();
    }

    @Test
    void aHugeSizeIsNoReasonToMakeAHugeFile() throws Exception {
        try (Raw.Server sender = Raw.sender(receiver -> {
            receiver.send(Message.Hello.OURS, Raw.file("a", Long.MAX_VALUE), new Message.Listed(1, Long.MAX_VALUE));
            receiver.drain();
        })) {
            Ends.Received received = Ends.receive(sender.port(), target, false);
            assertThat(received.exitCode()).isEqualTo(1);
            assertThat(received.said()).matches("needs 9\\.2 EB, only .* are free; make room, then run this again");
        }
        assertThat(Ends.names(target)).isEmpty();
    }

    @Test
    void anEndlessListIsNotKept() throws Exception {
        byte[] entries = Raw.frames((Object[]) IntStream.range(0, 100)
                .mapToObj(i -> Raw.file("x".repeat(4000), 0))
                .toArray());
        try (Raw.Server sender = Raw.sender(receiver -> {
            receiver.send(Message.Hello.OURS);
            try {
                for (long sent = 0; sent < Limits.listBudget() + 100_000_000; sent += entries.length) {
                    receiver.send((Object) entries);
                }
            } catch (java.io.IOException e) {
                return;
            }
            receiver.drain();
        })) {
            Ends.Received received = Ends.receive(sender.port(), target, false);
            assertThat(received.exitCode()).isEqualTo(1);
            assertThat(received.said()).isEqualTo(Reason.LIST_TOO_LONG.text);
        }
    }

    @Test
    void permissionsAreNeverWiderThanTheUserAllows() throws Exception {
        try (Raw.Server sender = Raw.sender(receiver -> {
            receiver.send(Message.Hello.OURS, new Entry(false, 07777, 0, Instant.EPOCH, "a"), new Message.Listed(1, 0));
            receiver.send(new Message.Begin(0, 0), new Message.End(Digests.sha256(new byte[0])));
            while (!(receiver.read() instanceof Message.Done)) {
                // receipts
            }
            receiver.send(new Message.Bye());
        })) {
            assertThat(Ends.receive(sender.port(), target, true).exitCode()).isZero();
        }
        assertThat((int) Files.getAttribute(target.resolve("a"), "unix:mode") & 07777)
                .isEqualTo(0777 & Modes.allowed(target));
    }
}
