package io.exactframe.netty;

import io.exactframe.netty.testing.Loopback.Transport;

class IoUringApplicationAutoReadTest extends ApplicationAutoReadTest {
    @Override
    Transport transport() {
        return Natives.ioUring();
    }
}
