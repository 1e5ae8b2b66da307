package io.exactframe.examples.filetransfer;

import io.netty.channel.Channel;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;

/**
 * Listens, and serves one receiver after the other and several at once, each in a thread of its own. It stays until one
 * of them has everything and said so; whatever else connects does not end it.
 */
final class Sender implements AutoCloseable {
    private static final int MOST_STRAYS_TOLD = 5;

    private final List<Path> named;
    private final Security security;
    private final User user;
    private final Network network;
    private final ExecutorService threads = Executors.newCachedThreadPool(task -> {
        Thread thread = new Thread(task, "receiver");
        thread.setDaemon(true);
        return thread;
    });
    private final Map<Connection, Boolean> connections = new ConcurrentHashMap<>(); // value: greeted
    private final Semaphore slots = new Semaphore(Limits.MAX_RECEIVERS);
    private final CountDownLatch complete = new CountDownLatch(1);
    private int strays;
    private Channel server;

    Sender(List<Path> named, Security security, Duration patience, User user) {
        this.named = List.copyOf(named);
        this.security = security;
        this.user = user;
        this.network = new Network(security, patience);
    }

    int listen(String host, int port) throws TransferException {
        server = network.listen(host, port, this::accept);
        return Network.portOf(server);
    }

    private void accept(Connection connection) {
        if (connections.size() >= Limits.MAX_CONNECTIONS) {
            connection.abort();
        } else {
            connections.put(connection, false);
            threads.execute(() -> serve(connection));
        }
    }

    private void serve(Connection connection) {
        try (connection) {
            greet(connection);
        } catch (TransferException e) {
            stray();
        } finally {
            connections.remove(connection);
        }
    }

    private void greet(Connection connection) throws TransferException {
        try {
            security.prove(connection);
            SenderSession.greet(connection);
        } catch (TransferException e) {
            connection.refuse(e.tell);
            throw e;
        }
        if (complete.getCount() == 0 || !slots.tryAcquire()) {
            connection.refuse(Reason.BUSY_WITH_OTHERS);
            return;
        }
        try {
            connections.put(connection, true);
            serveReceiver(connection);
        } finally {
            slots.release();
        }
    }

    private void serveReceiver(Connection connection) {
        try {
            List<Source> sources = SourceList.of(named, skipped -> {}).sources; // as they are now
            long bytes = sources.stream().mapToLong(source -> source.entry().size()).sum();
            try (Progress progress = user.start(bytes)) {
                if (new SenderSession(connection, sources, user, progress).serve()) {
                    complete.countDown();
                    return;
                }
            }
            user.line("The receiver has not got everything; waiting for the next one, Ctrl-C ends");
        } catch (TransferException e) {
            connection.refuse(e.tell);
            if (complete.getCount() > 0) {
                user.line("Lost a receiver: " + e.getMessage() + ". Waiting for it to come again, Ctrl-C ends");
            }
        }
    }

    private synchronized void stray() {
        if (complete.getCount() > 0 && strays++ < MOST_STRAYS_TOLD) {
            user.line("Somebody connected who is no receiver or has not the code; still waiting"
                    + (strays == MOST_STRAYS_TOLD ? " (and says so no more)" : ""));
        }
    }

    /** Returns when a receiver has everything, and those that are still being served have it too or stand still. */
    void awaitReceipt() throws InterruptedException {
        complete.await();
        server.close().awaitUninterruptibly();
        connections.forEach((connection, greeted) -> {
            if (!greeted) {
                connection.abort();
            }
        });
        Map<Connection, Long> before = Map.of();
        while (!connections.isEmpty()) {
            Map<Connection, Long> now = new ConcurrentHashMap<>();
            for (Connection connection : connections.keySet()) {
                if (before.getOrDefault(connection, -1L) == connection.activity()) {
                    connection.abort();
                }
                now.put(connection, connection.activity());
            }
            before = now;
            for (long waited = 0; waited < STANDSTILL_MILLIS && !connections.isEmpty(); waited += STEP_MILLIS) {
                TimeUnit.MILLISECONDS.sleep(STEP_MILLIS);
            }
        }
    }

    private static final long STANDSTILL_MILLIS = 10_000;
    private static final long STEP_MILLIS = 20;

    @Override
    public void close() {
        connections.keySet().forEach(Connection::abort);
        threads.shutdown();
        try {
            threads.awaitTermination(Limits.GOODBYE.toMillis(), TimeUnit.MILLISECONDS); // they need the event loop
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        network.close();
    }
}
