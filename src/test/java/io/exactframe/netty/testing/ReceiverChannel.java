package io.exactframe.netty.testing;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.fail;

import io.exactframe.netty.ExactReceiver;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOutboundHandlerAdapter;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.util.concurrent.Future;
import java.util.ArrayList;
import java.util.List;

/** A receiver in an embedded channel, between a handler that counts reads and one that notes what goes past it. */
public final class ReceiverChannel {
    public final ExactReceiver receiver;
    public final EmbeddedChannel channel;

    /** What went past the receiver: bytes as text, everything else by its name. */
    public final List<String> passed = new ArrayList<>();

    public final List<Throwable> exceptions = new ArrayList<>();

    public int reads;

    public ReceiverChannel() {
        this(new ExactReceiver());
    }

    public ReceiverChannel(ExactReceiver receiver) {
        this.receiver = receiver;
        channel = new EmbeddedChannel(new ReadCounter(), receiver, new Notes());
    }

    public final class ReadCounter extends ChannelOutboundHandlerAdapter {
        @Override
        public void read(ChannelHandlerContext ctx) {
            reads++;
            ctx.read();
        }
    }

    public final class Notes extends ChannelInboundHandlerAdapter {
        @Override
        public void channelRead(ChannelHandlerContext ctx, Object message) {
            if (message instanceof ByteBuf bytes) {
                passed.add(bytes.toString(ISO_8859_1));
                bytes.release();
            } else {
                passed.add(message.toString());
            }
        }

        @Override
        public void channelReadComplete(ChannelHandlerContext ctx) {
            passed.add("readComplete");
        }

        @Override
        public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
            passed.add(event.getClass().getSimpleName());
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
            passed.add(cause.getClass().getSimpleName());
            exceptions.add(cause);
            if (ctx.pipeline().last() != this) {
                ctx.fireExceptionCaught(cause);
            }
        }

        @Override
        public void channelInactive(ChannelHandlerContext ctx) {
            passed.add("inactive");
        }
    }

    public ByteBuf bytes(String text) {
        return channel.alloc().buffer().writeBytes(text.getBytes(ISO_8859_1));
    }

    /** One read that gives all of these fragments. */
    public void arrive(String... fragments) {
        for (String fragment : fragments) {
            channel.pipeline().fireChannelRead(bytes(fragment));
        }
        channel.pipeline().fireChannelReadComplete();
    }

    /** No handler is asked, as by channel.close(). */
    public void peerCloses() {
        Wire.peerCloses(channel);
    }

    public void halfClose() {
        channel.pipeline().fireUserEventTriggered(ChannelInputShutdownEvent.INSTANCE);
    }

    /** What a successful receive gave; its one reference is released. */
    public static String text(Future<ByteBuf> receive) {
        if (!receive.isSuccess()) {
            fail(receive.isDone() ? "failed" : "not done", receive.cause());
        }
        ByteBuf frame = receive.getNow();
        String text = frame.toString(ISO_8859_1);
        if (frame.readerIndex() != 0) {
            fail("a frame that does not begin at 0: " + frame);
        }
        frame.release(); // frames of one read share its count
        return text;
    }
}
