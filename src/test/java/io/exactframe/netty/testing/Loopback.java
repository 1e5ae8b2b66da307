package io.exactframe.netty.testing;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.channel.AdaptiveRecvByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerAdapter;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import io.netty.channel.IoHandlerFactory;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.ServerChannel;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.ServerSocketChannel;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.util.UncheckedBooleanSupplier;
import io.netty.util.concurrent.DefaultThreadFactory;
import io.netty.util.concurrent.Future;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/** A connection over the loopback device: Netty's end, and a peer that is an ordinary blocking socket. */
public final class Loopback implements AutoCloseable {
    /**
     * Whose sockets a test runs on. Where {@code keepsLoops}, all tests share the transport's event loops and none
     * shuts them down.
     */
    public record Transport(
            IoHandlerFactory io,
            Class<? extends ServerSocketChannel> server,
            Class<? extends io.netty.channel.socket.SocketChannel> socket,
            boolean keepsLoops) {
        private static final Map<Class<?>, MultiThreadIoEventLoopGroup> KEPT = new ConcurrentHashMap<>();

        public static Transport nio() {
            return new Transport(
                    NioIoHandler.newFactory(), NioServerSocketChannel.class, NioSocketChannel.class, false);
        }

        /** Two event loops, to be given back to {@link #leave}. */
        public MultiThreadIoEventLoopGroup loops() {
            return keepsLoops ? KEPT.computeIfAbsent(server, of -> newLoops()) : newLoops();
        }

        private MultiThreadIoEventLoopGroup newLoops() {
            return new MultiThreadIoEventLoopGroup(2, new DefaultThreadFactory("loopback", true), io);
        }

        public void leave(MultiThreadIoEventLoopGroup loops) throws InterruptedException {
            if (!keepsLoops) {
                loops.shutdownGracefully(0, SECONDS, TimeUnit.SECONDS);
                assertThat(loops.awaitTermination(SECONDS, TimeUnit.SECONDS)).isTrue();
            }
        }
    }

    public static final long SECONDS = 20; // more than anything here takes, on any machine

    public final MultiThreadIoEventLoopGroup group;
    public final SocketChannel peer;
    public final Channel channel;

    /** What reached the end of the pipeline: bytes as text, everything else by its name. */
    public final BlockingQueue<String> passed = new LinkedBlockingQueue<>();

    /** Bytes that came out of the transport. */
    public final AtomicLong bytesRead = new AtomicLong();

    private final CountDownLatch tornDown = new CountDownLatch(1);
    private final Channel server;
    private final Transport transport;

    public Loopback(Transport transport, ChannelHandler... handlers) throws Exception {
        this(transport, false, channel -> channel.pipeline().addLast(handlers));
    }

    @SuppressWarnings("deprecation") // the option has this name in Netty 4.1 too
    public Loopback(Transport transport, boolean halfClosure, Initializer initializer) throws Exception {
        this.transport = transport;
        group = transport.loops();
        BlockingQueue<Channel> accepted = new LinkedBlockingQueue<>();
        server = new ServerBootstrap()
                .group(group)
                .channel(transport.server().asSubclass(ServerChannel.class))
                .childOption(ChannelOption.ALLOW_HALF_CLOSURE, halfClosure)
                .childOption(ChannelOption.RCVBUF_ALLOCATOR, new ReadCounter().maxMessagesPerRead(16))
                .childHandler(new ChannelInitializer<>() {
                    @Override
                    protected void initChannel(Channel channel) throws Exception {
                        channel.pipeline().addLast(new TearDown());
                        initializer.initialize(channel);
                        channel.pipeline().addLast(new Notes());
                        accepted.add(channel);
                    }
                })
                .bind(InetAddress.getLoopbackAddress(), 0)
                .sync()
                .channel();
        peer = SocketChannel.open(address());
        peer.setOption(StandardSocketOptions.TCP_NODELAY, true);
        channel = accepted.poll(SECONDS, TimeUnit.SECONDS);
        assertThat(channel).isNotNull();
        channel.eventLoop().submit(() -> {}).sync(); // registered and active
    }

    public interface Initializer {
        void initialize(Channel channel) throws Exception;
    }

    public InetSocketAddress address() {
        return (InetSocketAddress) server.localAddress();
    }

    /** Counts without a handler, which could change how the transport reads. */
    private final class ReadCounter extends AdaptiveRecvByteBufAllocator {
        @Override
        @SuppressWarnings("deprecation")
        public Handle newHandle() {
            ExtendedHandle handle = (ExtendedHandle) super.newHandle();
            class Counting extends DelegatingHandle implements ExtendedHandle {
                Counting() {
                    super(handle);
                }

                @Override
                public void lastBytesRead(int bytes) {
                    bytesRead.addAndGet(Math.max(bytes, 0));
                    super.lastBytesRead(bytes);
                }

                @Override
                public boolean continueReading(UncheckedBooleanSupplier maybeMoreData) {
                    return handle.continueReading(maybeMoreData);
                }
            }
            return new Counting();
        }
    }

    private final class Notes extends ChannelInboundHandlerAdapter {
        @Override
        public void channelRead(ChannelHandlerContext ctx, Object message) {
            ByteBuf bytes = (ByteBuf) message;
            passed.add(bytes.toString(ISO_8859_1));
            bytes.release();
        }

        @Override
        public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
            passed.add(event.getClass().getSimpleName());
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
            // A transport's own subclasses of IOException count as that.
            passed.add(cause instanceof IOException ? "IOException" : cause.getClass().getSimpleName());
        }

        @Override
        public void channelInactive(ChannelHandlerContext ctx) {
            passed.add("inactive");
        }
    }

    /** First in the pipeline, so the last to go. Sees nothing of what is read. */
    private final class TearDown extends ChannelHandlerAdapter {
        @Override
        public void handlerRemoved(ChannelHandlerContext ctx) {
            tornDown.countDown();
        }
    }

    /** The next that reaches the end of the pipeline. */
    public String nextPassed() throws InterruptedException {
        return passed.poll(SECONDS, TimeUnit.SECONDS);
    }

    public void send(String text) throws IOException {
        send(ByteBuffer.wrap(text.getBytes(ISO_8859_1)));
    }

    public void send(ByteBuffer bytes) throws IOException {
        while (bytes.hasRemaining()) {
            peer.write(bytes);
        }
    }

    public void reset() throws IOException {
        peer.setOption(StandardSocketOptions.SO_LINGER, 0);
        peer.close();
    }

    /** Closes Netty's end and waits until its pipeline is gone. */
    public void closeChannel() throws InterruptedException {
        channel.close();
        assertThat(tornDown.await(SECONDS, TimeUnit.SECONDS)).isTrue();
    }

    /** Holds an event loop up until the latch opens. */
    public static CountDownLatch block(EventLoop loop) throws InterruptedException {
        CountDownLatch held = new CountDownLatch(1);
        CountDownLatch open = new CountDownLatch(1);
        loop.execute(() -> {
            held.countDown();
            try {
                open.await();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        });
        assertThat(held.await(SECONDS, TimeUnit.SECONDS)).isTrue();
        return open;
    }

    public static <F extends Future<?>> F done(F future) throws InterruptedException {
        assertThat(future.await(SECONDS, TimeUnit.SECONDS)).as("done in time").isTrue();
        return future;
    }

    public static String text(Future<ByteBuf> receive) throws InterruptedException {
        return ReceiverChannel.text(done(receive));
    }

    @Override
    public void close() throws Exception {
        peer.close();
        if (!group.isShuttingDown()) {
            closeChannel();
            server.close().sync();
        }
        transport.leave(group);
    }
}
