package io.exactframe.examples.recipes;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.util.concurrent.TimeUnit.SECONDS;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.SimpleChannelInboundHandler;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;

/** Notes messages as text, and what else happens. */
final class Notes extends SimpleChannelInboundHandler<ByteBuf> {
    private final BlockingQueue<String> notes = new LinkedBlockingQueue<>();

    void note(Object what) {
        notes.add(what.toString());
    }

    @Override
    protected void channelRead0(ChannelHandlerContext ctx, ByteBuf message) {
        note(message.toString(ISO_8859_1));
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        note(cause.getClass().getSimpleName() + ": " + cause.getMessage());
        ctx.close();
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
        note("closed");
    }

    /** The next; null if there is none in time. */
    String next() throws InterruptedException {
        return notes.poll(30, SECONDS);
    }
}
