package io.exactframe.netty;

import io.netty.buffer.ByteBuf;
import io.netty.util.IllegalReferenceCountException;
import java.util.Arrays;

/**
 * The reads of a channel that small frames, kept by whoever received them, still pin. Each may be many times as large
 * as what is kept of it. While there are {@value #MOST}, small frames are copied out of further reads.
 */
final class PinnedReads {
    private static final int MOST = 16;
    static final int SMALL = 2 * 1024;

    private final ByteBuf[] reads = new ByteBuf[MOST];
    private int count;

    /** Whether a frame of this length is small for the memory that it keeps alive. */
    static boolean isSmall(int length, int rootCapacity) {
        return length < Math.min(SMALL, rootCapacity / 8);
    }

    /** Adds one that such a frame was cut out of, if that is small; it stays without a reference to it. */
    void add(ByteBuf read, int shortest) {
        update();
        try {
            if (!areTooMany() && isSmall(shortest, Fragment.rootCapacity(read))) {
                reads[count++] = read;
            }
        } catch (IllegalReferenceCountException released) {
            // Its last frame is gone, and what its count tells is another's: it pins nothing.
        }
    }

    /** Whether as many are pinned as may be, as far as is known. */
    boolean areTooMany() {
        return count == MOST;
    }

    /**
     * Looks whether that is still so. One that was released may have been recycled and be in use elsewhere: it
     * counts a little longer, which costs copies. One that is pinned is never taken for a released one.
     */
    void update() {
        if (areTooMany()) {
            count = 0;
            for (ByteBuf read : reads) {
                if (read.refCnt() != 0) {
                    reads[count++] = read;
                }
            }
            Arrays.fill(reads, count, MOST, null);
        }
    }
}
