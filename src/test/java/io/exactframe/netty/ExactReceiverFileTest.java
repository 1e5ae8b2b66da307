package io.exactframe.netty;

import static io.exactframe.netty.testing.Loopback.done;
import static io.exactframe.netty.testing.Loopback.text;
import static org.assertj.core.api.Assertions.assertThat;

import io.exactframe.netty.testing.Loopback;
import io.exactframe.netty.testing.Loopback.Transport;
import io.exactframe.netty.testing.Wire;
import io.netty.buffer.ByteBuf;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.util.concurrent.DefaultEventExecutorGroup;
import io.netty.util.concurrent.Future;
import io.netty.util.concurrent.ProgressiveFuture;
import java.io.File;
import java.io.IOException;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.WritableByteChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.util.List;
import java.util.Random;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import reactor.blockhound.BlockHound;
import reactor.blockhound.BlockingOperationError;

/** 32, 41, 44, 46: from a real socket into a real file. */
class ExactReceiverFileTest {
    /** From a real socket into a real file. */
    @Nested
    class IntoAFile {
        private final ExactReceiver receiver = new ExactReceiver();
        private final ExecutorService io = Executors.newSingleThreadExecutor();

        @TempDir
        Path directory;

        @AfterEach
        void stop() throws InterruptedException {
            io.shutdown();
            assertThat(io.awaitTermination(Loopback.SECONDS, TimeUnit.SECONDS)).isTrue();
        }

        /** Writes to a file when it has permits, each for one write, and digests what the file took. */
        private static final class Disk implements WritableByteChannel {
            final FileChannel file;
            final MessageDigest digest;
            final Semaphore permits = new Semaphore(0);
            final AtomicInteger interrupted = new AtomicInteger();

            Disk(Path path) throws Exception {
                file = FileChannel.open(path, StandardOpenOption.WRITE, StandardOpenOption.CREATE_NEW);
                digest = MessageDigest.getInstance("SHA-256");
            }

            @Override
            public int write(ByteBuffer source) throws IOException {
                try {
                    permits.acquire();
                } catch (InterruptedException e) {
                    interrupted.incrementAndGet();
                }
                ByteBuffer taken = source.duplicate();
                int count = file.write(source);
                digest.update(taken.limit(taken.position() + count));
                return count;
            }

            @Override
            public boolean isOpen() {
                return file.isOpen();
            }

            @Override
            public void close() throws IOException {
                file.close();
            }
        }

        @Test
        @Tag("slow")
        void aFileOf64MebibytesAndWhatFollowsIt() throws Exception {
            int size = 64 << 20;
            Path path = directory.resolve("file");
            MessageDigest sent = MessageDigest.getInstance("SHA-256");
            try (Loopback it = new Loopback(Transport.nio(), receiver); Disk disk = new Disk(path)) {
                disk.permits.release(Integer.MAX_VALUE);
                ProgressiveFuture<Void> receive = receiver.receiveTo(disk, size, io);
                ProgressiveFuture<ByteBuf> trailer = receiver.receive(3);
                Random random = new Random(1);
                for (int left = size; left > 0; ) {
                    byte[] piece = Wire.random(random, Math.min(left, 1 + random.nextInt(1 << 20)));
                    sent.update(piece);
                    it.send(ByteBuffer.wrap(piece));
                    left -= piece.length;
                }
                it.send("end");
                assertThat(done(receive).isSuccess()).isTrue();
                assertThat(text(trailer)).isEqualTo("end");
                assertThat(disk.digest.digest()).isEqualTo(sent.digest());
                assertThat(disk.file.position()).isEqualTo(size);
            }
            assertThat(Files.size(path)).isEqualTo(size);
        }

        @Test // 32: 100 MiB for a disk that does not write
        void aSinkThatIsBehindStopsThePeer() throws Exception {
            try (Loopback it = new Loopback(Transport.nio(), receiver);
                    Selector selector = Selector.open();
                    Disk disk = new Disk(directory.resolve("file"))) {
                it.peer.setOption(StandardSocketOptions.SO_SNDBUF, 64 * 1024);
                it.peer.configureBlocking(false);
                SelectionKey key = it.peer.register(selector, SelectionKey.OP_WRITE);
                ProgressiveFuture<Void> receive = receiver.receiveTo(disk, 5L << 30, io);
                ByteBuffer piece = ByteBuffer.allocate(64 * 1024);
                long sent = 0;
                // Nothing becomes writable for so long: the window is closed.
                while (sent < 100L << 20 && selector.select(1000) > 0) {
                    selector.selectedKeys().clear();
                    sent += it.peer.write(piece.clear());
                }
                assertThat(sent).isLessThan(100L << 20);
                assertThat(it.bytesRead).hasValueBetween(1, 2 * 64 * 1024);
                // The disk works again: everything comes, and is counted where it is.
                disk.permits.release(Integer.MAX_VALUE);
                key.cancel();
                it.peer.close();
                assertThat(done(receive).cause()).hasMessage("stream ended after " + sent + " of 5368709120 bytes");
                assertThat(disk.file.position()).isEqualTo(sent);
            }
        }

        @Test // 44: a thread that is interrupted while it writes would find the file closed
        void aCancelDoesNotInterruptTheWrite() throws Exception {
            try (Loopback it = new Loopback(Transport.nio(), receiver);
                    Disk disk = new Disk(directory.resolve("file"))) {
                ProgressiveFuture<Void> receive = receiver.receiveTo(disk, 100, io);
                it.send("ABC");
                while (!disk.permits.hasQueuedThreads()) {
                    Thread.onSpinWait();
                }
                assertThat(receive.cancel(true)).isTrue();
                it.send("DEF");
                assertThat(text(receiver.receive(3))).isEqualTo("DEF");
                disk.permits.release();
                CompletableFuture<Long> position = new CompletableFuture<>();
                io.execute(() -> position.complete(position(disk.file)));
                assertThat(position.get(Loopback.SECONDS, TimeUnit.SECONDS)).isEqualTo(3);
                assertThat(disk.interrupted).hasValue(0);
                assertThat(disk.isOpen()).isTrue();
            }
        }

        private static long position(FileChannel file) {
            try {
                return file.position();
            } catch (IOException e) {
                return -1;
            }
        }

        @Test // 41, 46: the event loop has ended when the disk has written what it was given, and is given the rest
        void theEventLoopEndsWhileTheSinkIsBehind() throws Exception {
            try (Loopback it = new Loopback(Transport.nio(), receiver);
                    Disk disk = new Disk(directory.resolve("file"))) {
                ProgressiveFuture<Void> receive = receiver.receiveTo(disk, 100, io);
                ProgressiveFuture<ByteBuf> next = receiver.receive(1);
                it.send("ABC");
                while (!disk.permits.hasQueuedThreads()) {
                    Thread.onSpinWait();
                }
                it.send("DEFG");
                while (it.bytesRead.get() < 7) {
                    Thread.onSpinWait();
                }
                CompletableFuture<Throwable> told = new CompletableFuture<>();
                next.addListener((Future<ByteBuf> failed) -> told.complete(failed.cause()));
                it.group.shutdownGracefully(10, Loopback.SECONDS * 1000, TimeUnit.MILLISECONDS);
                assertThat(it.group.awaitTermination(Loopback.SECONDS, TimeUnit.SECONDS)).isTrue();
                assertThat(receive.isDone()).isFalse();
                disk.permits.release(Integer.MAX_VALUE);
                assertThat(done(receive).cause()).hasMessage("stream ended after 7 of 100 bytes");
                assertThat(told.get(Loopback.SECONDS, TimeUnit.SECONDS)).isInstanceOf(PrematureCloseException.class);
                assertThat(disk.file.position()).isEqualTo(7);
            }
        }

        @Test // 41, 46: the receiver's own executor has ended, the channel has not
        void itsExecutorEndsWhileTheSinkIsBehind() throws Exception {
            DefaultEventExecutorGroup executors = new DefaultEventExecutorGroup(1);
            EmbeddedChannel channel = new EmbeddedChannel();
            channel.pipeline().addLast(executors, receiver);
            BlockingQueue<Runnable> tasks = new LinkedBlockingQueue<>();
            try (Disk disk = new Disk(directory.resolve("file"))) {
                disk.permits.release();
                ProgressiveFuture<Void> receive = receiver.receiveTo(disk, 100, tasks::add);
                channel.pipeline().fireChannelRead(channel.alloc().buffer().writeBytes(new byte[3]));
                Runnable write = tasks.poll(Loopback.SECONDS, TimeUnit.SECONDS);
                executors.shutdownGracefully(0, Loopback.SECONDS, TimeUnit.SECONDS);
                assertThat(executors.awaitTermination(Loopback.SECONDS, TimeUnit.SECONDS)).isTrue();
                write.run();
                assertThat(done(receive).cause()).hasMessage("stream ended after 3 of 100 bytes");
                assertThat(disk.file.position()).isEqualTo(3);
            }
        }
    }

    /** The event loop never writes to a file: watched by BlockHound, which changes its whole JVM and has one of its own. */
    @Tag("slow")
    @Nested
    class NeverBlocks {
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
                            NeverBlocks.class.getName(),
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
}
