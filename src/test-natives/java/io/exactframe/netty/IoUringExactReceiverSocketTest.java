package io.exactframe.netty;

class IoUringExactReceiverSocketTest extends ExactReceiverSocketTest {
    @Override
    Transport transport() {
        return Natives.ioUring();
    }

    @Override
    boolean canChangeItsLoop() {
        return false; // Netty 4.2.18, with any handlers
    }
}
