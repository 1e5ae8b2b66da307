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

    static boolean isSmall(int frameLength, int rootCapacity) {
        return frameLength < SMALL && frameLength < rootCapacity / 8;
    }

    void add(ByteBuf frame) {
        if (frames == null) {
            frames = new ByteBuf[MOST];
        }
        if (count < MOST) {
            frames[count++] = frame;
        }
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
