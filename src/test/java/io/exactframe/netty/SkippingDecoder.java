package io.exactframe.netty;

import static io.exactframe.netty.LengthPrefix.uint8;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;

/** Frames of one byte of length and the payload, which goes on alone. */
enum SkippingDecoder {
    PREFIXED,
    CODEC,
    STREAM;

    static final int LIMIT = 3;
    static final int LARGEST = 20;
    static final ReceiveOptions SKIP = ReceiveOptions.defaults().skipOversized(LARGEST);

    InboundCutter decoder(int limit, ReceiveOptions options) {
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

    InboundCutter decoder() {
        return decoder(LIMIT, SKIP);
    }

    /** In front of the probe. */
    ChannelHandler[] handlers(InboundCutter decoder, ChannelHandler... behind) {
        ChannelHandler first = this == STREAM ? new StreamJoiner((FrameStreamDecoder) decoder) : decoder;
        ChannelHandler[] all = new ChannelHandler[1 + behind.length];
        all[0] = first;
        System.arraycopy(behind, 0, all, 1, behind.length);
        return all;
    }

    static boolean hasEnded(InboundCutter decoder) {
        return decoder instanceof ExactFrameDecoder frames
                ? frames.hasEnded()
                : ((FrameStreamDecoder) decoder).hasEnded();
    }
}
