package io.exactframe.netty.testing;

import io.exactframe.netty.ExactReceiver;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.util.concurrent.Future;
import io.netty.util.concurrent.FutureListener;
import java.util.function.Function;

/** Puts a receiver in front of itself and asks for one frame after the other; they go on as if a decoder had cut them. */
public final class Receiving extends ChannelInboundHandlerAdapter implements FutureListener<ByteBuf> {
    private final ExactReceiver receiver;
    private final Function<ExactReceiver, Future<ByteBuf>> next;
    private ChannelHandlerContext ctx;

    public Receiving(ExactReceiver receiver, Function<ExactReceiver, Future<ByteBuf>> next) {
        this.receiver = receiver;
        this.next = next;
    }

    @Override
    public void handlerAdded(ChannelHandlerContext ctx) {
        this.ctx = ctx;
        ctx.pipeline().addBefore(ctx.name(), null, receiver);
        next.apply(receiver).addListener(this);
    }

    @Override
    public void operationComplete(Future<ByteBuf> received) {
        if (received.isSuccess() && received.getNow() != null) { // else it is told as a decoder tells it, or is no fault
            ctx.fireChannelRead(received.getNow());
            next.apply(receiver).addListener(this);
        }
    }
}
