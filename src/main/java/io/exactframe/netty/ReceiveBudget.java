package io.exactframe.netty;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.function.BooleanSupplier;

/**
 * Bounds the memory that the partial frames of any number of channels, on any number of event loops, hold together.
 *
 * <pre>
 *   capacity 32 MiB       used     waiting
 *   A declares 20 MiB     20 MiB   -           reads on
 *   B declares 16 MiB     20 MiB   B           stops reading: its TCP window closes
 *   C declares  8 MiB     20 MiB   B, C        first come, first served
 *   A is complete         24 MiB   -           B and C read on
 * </pre>
 *
 * <p>A frame over 4 KiB that is not all in one read reserves its peak, once: its length, one and a half times that if
 * it is {@linkplain ReceiveOptions#contiguous() contiguous}. Decoders reserve when the length is known, a receiver at the
 * first byte. A frame that does not fit waits, and holds no share of the budget meanwhile: who holds, waits for nobody,
 * so it cannot deadlock. A share is given back when the frame goes on (from there on it is the next handler's memory),
 * and on every end: close, removal, time-out, error. Streams reserve nothing.
 *
 * <p>A peer that declares much and sends nothing holds its share until its {@linkplain ReceiveOptions#frameDeadline
 * deadline}, which a budget therefore needs, and which runs for a holder even while the application does not read. So
 * that many attackers can make others wait, but for no longer than
 * {@code attackers x deadline / (capacity / largest frame)}. Choose the capacity as a multiple of the largest frame,
 * the more the better, and the deadline as short as an honest peer's largest frame allows.
 *
 * <p>For any thread.
 */
public final class ReceiveBudget {
    /** Frames up to this reserve nothing. */
    static final int FREE = 4 * 1024;

    private final long capacity;

    // Guarded by this.
    private long used;
    private final LinkedHashSet<Share> waiting = new LinkedHashSet<>(); // in order, and each is removed in no time

    /**
     * A budget.
     *
     * @param bytes that all partial frames together may hold, 1 or more
     * @throws IllegalArgumentException if {@code bytes} is less than 1
     */
    public ReceiveBudget(long bytes) {
        if (bytes < 1) {
            throw new IllegalArgumentException("bytes: " + bytes + " (expected: 1 or more)");
        }
        this.capacity = bytes;
    }

    /**
     * The bound.
     *
     * @return bytes
     */
    public long capacity() {
        return capacity;
    }

    /**
     * What is reserved now.
     *
     * @return bytes, at most the capacity
     */
    public synchronized long used() {
        return used;
    }

    /**
     * How many channels wait now.
     *
     * @return channels
     */
    public synchronized int waiting() {
        return waiting.size();
    }

    @Override
    public synchronized String toString() {
        return "ReceiveBudget[" + used + " of " + capacity + " bytes used, " + waiting.size() + " waiting]";
    }

    /** What one channel has of the budget, for one frame at a time. */
    static final class Share {
        private final ReceiveBudget budget;
        private final BooleanSupplier whenGranted; // asked by whoever gives back, on any thread

        // Guarded by the budget.
        private long wanted;
        private boolean granted;

        /** A share that tells of a grant to whenGranted, which says whether there is anybody left to use it. */
        Share(ReceiveBudget budget, BooleanSupplier whenGranted) {
            this.budget = budget;
            this.whenGranted = whenGranted;
        }

        boolean mayEverHold(long bytes) {
            return bytes <= budget.capacity;
        }

        /** Whether so many bytes, 1 or more, are reserved now. If not, {@code whenGranted} tells when they are. */
        boolean reserve(long bytes) {
            synchronized (budget) {
                wanted = bytes;
                granted = budget.waiting.isEmpty() && budget.fits(bytes);
                if (granted) {
                    budget.used += bytes;
                } else {
                    budget.waiting.add(this);
                }
                return granted;
            }
        }

        boolean isHeld() {
            synchronized (budget) {
                return granted;
            }
        }

        /** Gives back what is reserved, or waits no longer. */
        void giveBack() {
            List<Share> next = take();
            while (!next.isEmpty()) {
                List<Share> unused = new ArrayList<>();
                for (Share share : next) {
                    if (!share.whenGranted.getAsBoolean()) {
                        unused.addAll(share.take());
                    }
                }
                next = unused;
            }
        }

        /** Takes what it has out of the budget; who gets it instead. */
        private List<Share> take() {
            synchronized (budget) {
                if (wanted == 0) {
                    return List.of();
                }
                if (granted) {
                    budget.used -= wanted;
                } else {
                    budget.waiting.remove(this);
                }
                wanted = 0;
                granted = false;
                return budget.grant();
            }
        }
    }

    private boolean fits(long bytes) {
        return bytes <= capacity - used;
    }

    /** First come, first served: nobody overtakes one that is too large for what is free. */
    private List<Share> grant() {
        List<Share> next = new ArrayList<>();
        for (Iterator<Share> each = waiting.iterator(); each.hasNext(); ) {
            Share first = each.next();
            if (!fits(first.wanted)) {
                break;
            }
            each.remove();
            first.granted = true;
            used += first.wanted;
            next.add(first);
        }
        return next;
    }
}
