package io.exactframe.netty.testing;

import io.exactframe.netty.ExactFrameDecoder;
import io.exactframe.netty.FixedLengthExactDecoder;
import io.exactframe.netty.LengthPrefix;
import io.exactframe.netty.LengthPrefixedExactDecoder;
import io.exactframe.netty.PrematureCloseException;
import io.exactframe.netty.ReceiveOptions;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import org.jspecify.annotations.Nullable;

/** The decoders under test. Every payload has four characters, one for each byte. */
public enum FrameCodec {
    FIXED(0, 4) {
        @Override
        public String wire(String payload) {
            return payload;
        }

        @Override
        public ExactFrameDecoder decoder() {
            return new FixedLengthExactDecoder(4);
        }

        @Override
        public ExactFrameDecoder decoder(Hook inDecode) {
            return new FixedLengthExactDecoder(4) {
                @Override
                protected @Nullable Object decode(ChannelHandlerContext ctx, ByteBuf frame) throws Exception {
                    inDecode.run(ctx);
                    return super.decode(ctx, frame);
                }
            };
        }
    },

    PREFIXED(2, 6) {
        @Override
        public String wire(String payload) {
            return "\0\4" + payload;
        }

        @Override
        public ExactFrameDecoder decoder() {
            return new LengthPrefixedExactDecoder(16, LengthPrefix.uint16());
        }

        @Override
        public ExactFrameDecoder decoder(Hook inDecode) {
            return prefixed(LengthPrefix.uint16(), inDecode);
        }
    },

    HEADER_KEPT(2, 6) {
        @Override
        public String wire(String payload) {
            return "\0\4" + payload;
        }

        @Override
        public String delivered(String payload) {
            return wire(payload);
        }

        @Override
        public ExactFrameDecoder decoder() {
            return new LengthPrefixedExactDecoder(16, LengthPrefix.uint16().keepHeader());
        }

        @Override
        public ExactFrameDecoder decoder(Hook inDecode) {
            return prefixed(LengthPrefix.uint16().keepHeader(), inDecode);
        }
    },

    BETWEEN_OTHERS(2, 8) {
        @Override
        public String wire(String payload) {
            return "<\4>" + payload + ";";
        }

        @Override
        public ExactFrameDecoder decoder() {
            return new LengthPrefixedExactDecoder(16, prefix());
        }

        @Override
        public ExactFrameDecoder decoder(Hook inDecode) {
            return prefixed(prefix(), inDecode);
        }

        private LengthPrefix prefix() {
            return LengthPrefix.uint8().headerBefore(1).headerAfter(1).trailer(1);
        }
    },

    /** A header whose length is told by its first byte, and a message that is not the frame. */
    OWN(2, 6) {
        @Override
        public String wire(String payload) {
            return "m\4" + payload;
        }

        @Override
        public ExactFrameDecoder decoder() {
            return decoder(ctx -> {});
        }

        @Override
        public ExactFrameDecoder decoder(Hook inDecode) {
            return new ExactFrameDecoder(1, 2, 16, ReceiveOptions.defaults()) {
                @Override
                protected long frameLength(ByteBuf header) {
                    return header.readableBytes() == 1 ? -2 : 2 + header.getUnsignedByte(1);
                }

                @Override
                protected Object decode(ChannelHandlerContext ctx, ByteBuf frame) throws Exception {
                    inDecode.run(ctx);
                    return frame.skipBytes(2).readRetainedSlice(4);
                }
            };
        }
    };

    public interface Hook {
        void run(ChannelHandlerContext ctx) throws Exception;
    }

    /** Bytes of the header that the exceptions tell of; of a whole frame on the wire. */
    public final int headerLength;

    public final int frameLength;

    FrameCodec(int headerLength, int frameLength) {
        this.headerLength = headerLength;
        this.frameLength = frameLength;
    }

    public abstract String wire(String payload);

    public String delivered(String payload) {
        return payload;
    }

    public abstract ExactFrameDecoder decoder();

    public abstract ExactFrameDecoder decoder(Hook inDecode);

    public final String wire(String... payloads) {
        StringBuilder bytes = new StringBuilder();
        for (String payload : payloads) {
            bytes.append(wire(payload));
        }
        return bytes.toString();
    }

    public final String[] delivered(String... payloads) {
        String[] frames = new String[payloads.length];
        for (int i = 0; i < frames.length; i++) {
            frames[i] = delivered(payloads[i]);
        }
        return frames;
    }

    /** What the probe writes down when the stream ends after so many bytes of a frame. */
    public final String truncated(int received) {
        return "[PrematureCloseException: stream ended after " + received + " of "
                + (received < headerLength ? headerLength + " header bytes]" : frameLength + " bytes]");
    }

    private static ExactFrameDecoder prefixed(LengthPrefix prefix, Hook inDecode) {
        return new LengthPrefixedExactDecoder(16, prefix) {
            @Override
            protected @Nullable Object decode(ChannelHandlerContext ctx, ByteBuf frame) throws Exception {
                inDecode.run(ctx);
                return super.decode(ctx, frame);
            }
        };
    }
}
