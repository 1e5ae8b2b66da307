package io.exactframe.netty;

import io.netty.buffer.ByteBuf;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The small frames of a channel that were kept: not released when their dispatch was over. Each pins a whole read that
 * is many times its size. While there are {@value #MOST} of them, further small frames are copied out of their read.
 */
final class KeptFrames {
    private static final int MOST = 16;
    private static final int SMALL = 2 * 1024;

    private ByteBuf @Nullable [] frames;
    private int count;

    /** How long a frame must be not to count as small for what it keeps alive. */
    static int smallBelow(int rootCapacity) {
        return Math.min(SMALL, rootCapacity / 8);
    }

    /** Adds one; whether there are too many now. */
    boolean add(ByteBuf frame) {
        if (frames == null) {
            frames = new ByteBuf[MOST];
        }
        if (count < MOST) {
            frames[count++] = frame;
        }
        return areTooMany();
    }

    boolean areTooMany() {
        return count == MOST && forgetReleased() == MOST;
    }

    private int forgetReleased() {
        // A fragment that was handed out as it is may have been recycled and be in use elsewhere; it then counts as
        // kept a little longer, which costs a copy. One that is kept is never taken for a released one.
        int left = 0;
        for (int i = 0; i < MOST; i++) {
            if (frames[i].refCnt() != 0) {
                frames[left++] = frames[i];
            }
        }
        Arrays.fill(frames, left, MOST, null);
        return count = left;
    }
}
