package io.exactframe.netty;

import static io.exactframe.netty.Loopback.done;
import static org.assertj.core.api.Assertions.assertThat;

import io.netty.util.concurrent.ProgressiveFuture;
import java.io.File;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import reactor.blockhound.BlockHound;
import reactor.blockhound.BlockingOperationError;

/** The event loop never writes to a file: watched by BlockHound, which changes its whole JVM and has one of its own. */
@Tag("slow")
class ExactReceiverBlockHoundTest {
    @TempDir
    Path directory;

    @Test
    void theEventLoopDoesNotBlock() throws Exception {
        File output = directory.resolve("output").toFile();
        Process watched = new ProcessBuilder(List.of(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-XX:+AllowRedefinitionToAddDeleteMethods",
                        "-cp",
                        System.getProperty("java.class.path"),
                        ExactReceiverBlockHoundTest.class.getName(),
                        directory.resolve("file").toString()))
                .redirectErrorStream(true)
                .redirectOutput(output)
                .start();
        assertThat(watched.waitFor(3 * Loopback.SECONDS, TimeUnit.SECONDS)).isTrue();
        assertThat(watched.exitValue()).as(() -> text(output)).isZero();
    }

    private static String text(File output) {
        try {
            return Files.readString(output.toPath());
        } catch (Exception e) {
            return e.toString();
        }
    }

    public static void main(String[] args) throws Exception {
        BlockHound.builder()
                .loadIntegrations() // Netty's says which threads are watched
                .markAsBlocking("sun.nio.ch.FileChannelImpl", "write", "(Ljava/nio/ByteBuffer;)I")
                // The lock of its queue is the caller's choice, and held for an instant.
                .allowBlockingCallsInside("java.util.concurrent.ThreadPoolExecutor", "execute")
                .install();
        ExactReceiver receiver = new ExactReceiver();
        ExecutorService io = Executors.newSingleThreadExecutor();
        int size = 8 << 20;
        try (Loopback it = new Loopback(Transport.nio(), receiver);
                FileChannel file = FileChannel.open(
                        Path.of(args[0]), StandardOpenOption.WRITE, StandardOpenOption.CREATE_NEW)) {
            ProgressiveFuture<Void> receive = receiver.receiveTo(file, size, io);
            it.send(ByteBuffer.allocate(size));
            assertThat(done(receive).cause()).isNull();
            assertThat(file.position()).isEqualTo(size);

            // And would have been seen.
            ProgressiveFuture<Void> blocking = receiver.receiveTo(file, 1, Runnable::run);
            it.send("A");
            assertThat(done(blocking).cause()).isInstanceOf(BlockingOperationError.class);
            assertThat(file.position()).isEqualTo(size);
        } finally {
            io.shutdown();
        }
    }
}
