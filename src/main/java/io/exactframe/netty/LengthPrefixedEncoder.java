package io.exactframe.netty;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandler.Sharable;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.MessageToMessageEncoder;
import java.util.List;

/**
 * Puts the length field into what is written: the other direction of {@link LengthPrefixedExactDecoder}, from the same
 * {@link LengthPrefix}.
 *
 * <pre>
 *   written                                    on the wire
 *   | before | after | payload | trailer |     | before | length | after | payload | trailer |
 * </pre>
 *
 * A {@link ByteBuf} that is written is a whole frame less its length field; with no header before or after and no
 * trailer that is simply the payload. It is released, and not copied. A length that the field cannot hold, or a message
 * shorter than the header and the trailer, fails the write's promise with an {@link
 * io.netty.handler.codec.EncoderException} whose cause is an {@link IllegalArgumentException}; nothing is written then.
 * Other messages pass. One instance serves any number of channels.
 */
@Sharable
public class LengthPrefixedEncoder extends MessageToMessageEncoder<ByteBuf> {
    private static final int LONGEST_FIELD = 8;

    private final LengthPrefix prefix;

    /**
     * Writes frames as this prefix describes them.
     *
     * @param prefix where the length goes and what it counts
     * @throws IllegalArgumentException if the prefix makes no sense
     */
    public LengthPrefixedEncoder(LengthPrefix prefix) {
        super(ByteBuf.class);
        this.prefix = prefix.checked(Long.MAX_VALUE);
    }

    @Override
    protected void encode(ChannelHandlerContext ctx, ByteBuf message, List<Object> out) {
        long payload = message.readableBytes() - prefix.headerAndTrailer();
        if (payload < 0) {
            throw new IllegalArgumentException("a message of " + message.readableBytes()
                    + " bytes is shorter than its header and trailer, which have " + prefix.headerAndTrailer());
        }
        int before = prefix.before();
        ByteBuf header = ctx.alloc().buffer(before + LONGEST_FIELD);
        try {
            header.writeBytes(message, message.readerIndex(), before);
            prefix.writeLength(header, payload);
            out.add(header.retain());
        } finally {
            header.release();
        }
        int rest = message.readableBytes() - before;
        if (rest > 0) {
            out.add(message.retainedSlice(message.readerIndex() + before, rest));
        }
    }
}
