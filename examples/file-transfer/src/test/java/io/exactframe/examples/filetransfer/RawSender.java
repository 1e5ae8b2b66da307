package io.exactframe.examples.filetransfer;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/** A sender made of a plain socket, which may say and do what it likes. */
final class RawSender implements AutoCloseable {
    /** What it does with the receiver's connection. */
    interface Script {
        void run(Socket receiver) throws IOException;
    }

    private final ServerSocket server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
    private final CompletableFuture<Void> done;

    RawSender(Script script) throws IOException {
        done = CompletableFuture.runAsync(() -> {
            try (Socket receiver = server.accept()) {
                receiver.setSoTimeout(20_000);
                script.run(receiver);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        });
    }

    /** Sends these bytes and ends the stream; then waits for the receiver to close. What it replies meanwhile is kept. */
    static RawSender sending(byte[] stream, ByteArrayOutputStream replies) throws IOException {
        return new RawSender(receiver -> {
            receiver.getOutputStream().write(stream);
            receiver.shutdownOutput();
            receiver.getInputStream().transferTo(replies);
        });
    }

    String address() {
        return "127.0.0.1:" + server.getLocalPort();
    }

    @Override
    public void close() throws Exception {
        done.get(20, TimeUnit.SECONDS);
        server.close();
    }

    static byte[] metadata(int version, int flags, long offset, long size, byte[] name) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (DataOutputStream out = new DataOutputStream(bytes)) {
            out.writeShort(1 + 1 + 8 + 8 + name.length);
            out.writeByte(version);
            out.writeByte(flags);
            out.writeLong(offset);
            out.writeLong(size);
            out.write(name);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return bytes.toByteArray();
    }

    static byte[] metadata(long size, String name) {
        return metadata(1, 0, 0, size, name.getBytes(UTF_8));
    }

    static byte[] trailer(byte[] sha256) {
        return join(new byte[] {0, (byte) sha256.length}, sha256);
    }

    static byte[] join(byte[]... parts) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        for (byte[] part : parts) {
            out.writeBytes(part);
        }
        return out.toByteArray();
    }

    /** The receiver's next reply. */
    static int readReply(Socket receiver) throws IOException {
        DataInputStream in = new DataInputStream(receiver.getInputStream());
        if (in.readUnsignedShort() != 1) {
            throw new IOException("not a reply");
        }
        return in.readUnsignedByte();
    }

    static byte[] random(long seed, int size) {
        byte[] bytes = new byte[size];
        new Random(seed).nextBytes(bytes);
        return bytes;
    }

    static byte[] sha256(byte[] content) {
        return Transferred.newSha256().digest(content);
    }
}
