package io.exactframe.examples.filetransfer;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.time.Instant;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/** An end made of a plain socket, which may say and do what it likes. */
final class Raw implements AutoCloseable {
    final Socket socket;
    private final DataInputStream in;

    Raw(Socket socket) throws IOException {
        this.socket = socket;
        socket.setSoTimeout(20_000);
        in = new DataInputStream(socket.getInputStream());
    }

    static Raw connect(int port) throws IOException {
        return new Raw(new Socket(InetAddress.getLoopbackAddress(), port));
    }

    /** A receiver that has greeted and read the list. */
    static Raw receiver(int port) throws Exception {
        Raw raw = connect(port);
        raw.send(Message.Hello.OURS);
        while (!(raw.read() instanceof Message.Listed)) {
            // the entries
        }
        return raw;
    }

    interface Script {
        void run(Raw receiver) throws Exception;
    }

    /** A sender that does this with the one that connects. */
    record Server(ServerSocket socket, CompletableFuture<Void> done) implements AutoCloseable {
        int port() {
            return socket.getLocalPort();
        }

        @Override
        public void close() throws Exception {
            done.get(30, TimeUnit.SECONDS);
            socket.close();
        }
    }

    static Server sender(Script script) throws IOException {
        ServerSocket server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
        return new Server(server, CompletableFuture.runAsync(() -> {
            try (Raw receiver = new Raw(server.accept())) {
                script.run(receiver);
            } catch (Exception e) {
                throw new IllegalStateException(e);
            }
        }));
    }

    static byte[] frame(Message message) {
        ByteBuf payload = Unpooled.buffer();
        Message.encode(message, payload);
        ByteBuf frame = Unpooled.buffer().writeShort(payload.readableBytes()).writeBytes(payload);
        byte[] bytes = new byte[frame.readableBytes()];
        frame.readBytes(bytes);
        return bytes;
    }

    static byte[] frames(Object... parts) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        for (Object part : parts) {
            bytes.writeBytes(part instanceof Message message ? frame(message) : (byte[]) part);
        }
        return bytes.toByteArray();
    }

    static Entry file(String path, long size) {
        return new Entry(false, 0644, size, Instant.EPOCH, path);
    }

    void send(Object... parts) throws IOException {
        socket.getOutputStream().write(frames(parts));
    }

    /** The next frame that is not {@code BUSY}. */
    Message read() throws IOException {
        for (; ; ) {
            byte[] payload = new byte[in.readUnsignedShort()];
            in.readFully(payload);
            try {
                Message message = Message.decode(Unpooled.wrappedBuffer(payload));
                if (!(message instanceof Message.Busy)) {
                    return message;
                }
            } catch (TransferException e) {
                throw new IOException(e.getMessage());
            }
        }
    }

    byte[] readBytes(int size) throws IOException {
        byte[] bytes = new byte[size];
        in.readFully(bytes);
        return bytes;
    }

    /** Reads until the other end closes. */
    void drain() {
        try {
            in.skipNBytes(Long.MAX_VALUE);
        } catch (IOException e) {
            // closed, or reset
        }
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
