package io.exactframe.netty;

import io.exactframe.netty.testing.Loopback.Transport;

class EpollFrameForwardingTest extends FrameForwardingTest {
    @Override
    Transport transport() {
        return Natives.epoll();
    }
}
