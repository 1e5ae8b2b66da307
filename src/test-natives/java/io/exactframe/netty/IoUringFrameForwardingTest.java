package io.exactframe.netty;

class IoUringFrameForwardingTest extends FrameForwardingTest {
    @Override
    Transport transport() {
        return Natives.ioUring();
    }
}
