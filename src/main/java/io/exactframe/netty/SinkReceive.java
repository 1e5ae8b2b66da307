package io.exactframe.netty;

import io.netty.buffer.ByteBufAllocator;
import java.nio.channels.WritableByteChannel;
import java.util.Objects;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/** A receive of bytes that go to a sink. Those in the sink are the ones it has received. */
final class SinkReceive extends Receive<Void> {
    final WritableByteChannel sink;
    final Executor io;

    private final SinkWriter writer;
    private final Object handOver = new Object();
    @Nullable Throwable failure; // of the sink, or the executor

    SinkReceive(Server server, SinkWriter writer, WritableByteChannel sink, long size, Executor io) {
        super(server, size, false);
        this.writer = writer;
        this.sink = Objects.requireNonNull(sink, "sink");
        this.io = Objects.requireNonNull(io, "io");
    }

    @Override
    Needs take(ReceivedBytes bytes, ByteBufAllocator alloc) {
        if (!writer.settle(bytes)) {
            return Needs.ITS_SINK; // perhaps for one before, which was cancelled
        }
        if (failure != null || received == expected) {
            return Needs.NOTHING;
        }
        synchronized (handOver) {
            return !isDone() && writer.start(this, bytes) ? Needs.ITS_SINK : Needs.BYTES;
        }
    }

    @Override
    long arrived(ReceivedBytes bytes) {
        return received + (writer.receive == this ? writer.handed : 0) + bytes.count();
    }

    @Override
    void finish(ReceivedBytes bytes) {
        if (failure != null) {
            tryFailure(failure);
        } else {
            super.finish(bytes);
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
