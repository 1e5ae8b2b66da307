package io.exactframe.netty.soak;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.channel.socket.DuplexChannel;
import java.util.Random;
import java.util.concurrent.TimeUnit;

/** One direction of a connection that goes on in pieces of 1 to n bytes, with pauses; ends go on as they come. */
final class DelayProxy extends ChannelInboundHandlerAdapter {
    private final Journey journey;
    private final Channel other;
    private final Random random;
    private final int largest;
    private ByteBuf rest = Unpooled.EMPTY_BUFFER;
    private boolean ended;

    DelayProxy(Journey journey, Channel other) {
        this.journey = journey;
        this.other = other;
        random = new Random(journey.seed * 31);
        largest = Math.max(1 + journey.sent / 100, 1 + random.nextInt(random.nextBoolean() ? 20 : 3000));
    }

    @Override
    public void handlerAdded(ChannelHandlerContext ctx) {
        ctx.read();
        lookAfter(ctx);
    }

    /** A reset that was lost on the way here is told to nobody. */
    private void lookAfter(ChannelHandlerContext ctx) {
        if (journey.senderDone && journey.end.isReset() && !rest.isReadable() && !ended) {
            ctx.executor().schedule(() -> ended(ctx), 5, TimeUnit.SECONDS);
        } else if (ctx.channel().isOpen()) {
            ctx.executor().schedule(() -> lookAfter(ctx), 1, TimeUnit.SECONDS);
        }
    }

    private void ended(ChannelHandlerContext ctx) {
        JourneySender.reset(other);
        ctx.close();
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
        rest = (ByteBuf) message;
        pass(ctx);
    }

    private void pass(ChannelHandlerContext ctx) {
        if (!rest.isReadable()) {
            rest.release();
            rest = Unpooled.EMPTY_BUFFER;
            ctx.read();
            return;
        }
        int size = Math.min(rest.readableBytes(), 1 + random.nextInt(largest));
        other.writeAndFlush(rest.readRetainedSlice(size)).addListener(written ->
                ctx.executor().schedule(() -> pass(ctx), random.nextInt(4), TimeUnit.MILLISECONDS));
    }

    @Override
    public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
        if (event instanceof ChannelInputShutdownEvent) {
            ended = true;
            ((DuplexChannel) other).shutdownOutput().addListener(ignored -> {
                if (((DuplexChannel) other).isInputShutdown()) { // both directions are over
                    ctx.close();
                    other.close();
                }
            });
        }
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        ended(ctx);
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
        ended = true;
        other.writeAndFlush(Unpooled.EMPTY_BUFFER).addListener(ChannelFutureListener.CLOSE);
    }
}
