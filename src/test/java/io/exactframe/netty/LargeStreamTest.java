package io.exactframe.netty;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.exactframe.netty.testing.Wire;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import java.io.File;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.zip.CRC32;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** 51: frames that are larger than all memory there is. */
@Tag("slow")
class LargeStreamTest {
    @TempDir
    private Path directory;

    private String inSmallMemory(String... arguments) throws Exception {
        File output = directory.resolve("output").toFile();
        ProcessBuilder program = new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx64m",
                "-XX:MaxDirectMemorySize=64m",
                "-cp",
                System.getProperty("java.class.path"),
                StreamInSmallMemory.class.getName(),
                arguments[0],
                arguments[1]);
        Process process = program.redirectErrorStream(true).redirectOutput(output).start();
        try {
            assertThat(process.waitFor(120, TimeUnit.SECONDS)).isTrue();
        } finally {
            process.destroyForcibly();
        }
        return Files.readString(output.toPath(), UTF_8).strip();
    }

    @Test
    void fiveGibibytesStreamThroughAHeapOf64MiB() throws Exception {
        assertThat(inSmallMemory("generated", Long.toString((5L << 30) + 12_345)))
                .endsWith("5368721465 bytes, at most 65536 at once");
    }

    @Test
    void aFrameLargerThanMemoryArrivesOverASocket() throws Exception {
        assertThat(inSmallMemory("loopback", Long.toString((256L << 20) + 12_345)))
                .startsWith("268447801 bytes, at most ")
                .endsWith(" at once, checksum as sent");
    }

    /** A program for a JVM with little memory: one frame through a stream decoder. Says what came. */
    static final class StreamInSmallMemory {
        private static final int READ = 1 << 16;

        /** Counts a frame's bytes. */
        private static final class Counter extends ChannelInboundHandlerAdapter {
            final CompletableFuture<String> end = new CompletableFuture<>();
            private final CRC32 checksum = new CRC32();
            private final boolean sums;
            private long received;
            private int largest;

            Counter(boolean sums) {
                this.sums = sums;
            }

            @Override
            public void channelRead(ChannelHandlerContext ctx, Object message) {
                if (message instanceof FrameChunk chunk) {
                    ByteBuf bytes = chunk.content();
                    if (chunk.offset() != received) {
                        end.completeExceptionally(new AssertionError("offset " + chunk.offset() + " at " + received));
                    }
                    received += bytes.readableBytes();
                    largest = Math.max(largest, bytes.readableBytes());
                    if (sums) {
                        checksum.update(bytes.nioBuffer());
                    }
                    chunk.release();
                    if (chunk.isLast()) {
                        end.complete(received + " bytes, at most " + largest + " at once"
                                + (sums ? ", checksum " + checksum.getValue() : ""));
                    }
                }
            }

            @Override
            public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
                end.completeExceptionally(cause);
            }
        }

        private static byte[] header(long payload) {
            return Wire.number(payload, 8, false);
        }

        private static String generated(long payload) {
            Counter counter = new Counter(false);
            EmbeddedChannel channel =
                    new EmbeddedChannel(new FrameStreamDecoder(Long.MAX_VALUE, LengthPrefix.int64()), counter);
            Wire.receive(channel, header(payload));
            ByteBuf read = channel.alloc().directBuffer(READ, READ).writeZero(READ);
            for (long left = payload; left > 0; left -= READ) {
                Wire.receive(channel, left < READ ? read.retainedSlice(0, (int) left) : read.retainedDuplicate());
                if (read.refCnt() != 1) {
                    throw new AssertionError("held between reads");
                }
            }
            channel.finish();
            return counter.end.join();
        }

        private static String overLoopback(long payload) throws Exception {
            Counter counter = new Counter(true);
            MultiThreadIoEventLoopGroup group = new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
            Channel server = new ServerBootstrap()
                    .group(group)
                    .channel(NioServerSocketChannel.class)
                    .childHandler(new ChannelInitializer<>() {
                        @Override
                        protected void initChannel(Channel channel) {
                            channel.pipeline()
                                    .addLast(new FrameStreamDecoder(Long.MAX_VALUE, LengthPrefix.int64()), counter);
                        }
                    })
                    .bind(InetAddress.getLoopbackAddress(), 0)
                    .sync()
                    .channel();
            CRC32 sent = new CRC32();
            try (SocketChannel peer = SocketChannel.open(server.localAddress())) {
                send(peer, ByteBuffer.wrap(header(payload)));
                ByteBuffer piece = ByteBuffer.allocateDirect(READ);
                for (long left = payload; left > 0; left -= READ) {
                    piece.clear().limit((int) Math.min(left, READ)).putLong(0, left);
                    sent.update(piece.duplicate());
                    send(peer, piece);
                }
                String received = counter.end.get(60, TimeUnit.SECONDS);
                return received.replace("checksum " + sent.getValue(), "checksum as sent");
            } finally {
                group.shutdownGracefully(0, 10, TimeUnit.SECONDS).sync();
            }
        }

        private static void send(SocketChannel peer, ByteBuffer bytes) throws Exception {
            while (bytes.hasRemaining()) {
                peer.write(bytes);
            }
        }

        public static void main(String[] arguments) throws Exception {
            long payload = Long.parseLong(arguments[1]);
            System.out.println(arguments[0].equals("generated") ? generated(payload) : overLoopback(payload));
        }

        private StreamInSmallMemory() {}
    }
}
