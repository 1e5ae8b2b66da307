package io.exactframe.netty;

import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.socket.DuplexChannel;

/**
 * Keeps a channel from being read, whatever auto-read is, and makes up for it.
 *
 * <p>Holding back {@code read()} is not enough: with auto-read on, a transport goes on by itself. Switching auto-read off
 * makes every transport drop its interest, and keeps it away also when it is switched on again while the {@code read()}
 * that follows from that is held back. So a pause switches it off for the rest of the read under way only: from there on
 * it is what the application set, and stays what the application sets. Auto-read that is
 * switched off inside that read, when the pause has begun, cannot be told from our own doing, and does not last: by another
 * thread, by a handler nearer to the socket, or in an event that such a one fires.
 */
final class ReadGate {
    /** Whose: auto-read's own, which goes with it, or somebody's. */
    enum Held { NONE, AUTO, ASKED }

    private boolean switchedOff; // auto-read, by us
    Held held = Held.NONE; // a read() that is to go on when that is possible

    /** Whether a read may bring anything: of a channel or an input that is shut epoll answers it with an exception. */
    static boolean hasInput(ChannelHandlerContext ctx) {
        return ctx.channel().isOpen() && !(ctx.channel() instanceof DuplexChannel duplex && duplex.isInputShutdown());
    }

    /** The transport reads no more from now on. */
    void stop(ChannelHandlerContext ctx) {
        if (ctx.channel().config().isAutoRead()) {
            switchedOff = true;
            ctx.channel().config().setAutoRead(false);
        }
    }

    /** Auto-read is as it was found; the read() that follows if that was on is to be held, or is to go on. */
    void restore(ChannelHandlerContext ctx) {
        if (switchedOff) {
            switchedOff = false;
            ctx.channel().config().setAutoRead(true);
        }
    }

    /** Holds back a read(), which may come of auto-read that somebody has just switched on. */
    void hold(ChannelHandlerContext ctx) {
        held = ctx.channel().config().isAutoRead() ? Held.AUTO : Held.ASKED;
        if (switchedOff) {
            stop(ctx);
        }
    }
}
