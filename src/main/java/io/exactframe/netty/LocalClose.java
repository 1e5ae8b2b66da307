package io.exactframe.netty;

import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelPromise;

/** Whether Netty closed a channel because a write of ours had failed. */
final class LocalClose {
    private LocalClose() {}

    /** Asks in the one way there is: a write to such a channel fails with what made Netty close it. Best effort. */
    static boolean isCauseOf(Channel channel) {
        ChannelPromise promise = channel.newPromise();
        try {
            if (!channel.isOpen() && channel.eventLoop().inEventLoop()) {
                channel.unsafe().write(Unpooled.EMPTY_BUFFER, promise);
            }
        } catch (RuntimeException notItsWay) {
            return false;
        }
        return promise.cause() != null && promise.cause().getCause() != null;
    }
}
