package io.exactframe.examples.pipeline;

import io.exactframe.netty.FixedLengthExactDecoder;
import io.exactframe.netty.LengthPrefix;
import io.exactframe.netty.LengthPrefixedEncoder;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.SimpleChannelInboundHandler;

/** Gets a {@link Reading} after the other and answers each with a line of text. */
final class TelemetryServer extends ChannelInitializer<Channel> {
    // tag::prefix[]
    /** A reply's length and what it counts, for both ends. */
    static final LengthPrefix REPLY = LengthPrefix.uint16();

    /** The most bytes of a reply, its length field included. */
    static final int MAX_REPLY = 2 + 100;
    // end::prefix[]

    // tag::server[]
    @Override
    protected void initChannel(Channel channel) {
        channel.pipeline()
                .addLast(
                        new FixedLengthExactDecoder(Reading.BYTES),
                        new LengthPrefixedEncoder(REPLY),
                        new ReadingHandler(),
                        new CloseOnFault());
    }

    private static final class ReadingHandler extends SimpleChannelInboundHandler<ByteBuf> {
        private long count;
        private float highest = Float.NEGATIVE_INFINITY;

        @Override
        protected void channelRead0(ChannelHandlerContext ctx, ByteBuf frame) { // 16 bytes, never fewer
            Reading reading = Reading.readFrom(frame);
            count++;
            highest = Math.max(highest, reading.value());
            String reply =
                    "sensor " + reading.sensor() + ": " + reading.value() + ", highest of " + count + ": " + highest;
            ctx.write(ByteBufUtil.writeUtf8(ctx.alloc(), reply)).addListener(ChannelFutureListener.CLOSE_ON_FAILURE);
        }

        @Override
        public void channelReadComplete(ChannelHandlerContext ctx) {
            ctx.flush(); // once for all frames of a read
            ctx.fireChannelReadComplete();
        }

        @Override
        public void channelWritabilityChanged(ChannelHandlerContext ctx) {
            // A client that does not read its replies is not read from either.
            ctx.channel().config().setAutoRead(ctx.channel().isWritable());
            ctx.fireChannelWritabilityChanged();
        }
    }
    // end::server[]
}
