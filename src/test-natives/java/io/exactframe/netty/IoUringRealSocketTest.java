package io.exactframe.netty;

import io.exactframe.netty.testing.Loopback.Transport;

class IoUringRealSocketTest extends RealSocketTest {
    @Override
    Transport transport() {
        return Natives.ioUring();
    }
}
