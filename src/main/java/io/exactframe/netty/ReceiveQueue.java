package io.exactframe.netty;

import java.util.ArrayDeque;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/** The outstanding receives of a receiver, in order and bounded. Made on any thread, served on the event loop. */
final class ReceiveQueue {
    private static final int MOST = 1024;

    final Queue<Receive<?>> made = new ConcurrentLinkedQueue<>();
    private final ArrayDeque<Receive<?>> admitted = new ArrayDeque<>();
    private final AtomicInteger size = new AtomicInteger(); // of both
    private volatile boolean changed;
    @Nullable Receive<?> expired; // the first whose time was over when the cancelled were dropped; until it is failed

    /** Any thread: adds a receive, or fails it if there are too many. */
    boolean add(Receive<?> receive) {
        if (size.incrementAndGet() > MOST) {
            fail(receive, new RejectedExecutionException(MOST + " receives are outstanding"));
            return false;
        }
        made.add(receive);
        return true;
    }

    /** Any thread: one of them was cancelled, or its time is over. */
    void changed() {
        changed = true;
    }

    void admit(Receive<?> receive) {
        if (receive.isDone()) {
            size.decrementAndGet(); // cancelled meanwhile, and maybe told before it was to be found here
        } else {
            admitted.add(receive);
        }
    }

    /** Fails one that is in neither queue. */
    void fail(Receive<?> receive, Throwable cause) {
        size.decrementAndGet();
        receive.tryFailure(cause);
    }

    /** Drops those that were cancelled; whether the first, which may have had bytes, was one of them. */
    boolean dropCancelled() {
        Receive<?> first = admitted.peek();
        boolean cancelled = first != null && first.isDone(); // if it is from now on, that is for the next call
        if (changed || cancelled) {
            changed = false;
            int before = admitted.size();
            admitted.removeIf(receive -> receive == first ? cancelled : receive.isDone());
            size.addAndGet(admitted.size() - before);
            for (Receive<?> receive : admitted) {
                if (receive.standing == Receive.Standing.EXPIRED && receive.setUncancellable()) {
                    expired = receive;
                    break;
                }
            }
        }
        return cancelled;
    }

    /** The one to be served; null if there is none. */
    @Nullable Receive<?> first() {
        return admitted.peek();
    }

    void remove(Receive<?> receive) {
        size.decrementAndGet();
        admitted.remove(receive);
    }

    /** The first has failed, but its bytes are still to come: another takes its place until they are here. */
    void replaceFirst(Receive<?> other) {
        admitted.remove();
        admitted.addFirst(other);
    }
}
