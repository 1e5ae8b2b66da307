package io.exactframe.examples.filetransfer;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;

/** Both ends in this process, without a terminal. */
final class Ends {
    static final Duration PATIENCE = Duration.ofSeconds(2);

    private Ends() {}

    /** A user who keeps what he is told. */
    static final class Lines implements User {
        final List<String> lines = new CopyOnWriteArrayList<>();
        final List<String> listed = new CopyOnWriteArrayList<>();
        volatile boolean willing = true;

        @Override
        public void line(String line) {
            lines.add(line);
        }

        @Override
        public Progress start(long bytes) {
            return Progress.none();
        }

        @Override
        public boolean accepts(List<Entry> entries) {
            entries.forEach(entry -> listed.add(entry.path()));
            return willing;
        }
    }

    /** A sender that runs while the test goes on. */
    static final class Sending implements AutoCloseable {
        final Lines user = new Lines();
        final Security security;
        final int port;
        private final Sender sender;
        private final CompletableFuture<Void> ended;

        Sending(Security security, Path... files) throws Exception {
            this.security = security;
            sender = new Sender(List.of(files), security, PATIENCE, user);
            port = sender.listen("127.0.0.1", 0);
            ended = CompletableFuture.runAsync(() -> {
                try {
                    sender.awaitReceipt();
                } catch (InterruptedException e) {
                    throw new IllegalStateException(e);
                }
            });
        }

        /** Returns when a receiver has everything. */
        void awaitReceipt() throws Exception {
            ended.get(20, TimeUnit.SECONDS);
        }

        boolean waits() {
            return !ended.isDone();
        }

        @Override
        public void close() {
            sender.close();
        }
    }

    static Sending send(Path... files) throws Exception {
        return new Sending(Security.plain(), files);
    }

    /** How receiving ended. */
    record Received(Receiver.Result result, int exitCode, List<String> lines, List<String> listed) {
        String said() {
            return String.join("\n", lines);
        }
    }

    static Received receive(int port, Path folder, boolean overwrite) throws Exception {
        return receive(port, folder, overwrite, Security.plain(), new Lines());
    }

    static Received receive(int port, Path folder, boolean overwrite, Security security, Lines user) {
        try (Destination destination = new Destination(folder, overwrite)) {
            Receiver.Result result =
                    new Receiver(destination, user).receive(new Address("127.0.0.1", port), security, PATIENCE);
            return new Received(result, result.failed() > 0 ? 1 : 0, user.lines, user.listed);
        } catch (TransferException e) {
            user.lines.add(e.getMessage());
            return new Received(null, e.exitCode, user.lines, user.listed);
        }
    }

    /** The code of a sender that there is not. */
    static String otherCode() {
        Security other = Security.forSender();
        try {
            return other.code();
        } finally {
            other.close();
        }
    }

    static byte[] random(long seed, int size) {
        byte[] bytes = new byte[size];
        new Random(seed).nextBytes(bytes);
        return bytes;
    }

    /** Names in a folder, those of unfinished files included, sorted. */
    static List<String> names(Path folder) {
        String[] names = folder.toFile().list();
        Arrays.sort(names);
        return List.of(names);
    }

    static List<Path> parts(Path folder) {
        return names(folder).stream()
                .filter(name -> name.startsWith(PartFile.PREFIX) && name.endsWith(".part"))
                .map(folder::resolve)
                .toList();
    }
}
