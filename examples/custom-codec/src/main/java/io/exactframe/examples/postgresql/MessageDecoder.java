package io.exactframe.examples.postgresql;

import io.exactframe.netty.ExactFrameDecoder;
import io.exactframe.netty.FrameStreamDecoder;
import io.exactframe.netty.LengthPrefix;
import io.exactframe.netty.LengthPrefix.CountedFrom;
import io.exactframe.netty.ReceiveOptions;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPipeline;
import io.netty.handler.codec.CorruptedFrameException;

/**
 * Cuts PostgreSQL's stream into messages; whole ones, as they are, header included.
 *
 * <pre>
 *   STARTUP, from a client until it said what it wants   | length (4) | code (4) | ...     the length counts itself
 *   TYPED, from then on and from a server                | type | length (4) | ...         itself, but not the type
 * </pre>
 *
 * A message of more than 1 MiB comes in parts: its header alone is a frame here, which goes to a {@link
 * FrameStreamDecoder} that takes this decoder's place, for a {@code FrameStart} and {@code FrameChunk}s; whoever gets the
 * last of them calls {@link #afterLarge}.
 */
final class MessageDecoder extends ExactFrameDecoder {
    enum Mode {
        STARTUP,
        TYPED
    }

    static final int SSL_REQUEST = 80877103;
    static final int GSS_REQUEST = 80877104;
    static final int CANCEL_REQUEST = 80877102;

    static final int LARGE = 1 << 20;

    private static final ReceiveOptions ON_DEMAND = ReceiveOptions.defaults().onDemand();
    private static final int HEADER = 5; // type and length; a startup packet has 8 bytes at least
    private static final int LONGEST_STARTUP = 4 + 10_000; // these two as in PostgreSQL
    private static final int LONGEST = 0x3FFF_FFFF;

    private final int large;
    private Mode mode;
    private char type; // of the message under way, or the last

    MessageDecoder(Mode mode) {
        this(mode, LARGE);
    }

    MessageDecoder(Mode mode, int large) {
        super(HEADER, HEADER, Math.max(large, LONGEST_STARTUP), ON_DEMAND);
        this.mode = mode;
        this.large = large;
    }

    /** The type of the message that an exception is about. */
    char type() {
        return type;
    }

    @Override
    protected long frameLength(ByteBuf header) {
        if (mode == Mode.STARTUP) {
            long length = header.getUnsignedInt(0);
            if (length < 8 || length > LONGEST_STARTUP) {
                throw new CorruptedFrameException("this is not how a PostgreSQL connection begins");
            }
            return length;
        }
        type = (char) header.getUnsignedByte(0);
        int length = header.getInt(1);
        if (length < 4 || length > LONGEST || !Character.isLetterOrDigit(type)) {
            throw new CorruptedFrameException("this is no PostgreSQL message: type " + (int) type + ", length " + length);
        }
        return isLarge(length) ? HEADER : 1 + length;
    }

    @Override
    protected ByteBuf decode(ChannelHandlerContext ctx, ByteBuf frame) {
        if (mode == Mode.STARTUP) {
            int code = frame.getInt(4);
            mode = code == SSL_REQUEST || code == GSS_REQUEST ? Mode.STARTUP : Mode.TYPED;
            return frame;
        }
        if (!isLarge(frame.getInt(1))) {
            return frame;
        }
        LengthPrefix prefix = LengthPrefix.uint32().headerBefore(1).countedFrom(CountedFrom.FIELD);
        ctx.pipeline().addAfter(ctx.name(), "large", new FrameStreamDecoder(1L + LONGEST, prefix, ON_DEMAND));
        ctx.fireChannelRead(frame.retain());
        ctx.pipeline().remove(this); // what else there is goes to the other decoder, behind the header
        return null;
    }

    private boolean isLarge(int length) {
        return 1L + length > large;
    }

    /** To be called with the last part of a large message. */
    MessageDecoder afterLarge(ChannelPipeline pipeline) {
        MessageDecoder next = new MessageDecoder(Mode.TYPED, large);
        pipeline.replace("large", null, next);
        return next;
    }
}
