package io.exactframe.examples.dns;

import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.DataInputStream;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The program as it is, in a JVM of its own with 64 MiB. */
class MemoryTest {
    private static final int TXT = 16;
    private static final int QUERIES = 4_000;

    @Test
    void aClientThatDoesNotReadItsLargeAnswersIsWaitedFor(@TempDir Path folder) throws Exception {
        Path zone = folder.resolve("large.zone");
        String strings = ("large IN TXT " + ("\"" + "x".repeat(250) + "\" ").repeat(230)) + "\n";
        Files.writeString(zone, "$ORIGIN example.test.\n$TTL 60\n@ IN SOA ns host 1 2 3 4 5\n IN NS ns\n" + strings);
        Process process = new ProcessBuilder(Programs.dns("--zone", zone.toString(), "--port", "0"))
                .redirectErrorStream(true)
                .start();
        try (BufferedReader out = process.inputReader()) {
            String line = out.readLine();
            assertThat(line).startsWith("answering for example.test. at /127.0.0.1:");
            int port = Integer.parseInt(line.substring(line.lastIndexOf(':') + 1));
            try (Socket socket = new Socket("127.0.0.1", port)) {
                socket.setSoTimeout(20_000);
                socket.setSendBufferSize(1 << 20);
                byte[] query = Running.query(1, "large.example.test", TXT);
                CompletableFuture<Void> asking = CompletableFuture.runAsync(() -> {
                    try {
                        for (int i = 0; i < QUERIES; i++) { // 230 MB of answers; not read while they are asked for
                            socket.getOutputStream().write(query);
                        }
                    } catch (java.io.IOException e) {
                        throw new java.io.UncheckedIOException(e);
                    }
                });
                asking.get(20, SECONDS);
                DataInputStream in = new DataInputStream(socket.getInputStream());
                for (int i = 0; i < QUERIES; i++) {
                    int length = in.readUnsignedShort();
                    assertThat(length).isGreaterThan(57_000);
                    in.skipNBytes(length);
                }
            }
            assertThat(process.isAlive()).isTrue();
        } finally {
            process.destroy();
            assertThat(process.waitFor(10, SECONDS)).isTrue();
        }
    }
}
