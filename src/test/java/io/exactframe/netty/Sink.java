package io.exactframe.netty;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import java.util.ArrayList;
import java.util.List;

/**
 * The end of a test's pipeline. Keeps every exception (an EmbeddedChannel keeps the first only), and of each frame its
 * bytes in hex; the frame is released, once.
 */
class Sink extends ChannelInboundHandlerAdapter {
    final List<String> frames = new ArrayList<>();
    final List<Throwable> faults = new ArrayList<>();
    int inactive;

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) throws Exception {
        ByteBuf frame = (ByteBuf) message;
        if (frame.readerIndex() != 0) {
            faults.add(new AssertionError("frame begins at reader index " + frame.readerIndex()));
        }
        frames.add(Wire.hexAndRelease(frame));
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        faults.add(cause);
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
        inactive++;
    }
}
