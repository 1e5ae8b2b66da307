package io.exactframe.netty;

import io.exactframe.netty.testing.Loopback.Transport;

class EpollEncoderTest extends EncoderTest {
    @Override
    Transport transport() {
        return Natives.epoll();
    }
}
