package io.exactframe.examples.filetransfer;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;

/** Both ends in one process, over loopback. What it writes is gone afterwards. */
final class Demo {
    private static final int GENERATED_BLOCKS = 256;
    private static final int BLOCK = 1 << 20;

    private Demo() {}

    /** Transfers the file, or a generated one if it is null, and tells in a line how it went. */
    static String run(Path given, boolean plain, User sending, User receiving) throws TransferException {
        try {
            Path folder = Files.createTempDirectory("file-transfer-demo");
            Runtime.getRuntime().addShutdownHook(new Thread(() -> delete(folder.toFile()))); // at Ctrl-C too
            Path file = given != null ? given : generate(folder.resolve("random.bin"));
            return transfer(file, Files.createDirectory(folder.resolve("received")), plain, sending, receiving);
        } catch (IOException e) {
            throw TransferException.failed("cannot use temporary files: " + FileProblem.describe(e));
        } catch (InterruptedException e) {
            throw TransferException.failed("interrupted");
        }
    }

    private static Path generate(Path file) throws IOException {
        byte[] block = new byte[BLOCK];
        try (var out = Files.newOutputStream(file)) {
            for (int i = 0; i < GENERATED_BLOCKS; i++) {
                new Random(i).nextBytes(block);
                out.write(block);
            }
        }
        return file;
    }

    private static String transfer(Path file, Path folder, boolean plain, User sending, User receiving)
            throws TransferException, InterruptedException, IOException {
        Security security = plain ? Security.plain() : Security.forSender();
        try (Sender sender = new Sender(List.of(file), security, Limits.PATIENCE, sending);
                Destination destination = new Destination(folder, false)) {
            Address address = new Address("127.0.0.1", sender.listen("127.0.0.1", 0));
            Receiver.Result result = new Receiver(destination, receiving)
                    .receive(address, plain ? security : Security.forReceiver(security.code()), Limits.PATIENCE);
            if (result.failed() > 0) {
                throw TransferException.failed("not all came");
            }
            sender.awaitReceipt();
            return result.storedBytes() + " bytes " + Sizes.speed(result.storedBytes(), result.nanos())
                    + ", SHA-256 sent " + sha256(file) + ", received " + sha256(folder.resolve(file.getFileName()));
        }
    }

    private static String sha256(Path file) throws IOException {
        var digest = Digests.newSha256();
        try (var in = Files.newInputStream(file)) {
            Digests.update(digest, in, Files.size(file));
        }
        return HexFormat.of().formatHex(digest.digest());
    }

    private static void delete(File folder) {
        File[] entries = folder.listFiles();
        for (File entry : entries == null ? new File[0] : entries) {
            delete(entry);
        }
        folder.delete();
    }
}
