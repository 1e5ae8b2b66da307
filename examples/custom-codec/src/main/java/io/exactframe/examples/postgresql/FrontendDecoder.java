package io.exactframe.examples.postgresql;

import io.exactframe.netty.ExactFrameDecoder;
import io.exactframe.netty.ReceiveOptions;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.CorruptedFrameException;
import io.netty.handler.codec.TooLongFrameException;

/**
 * Reads what a PostgreSQL client sends, in two modes.
 *
 * <pre>
 *   until the StartupMessage   | int32 length | int32 code | ... |    the length counts itself
 *   from then on               | type | int32 length | ... |          the length counts itself, not the type
 * </pre>
 */
// tag::decoder[]
final class FrontendDecoder extends ExactFrameDecoder {
    /** PostgreSQL takes 10,000 bytes behind the length. */
    static final int MAX_STARTUP_LENGTH = 4 + 10_000;

    static final int MAX_MESSAGE_LENGTH = 1024 * 1024;

    private boolean started;

    FrontendDecoder() {
        super(4, 5, MAX_MESSAGE_LENGTH, ReceiveOptions.defaults()); // the header of the first mode, of the second
    }

    @Override
    protected long frameLength(ByteBuf header) {
        if (!started) {
            int length = header.readInt();
            if (length > MAX_STARTUP_LENGTH) {
                throw new TooLongFrameException("a startup packet of " + length + " bytes");
            }
            return atLeast(8, length);
        }
        if (header.readableBytes() < 5) {
            return -5; // ask again with the type and the length
        }
        header.readByte();
        return 1 + atLeast(4, header.readInt());
    }

    /** To be checked before anything is added: a negative length is not to become a request for more header. */
    private static long atLeast(int least, int length) {
        if (length < least) {
            throw new CorruptedFrameException("invalid message length: " + length);
        }
        return length;
    }

    @Override
    protected FrontendMessage decode(ChannelHandlerContext ctx, ByteBuf frame) {
        if (started) {
            return FrontendMessage.readTyped(frame);
        }
        FrontendMessage message = FrontendMessage.readStartup(frame);
        started = message instanceof FrontendMessage.StartupMessage; // so that is how the next frame is read
        return message;
    }
}
// end::decoder[]
