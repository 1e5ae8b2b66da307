package io.exactframe.examples.pipeline;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.exactframe.netty.ExactReceiver;
import io.exactframe.netty.LengthPrefix;
import io.exactframe.netty.LengthPrefixedEncoder;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.handler.codec.CorruptedFrameException;
import io.netty.util.concurrent.Future;
import io.netty.util.concurrent.FutureListener;

/** Greets whoever sends a name: one receive after the other, each as a future. */
final class GreetingServer extends ChannelInitializer<Channel> {
    /** A name and a greeting alike: two bytes of length, then UTF-8. */
    static final LengthPrefix TEXT = LengthPrefix.uint16();

    static final int MAX_TEXT = 2 + 100;

    @Override
    protected void initChannel(Channel channel) {
        ExactReceiver receiver = new ExactReceiver();
        channel.pipeline()
                .addLast(receiver, new LengthPrefixedEncoder(TEXT), new GreetingHandler(receiver), new CloseOnFault());
    }

    // tag::receiver[]
    private static final class GreetingHandler extends ChannelInboundHandlerAdapter {
        private final ExactReceiver receiver;
        private boolean receiving;

        GreetingHandler(ExactReceiver receiver) {
            this.receiver = receiver;
        }

        @Override
        public void channelActive(ChannelHandlerContext ctx) {
            receiveName(ctx);
            ctx.fireChannelActive();
        }

        private void receiveName(ChannelHandlerContext ctx) {
            if (!receiving && ctx.channel().isWritable()) { // or else when the client has read its greetings
                receiving = true;
                // Without the cast the name would be a Future<? super ByteBuf>, whose getNow() is an Object.
                receiver.receive(TEXT, MAX_TEXT).addListener((FutureListener<ByteBuf>) name -> greet(ctx, name));
            }
        }

        private void greet(ChannelHandlerContext ctx, Future<ByteBuf> name) {
            receiving = false;
            if (!name.isSuccess()) {
                ctx.close(); // the client is done; if it left inside a name, exceptionCaught is told as well
                return;
            }
            ByteBuf bytes = name.getNow();
            try {
                if (!bytes.isReadable()) {
                    throw new CorruptedFrameException("a name without letters");
                }
                ctx.writeAndFlush(ByteBufUtil.writeUtf8(ctx.alloc(), "Hello, " + bytes.toString(UTF_8) + "!"))
                        .addListener(ChannelFutureListener.CLOSE_ON_FAILURE);
                receiveName(ctx);
            } catch (Throwable t) {
                ctx.fireExceptionCaught(t); // if it left the listener, Netty would log it and the client wait for ever
            } finally {
                bytes.release();
            }
        }

        @Override
        public void channelWritabilityChanged(ChannelHandlerContext ctx) {
            receiveName(ctx);
            ctx.fireChannelWritabilityChanged();
        }
    }
    // end::receiver[]
}
