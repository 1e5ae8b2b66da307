package io.exactframe.netty;

import io.exactframe.netty.testing.Loopback.Transport;

class EpollLocalCloseTest extends LocalCloseTest {
    @Override
    Transport transport() {
        return Natives.epoll();
    }
}
