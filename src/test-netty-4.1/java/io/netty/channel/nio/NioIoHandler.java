package io.netty.channel.nio;

import io.netty.channel.IoHandlerFactory;

public final class NioIoHandler {
    private NioIoHandler() {}

    public static IoHandlerFactory newFactory() {
        return new IoHandlerFactory() {};
    }
}
