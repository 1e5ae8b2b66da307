package io.exactframe.netty;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandler;
import io.netty.util.ReferenceCountUtil;
import io.netty.util.concurrent.Future;

/** All that can be told how long a frame may take. Every frame is a length in two bytes, and so many bytes of payload. */
enum TimedHandler {
    FIXED(0) {
        @Override
        ChannelHandler create(int frameLength, ReceiveOptions options) {
            return new FixedLengthExactDecoder(frameLength, options);
        }
    },

    PREFIXED(2) {
        @Override
        ChannelHandler create(int frameLength, ReceiveOptions options) {
            return new LengthPrefixedExactDecoder(frameLength, LengthPrefix.uint16(), options);
        }
    },

    OWN_CODEC(2) {
        @Override
        ChannelHandler create(int frameLength, ReceiveOptions options) {
            return new ExactFrameDecoder(2, 2, frameLength, options) {
                @Override
                protected long frameLength(ByteBuf header) {
                    return 2 + header.readUnsignedShort();
                }
            };
        }
    },

    STREAM(2) {
        @Override
        ChannelHandler create(int frameLength, ReceiveOptions options) {
            return new FrameStreamDecoder(frameLength, LengthPrefix.uint16(), options);
        }
    },

    RECEIVE(0) {
        @Override
        Future<?> receive(ExactReceiver receiver, int frameLength) {
            return receiver.receive(frameLength);
        }
    },

    RECEIVE_OR_END(0) {
        @Override
        Future<?> receive(ExactReceiver receiver, int frameLength) {
            return receiver.receiveOrEnd(frameLength);
        }
    },

    RECEIVE_PREFIXED(2) {
        @Override
        Future<?> receive(ExactReceiver receiver, int frameLength) {
            return receiver.receive(LengthPrefix.uint16(), frameLength);
        }
    },

    RECEIVE_TO(0) {
        @Override
        Future<?> receive(ExactReceiver receiver, int frameLength) {
            return receiver.receiveTo(new ByteSink(), frameLength, Runnable::run);
        }
    },

    SKIP(0) {
        @Override
        Future<?> receive(ExactReceiver receiver, int frameLength) {
            return receiver.skip(frameLength);
        }
    };

    /** Bytes of the header that the exceptions tell of. */
    final int headerLength;

    TimedHandler(int headerLength) {
        this.headerLength = headerLength;
    }

    /** A handler for frames of this length. */
    ChannelHandler create(int frameLength, ReceiveOptions options) {
        return new ExactReceiver(options);
    }

    /** Asks a receiver for one more frame; null if this is a decoder. */
    Future<?> receive(ExactReceiver receiver, int frameLength) {
        return null;
    }

    static String wire(int frameLength) {
        int payload = frameLength - 2;
        return "" + (char) (payload >> 8) + (char) (payload & 0xff) + "x".repeat(payload);
    }

    static void release(Future<?> received) {
        if (received.isSuccess()) {
            ReferenceCountUtil.release(received.getNow());
        }
    }
}
