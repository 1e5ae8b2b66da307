package io.exactframe.examples.filetransfer;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
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
        Program sender = Program.send("--plain", tree);
        try {
            for (; ; ) {
                long before = held(target);
                FaultProxy proxy = new FaultProxy(sender.port()); // only to kill at a known moment
                Program receiver = Program.receive(proxy.port(), null, target);
                try (proxy;
                        receiver) {
                    long moment = kills < most && kills < 6 ? random.nextInt(SIZE / 5) : Long.MAX_VALUE;
                    Program.await(() -> proxy.passed.get() >= moment || !receiver.runs());
                    if (!receiver.runs()) {
                        assertThat(receiver.exit()).as(receiver.said()).isZero();
                        break;
                    }
                    kills++;
                    if (random.nextBoolean()) {
                        receiver.signal("KILL");
                        receiver.exit();
                    } else {
                        sender.signal("KILL");
                        sender.exit();
                        assertThat(receiver.exit()).as(receiver.said()).isNotZero();
                        sender.close();
                        sender = Program.send("--plain", tree);
                    }
                    assertThat(held(target)).as("nothing that was there is lost").isGreaterThanOrEqualTo(before);
                    checkWhatHasAName(tree, target);
                }
            }
            assertThat(sender.exit()).as(sender.said()).isZero();
            assertThat(Ends.names(target)).containsExactly("tree");
            assertThat(Ends.names(target.resolve("tree"))).isEqualTo(Ends.names(tree));
            checkWhatHasAName(tree, target);
            return kills;
        } finally {
            sender.close();
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
