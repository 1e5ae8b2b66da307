package io.exactframe.netty.benchmark;

import static io.exactframe.netty.benchmark.FrameStream.LENGTH_BYTES;

import io.exactframe.netty.FixedLengthExactDecoder;
import io.exactframe.netty.LengthPrefix;
import io.exactframe.netty.LengthPrefixedExactDecoder;
import io.exactframe.netty.ReceiveOptions;
import io.netty.channel.ChannelHandler;
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
        ChannelHandler[] create(Workload workload) {
            return array(new FixedLengthExactDecoder(workload.frameLength(), options(workload)));
        }
    },
    exactPrefixed {
        @Override
        ChannelHandler[] create(Workload workload) {
            return array(new LengthPrefixedExactDecoder(
                    workload.frameLength(), LengthPrefix.uint32(), options(workload)));
        }
    },
    nettyFixed {
        @Override
        ChannelHandler[] create(Workload workload) {
            return array(new FixedLengthFrameDecoder(workload.frameLength()));
        }
    },
    nettyPrefixed {
        @Override
        ChannelHandler[] create(Workload workload) {
            return array(nettyPrefixed(workload));
        }
    },
    nettyPrefixedComposite {
        @Override
        ChannelHandler[] create(Workload workload) {
            ByteToMessageDecoder decoder = nettyPrefixed(workload);
            decoder.setCumulator(ByteToMessageDecoder.COMPOSITE_CUMULATOR);
            return array(decoder);
        }
    },
    /** The sink alone, which gets the reads: what all the others pay too. */
    none {
        @Override
        ChannelHandler[] create(Workload workload) {
            return array();
        }
    };

    abstract ChannelHandler[] create(Workload workload);

    /** Bytes at the front of each frame that do not reach the sink. */
    int stripped() {
        return this == exactPrefixed || this == nettyPrefixed || this == nettyPrefixedComposite ? LENGTH_BYTES : 0;
    }

    /** Netty's decoder of the same frames. */
    DecoderKind baseline() {
        return stripped() > 0 ? nettyPrefixed : this == none ? none : nettyFixed;
    }

    private static ReceiveOptions options(Workload workload) {
        ReceiveOptions options = ReceiveOptions.defaults();
        return workload.contiguous() ? options.contiguous() : options;
    }

    private static ByteToMessageDecoder nettyPrefixed(Workload workload) {
        return new LengthFieldBasedFrameDecoder(workload.frameLength(), 0, LENGTH_BYTES, 0, LENGTH_BYTES);
    }

    private static ChannelHandler[] array(ChannelHandler... handlers) {
        return handlers;
    }
}
