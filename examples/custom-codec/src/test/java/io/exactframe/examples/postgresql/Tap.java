package io.exactframe.examples.postgresql;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/** A proxy of plain sockets and threads that digests what it copies: what a relay is compared with. */
final class Tap implements AutoCloseable {
    /** What one connection's two directions were. */
    record Digests(String toServer, String toClient) implements Comparable<Digests> {
        @Override
        public int compareTo(Digests other) {
            return (toServer + toClient).compareTo(other.toServer + other.toClient);
        }
    }

    final AtomicLong bytesToServer = new AtomicLong();
    final AtomicLong bytesToClient = new AtomicLong();
    private final ServerSocket listening = new ServerSocket(0, 100, InetAddress.getLoopbackAddress());
    private final int target;
    private final List<Connection> connections = new ArrayList<>();

    Tap(int target) throws IOException {
        this.target = target;
        start(() -> {
            try {
                while (true) {
                    Connection connection = new Connection(listening.accept());
                    synchronized (connections) {
                        connections.add(connection);
                    }
                    connection.copy();
                }
            } catch (IOException e) {
                // closed
            }
        });
    }

    int port() {
        return listening.getLocalPort();
    }

    /** Of all connections, when they are over. */
    List<Digests> digests() throws InterruptedException {
        List<Digests> digests = new ArrayList<>();
        synchronized (connections) {
            for (Connection connection : connections) {
                if (!connection.over.await(20, TimeUnit.SECONDS)) {
                    throw new AssertionError("a connection is still open");
                }
                digests.add(new Digests(hex(connection.toServer), hex(connection.toClient)));
            }
        }
        digests.sort(null);
        return digests;
    }

    private static String hex(MessageDigest digest) {
        return HexFormat.of().formatHex(digest.digest());
    }

    private static void start(Runnable task) {
        Thread thread = new Thread(task, "tap");
        thread.setDaemon(true);
        thread.start();
    }

    private final class Connection {
        final Socket client;
        final Socket server = new Socket(InetAddress.getLoopbackAddress(), target);
        final MessageDigest toServer = sha256();
        final MessageDigest toClient = sha256();
        final CountDownLatch over = new CountDownLatch(2);

        Connection(Socket client) throws IOException {
            this.client = client;
        }

        void copy() {
            start(() -> copy(client, server, toServer, bytesToServer));
            start(() -> copy(server, client, toClient, bytesToClient));
        }

        private void copy(Socket from, Socket to, MessageDigest digest, AtomicLong count) {
            byte[] bytes = new byte[1 << 16];
            try {
                InputStream in = from.getInputStream();
                OutputStream out = to.getOutputStream();
                for (int n; (n = in.read(bytes)) >= 0; ) {
                    digest.update(bytes, 0, n);
                    count.addAndGet(n);
                    out.write(bytes, 0, n);
                }
                to.shutdownOutput();
            } catch (IOException e) {
                close();
            } finally {
                over.countDown();
                if (over.getCount() == 0) {
                    close();
                }
            }
        }

        void close() {
            try (client; server) {
                // both
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError(e);
        }
    }

    @Override
    public void close() throws IOException {
        listening.close();
        synchronized (connections) {
            connections.forEach(Connection::close);
        }
    }
}
