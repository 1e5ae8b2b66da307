package io.exactframe.netty;

class EpollExactReceiverSocketTest extends ExactReceiverSocketTest {
    @Override
    Transport transport() {
        return Natives.epoll();
    }
}
