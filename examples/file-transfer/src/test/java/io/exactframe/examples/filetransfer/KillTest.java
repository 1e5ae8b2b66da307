package io.exactframe.examples.filetransfer;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * {@code kill -9} of either end at random moments: nothing is corrupt, nothing hangs, what was written is not written
 * again. -Dkills=1000 for more of them, -Dseed for the same again.
 */
class KillTest {
    private static final int KILLS = Integer.getInteger("kills", 50);
    private static final int SIZE = 30_000_000;
    private static final int FILES = 40;
    private static final int MOST_A_ROUND = 6;

    @TempDir
    Path temp;

    private final long seed = Long.getLong("seed", System.nanoTime());
    private final Random random = new Random(seed);

    @Test
    void killedAtAnyMoment() throws Exception {
        System.out.println("-Dseed=" + seed + " -Dkills=" + KILLS);
        Path tree = Files.createDirectory(temp.resolve("tree"));
        for (int i = 0; i < FILES; i++) {
            Files.write(tree.resolve("small" + i), Ends.random(i, 1 + i * 100));
        }
        Files.write(tree.resolve("big"), Ends.random(1, SIZE));
        for (int kills = 0, round = 0; kills < KILLS; round++) {
            kills += transfer(tree, Files.createDirectory(temp.resolve("target" + round)), KILLS - kills);
        }
    }

    /** Kills one end after the other until there were so many or it is done; returns how many. */
    private int transfer(Path tree, Path target, int most) throws Exception {
        int kills = 0;
        for (boolean complete = false; !complete; ) {
            long before = held(target);
            int moment = random.nextInt(SIZE / 5);
            if (kills == most || kills == MOST_A_ROUND) {
                complete = true;
                receiveAll(tree, target);
            } else if (random.nextBoolean() ? killReceiver(tree, target, moment) : killSender(tree, target, moment)) {
                kills++;
                assertThat(held(target)).as("nothing that was there is lost").isGreaterThanOrEqualTo(before);
                checkWhatHasAName(tree, target);
            } else {
                complete = true;
            }
        }
        assertThat(Ends.names(target)).containsExactly("tree");
        assertThat(Ends.names(target.resolve("tree"))).isEqualTo(Ends.names(tree));
        checkWhatHasAName(tree, target);
        return kills;
    }

    private static void receiveAll(Path tree, Path target) throws Exception {
        try (Ends.Sending sending = Ends.send(tree)) {
            assertThat(Ends.receive(sending.port, target, false).said()).isEmpty();
            sending.awaitReceipt();
        }
    }

    /** Returns false if it had everything before. */
    private static boolean killReceiver(Path tree, Path target, int moment) throws Exception {
        try (Ends.Sending sending = Ends.send(tree);
                FaultProxy proxy = new FaultProxy(sending.port); // only to kill at a known moment
                Program receiver = Program.receive(proxy.port(), null, target)) {
            Program.await(() -> proxy.passed.get() >= moment || !receiver.runs());
            if (!receiver.runs()) {
                assertThat(receiver.exit()).as(receiver.said()).isZero();
                sending.awaitReceipt();
                return false;
            }
            receiver.signal("KILL");
            receiver.exit();
            return true;
        }
    }

    private static boolean killSender(Path tree, Path target, int moment) throws Exception {
        try (Program sender = Program.send("--plain", tree);
                FaultProxy proxy = new FaultProxy(sender.port())) {
            CompletableFuture<Ends.Received> receiving = CompletableFuture.supplyAsync(
                    () -> Ends.receive(proxy.port(), target, false, Security.plain(), new Ends.Lines()));
            Program.await(() -> proxy.passed.get() >= moment || receiving.isDone());
            if (receiving.isDone()) {
                assertThat(receiving.get().said()).isEmpty();
                assertThat(sender.exit()).isZero();
                return false;
            }
            sender.signal("KILL");
            sender.exit();
            // All that came may have been all that there is.
            assertThat(receiving.get(20, TimeUnit.SECONDS).exitCode()).isIn(0, TransferException.LOST);
            return true;
        }
    }

    private static long held(Path target) {
        long held = 0;
        java.io.File[] files = target.resolve("tree").toFile().listFiles();
        for (java.io.File file : files == null ? new java.io.File[0] : files) {
            held += file.length();
        }
        return held;
    }

    private static void checkWhatHasAName(Path tree, Path target) {
        if (!Files.exists(target.resolve("tree"))) {
            return;
        }
        for (String name : Ends.names(target.resolve("tree"))) {
            if (!name.startsWith(PartFile.PREFIX)) {
                assertThat(target.resolve("tree").resolve(name)).hasSameBinaryContentAs(tree.resolve(name));
            }
        }
    }
}
