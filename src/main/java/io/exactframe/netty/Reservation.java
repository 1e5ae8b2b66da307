package io.exactframe.netty;

import io.exactframe.netty.ReceiveBudget.Share;
import io.netty.handler.codec.TooLongFrameException;
import java.util.function.BooleanSupplier;

/**
 * The memory of the frame under way, a share of a budget.
 *
 * <pre>
 *   nothing asked --reserve--&gt; waiting --granted--&gt; reserved --giveBack--&gt; nothing asked
 *                        \-----------------------/
 * </pre>
 */
final class Reservation {
    private final Share share;
    private boolean asked;
    private boolean waiting;
    private boolean reserved; // or nothing has to be
    private boolean waitsNoMore;

    Reservation(ReceiveBudget budget, BooleanSupplier whenGranted) {
        share = new Share(budget, whenGranted);
    }

    boolean isReserved() {
        return reserved;
    }

    boolean isWaiting() {
        return waiting;
    }

    /** Whether others may have to wait for it. */
    boolean isShare() {
        return asked && !waiting;
    }

    /** Whether there is memory for a frame of this length, which takes so much at its peak. If not, it waits. */
    boolean reserve(long frameLength, long peak) {
        if (frameLength > ReceiveBudget.FREE && !waitsNoMore) {
            if (!share.mayEverHold(peak)) {
                throw new TooLongFrameException("frame of " + frameLength + " bytes, which takes " + peak
                        + " bytes of memory, more than the whole budget");
            }
            asked = true;
            waiting = !share.reserve(peak);
        }
        reserved = !waiting;
        return reserved;
    }

    boolean isStillWaiting() {
        if (waiting && share.isHeld()) {
            waiting = false;
            reserved = true;
        }
        return waiting;
    }

    void giveBack() {
        if (asked) {
            asked = false;
            waiting = false;
            share.giveBack();
        }
        reserved = false;
    }

    /** From now on nothing waits. */
    void waitNoMore() {
        waitsNoMore = true;
        if (waiting) {
            giveBack();
        }
    }
}
