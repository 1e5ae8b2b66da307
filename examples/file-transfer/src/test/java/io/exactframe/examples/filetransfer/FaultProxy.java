package io.exactframe.examples.filetransfer;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;

/** A bad network between the ends: what the sender says comes in small pieces, stops, or breaks off. */
final class FaultProxy implements AutoCloseable {
    /** What happens when so many bytes of the sender have been passed on. */
    enum Fault {
        CLOSE,
        RESET,
        HOLD
    }

    private final ServerSocket server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    private final int port;
    private final CountDownLatch released = new CountDownLatch(1);
    final AtomicLong passed = new AtomicLong();
    volatile long limit = Long.MAX_VALUE;
    volatile Fault fault = Fault.CLOSE;
    volatile int pieceLength = 64 * 1024;

    FaultProxy(int port) throws IOException {
        this.port = port;
        start(this::accept);
    }

    int port() {
        return server.getLocalPort();
    }

    /** What was held goes on. */
    void release() {
        limit = Long.MAX_VALUE;
        released.countDown();
    }

    private interface Work {
        void run() throws Exception;
    }

    private static void start(Work work) {
        Thread thread = new Thread(() -> {
            try {
                work.run();
            } catch (Exception e) {
                // one side is gone: so is the other
            }
        });
        thread.setDaemon(true);
        thread.start();
    }

    private void accept() throws Exception {
        for (; ; ) {
            Socket receiver = server.accept();
            Socket sender = new Socket(InetAddress.getLoopbackAddress(), port);
            receiver.setTcpNoDelay(true);
            start(() -> {
                try (receiver;
                        sender) {
                    receiver.getInputStream().transferTo(sender.getOutputStream());
                }
            });
            start(() -> {
                try (receiver;
                        sender) {
                    pass(sender.getInputStream(), receiver);
                }
            });
        }
    }

    private void pass(InputStream from, Socket receiver) throws Exception {
        OutputStream to = receiver.getOutputStream();
        byte[] bytes = new byte[pieceLength];
        for (int read; (read = from.read(bytes)) > 0; ) {
            int whole = (int) Math.max(0, Math.min(read, limit - passed.get()));
            to.write(bytes, 0, whole);
            passed.addAndGet(whole);
            if (whole < read) {
                if (fault == Fault.HOLD) {
                    released.await(60, TimeUnit.SECONDS);
                    to.write(bytes, whole, read - whole);
                    continue;
                } else if (fault == Fault.RESET) {
                    receiver.setSoLinger(true, 0);
                    return;
                }
                receiver.shutdownOutput(); // a close with something unread would be a reset
                while (!receiver.isClosed()) {
                    LockSupport.parkNanos(1_000_000);
                }
                return;
            }
        }
    }

    @Override
    public void close() throws IOException {
        release();
        server.close();
    }
}
