package io.exactframe.netty;

import io.exactframe.netty.testing.Loopback.Transport;

class IoUringEveryByteOnASocketTest extends EveryByteOnASocketTest {
    @Override
    Transport transport() {
        return Natives.ioUring();
    }
}
