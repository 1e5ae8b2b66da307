package io.netty.channel;

import io.netty.channel.nio.NioEventLoopGroup;
import java.util.concurrent.ThreadFactory;

public final class MultiThreadIoEventLoopGroup extends NioEventLoopGroup {
    public MultiThreadIoEventLoopGroup(int threads, IoHandlerFactory io) {
        super(threads);
    }

    public MultiThreadIoEventLoopGroup(int threads, ThreadFactory factory, IoHandlerFactory io) {
        super(threads, factory);
    }
}
