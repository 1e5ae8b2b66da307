package io.exactframe.netty;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.WritableByteChannel;
import java.util.ArrayDeque;
import java.util.Queue;
import java.util.concurrent.Executor;

/** A sink in memory, and an executor whose tasks run when a test says so. */
class ByteSink implements WritableByteChannel, Executor {
    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    private boolean closed;

    /** What was handed over and has not run. */
    final Queue<Runnable> tasks = new ArrayDeque<>();

    /** Bytes it takes at a time. */
    int most = Integer.MAX_VALUE;

    @Override
    public int write(ByteBuffer source) throws IOException {
        if (closed) {
            throw new ClosedChannelException();
        }
        byte[] taken = new byte[Math.min(most, source.remaining())];
        source.get(taken);
        bytes.write(taken, 0, taken.length);
        return taken.length;
    }

    @Override
    public boolean isOpen() {
        return !closed;
    }

    @Override
    public void close() {
        closed = true;
    }

    @Override
    public void execute(Runnable task) {
        tasks.add(task);
    }

    /** Runs what was handed over. */
    void run() {
        tasks.remove().run();
    }

    void runAll() {
        while (!tasks.isEmpty()) {
            run();
        }
    }

    int size() {
        return bytes.size();
    }

    String text() {
        return bytes.toString(ISO_8859_1);
    }
}
