package io.exactframe.netty;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;

/** What a piece of code leaves on the heap: a number of bytes, the same on a slow machine as on a fast one. */
final class HeapBytes {
    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    /** How often code is run: the first time loads classes, and some time a piece of a heap's block goes unused. */
    static final int RUNS = 6;

    private HeapBytes() {}

    /** The least of some runs. */
    static long of(Runnable code) {
        long least = Long.MAX_VALUE;
        for (int i = 0; i < RUNS; i++) {
            long before = THREADS.getCurrentThreadAllocatedBytes();
            code.run();
            least = Math.min(least, THREADS.getCurrentThreadAllocatedBytes() - before);
        }
        return least;
    }
}
