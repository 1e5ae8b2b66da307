package io.exactframe.netty;

class EpollReceiveIntoSocketTest extends ReceiveIntoSocketTest {
    @Override
    Transport transport() {
        return Natives.epoll();
    }
}
