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

    private final Queue<ReceiveFuture<?>> made = new ConcurrentLinkedQueue<>();
    private final ArrayDeque<ReceiveFuture<?>> admitted = new ArrayDeque<>();
    private final AtomicInteger size = new AtomicInteger(); // of both
    private volatile boolean someCancelled;
    private volatile boolean someExpired;

    /** Any thread: adds a receive, or fails it if there are too many. */
    boolean add(ReceiveFuture<?> receive) {
        if (size.incrementAndGet() > MOST) {
            fail(receive, new RejectedExecutionException(MOST + " receives are outstanding"));
            return false;
        }
        made.add(receive);
        return true;
    }

    /** Any thread: one of them was cancelled. */
    void cancelled() {
        someCancelled = true;
    }

    /** Any thread: the time of one of them is over. */
    void expired() {
        someExpired = true;
    }

    /** One whose time is over, for all of them; null if there is none. */
    @Nullable ReceiveFuture<?> nextExpired() {
        if (someExpired) {
            someExpired = false;
            for (ReceiveFuture<?> receive : admitted) {
                if (receive.hasExpired()) {
                    return receive;
                }
            }
        }
        return null;
    }

    /** The next that was made and is in neither queue from now on; null if there is none. */
    @Nullable ReceiveFuture<?> nextMade() {
        return made.poll();
    }

    void admit(ReceiveFuture<?> receive) {
        if (receive.isDone()) {
            size.decrementAndGet(); // cancelled meanwhile, and maybe told before it was to be found here
        } else {
            admitted.add(receive);
        }
    }

    /** Fails one that is in neither queue. */
    void fail(ReceiveFuture<?> receive, Throwable cause) {
        size.decrementAndGet();
        receive.tryFailure(cause);
    }

    /** The one to be served, without those that were cancelled; null if there is none. */
    @Nullable ReceiveFuture<?> first(Stash stash) {
        ReceiveFuture<?> first = admitted.peek();
        if (someCancelled || first != null && first.isDone()) {
            someCancelled = false;
            boolean cancelled = first != null && first.isDone();
            if (cancelled) {
                stash.giveBack(); // only the first can have had bytes
            }
            // If the first is cancelled from now on, that is for the next call.
            admitted.removeIf(receive -> (receive == first ? cancelled : receive.isDone()) && freed());
        }
        return admitted.peek();
    }

    private boolean freed() {
        size.decrementAndGet();
        return true;
    }

    void remove(ReceiveFuture<?> receive) {
        size.decrementAndGet();
        admitted.remove(receive);
    }

    /** The first has failed, but its bytes are still to come: another takes its place until they are here. */
    void replaceFirst(ReceiveFuture<?> other) {
        admitted.remove();
        admitted.addFirst(other);
    }

    ReceiveFuture<?> removeFirst() {
        size.decrementAndGet();
        return admitted.remove();
    }
}
