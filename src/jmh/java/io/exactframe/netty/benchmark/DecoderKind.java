package io.exactframe.netty.benchmark;

import static io.exactframe.netty.benchmark.FrameStream.LENGTH_BYTES;

import io.exactframe.netty.FixedLengthExactDecoder;
import io.exactframe.netty.LengthPrefix;
import io.exactframe.netty.LengthPrefixedExactDecoder;
import io.exactframe.netty.ReceiveOptions;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.codec.ByteToMessageDecoder;
import io.netty.handler.codec.FixedLengthFrameDecoder;
import io.netty.handler.codec.LengthFieldBasedFrameDecoder;

/**
 * What stands in front of the sink; the values of the parameter {@code decoder}. Prefixed ones deliver the payload
 * alone. Netty's use the default cumulator, MERGE, unless the name says COMPOSITE.
 */
enum DecoderKind {
    exactFixed {
        @Override
        ChannelHandler[] create(int frameLength, ReceiveOptions options) {
            return array(new FixedLengthExactDecoder(frameLength, options));
        }
    },
    exactPrefixed {
        @Override
        ChannelHandler[] create(int frameLength, ReceiveOptions options) {
            return array(new LengthPrefixedExactDecoder(frameLength, PREFIX, options));
        }
    },
    nettyFixed {
        @Override
        ChannelHandler[] create(int frameLength, ReceiveOptions options) {
            return array(new FixedLengthFrameDecoder(frameLength));
        }
    },
    nettyFixedComposite {
        @Override
        ChannelHandler[] create(int frameLength, ReceiveOptions options) {
            return composite(new FixedLengthFrameDecoder(frameLength));
        }
    },
    nettyPrefixed {
        @Override
        ChannelHandler[] create(int frameLength, ReceiveOptions options) {
            return array(nettyPrefixed(frameLength));
        }
    },
    nettyPrefixedComposite {
        @Override
        ChannelHandler[] create(int frameLength, ReceiveOptions options) {
            return composite(nettyPrefixed(frameLength));
        }
    },
    /** A handler that only passes on: what anything between the reads and the sink pays at least. */
    emptyHandler {
        @Override
        ChannelHandler[] create(int frameLength, ReceiveOptions options) {
            return array(new EmptyHandler());
        }
    },
    /** The sink alone, which gets the reads: what all the others pay too. */
    none {
        @Override
        ChannelHandler[] create(int frameLength, ReceiveOptions options) {
            return array();
        }
    };

    private static final LengthPrefix PREFIX = LengthPrefix.uint32(); // which channels share

    abstract ChannelHandler[] create(int frameLength, ReceiveOptions options);

    boolean isExact() {
        return this == exactFixed || this == exactPrefixed;
    }

    /** Bytes at the front of each frame that do not reach the sink. */
    int stripped() {
        return name().contains("Prefixed") ? LENGTH_BYTES : 0;
    }

    /** Whether the sink gets frames, not the reads. */
    boolean decodes() {
        return this != none && this != emptyHandler;
    }

    /** Netty's decoder of the same frames, with MERGE. */
    DecoderKind baseline() {
        return stripped() > 0 ? nettyPrefixed : nettyFixed;
    }

    /** Not the adapter, whose methods a pipeline passes over. */
    private static final class EmptyHandler extends ChannelInboundHandlerAdapter {
        @Override
        public void channelRead(ChannelHandlerContext ctx, Object message) {
            ctx.fireChannelRead(message);
        }

        @Override
        public void channelReadComplete(ChannelHandlerContext ctx) {
            ctx.fireChannelReadComplete();
        }
    }

    private static ByteToMessageDecoder nettyPrefixed(int frameLength) {
        return new LengthFieldBasedFrameDecoder(frameLength, 0, LENGTH_BYTES, 0, LENGTH_BYTES);
    }

    private static ChannelHandler[] composite(ByteToMessageDecoder decoder) {
        decoder.setCumulator(ByteToMessageDecoder.COMPOSITE_CUMULATOR);
        return array(decoder);
    }

    private static ChannelHandler[] array(ChannelHandler... handlers) {
        return handlers;
    }
}
