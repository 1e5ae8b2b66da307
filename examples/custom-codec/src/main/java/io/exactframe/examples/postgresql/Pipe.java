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
    enum From { CLIENT, SERVER }

    final From from;
    private final Session session;
    private ChannelHandlerContext ctx;
    Channel to;
    private boolean asked; // for the next message, with auto-read off

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

    /** Asks for the next message, now or when there is room for it. */
    void ask() {
        asked = to.isWritable();
        if (asked) {
            ctx.read();
        }
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
        if (message instanceof FrameStart start) {
            ByteBuf header = start.header();
            type = (char) header.getUnsignedByte(0);
            length = start.frameLength();
            passed = header.readableBytes();
            to.write(header);
        } else if (message instanceof FrameChunk chunk) {
            passed += chunk.content().readableBytes();
            to.write(chunk.content());
            if (chunk.isLast()) {
                session.message(this, type, length, null);
                length = 0;
                decoder = decoder.afterLarge(ctx.pipeline());
            }
        } else if (message instanceof ByteBuf frame) {
            session.message(this, (char) frame.getUnsignedByte(0), frame.readableBytes(), frame);
            to.write(frame);
        }
        ask();
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext ctx) {
        to.flush();
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext ctx) {
        Pipe opposite = session.opposite(this);
        if (!opposite.asked) {
            opposite.ask();
        }
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

    String name() {
        return from == From.CLIENT ? "the client" : "the server";
    }

    /** How far the message had come that this exception is about. */
    String progress(PrematureCloseException e) {
        String message = Messages.name(from, length > 0 ? type : decoder.type());
        String counts = "after " + e.receivedBytes() + " of " + e.expectedBytes() + " bytes of " + message;
        return e.inHeader() ? "in a message's header" : counts;
    }

    /** How far a large message has come, or nothing if there is none. */
    String progress() {
        String message = length + " bytes of " + Messages.name(from, type);
        return length == 0 ? "" : ", when " + passed + " of " + message + " had come from " + name();
    }
}
