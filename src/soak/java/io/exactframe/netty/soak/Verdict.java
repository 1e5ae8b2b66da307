package io.exactframe.netty.soak;

import io.netty.buffer.ByteBufAllocator;
import io.netty.util.internal.PlatformDependent;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;

/** What was wrong, and whether memory is left over. */
final class Verdict {
    private static final long SLACK = 16L << 20;
    private static final int SHOWN = 50;
    private static final AtomicInteger LEAKS = new AtomicInteger();
    private static final Map<String, AtomicInteger> WRONG = new ConcurrentHashMap<>();

    private Verdict() {}

    static void wrong(String what) {
        if (WRONG.computeIfAbsent(what, key -> new AtomicInteger()).getAndIncrement() == 0 && WRONG.size() <= SHOWN) {
            System.out.println("WRONG: " + what);
        }
    }

    static void check(boolean holds, String what, Object of) {
        if (!holds) {
            wrong(what + ", " + of);
        }
    }

    static boolean isGood() {
        return LEAKS.get() == 0 && WRONG.isEmpty();
    }

    /** From now on, what Netty's detector tells. */
    static void countLeaks() {
        Logger.getLogger("").addHandler(new Handler() {
            @Override
            public void publish(LogRecord entry) {
                if (entry.getMessage() != null && entry.getMessage().contains("LEAK")) {
                    LEAKS.incrementAndGet();
                }
            }

            @Override
            public void flush() {}

            @Override
            public void close() {}
        });
    }

    /** What is used right behind a collection, the least of some: connections go on meanwhile. */
    static long[] memory() throws InterruptedException {
        Runtime runtime = Runtime.getRuntime();
        long heap = Long.MAX_VALUE;
        for (int i = 0; i < 5; i++) {
            System.gc();
            heap = Math.min(heap, runtime.totalMemory() - runtime.freeMemory());
            TimeUnit.MILLISECONDS.sleep(100);
        }
        ByteBufAllocator.DEFAULT.buffer().release(); // the detector tells of what was collected
        return new long[] {heap, PlatformDependent.usedDirectMemory()};
    }

    static void checkGrowth(long[] first, long[] last) {
        check(last[0] <= first[0] + first[0] / 4 + SLACK, "the heap grows", last[0] - first[0]);
        check(last[1] <= first[1] + first[1] / 4 + SLACK, "direct memory grows", last[1] - first[1]);
    }

    static String figures(long[] memory) {
        return String.format("heap %d KiB, direct %d KiB, leaks %d, wrong %d",
                memory[0] >> 10, memory[1] >> 10, LEAKS.get(), WRONG.size());
    }

    /** Prints it, and ends the program. */
    static void pronounce(boolean somethingWasDone) {
        boolean good = isGood() && somethingWasDone;
        System.out.println(good ? "GOOD" : "BAD: " + WRONG.size() + " WRONG above, " + LEAKS + " leaks");
        System.exit(good ? 0 : 1);
    }
}
