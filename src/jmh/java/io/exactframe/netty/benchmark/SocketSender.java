package io.exactframe.netty.benchmark;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;

/** The other end: a blocking socket that sends frames made beforehand until the receiver has enough and closes. */
final class SocketSender {
    private final SocketCase sent;
    private final FrameStream stream;
    private long bytes;
    private long cpuNanos;

    SocketSender(SocketCase sent) {
        this.sent = sent;
        stream = sent.stream();
    }

    void sendUntilClosed(int port) throws IOException {
        long before = ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime();
        try (SocketChannel socket = SocketChannel.open(new InetSocketAddress(InetAddress.getLoopbackAddress(), port))) {
            int frameLength = sent.frameLength();
            int offset = 0;
            while (true) {
                int length = offset == 0 && frameLength < sent.writeLength()
                        ? sent.writeLength()
                        : Math.min(sent.writeLength(), frameLength - offset);
                if (!send(socket, stream.view(offset, length))) {
                    break;
                }
                bytes += length;
                offset = (offset + length) % frameLength;
            }
        }
        cpuNanos += ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime() - before;
    }

    private static boolean send(SocketChannel socket, ByteBuffer view) {
        try {
            while (view.hasRemaining()) {
                socket.write(view);
            }
            return true;
        } catch (IOException e) {
            return false;
        }
    }

    double cpuNanosPerByte() {
        return (double) cpuNanos / bytes;
    }

    void release() {
        stream.release();
    }
}
