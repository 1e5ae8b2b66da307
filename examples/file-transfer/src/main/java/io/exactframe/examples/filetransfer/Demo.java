package io.exactframe.examples.filetransfer;

import java.io.File;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.LongFunction;

/** Both ends in one process, over loopback. What it writes is gone afterwards. */
final class Demo {
    private static final long GENERATED_SIZE = 256L << 20;
    private static final int BLOCK = 1 << 20;
    private static final long SEED = 20240229;

    private Demo() {}

    /** Transfers the file, or a generated one if it is null, and tells in a line how it went. */
    static String run(Path given, boolean plain, LongFunction<Progress> progress) throws TransferException {
        Path folder = null;
        try {
            folder = Files.createTempDirectory("file-transfer-demo");
            Path temporary = folder;
            Runtime.getRuntime().addShutdownHook(new Thread(() -> delete(temporary))); // for Ctrl-C
            Path file = given != null ? given : generate(folder.resolve("random.bin"));
            return transfer(file, Files.createDirectory(folder.resolve("received")), plain, progress);
        } catch (IOException e) {
            throw TransferException.failed("cannot write temporary files: " + FileProblem.describe(e));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw TransferException.failed("interrupted");
        } finally {
            if (folder != null) {
                delete(folder);
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

    private static String transfer(Path file, Path folder, boolean plain, LongFunction<Progress> progress)
            throws TransferException, InterruptedException {
        Security sending = plain ? Security.plain() : Security.forSender();
        Security receiving = plain ? Security.plain() : Security.forReceiver(sending.code());
        End sent = new End(bytes -> Progress.none());
        End received = new End(progress);
        try (Sender sender = new Sender(List.of(file), sending, Limits.PATIENCE, sent);
                Destination destination = new Destination(folder, false)) {
            Address address = new Address("127.0.0.1", sender.listen("127.0.0.1", 0));
            Receiver.Result result = new Receiver(destination, received)
                    .receive(address, receiving, Limits.PATIENCE);
            if (result.failed() > 0) {
                throw TransferException.failed("not all came");
            }
            sender.awaitReceipt();
            boolean equal = Arrays.equals(sent.sha256, received.sha256);
            String line = result.storedBytes() + " bytes " + Sizes.speed(result.storedBytes(), result.nanos())
                    + ", SHA-256 sent " + hex(sent.sha256) + ", received " + hex(received.sha256) + ": "
                    + (equal ? "equal" : "DIFFERENT");
            if (!equal) {
                throw TransferException.failed(line);
            }
            return line;
        }
    }

    private static String hex(byte[] sha256) {
        return sha256 == null ? "of nothing" : HexFormat.of().formatHex(sha256);
    }

    /** One end: keeps the digest. */
    private static final class End implements User {
        private final LongFunction<Progress> progress;
        private volatile byte[] sha256;

        End(LongFunction<Progress> progress) {
            this.progress = progress;
        }

        @Override
        public void line(String line) {
            System.err.println(line);
        }

        @Override
        public Progress start(long bytes) {
            return progress.apply(bytes);
        }

        @Override
        public boolean accepts(List<Entry> entries) {
            return true;
        }

        @Override
        public void digested(byte[] sha256) {
            this.sha256 = sha256;
        }
    }

    private static void delete(Path folder) {
        File[] entries = folder.toFile().listFiles();
        for (File entry : entries == null ? new File[0] : entries) {
            delete(entry.toPath());
        }
        folder.toFile().delete();
    }
}
