package io.exactframe.netty;

class EpollRealSocketTest extends RealSocketTest {
    @Override
    Transport transport() {
        return Natives.epoll();
    }
}
