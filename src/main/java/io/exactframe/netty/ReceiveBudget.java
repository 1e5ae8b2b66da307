package io.exactframe.netty;

import static io.exactframe.netty.ReceiveOptions.require;

import io.netty.handler.codec.TooLongFrameException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.LinkedHashSet;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

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
 * so it cannot deadlock. That needs one handler in each pipeline: of two layers, the inner would wait for bytes that the
 * outer waits to read. A second handler with the same budget is refused at its first bytes, with an {@link
 * IllegalStateException}; give each layer a budget of its own. A share is given back when the frame goes on (from there
 * on it is the next handler's memory), and on every end: close, removal, time-out, error. Streams reserve nothing. What a
 * channel holds is no more than its share, 4 KiB and the read that is under way.
 *
 * <p>A peer that declares much and sends nothing holds its share until its {@linkplain ReceiveOptions#frameDeadline
 * deadline}, which a budget therefore needs, and which runs for a holder even while the application does not read. So
 * that many attackers can make others wait, but for no longer than
 * {@code attackers x deadline / (capacity / largest frame)}. Choose the capacity as a multiple of the largest frame,
 * the more the better, and the deadline as short as an honest peer's largest frame allows.
 *
 * <p>For any thread.
 *
 * @since 0.1.0
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
        require(bytes >= 1, () -> "bytes: " + bytes + " (expected: 1 or more)");
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

    /**
     * How long the channel that has waited longest has done so.
     *
     * @return the time until now; zero if none waits
     */
    public synchronized Duration longestWait() {
        return waiting.isEmpty() ? Duration.ZERO : Duration.ofNanos(System.nanoTime() - waiting.iterator().next().since);
    }

    @Override
    public synchronized String toString() {
        return "ReceiveBudget[" + used + " of " + capacity + " bytes used, " + waiting.size() + " waiting]";
    }

    /**
     * What one channel has of the budget, for one frame at a time. Its state is read without the lock: only its own
     * channel makes it wait or gives it back, only the budget makes it held.
     *
     * <pre>
     *   NONE ──reserve──► HELD ──giveBack──► NONE
     *     └──reserve──► WAITING ──others give back──► HELD
     *                      └──giveBack──► NONE             any ──waitNoMore──► EXEMPT
     * </pre>
     */
    static final class Share {
        private enum State { NONE, WAITING, HELD, EXEMPT }

        /** That of a channel without a budget. */
        static final Share OF_NOTHING = new Share(null, () -> false);

        private final @Nullable ReceiveBudget budget;
        private final BooleanSupplier whenGranted; // asked by whoever gives back, on any thread

        private volatile State state = State.NONE; // written with the lock
        private long bytes; // with the lock, as what follows
        private long since; // when it began to wait, by System.nanoTime()
        private @Nullable Runnable wait; // what to do at its end

        /** A share that tells of a grant to whenGranted, which says whether there is anybody left to use it. */
        Share(@Nullable ReceiveBudget budget, BooleanSupplier whenGranted) {
            this.budget = budget;
            this.whenGranted = whenGranted;
        }

        boolean isWaiting() {
            return state == State.WAITING;
        }

        boolean isHeld() {
            return state == State.HELD;
        }

        /** Whether there is memory for a frame of this length, which takes so much at its peak. If not, it waits. */
        boolean reserve(long frameLength, long peak) {
            if (budget == null || frameLength <= FREE || state == State.EXEMPT || state == State.HELD) {
                return true;
            }
            if (peak > budget.capacity) {
                throw new TooLongFrameException("frame of " + frameLength + " bytes, which takes " + peak
                        + " bytes of memory, more than the whole budget");
            }
            synchronized (budget) {
                bytes = peak;
                state = State.WAITING;
                budget.waiting.add(this);
                if (budget.waiting.size() == 1) { // nobody overtakes
                    budget.grant(new ArrayDeque<>());
                }
                if (state == State.WAITING) {
                    since = System.nanoTime();
                    wait = Recorded.memoryWait(peak);
                }
                return state == State.HELD;
            }
        }

        /** Gives back what is reserved, or waits no longer. */
        void giveBack() {
            if (state == State.WAITING || state == State.HELD) {
                end(State.NONE);
            }
        }

        /** From now on its channel needs no memory of the budget. */
        void waitNoMore() {
            if (budget != null && state != State.EXEMPT) {
                end(State.EXEMPT);
            }
        }

        private void end(State next) {
            Deque<Share> granted = new ArrayDeque<>();
            leave(next, granted);
            for (Share share; (share = granted.poll()) != null; ) {
                if (!share.whenGranted.getAsBoolean()) {
                    share.leave(State.NONE, granted); // nobody is left to use it
                }
            }
        }

        /** Takes what it has out of the budget, and adds who gets it instead. */
        private void leave(State next, Deque<Share> granted) {
            synchronized (budget) {
                if (state == State.HELD) {
                    budget.used -= bytes;
                }
                budget.waiting.remove(this);
                endWait();
                state = state == State.EXEMPT ? state : next; // whoever finds nobody left may come later than the end
                budget.grant(granted);
            }
        }

        private void endWait() {
            if (wait != null) {
                wait.run();
                wait = null;
            }
        }
    }

    /** First come, first served: nobody overtakes one that is too large for what is free. */
    private void grant(Deque<Share> granted) {
        for (Share first; !waiting.isEmpty() && (first = waiting.iterator().next()).bytes <= capacity - used; ) {
            waiting.remove(first);
            used += first.bytes;
            first.state = Share.State.HELD;
            first.endWait();
            granted.add(first);
        }
    }
}
