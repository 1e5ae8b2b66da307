package io.exactframe.netty;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.file.StandardOpenOption.WRITE;
import static org.assertj.core.api.Assertions.assertThat;

import io.netty.bootstrap.Bootstrap;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerAdapter;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.DefaultFileRegion;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.handler.flow.FlowControlHandler;
import io.netty.util.ReferenceCountUtil;
import io.netty.util.concurrent.DefaultEventExecutorGroup;
import io.netty.util.concurrent.EventExecutorGroup;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The README's uploads: frames of any size to files, and nothing left of one that is not whole. */
class StreamToFilesTest {
    // README: from here
    static final class UploadHandler extends ChannelInboundHandlerAdapter {
        private final Path directory;
        private Path part;
        private FileChannel file;

        UploadHandler(Path directory) {
            this.directory = directory;
        }

        @Override
        public void channelActive(ChannelHandlerContext ctx) {
            ctx.fireChannelActive();
            ctx.read();
        }

        @Override
        public void channelRead(ChannelHandlerContext ctx, Object message) throws IOException {
            try {
                if (message instanceof FrameStart) {
                    part = Files.createTempFile(directory, "upload", ".part");
                    file = FileChannel.open(part, WRITE);
                } else if (message instanceof FrameChunk chunk) {
                    ByteBuf bytes = chunk.content();
                    while (bytes.isReadable()) {
                        bytes.readBytes(file, bytes.readableBytes());
                    }
                    if (chunk.isLast()) { // only now is the upload whole
                        file.close();
                        Files.move(part, Path.of(part.toString().replace(".part", ".whole")));
                        part = null;
                    }
                }
            } finally {
                ReferenceCountUtil.release(message);
            }
            ctx.read(); // the next, when this one is on the disk
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
            ctx.close(); // an upload that was cut off, or a disk that is full
        }

        @Override
        public void handlerRemoved(ChannelHandlerContext ctx) throws IOException {
            if (part != null) { // the channel is closed, and the last chunk has not come
                file.close();
                Files.delete(part);
            }
        }
    }
    // README: to here

    @TempDir
    private Path directory;

    private final MultiThreadIoEventLoopGroup loops = new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
    private final EventExecutorGroup disk = new DefaultEventExecutorGroup(1);
    private final CountDownLatch tornDown = new CountDownLatch(1);
    private Channel server;

    @BeforeEach
    void listen() throws Exception {
        server = new ServerBootstrap()
                .group(loops)
                .channel(NioServerSocketChannel.class)
                .childOption(ChannelOption.AUTO_READ, false)
                .childHandler(new ChannelInitializer<>() {
                    @Override
                    protected void initChannel(Channel channel) {
                        channel.pipeline().addLast(new ChannelHandlerAdapter() {
                            @Override
                            public void handlerRemoved(ChannelHandlerContext ctx) {
                                tornDown.countDown(); // the first handler is the last to go
                            }
                        });
                        // README: from here
                        channel.pipeline()
                                .addLast(new FrameStreamDecoder(1L << 40, LengthPrefix.int64()))
                                .addLast(new FlowControlHandler()) // a message for each read()
                                .addLast(disk, new UploadHandler(directory));
                        // README: to here
                    }
                })
                .bind(InetAddress.getLoopbackAddress(), 0)
                .sync()
                .channel();
    }

    @AfterEach
    void stop() throws Exception {
        server.close().sync();
        assertThat(loops.shutdownGracefully(0, 10, TimeUnit.SECONDS).await(30, TimeUnit.SECONDS)).isTrue();
        assertThat(disk.shutdownGracefully(0, 10, TimeUnit.SECONDS).await(30, TimeUnit.SECONDS)).isTrue();
    }

    private void send(byte[]... parts) throws Exception {
        try (SocketChannel peer = SocketChannel.open(server.localAddress())) {
            for (byte[] part : parts) {
                ByteBuffer bytes = ByteBuffer.wrap(part);
                while (bytes.hasRemaining()) {
                    peer.write(bytes);
                }
            }
        }
        assertThat(tornDown.await(30, TimeUnit.SECONDS)).isTrue();
    }

    private byte[][] files() throws IOException {
        try (Stream<Path> files = Files.list(directory)) {
            return files.map(file -> {
                        assertThat(file.toString()).endsWith(".whole");
                        try {
                            return Files.readAllBytes(file);
                        } catch (IOException e) {
                            throw new AssertionError(e);
                        }
                    })
                    .sorted((one, other) -> one.length - other.length)
                    .toArray(byte[][]::new);
        }
    }

    @Test
    void uploadsArriveAndAPartOfOneDoesNot() throws Exception {
        byte[] large = Wire.random(new Random(1), 3_000_000);
        byte[] small = "small".getBytes(ISO_8859_1);
        send(
                Wire.number(large.length, 8, false), large,
                Wire.number(0, 8, false),
                Wire.number(small.length, 8, false), small,
                Wire.number(large.length, 8, false), Arrays.copyOf(large, 1_000_000));
        assertThat(files()).isDeepEqualTo(new byte[][] {{}, small, large});
    }

    // README: from here
    static ChannelFuture send(Channel channel, Path file) throws IOException {
        ByteBuf length = channel.alloc().buffer(8);
        LengthPrefix.int64().writeLength(length, Files.size(file));
        channel.write(length);
        return channel.writeAndFlush(new DefaultFileRegion(file.toFile(), 0, Files.size(file)));
    }
    // README: to here

    @Test
    void aFileIsSentBehindItsLength() throws Exception {
        byte[] bytes = Wire.random(new Random(2), 2_000_000);
        Path file = Files.write(directory.resolve("sent.whole"), bytes);
        Channel client = new Bootstrap()
                .group(loops)
                .channel(NioSocketChannel.class)
                .handler(new ChannelInboundHandlerAdapter())
                .connect(server.localAddress())
                .sync()
                .channel();
        send(client, file).addListener(ChannelFutureListener.CLOSE).sync();
        assertThat(tornDown.await(30, TimeUnit.SECONDS)).isTrue();
        assertThat(files()).isDeepEqualTo(new byte[][] {bytes, bytes});
    }
}
