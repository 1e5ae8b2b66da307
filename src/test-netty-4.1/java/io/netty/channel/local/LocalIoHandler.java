package io.netty.channel.local;

import io.netty.channel.IoHandlerFactory;

public final class LocalIoHandler {
    private LocalIoHandler() {}

    public static IoHandlerFactory newFactory() {
        return new IoHandlerFactory() {};
    }
}
