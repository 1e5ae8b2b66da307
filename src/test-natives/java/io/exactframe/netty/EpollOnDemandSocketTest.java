package io.exactframe.netty;

import io.exactframe.netty.testing.Loopback.Transport;

class EpollOnDemandSocketTest extends OnDemandSocketTest {
    @Override
    Transport transport() {
        return Natives.epoll();
    }
}
