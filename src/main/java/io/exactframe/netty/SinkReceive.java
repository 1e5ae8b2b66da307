package io.exactframe.netty;

import io.netty.buffer.ByteBufAllocator;
import java.nio.channels.WritableByteChannel;
import java.util.Objects;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/** A receive of bytes that go to a sink. Those in the sink are the ones it has received. */
final class SinkReceive extends ReceiveFuture<Void> {
    final WritableByteChannel sink;
    final Executor io;

    private final SinkWriter writer;
    private final Object handOver = new Object();
    private @Nullable Throwable failure; // of the sink, or the executor

    SinkReceive(ExactReceiver receiver, SinkWriter writer, WritableByteChannel sink, long size, Executor io) {
        super(receiver, size, false);
        this.writer = writer;
        this.sink = Objects.requireNonNull(sink, "sink");
        this.io = Objects.requireNonNull(io, "io");
    }

    @Override
    Needs take(Stash stash, ByteBufAllocator alloc) {
        if (!writer.settle(stash)) {
            return Needs.ITS_SINK; // perhaps for one before, which was cancelled
        }
        if (failure != null || received == expected) {
            return Needs.NOTHING;
        }
        synchronized (handOver) {
            return !isDone() && writer.start(this, stash) ? Needs.ITS_SINK : Needs.BYTES;
        }
    }

    @Override
    long arrived(Stash stash) {
        return received + writer.handedFor(this) + stash.unreadBytes();
    }

    void written(long bytes, @Nullable Throwable failure) {
        received += bytes;
        this.failure = failure;
    }

    @Override
    void finish(Stash stash) {
        if (failure != null) {
            tryFailure(failure);
        } else if (setUncancellable()) {
            progress();
            setSuccess(null);
        }
    }

    /** When it returns true, nothing is handed over any more. */
    @Override
    public boolean cancel(boolean mayInterruptIfRunning) {
        synchronized (handOver) {
            return super.cancel(mayInterruptIfRunning);
        }
    }
}
