package io.exactframe.netty.benchmark;

import io.netty.channel.IoHandlerFactory;
import io.netty.channel.socket.ServerSocketChannel;
import io.netty.channel.socket.SocketChannel;

/** Whose sockets are read from, or written to. By name: the native ones are not on every class path. */
enum SocketTransport {
    nio(
            "io.netty.channel.nio.NioIoHandler",
            "io.netty.channel.socket.nio.NioSocketChannel",
            "io.netty.channel.socket.nio.NioServerSocketChannel",
            null),
    epoll(
            "io.netty.channel.epoll.EpollIoHandler",
            "io.netty.channel.epoll.EpollSocketChannel",
            "io.netty.channel.epoll.EpollServerSocketChannel",
            "io.netty.channel.epoll.Epoll"),
    io_uring(
            "io.netty.channel.uring.IoUringIoHandler",
            "io.netty.channel.uring.IoUringSocketChannel",
            "io.netty.channel.uring.IoUringServerSocketChannel",
            "io.netty.channel.uring.IoUring");

    private final String handler;
    private final String channel;
    private final String serverChannel;
    private final String availability;

    SocketTransport(String handler, String channel, String serverChannel, String availability) {
        this.handler = handler;
        this.channel = channel;
        this.serverChannel = serverChannel;
        this.availability = availability;
    }

    boolean isAvailable() {
        try {
            return availability == null
                    || (boolean) Class.forName(availability).getMethod("isAvailable").invoke(null);
        } catch (ReflectiveOperationException e) {
            return false;
        }
    }

    IoHandlerFactory io() throws ReflectiveOperationException {
        return (IoHandlerFactory) Class.forName(handler).getMethod("newFactory").invoke(null);
    }

    Class<? extends SocketChannel> channel() throws ReflectiveOperationException {
        return Class.forName(channel).asSubclass(SocketChannel.class);
    }

    Class<? extends ServerSocketChannel> serverChannel() throws ReflectiveOperationException {
        return Class.forName(serverChannel).asSubclass(ServerSocketChannel.class);
    }
}
