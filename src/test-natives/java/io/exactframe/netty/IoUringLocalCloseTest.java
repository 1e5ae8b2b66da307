package io.exactframe.netty;

import io.exactframe.netty.testing.Loopback.Transport;

class IoUringLocalCloseTest extends LocalCloseTest {
    @Override
    Transport transport() {
        return Natives.ioUring();
    }
}
