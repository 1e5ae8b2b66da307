package io.exactframe.examples.filetransfer;

import java.io.File;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;

/** Both ends in one process, over loopback. What it writes is gone afterwards. */
final class Demo {
    static final long GENERATED_SIZE = 256L << 20;
    private static final int BLOCK = 1 << 20;
    private static final long SEED = 20240229;

    private Demo() {}

    /** Transfers the file, or a generated one if it is null, and tells in a line how it went. */
    static String run(Path given, Progress.Display display) throws TransferException {
        Path directory = null;
        try {
            directory = Files.createTempDirectory("file-transfer-demo");
            Path temporary = directory;
            Runtime.getRuntime().addShutdownHook(new Thread(() -> delete(temporary))); // for Ctrl-C
            Path file = given != null ? given : generate(directory.resolve("random.bin"));
            return transfer(file, Files.createDirectory(directory.resolve("received")), display);
        } catch (IOException e) {
            throw new TransferException("cannot write temporary files: " + PartFile.reason(e));
        } finally {
            if (directory != null) {
                delete(directory);
            }
        }
    }

    private static Path generate(Path file) throws IOException {
        SplittableRandom random = new SplittableRandom(SEED);
        byte[] block = new byte[BLOCK];
        try (OutputStream out = Files.newOutputStream(file)) {
            for (long size = 0; size < GENERATED_SIZE; size += BLOCK) {
                random.nextBytes(block);
                out.write(block);
            }
        }
        return file;
    }

    private static String transfer(Path file, Path directory, Progress.Display display) throws TransferException {
        Transferred[] received = new Transferred[1];
        Transferred[] sent = new Transferred[1];
        try (Sender sender = new Sender(List.of(file), Progress.none())) {
            int port = sender.listen("127.0.0.1", 0);
            CompletableFuture<Void> sending = CompletableFuture.runAsync(() -> {
                try {
                    sender.send(t -> sent[0] = t);
                } catch (TransferException e) {
                    throw new CompletionException(e);
                }
            });
            long start = System.nanoTime();
            new Receiver(directory, false, display).receive(new Address("127.0.0.1", port), t -> received[0] = t);
            double seconds = (System.nanoTime() - start) / 1e9;
            sending.join();
            boolean equal = received[0].equals(sent[0]);
            String line = String.format(
                    Locale.ROOT,
                    "%d bytes in %.2f s (%.0f MB/s), SHA-256 sent %s, received %s: %s",
                    received[0].size(),
                    seconds,
                    received[0].size() / seconds / 1e6,
                    sent[0].sha256(),
                    received[0].sha256(),
                    equal ? "equal" : "DIFFERENT");
            if (!equal) {
                throw new TransferException(line);
            }
            return line;
        } catch (CompletionException e) {
            throw new TransferException(e.getCause().getMessage());
        }
    }

    private static void delete(Path directory) {
        File[] entries = directory.toFile().listFiles();
        for (File entry : entries == null ? new File[0] : entries) {
            if (entry.isDirectory()) {
                delete(entry.toPath());
            } else {
                entry.delete();
            }
        }
        directory.toFile().delete();
    }
}
