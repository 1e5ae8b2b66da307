package io.exactframe.examples.postgresql;

import io.exactframe.netty.FrameChunk;
import io.exactframe.netty.FrameStart;
import io.exactframe.netty.PrematureCloseException;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.handler.ssl.SslCloseCompletionEvent;

/** One direction: behind the decoder of the channel that is read, it writes to the other one. */
final class Pipe extends ChannelInboundHandlerAdapter {
    enum From {
        CLIENT,
        SERVER;

        @Override
        public String toString() {
            return this == CLIENT ? "the client" : "the server";
        }
    }

    final From from;
    private final Session session;
    private ChannelHandlerContext ctx;
    private Channel to;

    // A large message under way.
    private MessageDecoder decoder; // to go on with behind it
    private char type;
    private long length;
    private long passed;

    Pipe(Session session, From from) {
        this.session = session;
        this.from = from;
    }

    @Override
    public void handlerAdded(ChannelHandlerContext ctx) {
        this.ctx = ctx;
        decoder = ctx.pipeline().get(MessageDecoder.class);
    }

    void to(Channel channel) {
        to = channel;
    }

    Channel channel() {
        return ctx.channel();
    }

    /** Reads while there is room for what is read. */
    void goOn() {
        channel().config().setAutoRead(to.isWritable());
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
        if (message instanceof FrameStart start) {
            ByteBuf header = start.header();
            type = (char) header.getUnsignedByte(0);
            length = start.frameLength();
            passed = header.readableBytes();
            to.write(ctx.alloc().buffer(header.readableBytes()).writeBytes(header));
        } else if (message instanceof FrameChunk chunk) {
            passed += chunk.content().readableBytes();
            to.write(chunk.content());
            if (chunk.isLast()) {
                session.message(this, type, length, null);
                length = 0;
                decoder = decoder.afterLarge(ctx.pipeline());
            }
        } else {
            ByteBuf frame = (ByteBuf) message;
            session.message(this, (char) frame.getUnsignedByte(0), frame.readableBytes(), frame);
            to.write(frame);
        }
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext ctx) {
        to.flush();
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext ctx) {
        session.opposite(this).goOn();
    }

    @Override
    public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
        if (event instanceof ChannelInputShutdownEvent || event instanceof SslCloseCompletionEvent) {
            session.inputEnded(this);
        }
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
        session.gone(this);
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        session.fault(this, cause);
    }

    /** How far the message had come that this exception is about. */
    String progress(PrematureCloseException e) {
        return e.inHeader()
                ? "in a message's header"
                : "after " + e.receivedBytes() + " of " + e.expectedBytes() + " bytes of "
                        + Messages.name(from, length > 0 ? type : decoder.type());
    }

    /** How far a large message has come, or nothing if there is none. */
    String progress() {
        return length == 0 ? "" : ", when " + passed + " of " + length + " bytes of " + Messages.name(from, type) + " had come from " + from;
    }
}
