package io.exactframe.netty.testing;

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
public class ByteSink implements WritableByteChannel, Executor {
    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    private boolean closed;

    /** What was handed over and has not run. */
    public final Queue<Runnable> tasks = new ArrayDeque<>();

    /** Bytes it takes at a time. */
    public int most = Integer.MAX_VALUE;

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
    public void run() {
        tasks.remove().run();
    }

    public void runAll() {
        while (!tasks.isEmpty()) {
            run();
        }
    }

    public int size() {
        return bytes.size();
    }

    public String text() {
        return bytes.toString(ISO_8859_1);
    }

    /** Takes so many bytes and then throws, having taken one more if it is to. */
    public static final class FailingSink extends ByteSink {
        public enum Fault {
            IO(new IOException("on purpose")),
            CLOSED(new ClosedChannelException()),
            RUNTIME(new IllegalStateException("on purpose")),
            ERROR(new OutOfMemoryError("on purpose"));

            public final Throwable thrown;

            Fault(Throwable thrown) {
                this.thrown = thrown;
            }
        }

        private final Throwable fault;
        private final int good;
        private final boolean takesOneMore;

        public FailingSink(Fault fault, int good, boolean takesOneMore) {
            this.fault = fault.thrown;
            this.good = good;
            this.takesOneMore = takesOneMore;
        }

        @Override
        public int write(ByteBuffer source) throws IOException {
            if (size() < good) {
                most = good - size();
                return super.write(source);
            }
            if (takesOneMore) {
                most = 1;
                super.write(source);
            }
            throw FailingSink.<RuntimeException>unchecked(fault);
        }

        @SuppressWarnings("unchecked")
        private static <T extends Throwable> T unchecked(Throwable fault) throws T {
            throw (T) fault;
        }
    }
}
