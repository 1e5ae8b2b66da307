package io.exactframe.netty;

import io.exactframe.netty.testing.Loopback.Transport;

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
