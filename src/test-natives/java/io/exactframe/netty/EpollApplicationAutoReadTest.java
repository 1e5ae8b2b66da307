package io.exactframe.netty;

import io.exactframe.netty.testing.Loopback.Transport;

class EpollApplicationAutoReadTest extends ApplicationAutoReadTest {
    @Override
    Transport transport() {
        return Natives.epoll();
    }
}
