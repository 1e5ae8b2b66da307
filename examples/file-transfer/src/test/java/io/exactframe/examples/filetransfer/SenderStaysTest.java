package io.exactframe.examples.filetransfer;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.util.LeakPresenceDetector;
import java.io.IOException;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Stray, wrong, lying, lost and stalled receivers do not end the sender: after each of them a good one gets it all. */
class SenderStaysTest {
    private static final int SIZE = 20_000_000;
    private static final byte[] NO_PREFIX = new byte[Message.SHA256_LENGTH];
    private static final Message GET = new Message.Get(0, 0, false, NO_PREFIX);

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

    private void aGoodOneGetsIt(Ends.Sending sending) throws Exception {
        assertThat(sending.waits()).isTrue();
        Ends.Received received = Ends.receive(sending.port, target, false, sending.security.code() == null
                ? Security.plain()
                : Security.forReceiver(sending.security.code()), new Ends.Lines());
        assertThat(received.said()).isEmpty();
        sending.awaitReceipt();
        assertThat(target.resolve("big.bin")).hasSameBinaryContentAs(file);
    }

    static Stream<byte[]> strays() {
        return Stream.of(
                new byte[0],
                "GET / HTTP/1.1\r\n\r\n".getBytes(StandardCharsets.US_ASCII),
                new byte[] {22, 3, 1, 0, (byte) 200, 1, 0, 0, (byte) 196, 3, 3}, // the beginning of TLS
                new byte[1000],
                Raw.frame(new Message.Hello(Message.MAGIC, 9)),
                Raw.frame(new Message.Hello(12345, Limits.VERSION)),
                Raw.frame(new Message.Done()),
                new byte[] {0, 0},
                new byte[] {0, 1, 99});
    }

    @ParameterizedTest
    @MethodSource("strays")
    void strangersAreClosed(byte[] stream) throws Exception {
        try (Ends.Sending sending = Ends.send(file)) {
            try (Raw stray = Raw.connect(sending.port)) {
                stray.send((Object) stream);
                stray.socket.shutdownOutput();
                stray.drain();
            }
            try (Raw scan = Raw.connect(sending.port)) {
                scan.socket.setSoLinger(true, 0);
            }
            aGoodOneGetsIt(sending);
        }
    }

    @Test
    void whoDoesNotGreetIsClosedInTimeAndKeepsNobodyOut() throws Exception {
        try (Ends.Sending sending = Ends.send(file)) {
            long start = System.nanoTime();
            List<Raw> silent = new ArrayList<>();
            for (int i = 0; i < 10; i++) {
                silent.add(Raw.connect(sending.port));
            }
            byte[] hello = Raw.frame(Message.Hello.OURS);
            Raw slow = silent.get(0); // a byte now and then is no greeting
            slow.socket.setSoTimeout(2000);
            for (int i = 0; i < hello.length - 1; i++) {
                slow.socket.getOutputStream().write(hello, i, 1);
                try {
                    if (slow.socket.getInputStream().read() < 0) {
                        break;
                    }
                } catch (SocketTimeoutException e) {
                    // still open
                }
            }
            for (Raw raw : silent) {
                raw.drain();
                raw.close();
            }
            assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Limits.GREETING.plusSeconds(2));
            aGoodOneGetsIt(sending);
        }
    }

    @Test
    void whoDoesNotReadIsClosedInTime() throws Exception {
        try (Ends.Sending sending = Ends.send(file);
                Raw stalled = Raw.receiver(sending.port)) {
            stalled.send(GET);
            Program.await(() -> sending.user.lines.stream().anyMatch(line -> line.contains("took nothing for 2 s")));
            aGoodOneGetsIt(sending);
        }
    }

    @Test
    void whoReadsNothingButSaysItIsBusyIsClosedToo() throws Exception {
        try (Ends.Sending sending = Ends.send(file);
                Raw stalled = Raw.receiver(sending.port)) {
            stalled.send(GET);
            Thread busy = new Thread(() -> {
                try {
                    for (; ; ) {
                        stalled.send(new Message.Busy());
                        LockSupport.parkNanos(100_000_000);
                    }
                } catch (IOException e) {
                    // closed
                }
            });
            busy.start();
            Program.await(() -> sending.user.lines.stream().anyMatch(line -> line.contains("took nothing for 2 s")));
            busy.join(20_000);
            aGoodOneGetsIt(sending);
        }
    }

    /** Small files go in frames: these wait for room too. */
    @Test
    void whoAsksForManySmallFilesAndReadsNoneIsClosedInTime() throws Exception {
        Path tree = Files.createDirectory(temp.resolve("tree"));
        for (int i = 0; i < 800; i++) { // more than the buffers between take
            Files.write(tree.resolve("f" + i), new byte[Limits.MAX_WHOLE_LENGTH]);
        }
        try (Ends.Sending sending = Ends.send(tree);
                Raw stalled = Raw.receiver(sending.port)) {
            for (int i = 1; i <= 800; i += 100) {
                for (int j = i; j < i + 100; j++) {
                    stalled.send(new Message.Get(j, 0, false, NO_PREFIX));
                }
            }
            Program.await(() -> sending.user.lines.stream().anyMatch(line -> line.contains("took nothing for 2 s")));
        }
    }

    @Test
    void whoReadsSlowlyIsNotClosed() throws Exception {
        try (Ends.Sending sending = Ends.send(file);
                Raw slow = Raw.receiver(sending.port)) {
            slow.send(GET);
            long end = System.nanoTime() + 2 * Ends.PATIENCE.toNanos();
            while (System.nanoTime() < end) { // a few MB in all: the buffers between are never empty
                slow.readBytes(100_000);
                LockSupport.parkNanos(100_000_000);
            }
            assertThat(sending.user.lines).isEmpty();
        }
    }

    @Test
    void whoAsksForNothingIsClosedInTime() throws Exception {
        try (Ends.Sending sending = Ends.send(file);
                Raw idle = Raw.receiver(sending.port)) {
            idle.drain();
            assertThat(sending.user.lines.get(0)).contains("nothing came from the other end for 2 s");
            aGoodOneGetsIt(sending);
        }
    }

    @Test
    void whoLeavesInTheMiddleIsReported() throws Exception {
        try (Ends.Sending sending = Ends.send(file)) {
            try (Raw lost = Raw.receiver(sending.port)) {
                lost.send(GET);
                lost.readBytes(100_000);
            }
            aGoodOneGetsIt(sending);
            assertThat(sending.user.lines.get(0)).startsWith("Lost a receiver: the other end has closed");
        }
    }

    static Stream<Arguments> lies() {
        return Stream.of(
                Arguments.of("done too early", new Object[] {new Message.Done()}),
                Arguments.of("a receipt for what is not listed", new Object[] {new Message.Receipt(1, Reason.OK)}),
                Arguments.of("a negative index", new Object[] {new Message.Receipt(-1, Reason.OK)}),
                Arguments.of("an index that is not listed", new Object[] {new Message.Get(7, 0, false, NO_PREFIX)}),
                Arguments.of("a negative offset", new Object[] {new Message.Get(0, -1, false, NO_PREFIX)}),
                Arguments.of("an offset behind the end", new Object[] {new Message.Get(0, SIZE + 1, false, NO_PREFIX)}),
                Arguments.of("the sender's frames", new Object[] {new Message.Begin(0, 0)}),
                Arguments.of("a second greeting", new Object[] {Message.Hello.OURS}),
                Arguments.of("an endless frame", new Object[] {new byte[] {(byte) 255, (byte) 255, 9}}),
                Arguments.of("an empty frame", new Object[] {new byte[] {0, 0}}),
                Arguments.of("a frame that is too short", new Object[] {new byte[] {0, 2, 4, 0}}),
                Arguments.of("a frame that is too long", new Object[] {new byte[] {0, 2, 10, 0}}));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("lies")
    void whoLiesIsRefused(String what, Object[] frames) throws Exception {
        try (Ends.Sending sending = Ends.send(file)) {
            try (Raw liar = Raw.receiver(sending.port)) {
                liar.send(frames);
                assertThat(liar.read()).isEqualTo(new Message.Refused(Reason.NOT_UNDERSTOOD));
            }
            aGoodOneGetsIt(sending);
        }
    }

    @Test
    void thousandsOfRequestsAreRefused() throws Exception {
        try (Ends.Sending sending = Ends.send(file)) {
            try (Raw greedy = Raw.receiver(sending.port)) {
                for (int i = 0; i < 10_000; i++) {
                    greedy.send(GET);
                }
                greedy.drain();
            } catch (IOException closed) {
                // while it was sending
            }
            aGoodOneGetsIt(sending);
        }
    }

    @Test
    void aReceiptOfAFailureIsNoReceipt() throws Exception {
        try (Ends.Sending sending = Ends.send(file)) {
            try (Raw full = Raw.receiver(sending.port)) {
                full.send(new Message.Receipt(0, Reason.DISK_ERROR), new Message.Done());
                assertThat(full.read()).isInstanceOf(Message.Bye.class);
            }
            Program.await(() -> sending.user.lines.size() == 2);
            assertThat(sending.user.lines.get(0)).isEqualTo("big.bin: the receiver cannot write it");
            aGoodOneGetsIt(sending);
        }
    }

    @Test
    void aRefusalDuringTheContentStopsIt() throws Exception {
        try (Ends.Sending sending = Ends.send(file)) {
            try (Raw full = Raw.receiver(sending.port)) {
                full.send(GET);
                full.readBytes(100_000);
                full.send(new Message.Refused(Reason.NO_SPACE));
                full.drain();
            }
            aGoodOneGetsIt(sending);
            assertThat(sending.user.lines.get(0)).contains("the receiver has not enough free space");
        }
    }

    @Test
    void moreThanAFewAreToldToWait() throws Exception {
        try (Ends.Sending sending = Ends.send(file)) {
            List<Raw> all = new ArrayList<>();
            for (int i = 0; i < Limits.MAX_RECEIVERS; i++) {
                all.add(Raw.receiver(sending.port));
            }
            assertThat(Ends.receive(sending.port, target, false).said())
                    .isEqualTo("the sender serves as many receivers as it can; try again later");
            for (Raw raw : all) {
                raw.close();
            }
            Program.await(() -> sending.user.lines.size() == Limits.MAX_RECEIVERS);
            aGoodOneGetsIt(sending);
        }
    }

    @Test
    void whoStandsStillDoesNotKeepASenderThatIsDone() throws Exception {
        try (Ends.Sending sending = Ends.send(file);
                Raw idle = Raw.receiver(sending.port)) {
            aGoodOneGetsIt(sending);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"TLS", "plain"})
    void theWrongKindOfReceiverIsTold(String kind) throws Exception {
        Security right = kind.equals("TLS") ? Security.forSender() : Security.plain();
        Security wrong = kind.equals("TLS") ? Security.plain() : Security.forReceiver(Ends.otherCode());
        try (Ends.Sending sending = new Ends.Sending(right, file)) {
            Ends.Received refused = Ends.receive(sending.port, target, false, wrong, new Ends.Lines());
            assertThat(refused.exitCode()).isGreaterThan(1);
            assertThat(refused.said()).contains("--plain");
            assertThat(refused.listed()).isEmpty();
            aGoodOneGetsIt(sending);
        }
    }
}
