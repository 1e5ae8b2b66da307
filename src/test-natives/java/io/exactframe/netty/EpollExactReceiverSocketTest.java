package io.exactframe.netty;

import io.exactframe.netty.testing.Loopback.Transport;

class EpollExactReceiverSocketTest extends ExactReceiverSocketTest {
    @Override
    Transport transport() {
        return Natives.epoll();
    }
}
