package io.exactframe.netty;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.CompositeByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;

/** Puts a stream decoder in front of itself and chunks together again: one buffer for each payload that is whole. */
final class StreamJoiner extends ChannelInboundHandlerAdapter {
    private final FrameStreamDecoder decoder;
    private FrameStart start;
    private CompositeByteBuf payload;

    StreamJoiner(FrameStreamDecoder decoder) {
        this.decoder = decoder;
    }

    @Override
    public void handlerAdded(ChannelHandlerContext ctx) {
        ctx.pipeline().addBefore(ctx.name(), null, decoder);
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
        if (message instanceof FrameStart begins) {
            assertThat(start).isNull();
            start = begins;
            payload = ctx.alloc().compositeBuffer(Integer.MAX_VALUE);
            return;
        }
        if (!(message instanceof FrameChunk chunk)) {
            ctx.fireChannelRead(message); // the decoder was removed
            return;
        }
        assertThat(chunk.offset()).isEqualTo(payload.readableBytes());
        payload.addComponent(true, chunk.content());
        if (chunk.isLast()) {
            assertThat(payload.readableBytes()).isEqualTo((int) start.payloadLength());
            start = null;
            ctx.fireChannelRead(payload);
        }
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        if (start != null && cause instanceof PrematureCloseException) {
            start = null;
            payload.release();
        }
        ctx.fireExceptionCaught(cause);
    }
}
