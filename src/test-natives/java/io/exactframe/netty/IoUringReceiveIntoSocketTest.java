package io.exactframe.netty;

class IoUringReceiveIntoSocketTest extends ReceiveIntoSocketTest {
    @Override
    Transport transport() {
        return Natives.ioUring();
    }
}
