package io.exactframe.examples.filetransfer;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Never an incomplete or a foreign file under the live name, whoever else is at work in the folder. */
class ForeignFileTest {
    private static final int SIZE = 20_000_000;
    private static final int HALF = SIZE / 2;

    @TempDir
    Path temp;

    private Path file;
    private Path target;

    @BeforeEach
    void makeFiles() throws Exception {
        target = Files.createDirectory(temp.resolve("target"));
        file = Files.write(temp.resolve("big.bin"), Ends.random(1, SIZE));
    }

    private Path other() throws Exception {
        return Files.write(Files.createDirectories(temp.resolve("other")).resolve("big.bin"), Ends.random(2, SIZE));
    }

    private static void awaitHalf(FaultProxy proxy, Program receiver) {
        Program.await(() -> proxy.passed.get() >= HALF || !receiver.runs());
        assertThat(receiver.runs()).as(receiver.said()).isTrue();
    }

    private FaultProxy hold(Program sender) throws Exception {
        FaultProxy proxy = new FaultProxy(sender.port());
        proxy.limit = HALF;
        proxy.fault = FaultProxy.Fault.HOLD;
        return proxy;
    }

    private Path part() {
        Program.await(() -> Ends.parts(target).size() == 1
                && Ends.parts(target).get(0).toFile().length() > HALF / 2);
        return Ends.parts(target).get(0);
    }

    @Test
    void theSecondReceiverOfANameWaitsForTheFirst() throws Exception {
        try (Program first = Program.send("--plain", file);
                Program second = Program.send("--plain", other());
                FaultProxy proxy = hold(first);
                Program one = Program.receive(proxy.port(), null, target, "--overwrite")) {
            awaitHalf(proxy, one);
            part();
            one.signal("STOP");
            try (Program two = Program.receive(second.port(), null, target, "--overwrite")) {
                assertThat(two.exit()).isEqualTo(1);
                assertThat(two.said()).contains("big.bin: another 'receive' is writing it; wait for it");
            }
            assertThat(target.resolve("big.bin")).doesNotExist();
            one.signal("CONT");
            proxy.release();
            assertThat(one.exit()).as(one.said()).isZero();
            assertThat(first.exit()).isZero();
            assertThat(second.runs()).isTrue();
        }
        assertThat(target.resolve("big.bin")).hasSameBinaryContentAs(file);
        assertThat(Ends.names(target)).containsExactly("big.bin");
    }

    @Test
    void theFirstReceiverIsNotFooledByTheSecond() throws Exception {
        try (Program sender = Program.send("--plain", file);
                FaultProxy proxy = hold(sender);
                Program one = Program.receive(proxy.port(), null, target)) {
            awaitHalf(proxy, one);
            Path part = part();
            one.signal("STOP");
            Files.delete(part);
            try (Program two = Program.receive(sender.port(), null, target)) {
                assertThat(two.exit()).as(two.said()).isEqualTo(1); // the target is still the first one's
            }
            one.signal("CONT");
            proxy.release();
            assertThat(one.exit()).isEqualTo(1);
            assertThat(one.said())
                    .contains("big.bin: its unfinished file was replaced or changed by another program; nothing was stored");
            assertThat(sender.runs()).as("nobody has it").isTrue();
            assertThat(target.resolve("big.bin")).doesNotExist();
            try (Program three = Program.receive(sender.port(), null, target)) {
                assertThat(three.exit()).as(three.said()).isZero();
            }
            assertThat(sender.exit()).isZero();
        }
        assertThat(target.resolve("big.bin")).hasSameBinaryContentAs(file);
    }

    private void disturb(String how) throws Exception {
        try (Program sender = Program.send(file);
                FaultProxy proxy = hold(sender);
                Program receiver = Program.receive(proxy.port(), sender.code(), target)) {
            awaitHalf(proxy, receiver);
            String part = part().toString();
            new ProcessBuilder("sh", "-c", how, "sh", part).start().waitFor();
            proxy.release();
            assertThat(receiver.exit()).isEqualTo(1);
            assertThat(receiver.said()).contains("was replaced or changed by another program");
            assertThat(target.resolve("big.bin")).doesNotExist();
            assertThat(sender.runs()).isTrue();

            try (Program again = Program.receive(sender.port(), sender.code(), target)) {
                assertThat(again.exit()).as(again.said()).isZero();
            }
            assertThat(sender.exit()).isZero();
        }
        assertThat(target.resolve("big.bin")).hasSameBinaryContentAs(file);
    }

    @Test
    void anotherFileInThePlaceOfTheUnfinishedOneIsNotStoredAndNotTouched() throws Exception {
        disturb("rm \"$1\"; echo evil > \"$1\"");
        assertThat(Ends.parts(target)).hasSize(1);
        assertThat(Ends.parts(target).get(0)).hasContent("evil");
    }

    @Test
    void anUnfinishedFileThatWasOverwrittenIsNotStored() throws Exception {
        disturb("echo evil > \"$1\"");
    }

    @Test
    void anUnfinishedFileThatWasAppendedToIsNotStored() throws Exception {
        disturb("echo evil >> \"$1\"");
    }

    @Test
    void aLinkInThePlaceOfTheUnfinishedFileIsNotFollowed() throws Exception {
        Path mine = Files.writeString(temp.resolve("mine"), "mine");
        disturb("rm \"$1\"; ln -s \"" + mine + "\" \"$1\"");
        assertThat(mine).hasContent("mine");
    }

    @Test
    void aFileThatAppearsMeanwhileStays() throws Exception {
        try (Program sender = Program.send("--plain", file);
                FaultProxy proxy = hold(sender);
                Program receiver = Program.receive(proxy.port(), null, target)) {
            awaitHalf(proxy, receiver);
            part();
            Files.writeString(target.resolve("big.bin"), "mine");
            proxy.release();
            assertThat(receiver.exit()).isEqualTo(1);
            assertThat(receiver.said()).contains("big.bin: has appeared while it was received");
            assertThat(target.resolve("big.bin")).hasContent("mine");
        }
    }
}
