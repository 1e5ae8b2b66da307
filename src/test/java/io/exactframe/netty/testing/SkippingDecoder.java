package io.exactframe.netty.testing;

import static io.exactframe.netty.LengthPrefix.uint8;
import static org.assertj.core.api.Assertions.assertThat;

import io.exactframe.netty.ExactFrameDecoder;
import io.exactframe.netty.FrameChunk;
import io.exactframe.netty.FrameStart;
import io.exactframe.netty.FrameStreamDecoder;
import io.exactframe.netty.LengthPrefixedExactDecoder;
import io.exactframe.netty.PrematureCloseException;
import io.exactframe.netty.ReceiveOptions;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.CompositeByteBuf;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandler;
import io.netty.channel.ChannelInboundHandlerAdapter;

/** Frames of one byte of length and the payload, which goes on alone. */
public enum SkippingDecoder {
    PREFIXED,
    CODEC,
    STREAM;

    public static final int LIMIT = 3;
    public static final int LARGEST = 20;
    public static final ReceiveOptions SKIP = ReceiveOptions.defaults().skipOversized(LARGEST);

    public ChannelInboundHandler decoder(int limit, ReceiveOptions options) {
        return switch (this) {
            case PREFIXED -> new LengthPrefixedExactDecoder(limit, uint8(), options);
            case CODEC -> new ExactFrameDecoder(1, 1, limit, options) {
                @Override
                protected long frameLength(ByteBuf header) {
                    return 1 + header.readUnsignedByte();
                }

                @Override
                protected Object decode(ChannelHandlerContext ctx, ByteBuf frame) {
                    return frame.readRetainedSlice(frame.skipBytes(1).readableBytes());
                }
            };
            case STREAM -> new FrameStreamDecoder(limit, uint8(), options);
        };
    }

    public ChannelInboundHandler decoder() {
        return decoder(LIMIT, SKIP);
    }

    /** In front of the probe. */
    public ChannelHandler[] handlers(ChannelInboundHandler decoder, ChannelHandler... behind) {
        ChannelHandler first = this == STREAM ? new ChunkJoiner((FrameStreamDecoder) decoder) : decoder;
        ChannelHandler[] all = new ChannelHandler[1 + behind.length];
        all[0] = first;
        System.arraycopy(behind, 0, all, 1, behind.length);
        return all;
    }

    public static boolean hasEnded(ChannelInboundHandler decoder) {
        return decoder instanceof ExactFrameDecoder frames
                ? frames.hasEnded()
                : ((FrameStreamDecoder) decoder).hasEnded();
    }

    /** Puts a stream decoder in front of itself and chunks together again: one buffer for each payload that is whole. */
    public static final class ChunkJoiner extends ChannelInboundHandlerAdapter {
        private final FrameStreamDecoder decoder;
        private FrameStart start;
        private CompositeByteBuf payload;

        public ChunkJoiner(FrameStreamDecoder decoder) {
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
}
