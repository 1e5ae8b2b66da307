package io.exactframe.examples.pipeline;

import io.exactframe.netty.LengthPrefix;
import io.exactframe.netty.LengthPrefixedExactDecoder;
import io.exactframe.netty.ReceiveOptions;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPipeline;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.handler.codec.ByteToMessageDecoder;
import io.netty.handler.codec.LengthFieldBasedFrameDecoder;
import io.netty.handler.codec.TooLongFrameException;
import java.time.Duration;
import java.util.List;
import java.util.function.Consumer;

/** The same server three times, as examples/README.md shows it: messages of up to 1 MiB behind four bytes of length. */
enum ThreeServers {
    LENGTH_FIELD {
        @Override
        void initPipeline(ChannelPipeline pipeline, Consumer<String> log) {
            // tag::length-field[]
            pipeline.addLast(new LengthFieldBasedFrameDecoder(4 + MAX, 0, 4, 0, 4), new Messages(log));
            // end::length-field[]
        }
    },
    BYTE_TO_MESSAGE {
        @Override
        void initPipeline(ChannelPipeline pipeline, Consumer<String> log) {
            // tag::byte-to-message[]
            pipeline.addLast(
                    new ByteToMessageDecoder() {
                        @Override
                        protected void decode(ChannelHandlerContext ctx, ByteBuf in, List<Object> out) {
                            if (in.readableBytes() < 4) {
                                return;
                            }
                            long length = in.getUnsignedInt(in.readerIndex());
                            if (length > MAX) {
                                throw new TooLongFrameException(length + " bytes");
                            }
                            if (in.readableBytes() >= 4 + length) {
                                out.add(in.skipBytes(4).readRetainedSlice((int) length));
                            }
                        }
                    },
                    new Messages(log));
            // end::byte-to-message[]
        }
    },
    EXACT {
        @Override
        void initPipeline(ChannelPipeline pipeline, Consumer<String> log) {
            // tag::exact[]
            pipeline.addLast(new LengthPrefixedExactDecoder(4 + MAX, LengthPrefix.uint32()), new Messages(log));
            // end::exact[]
        }
    },
    EXACT_IN_TIME {
        @Override
        void initPipeline(ChannelPipeline pipeline, Consumer<String> log) {
            // tag::in-time[]
            ReceiveOptions options = ReceiveOptions.defaults().frameDeadline(Duration.ofSeconds(1));
            pipeline.addLast(new LengthPrefixedExactDecoder(4 + MAX, LengthPrefix.uint32(), options), new Messages(log));
            // end::in-time[]
        }
    };

    static final int MAX = 1 << 20;

    abstract void initPipeline(ChannelPipeline pipeline, Consumer<String> log);

    // tag::messages[]
    static final class Messages extends SimpleChannelInboundHandler<ByteBuf> {
        private final Consumer<String> log;

        Messages(Consumer<String> log) {
            this.log = log;
        }

        @Override
        protected void channelRead0(ChannelHandlerContext ctx, ByteBuf message) {
            log.accept("message of " + message.readableBytes());
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
            log.accept(cause.getClass().getSimpleName() + ": " + cause.getMessage());
            ctx.close();
        }

        @Override
        public void channelInactive(ChannelHandlerContext ctx) {
            log.accept("closed");
        }
    }
    // end::messages[]
}
