package io.exactframe.netty;

import io.exactframe.netty.testing.Loopback.Transport;

class IoUringOnDemandSocketTest extends OnDemandSocketTest {
    @Override
    Transport transport() {
        return Natives.ioUring();
    }
}
