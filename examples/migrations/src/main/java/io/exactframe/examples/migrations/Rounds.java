package io.exactframe.examples.migrations;

import com.sun.management.OperatingSystemMXBean;
import java.lang.management.ManagementFactory;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Queue;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.zip.CRC32C;

/** One program's work in one JVM: messages of 10 bytes to 4 MiB, with several on the way. Prints a line for each size. */
final class Rounds {
    private static final int[] SIZES = {10, 1 << 10, 1 << 16, 4 << 20};
    private static final int[] COUNTS = {40_000, 30_000, 4_000, 100};
    private static final int[] WINDOWS = {64, 64, 8, 2};

    private Rounds() {}

    public static void main(String... args) throws Exception {
        OperatingSystemMXBean os = (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
        try (Program program = start(args[0])) {
            for (int i = 0; i < SIZES.length; i++) {
                exchange(program, SIZES[i], COUNTS[i] / 2, WINDOWS[i]);
                long cpu = os.getProcessCpuTime();
                long began = System.nanoTime();
                long digest = exchange(program, SIZES[i], COUNTS[i], WINDOWS[i]);
                long took = System.nanoTime() - began;
                System.out.println("result " + SIZES[i] + " " + digest + " " + took + " " + (os.getProcessCpuTime() - cpu));
            }
        }
        System.exit(0);
    }

    private static Program start(String name) throws Exception {
        return switch (name) {
            case "rsocket" -> new RSocketProgram();
            case "rocketmq" -> new RocketMqProgram();
            case "spark" -> new SparkProgram();
            case "vertx-pg" -> new VertxPgProgram();
            case "artemis" -> new ArtemisProgram();
            default -> throw new IllegalArgumentException(name);
        };
    }

    private static long exchange(Program program, int size, int count, int window) throws Exception {
        SplittableRandom random = new SplittableRandom(size);
        Queue<CompletableFuture<byte[]>> answers = new ArrayDeque<>();
        Queue<byte[]> asked = new ArrayDeque<>();
        CRC32C digest = new CRC32C();
        for (int i = 0; i < count || !answers.isEmpty(); i++) {
            if (i < count) {
                byte[] bytes = new byte[size];
                random.nextBytes(bytes);
                asked.add(bytes);
                answers.add(program.echo(bytes));
            }
            if (i >= count || answers.size() >= window) {
                byte[] answer = answers.remove().get(30, TimeUnit.SECONDS);
                if (!Arrays.equals(answer, asked.remove())) {
                    throw new AssertionError("not what was sent");
                }
                digest.update(answer);
            }
        }
        return digest.getValue();
    }
}
