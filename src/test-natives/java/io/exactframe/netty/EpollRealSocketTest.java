package io.exactframe.netty;

import io.exactframe.netty.testing.Loopback.Transport;

class EpollRealSocketTest extends RealSocketTest {
    @Override
    Transport transport() {
        return Natives.epoll();
    }
}
