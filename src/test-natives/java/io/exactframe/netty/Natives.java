package io.exactframe.netty;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.exactframe.netty.testing.Loopback.Transport;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.epoll.EpollSocketChannel;
import io.netty.channel.uring.IoUring;
import io.netty.channel.uring.IoUringIoHandler;
import io.netty.channel.uring.IoUringServerSocketChannel;
import io.netty.channel.uring.IoUringSocketChannel;

/** The transports of Linux; where there is none, the tests that want it are skipped and say why. */
final class Natives {
    private Natives() {}

    static Transport epoll() {
        assumeTrue(Epoll.isAvailable(), () -> "no epoll here: " + Epoll.unavailabilityCause());
        return new Transport(EpollIoHandler.newFactory(), EpollServerSocketChannel.class, EpollSocketChannel.class, false);
    }

    static Transport ioUring() {
        assumeTrue(IoUring.isAvailable(), () -> "no io_uring here: " + IoUring.unavailabilityCause());
        // An io_uring loop of Netty 4.2.18 that shuts down may free the 8 bytes of its wake-up while the kernel still
        // has a read into them: about one in 3,000 wrote into freed memory, and the JVM aborted in malloc.
        return new Transport(
                IoUringIoHandler.newFactory(), IoUringServerSocketChannel.class, IoUringSocketChannel.class, true);
    }
}
