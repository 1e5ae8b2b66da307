package io.exactframe.examples.filetransfer;

import io.netty.bootstrap.Bootstrap;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.AdaptiveRecvByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.ConnectTimeoutException;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.RecvByteBufAllocator;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.NoRouteToHostException;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/** Listening, connecting, and the event loop for both. */
final class Network implements AutoCloseable {
    private static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(10);

    private final EventLoopGroup loop = new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
    private final Security security;
    private final Duration patience;

    Network(Security security, Duration patience) {
        this.security = security;
        this.patience = patience;
    }

    /** Large reads: a file of some size is received in few of them. */
    private static RecvByteBufAllocator reads() {
        return new AdaptiveRecvByteBufAllocator(2048, 64 * 1024, 512 * 1024);
    }

    private ChannelInitializer<Channel> equip(Consumer<Connection> made) {
        return new ChannelInitializer<>() {
            @Override
            protected void initChannel(Channel channel) {
                security.equip(channel);
                made.accept(new Connection(channel, patience));
            }
        };
    }

    Connection open(Address address) throws TransferException {
        Connection[] opened = new Connection[1];
        ChannelFuture connected = new Bootstrap()
                .group(loop)
                .channel(NioSocketChannel.class)
                .option(ChannelOption.SO_KEEPALIVE, true)
                .option(ChannelOption.RECVBUF_ALLOCATOR, reads())
                .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, (int) CONNECT_TIMEOUT.toMillis())
                .handler(equip(connection -> opened[0] = connection))
                .connect(address.unresolved())
                .awaitUninterruptibly();
        if (!connected.isSuccess()) {
            throw TransferException.lost("cannot connect to " + address + ": " + reason(connected.cause())
                    + "; is 'send' still running there, and is this what it printed?");
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

    /**
     * Starts to listen.
     *
     * @param host the address to listen on, or null for all of this machine
     * @param port or 0 for any that is free
     * @return the port
     */
    Channel listen(String host, int port, Consumer<Connection> accepted) throws TransferException {
        InetSocketAddress address = host == null ? new InetSocketAddress(port) : new InetSocketAddress(host, port);
        if (address.isUnresolved()) {
            throw TransferException.failed("cannot listen on " + host + ": unknown host; --host is an address of this"
                    + " machine");
        }
        ChannelFuture bound = new ServerBootstrap()
                .group(loop)
                .channel(NioServerSocketChannel.class)
                .childOption(ChannelOption.SO_KEEPALIVE, true)
                .childOption(ChannelOption.TCP_NODELAY, true)
                .childHandler(equip(accepted))
                .bind(address)
                .awaitUninterruptibly();
        if (!bound.isSuccess()) {
            throw TransferException.failed("cannot listen on port " + port + ": "
                    + (bound.cause() instanceof IOException e ? FileProblem.describe(e) : "not possible")
                    + "; choose another with --port, or leave it out");
        }
        return bound.channel();
    }

    static int portOf(Channel server) {
        return ((InetSocketAddress) server.localAddress()).getPort();
    }

    @Override
    public void close() {
        loop.shutdownGracefully(0, 5, TimeUnit.SECONDS).awaitUninterruptibly();
        security.close();
    }
}
