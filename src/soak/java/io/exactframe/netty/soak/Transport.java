package io.exactframe.netty.soak;

import io.netty.channel.IoHandlerFactory;
import io.netty.channel.ServerChannel;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.channel.uring.IoUringIoHandler;
import io.netty.channel.uring.IoUringServerSocketChannel;

/** Whose sockets the readers are. Peers are always NIO's: closed with SO_LINGER 0, io_uring's do not always reset. */
record Transport(IoHandlerFactory io, Class<? extends ServerChannel> type) {
    /** Netty 4.2.18 on io_uring is silent about a reset that comes while bytes are unread. */
    boolean tellsOfResets() {
        return type != IoUringServerSocketChannel.class;
    }

    static Transport of(String name) {
        return switch (name) {
            case "nio" -> new Transport(NioIoHandler.newFactory(), NioServerSocketChannel.class);
            case "epoll" -> new Transport(EpollIoHandler.newFactory(), EpollServerSocketChannel.class);
            case "io_uring" -> new Transport(IoUringIoHandler.newFactory(), IoUringServerSocketChannel.class);
            default -> throw new IllegalArgumentException("nio, epoll or io_uring, not " + name);
        };
    }
}
