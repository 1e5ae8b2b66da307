package io.netty.channel;

import io.netty.channel.nio.NioEventLoopGroup;

public final class MultiThreadIoEventLoopGroup extends NioEventLoopGroup {
    public MultiThreadIoEventLoopGroup(int threads, IoHandlerFactory io) {
        super(threads);
    }
}
