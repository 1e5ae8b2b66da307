package io.exactframe.examples.filetransfer;

import io.exactframe.netty.ExactReceiver;
import io.exactframe.netty.LengthPrefix;
import io.exactframe.netty.LengthPrefixedEncoder;
import io.netty.bootstrap.Bootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.ConnectTimeoutException;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.DuplexChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.handler.stream.ChunkedWriteHandler;
import io.netty.util.concurrent.Future;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.NoRouteToHostException;
import java.net.SocketTimeoutException;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/**
 * One TCP connection: frames and content go out, exactly what is asked for comes in.
 *
 * <pre>
 *   socket --&gt; ExactReceiver --&gt; receive(...)
 *   socket &lt;-- ChunkedWriteHandler &lt;-- LengthPrefixedEncoder &lt;-- send(a frame)
 *                          ^-- the pieces of a file have no length
 * </pre>
 *
 * The event loop moves bytes and nothing else. Whoever calls waits in a thread of his own, which is where files are
 * read about and written; a receive that is not made keeps the peer waiting, so nothing piles up.
 */
final class Connection implements AutoCloseable {
    static final LengthPrefix PREFIX = LengthPrefix.uint16();

    /** In which a frame has to come whole, and the next piece of a file: a peer that is gone does not always say so. */
    static final Duration TIMEOUT = Duration.ofSeconds(60);

    static final Duration FOREVER = Duration.ofMillis(Long.MAX_VALUE);

    private static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(10);
    private static final Duration GOODBYE = Duration.ofSeconds(2);
    private static final int MAX_REPLY_FRAME_LENGTH = 64;
    private static final LengthPrefixedEncoder ENCODER = new LengthPrefixedEncoder(PREFIX);

    private final ExactReceiver receiver = new ExactReceiver();
    private final Channel channel;

    /** Equips a channel that has just been made. */
    Connection(Channel channel) {
        this.channel = channel;
        channel.pipeline().addLast(new ChunkedWriteHandler(), ENCODER, receiver, new FailuresAreInTheFutures());
    }

    private static final class FailuresAreInTheFutures extends ChannelInboundHandlerAdapter {
        @Override
        public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {}
    }

    static EventLoopGroup newEventLoop() {
        return new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
    }

    static void stop(EventLoopGroup loop) {
        loop.shutdownGracefully(0, 5, TimeUnit.SECONDS).awaitUninterruptibly();
    }

    static Connection open(EventLoopGroup loop, Address address) throws TransferException {
        Connection[] opened = new Connection[1];
        ChannelFuture connected = new Bootstrap()
                .group(loop)
                .channel(NioSocketChannel.class)
                // The end of what comes closes nothing by itself: a verdict can still be sent, and a receive that is
                // made after the end fails like one that was made before it.
                .option(ChannelOption.ALLOW_HALF_CLOSURE, true)
                .option(ChannelOption.SO_KEEPALIVE, true)
                .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, (int) CONNECT_TIMEOUT.toMillis())
                .handler(new ChannelInitializer<>() {
                    @Override
                    protected void initChannel(Channel channel) {
                        opened[0] = new Connection(channel);
                    }
                })
                .connect(address.unresolved())
                .awaitUninterruptibly();
        if (!connected.isSuccess()) {
            throw new TransferException("cannot connect to " + address + ": " + reason(connected.cause()));
        }
        return opened[0];
    }

    /** Netty's messages have the address that was looked up; the user knows the one he typed. */
    private static String reason(Throwable cause) {
        if (cause instanceof UnknownHostException) {
            return "unknown host";
        } else if (cause instanceof ConnectTimeoutException) {
            return "no answer within " + CONNECT_TIMEOUT.toSeconds() + " s";
        } else if (cause instanceof NoRouteToHostException) {
            return "no route to the host";
        }
        return "connection refused";
    }

    /** Exactly so many bytes into a file. This thread writes while it waits; if the file fails, that knows why. */
    void receiveTo(PartFile file, long size, Progress progress) throws ConnectionLost {
        BlockingQueue<Runnable> writes = new LinkedBlockingQueue<>();
        Future<Void> content = receiver.receiveTo(file, size, writes::add);
        content.addListener(done -> writes.add(() -> {}));
        try {
            while (!content.isDone()) {
                Runnable write = writes.poll(TIMEOUT.toMillis(), TimeUnit.MILLISECONDS);
                if (write != null) {
                    write.run();
                    progress.reached(file.written());
                } else if (content.cancel(false)) {
                    throw new ConnectionLost(tooSlow(TIMEOUT));
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            content.cancel(false);
            throw new ConnectionLost(new InterruptedIOException("interrupted"));
        } finally {
            writes.forEach(Runnable::run); // handed over and not written, if it was cancelled
        }
        if (!content.isSuccess()) {
            throw new ConnectionLost(content.cause());
        }
    }

    /** The payload of a frame, for the caller to release. */
    ByteBuf receiveFrame(int maxFrameLength) throws ConnectionLost {
        return await(receiver.receive(PREFIX, maxFrameLength), TIMEOUT);
    }

    Reply receiveReply(Duration timeout) throws ConnectionLost {
        ByteBuf frame = await(receiver.receive(PREFIX, MAX_REPLY_FRAME_LENGTH), timeout);
        try {
            return Reply.decode(frame);
        } finally {
            frame.release();
        }
    }

    /** Sends what is not the content of a file: as a frame. If it cannot, the next receive fails too. */
    ChannelFuture send(ByteBuf frame) {
        return channel.writeAndFlush(frame);
    }

    /** Sends the content of a file, as fast as it is taken; the file is closed in the end. */
    ChannelFuture send(FileContent content) {
        return channel.writeAndFlush(content);
    }

    /**
     * Says why the transfer ends here, so that it is heard: a close while bytes come in would be a reset, which may
     * overtake what was said. So they are dropped until the sender, who has heard, closes.
     */
    void refuse(Reply reply) {
        send(reply.encode()).addListener(sent -> ((DuplexChannel) channel).shutdownOutput());
        Future<?> goodbye =
                channel.eventLoop().schedule(() -> channel.close(), GOODBYE.toMillis(), TimeUnit.MILLISECONDS);
        receiver.skip(Long.MAX_VALUE).awaitUninterruptibly();
        goodbye.cancel(false);
    }

    /** Closes without waiting: for the event loop. */
    void abort() {
        channel.close();
    }

    ByteBuf allocate() {
        return channel.alloc().buffer();
    }

    @Override
    public void close() {
        channel.close().awaitUninterruptibly();
    }

    private static IOException tooSlow(Duration timeout) {
        return new SocketTimeoutException("not whole within " + timeout.toSeconds() + " s");
    }

    private static ByteBuf await(Future<ByteBuf> future, Duration timeout) throws ConnectionLost {
        try {
            if (!future.await(timeout.toMillis()) && future.cancel(false)) {
                throw new ConnectionLost(tooSlow(timeout));
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            if (future.cancel(false)) {
                throw new ConnectionLost(new InterruptedIOException("interrupted"));
            }
        }
        // Done, or about to be: what could not be cancelled is ours.
        future.awaitUninterruptibly();
        if (!future.isSuccess()) {
            throw new ConnectionLost(future.cause());
        }
        return future.getNow();
    }
}
