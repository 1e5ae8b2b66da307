package io.exactframe.examples.filetransfer;

import io.exactframe.netty.ExactReceiver;
import io.exactframe.netty.LengthPrefix;
import io.netty.buffer.ByteBuf;
import io.netty.util.ReferenceCountUtil;
import io.netty.util.concurrent.Future;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;

/**
 * A few frames that the event loop asks for before they are wanted, since to wake the other thread for each costs more
 * than a small file. A large piece ends it: its bytes are for who takes its frame.
 */
final class ReadAhead {
    /** Bytes that are enough. What is kept of a frame takes more than its bytes. */
    private static final int ENOUGH = 128 * 1024;

    private static final int FRAME_COST = 64;

    /**
     * Who asks next.
     *
     * <pre>
     *   FULL --all that came is taken--&gt; READING --enough came--&gt; FULL
     *   PIECE --its bytes are received--&gt; READING --a large piece--&gt; PIECE
     * </pre>
     */
    private enum State {
        READING,
        FULL,
        PIECE
    }

    /** A frame, with the bytes behind it if it is a small piece; or why there are no more. */
    record Received(Message message, Future<ByteBuf> content, Throwable failure) {
        private int cost() {
            return FRAME_COST + (content == null ? 0 : ((Message.Piece) message).length());
        }

        void release() {
            if (content != null) {
                content.addListener((Future<ByteBuf> bytes) -> ReferenceCountUtil.release(bytes.getNow()));
            }
        }
    }

    private final ExactReceiver receiver;
    private final LengthPrefix prefix;
    private final BlockingQueue<Received> frames = new LinkedBlockingQueue<>();
    private final AtomicInteger cost = new AtomicInteger();
    private final AtomicReference<State> state = new AtomicReference<>(State.FULL);
    private boolean closed; // guarded by frames

    ReadAhead(ExactReceiver receiver, LengthPrefix prefix) {
        this.receiver = receiver;
        this.prefix = prefix;
    }

    /** The next frame, or null if none comes in time. After a failure that comes again and again. */
    Received take(long millis) throws InterruptedException {
        if (frames.isEmpty() && state.compareAndSet(State.FULL, State.READING)) {
            ask();
        }
        Received next = frames.poll(millis, TimeUnit.MILLISECONDS);
        if (next != null && next.failure != null) {
            frames.add(next);
        } else if (next != null) {
            cost.addAndGet(-next.cost());
        }
        return next;
    }

    /** Whether all that came is taken and no more will. */
    boolean isOver() {
        Received next = frames.peek();
        return next != null && next.failure != null;
    }

    /** The bytes of a large piece are received. */
    void goOn() {
        state.set(State.READING);
        ask();
    }

    private void ask() {
        receiver.receive(prefix, Limits.MAX_FRAME_LENGTH).addListener((Future<ByteBuf> frame) -> {
            if (!frame.isSuccess()) {
                add(new Received(null, null, frame.cause()));
                return;
            }
            try {
                arrived(Message.decode(frame.getNow()));
            } catch (TransferException e) {
                add(new Received(null, null, e));
            } finally {
                frame.getNow().release();
            }
        });
    }

    private void arrived(Message message) {
        boolean piece = message instanceof Message.Piece;
        int length = message instanceof Message.Piece p ? p.length() : 0;
        boolean small = length > 0 && length <= Limits.SMALL_PIECE_LENGTH;
        Received received = new Received(message, small ? receiver.receive(length) : null, null);
        boolean full = cost.addAndGet(received.cost()) >= ENOUGH;
        if (piece && !small) {
            state.set(State.PIECE); // before it can be taken
        } else if (full) {
            state.set(State.FULL);
        }
        add(received);
        if (!full && (small || !piece)) {
            ask();
        }
    }

    private void add(Received received) {
        synchronized (frames) {
            if (closed) {
                received.release();
            } else {
                frames.add(received);
            }
        }
    }

    void close() {
        synchronized (frames) {
            closed = true;
            frames.forEach(Received::release);
        }
    }
}
