package io.exactframe.examples.pipeline;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.exactframe.netty.LengthPrefixedExactDecoder;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.SimpleChannelInboundHandler;
import java.nio.channels.ClosedChannelException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/** Sends readings, gets as many replies, closes. */
final class TelemetryClient extends ChannelInitializer<Channel> {
    private final List<Reading> readings;
    private final CompletableFuture<List<String>> replies = new CompletableFuture<>();

    TelemetryClient(List<Reading> readings) {
        this.readings = List.copyOf(readings);
    }

    /** All replies in the order of the readings, or why not. */
    CompletableFuture<List<String>> replies() {
        return replies;
    }

    // tag::client[]
    @Override
    protected void initChannel(Channel channel) {
        channel.pipeline()
                .addLast(
                        new LengthPrefixedExactDecoder(TelemetryServer.MAX_REPLY, TelemetryServer.REPLY),
                        new ReplyHandler(),
                        new CloseOnFault());
    }

    private final class ReplyHandler extends SimpleChannelInboundHandler<ByteBuf> {
        private final List<String> received = new ArrayList<>();

        @Override
        public void channelActive(ChannelHandlerContext ctx) {
            ByteBuf out = ctx.alloc().buffer(readings.size() * Reading.BYTES);
            readings.forEach(reading -> reading.writeTo(out));
            ctx.writeAndFlush(out).addListener(ChannelFutureListener.FIRE_EXCEPTION_ON_FAILURE);
            ctx.fireChannelActive();
        }

        @Override
        protected void channelRead0(ChannelHandlerContext ctx, ByteBuf reply) { // the text alone, without its length
            received.add(reply.toString(UTF_8));
            if (received.size() == readings.size()) {
                replies.complete(received);
                ctx.close();
            }
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
            replies.completeExceptionally(cause);
            ctx.fireExceptionCaught(cause);
        }

        @Override
        public void channelInactive(ChannelHandlerContext ctx) {
            replies.completeExceptionally(new ClosedChannelException()); // unless they are complete
            ctx.fireChannelInactive();
        }
    }
    // end::client[]
}
