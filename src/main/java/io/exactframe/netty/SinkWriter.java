package io.exactframe.netty;

import io.netty.buffer.ByteBuf;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.WritableByteChannel;
import java.util.ArrayDeque;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * Writes what a receiver's receives hand over to their sinks, in other threads: one task at a time, each writes all it
 * was given, in order.
 *
 * <pre>
 *   event loop    start: FREE ─► HANDED                           settle, when FREE again
 *   executor                     HANDED ─► WRITING ─► FREE, wake
 * </pre>
 */
final class SinkWriter implements Runnable {
    /** Bytes at which a task has enough; the fragment that they end in is in it too. */
    private static final int ENOUGH = 64 * 1024;

    private enum State { FREE, HANDED, WRITING }

    private final AtomicReference<State> state = new AtomicReference<>(State.FREE);
    private final Runnable wake;

    // The task's while it is handed over or writing, else the event loop's.
    private final ArrayDeque<ByteBuf> pieces = new ArrayDeque<>(2);
    @Nullable SinkReceive receive;
    long handed;
    private long written;
    private @Nullable Throwable failure;

    SinkWriter(Runnable wake) {
        this.wake = wake;
    }

    /** Hands over what there is for a receive, if the writer is free and settled; false if there is nothing. */
    boolean start(SinkReceive receive, ReceivedBytes bytes) {
        long left = receive.expected - receive.received;
        long size = 0;
        for (ByteBuf piece; size < Math.min(left, ENOUGH) && (piece = bytes.takePart(left - size)) != null; ) {
            size += piece.readableBytes();
            pieces.add(piece);
        }
        if (size == 0) {
            return false;
        }
        this.receive = receive;
        handed = size;
        state.set(State.HANDED);
        try {
            receive.io.execute(this);
        } catch (Throwable rejected) {
            if (state.compareAndSet(State.HANDED, State.FREE)) { // an executor may throw and run it all the same
                failure = rejected;
            }
        }
        return true;
    }

    /** Takes note of what a task has done, and gives back what its sink did not take; false if it is not done yet. */
    boolean settle(ReceivedBytes bytes) {
        if (state.get() != State.FREE) {
            return false;
        }
        if (receive != null) {
            receive.received += written;
            receive.failure = failure;
            bytes.giveBack(pieces, !receive.isDone()); // if it was cancelled, what came behind it may be gone already
            receive = null;
            written = 0;
            failure = null;
        }
        return true;
    }

    @Override
    public void run() {
        if (!state.compareAndSet(State.HANDED, State.WRITING)) {
            return;
        }
        try {
            for (ByteBuf piece; (piece = pieces.peek()) != null; ) {
                write(piece, receive.sink);
                pieces.remove().release();
            }
        } catch (Throwable t) {
            failure = t;
        }
        state.set(State.FREE);
        wake.run();
    }

    /** What counts is how far a sink has moved the buffer's position, also if it throws. */
    private void write(ByteBuf piece, WritableByteChannel sink) throws IOException {
        for (ByteBuffer bytes : piece.nioBuffers()) {
            while (bytes.hasRemaining()) {
                int before = bytes.position();
                try {
                    sink.write(bytes);
                } finally {
                    piece.skipBytes(bytes.position() - before);
                    written += bytes.position() - before;
                }
                if (bytes.position() == before) {
                    LockSupport.parkNanos(1_000_000); // it took nothing
                }
            }
        }
    }
}
