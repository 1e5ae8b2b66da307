package io.exactframe.examples.filetransfer;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.util.LeakPresenceDetector;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The same command goes on where it was cut, and never stores anything but the whole. */
class ResumeTest {
    private static final int SIZE = 8_000_000;

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

    /** Cuts a transfer; returns how much of the file is there. */
    private long cut(Ends.Sending sending, long after, FaultProxy.Fault fault) throws Exception {
        try (FaultProxy proxy = new FaultProxy(sending.port)) {
            proxy.limit = after;
            proxy.fault = fault;
            Ends.Received received = Ends.receive(proxy.port(), target, false);
            assertThat(received.exitCode()).isEqualTo(TransferException.LOST);
        }
        assertThat(target.resolve("big.bin")).doesNotExist();
        return Ends.parts(target).isEmpty() ? 0 : Files.size(Ends.parts(target).get(0));
    }

    private long goOn(Ends.Sending sending) throws Exception {
        try (FaultProxy proxy = new FaultProxy(sending.port)) {
            Ends.Received received = Ends.receive(proxy.port(), target, false);
            assertThat(received.said()).isEmpty();
            assertThat(target.resolve("big.bin")).hasSameBinaryContentAs(file);
            assertThat(Ends.names(target)).containsExactly("big.bin");
            return proxy.passed.get();
        }
    }

    @ParameterizedTest
    @EnumSource(FaultProxy.Fault.class)
    void onlyTheRestIsSent(FaultProxy.Fault fault) throws Exception {
        try (Ends.Sending sending = Ends.send(file)) {
            long there = cut(sending, SIZE / 2, fault);
            assertThat(there).isGreaterThan(fault == FaultProxy.Fault.RESET ? 0 : SIZE / 2 - 2_000);
            assertThat(goOn(sending)).isBetween(SIZE - there, SIZE - there + 1_000);
            sending.awaitReceipt();
        }
    }

    @ParameterizedTest(name = "seed {0}")
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10})
    void whereverItIsCut(long seed) throws Exception {
        Random random = new Random(seed);
        try (Ends.Sending sending = Ends.send(file)) {
            for (int cuts = 0; cuts < 3; cuts++) {
                cut(sending, random.nextInt(SIZE / 4), FaultProxy.Fault.values()[random.nextInt(2)]);
            }
            goOn(sending);
            sending.awaitReceipt();
        }
    }

    @Test
    void aPartThatIsNotTheBeginningIsBegunAnew() throws Exception {
        try (Ends.Sending sending = Ends.send(file)) {
            cut(sending, SIZE / 2, FaultProxy.Fault.CLOSE);
            Path part = Ends.parts(target).get(0);
            byte[] content = Files.readAllBytes(part);
            content[1000]++;
            Files.write(part, content);
            assertThat(goOn(sending)).isGreaterThan(SIZE);
        }
    }

    @Test
    void anotherSourceOfThatNameHasAnotherPart() throws Exception {
        try (Ends.Sending sending = Ends.send(file)) {
            cut(sending, SIZE / 2, FaultProxy.Fault.CLOSE);
        }
        Files.write(file, Ends.random(2, SIZE));
        Files.setLastModifiedTime(file, FileTime.fromMillis(1_000_000_000_000L));
        try (Ends.Sending sending = Ends.send(file);
                FaultProxy proxy = new FaultProxy(sending.port)) {
            assertThat(Ends.receive(proxy.port(), target, false).exitCode()).isZero();
            assertThat(proxy.passed.get()).isGreaterThan(SIZE);
        }
        assertThat(target.resolve("big.bin")).hasSameBinaryContentAs(file);
        assertThat(Ends.parts(target)).as("the other's is kept").hasSize(1);
    }

    @Test
    void anOverwriteIsResumedToo() throws Exception {
        Files.write(target.resolve("big.bin"), Ends.random(3, SIZE));
        try (Ends.Sending sending = Ends.send(file);
                FaultProxy proxy = new FaultProxy(sending.port)) {
            proxy.limit = SIZE / 2;
            assertThat(Ends.receive(proxy.port(), target, true).exitCode()).isEqualTo(TransferException.LOST);
            assertThat(target.resolve("big.bin")).hasBinaryContent(Ends.random(3, SIZE));
            proxy.release();
            long before = proxy.passed.get();
            assertThat(Ends.receive(proxy.port(), target, true).exitCode()).isZero();
            assertThat(proxy.passed.get() - before).isLessThan(SIZE / 2 + 100_000);
        }
        assertThat(target.resolve("big.bin")).hasSameBinaryContentAs(file);
    }

    @Test
    void oneByteAtATimeItComesTheSame() throws Exception {
        Path small = Files.write(temp.resolve("small.bin"), Ends.random(4, 50_000));
        try (Ends.Sending sending = Ends.send(small);
                FaultProxy proxy = new FaultProxy(sending.port)) {
            proxy.pieceLength = 1;
            assertThat(Ends.receive(proxy.port(), target, false).exitCode()).isZero();
        }
        assertThat(target.resolve("small.bin")).hasSameBinaryContentAs(small);
    }
}
