package io.exactframe.netty;

import io.exactframe.netty.testing.Loopback.Transport;

class EpollEveryByteOnASocketTest extends EveryByteOnASocketTest {
    @Override
    Transport transport() {
        return Natives.epoll();
    }
}
