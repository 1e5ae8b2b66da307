package io.exactframe.netty;

class IoUringRealSocketTest extends RealSocketTest {
    @Override
    Transport transport() {
        return Natives.ioUring();
    }
}
