package io.exactframe.netty;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;

/** Takes so many bytes and then throws, having taken one more if it is to. */
final class FailingSink extends ByteSink {
    enum Fault {
        IO(new IOException("on purpose")),
        CLOSED(new ClosedChannelException()),
        RUNTIME(new IllegalStateException("on purpose")),
        ERROR(new OutOfMemoryError("on purpose"));

        final Throwable thrown;

        Fault(Throwable thrown) {
            this.thrown = thrown;
        }
    }

    private final Throwable fault;
    private final int good;
    private final boolean takesOneMore;

    FailingSink(Fault fault, int good, boolean takesOneMore) {
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
