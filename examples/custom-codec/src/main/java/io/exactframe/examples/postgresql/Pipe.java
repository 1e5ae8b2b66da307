package io.exactframe.examples.postgresql;

import io.exactframe.netty.FrameChunk;
import io.exactframe.netty.FrameStart;
import io.exactframe.netty.PrematureCloseException;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.channel.socket.ChannelOutputShutdownEvent;
import io.netty.channel.socket.DuplexChannel;
import io.netty.handler.ssl.SslCloseCompletionEvent;

/** One direction: behind the decoder of the channel that is read, it writes to the other one. */
final class Pipe extends ChannelInboundHandlerAdapter {
    enum From { CLIENT, SERVER }

    private static final int SMALL = 1 << 10;

    final From from;
    private final Session session;
    private ChannelHandlerContext ctx;
    Channel to;
    private ByteBuf small; // messages that are not written yet

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

    /** Messages come while there is room for them, or nobody who takes them; the decoder keeps the rest of a read, on demand. */
    void goOn() {
        ctx.channel().config().setAutoRead(to.isWritable() || ((DuplexChannel) to).isOutputShutdown());
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
        if (message instanceof FrameStart start) {
            ByteBuf header = start.header();
            type = (char) header.getUnsignedByte(0);
            length = start.frameLength();
            passed = header.readableBytes();
            write(header);
        } else if (message instanceof FrameChunk chunk) {
            passed += chunk.content().readableBytes();
            write(chunk.content());
            if (chunk.isLast()) {
                session.message(this, type, length, null);
                length = 0;
                decoder = decoder.afterLarge(ctx.pipeline());
            }
        } else if (message instanceof ByteBuf frame) {
            session.message(this, (char) frame.getUnsignedByte(0), frame.readableBytes(), frame);
            write(frame);
        }
    }

    /** A read may bring hundreds of small messages: copied together, they are cheaper to write. */
    private void write(ByteBuf bytes) {
        if (bytes.readableBytes() > SMALL || small != null && small.readableBytes() > 32 * SMALL) {
            flush();
        }
        if (bytes.readableBytes() > SMALL) {
            to.write(bytes);
            return;
        }
        small = small == null ? ctx.alloc().buffer() : small;
        small.writeBytes(bytes);
        bytes.release();
    }

    void flush() {
        if (small != null) {
            to.write(small);
            small = null;
        }
        to.flush();
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext ctx) {
        flush();
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext ctx) {
        session.opposite(this).goOn();
    }

    @Override
    public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
        if (event instanceof ChannelInputShutdownEvent || event instanceof SslCloseCompletionEvent) {
            session.inputEnded(this);
        } else if (event instanceof ChannelOutputShutdownEvent) {
            session.outputEnded(this);
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
        return Messages.progress(from, length > 0 ? type : decoder.type(), e);
    }

    /** How far a large message has come, or nothing if there is none. */
    String progress() {
        return length == 0 ? "" : Messages.progress(from, type, passed, length);
    }
}
