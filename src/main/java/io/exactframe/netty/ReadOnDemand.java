package io.exactframe.netty;

import io.netty.channel.ChannelConfig;
import io.netty.channel.ChannelHandlerContext;

/** Reads one at a time, when told to, whatever auto-read was; leaves auto-read as it was found. */
final class ReadOnDemand {
    private boolean outstanding;
    private boolean autoReadFound;

    /** Holding back read() is not enough: with auto-read on, a transport goes on by itself. */
    void switchAutoReadOff(ChannelHandlerContext ctx) {
        ChannelConfig config = ctx.channel().config();
        if (config.isAutoRead()) {
            autoReadFound = true;
            config.setAutoRead(false);
            outstanding = false; // the transport drops with it a read that it has not answered
        }
    }

    void restoreAutoRead(ChannelHandlerContext ctx) {
        ChannelConfig config = ctx.channel().config();
        if (config.isAutoRead()) {
            ctx.channel().read(); // somebody switched it on meanwhile, and its read was held back
        } else if (autoReadFound) {
            config.setAutoRead(true);
        }
        autoReadFound = false;
    }

    boolean isAutoReadFound() {
        return autoReadFound;
    }

    void read(ChannelHandlerContext ctx) {
        if (!outstanding) {
            outstanding = true;
            ctx.read();
        }
    }

    /** The read is over, or its event loop is no longer the channel's. */
    void done() {
        outstanding = false;
    }
}
