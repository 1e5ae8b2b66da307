package io.exactframe.netty;

import io.exactframe.netty.testing.Loopback.Transport;

class IoUringEncoderTest extends EncoderTest {
    @Override
    Transport transport() {
        return Natives.ioUring();
    }
}
