package io.exactframe.netty;

import io.exactframe.netty.testing.Loopback.Transport;

class IoUringFrameForwardingTest extends FrameForwardingTest {
    @Override
    Transport transport() {
        return Natives.ioUring();
    }
}
