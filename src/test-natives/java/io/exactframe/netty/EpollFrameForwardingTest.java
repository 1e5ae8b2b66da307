package io.exactframe.netty;

class EpollFrameForwardingTest extends FrameForwardingTest {
    @Override
    Transport transport() {
        return Natives.epoll();
    }
}
