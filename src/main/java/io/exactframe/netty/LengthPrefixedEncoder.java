package io.exactframe.netty;

import static io.exactframe.netty.ReceiveOptions.require;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufHolder;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandler.Sharable;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelOutboundHandlerAdapter;
import io.netty.channel.ChannelPromise;
import io.netty.channel.FileRegion;
import io.netty.handler.codec.EncoderException;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.stream.ChunkedInput;
import io.netty.util.ReferenceCountUtil;
import io.netty.util.concurrent.PromiseCombiner;
import org.jspecify.annotations.Nullable;

/**
 * Puts the length field into what is written: the other direction of {@link LengthPrefixedExactDecoder}, from the same
 * {@link LengthPrefix}.
 *
 * <pre>
 *   written                                    on the wire
 *   | before | after | payload | trailer |     | before | length | after | payload | trailer |
 * </pre>
 *
 * What is written is a whole frame less its length field; with no header before or after and no trailer that is simply
 * the payload. It is released, and not copied:
 *
 * <ul>
 *   <li>a {@link ByteBuf}
 *   <li>a {@link ByteBufHolder}: its {@link #content(ByteBufHolder) content}
 *   <li>a {@link FileRegion}, of {@link FileRegion#count()} bytes: the length, then the region itself. Not over TLS
 *   <li>a {@link ChunkedInput}, of {@link ChunkedInput#length()} bytes: the length, then the input itself, for the
 *       {@link io.netty.handler.stream.ChunkedWriteHandler} that is nearer to the socket
 * </ul>
 *
 * Other messages pass. A length that the field cannot hold or that is not known, a message shorter than the header and
 * the trailer, header bytes in front of a length field in what cannot be cut: each fails the write's promise with an
 * {@link EncoderException} whose cause is an {@link IllegalArgumentException}, and nothing is written.
 *
 * <p>If a region or an input fails when its length is out, or has another length than it told, its promise fails, and the
 * same is fired as an exception: the peer takes what follows for the rest of that frame, so the channel is to be closed.
 *
 * <p>One instance serves any number of channels.
 *
 * @since 0.1.0
 */
@Sharable
public class LengthPrefixedEncoder extends ChannelOutboundHandlerAdapter {
    private final LengthPrefix prefix;
    private final PrefixRule rule;

    /**
     * Writes frames as this prefix describes them.
     *
     * @param prefix where the length goes and what it counts
     * @throws IllegalArgumentException if the prefix makes no sense
     */
    public LengthPrefixedEncoder(LengthPrefix prefix) {
        this.prefix = prefix;
        this.rule = prefix.rule(Long.MAX_VALUE);
    }

    /**
     * The bytes of a holder that are a frame less its length field.
     *
     * @param message borrowed: it is released afterwards
     * @return its content unless overridden, borrowed too; null if it is to pass as it is
     */
    protected @Nullable ByteBuf content(ByteBufHolder message) {
        return message.content();
    }

    @Override
    public void write(ChannelHandlerContext ctx, Object message, ChannelPromise promise) throws Exception {
        ByteBuf header = null;
        Object rest = message;
        try {
            ByteBuf frame = message instanceof ByteBufHolder holder ? content(holder) : null;
            frame = message instanceof ByteBuf bytes ? bytes : frame;
            header = frame == null ? header(ctx, message) : header(ctx, frame.readableBytes(), frame);
            if (frame != null) {
                rest = frame.retainedSlice(frame.readerIndex() + rule.before, frame.readableBytes() - rule.before);
                ReferenceCountUtil.release(message);
            }
        } catch (Throwable refused) {
            ReferenceCountUtil.release(header);
            ReferenceCountUtil.release(message);
            if (message instanceof ChunkedInput<?> input) {
                input.close();
            }
            throw refused instanceof EncoderException told ? told : new EncoderException(Recorded.describe(refused), refused);
        }
        if (header == null) {
            ctx.write(message, promise);
        } else {
            PromiseCombiner both = new PromiseCombiner(ctx.executor());
            both.add(ctx.write(header));
            both.add(rest instanceof ByteBuf ? ctx.write(rest) : writeWhole(ctx, rest));
            both.finish(promise.unvoid());
        }
    }

    /** That of a message that stays whole; null if it passes as it is. */
    private @Nullable ByteBuf header(ChannelHandlerContext ctx, Object message) {
        if (message instanceof FileRegion region) {
            require(ctx.pipeline().get(SslHandler.class) == null,
                    () -> "a FileRegion cannot be encrypted, a ChunkedNioFile can");
            return header(ctx, region.count() - region.transferred(), null);
        }
        return message instanceof ChunkedInput<?> input ? header(ctx, input.length(), null) : null;
    }

    /** What goes in front of the rest of a frame of so many bytes; of a frame that can be cut, its first bytes too. */
    private ByteBuf header(ChannelHandlerContext ctx, long length, @Nullable ByteBuf frame) {
        require(length >= 0, () -> "the length of what is written is not known");
        require(length >= rule.headerAndTrailer,
                () -> "a message of " + length + " bytes is shorter than its header and trailer, which have "
                        + rule.headerAndTrailer);
        require(frame != null || rule.before == 0,
                () -> "only a buffer can be cut for its " + rule.before + " bytes before the length");
        ByteBuf header = ctx.alloc().buffer(rule.before + Long.BYTES);
        try {
            if (frame != null) {
                header.writeBytes(frame, frame.readerIndex(), rule.before);
            }
            prefix.writeLength(header, length - rule.headerAndTrailer);
            return header;
        } catch (Throwable tooLong) {
            header.release();
            throw tooLong;
        }
    }

    /** Writes what has told its length before; done when it has been found to be true. */
    private static ChannelFuture writeWhole(ChannelHandlerContext ctx, Object message) {
        ChannelPromise whole = ctx.newPromise();
        long length = message instanceof ChunkedInput<?> input ? input.length() : -1;
        ctx.write(message).addListener(written -> {
            Throwable cause = written.cause();
            if (cause == null && message instanceof ChunkedInput<?> input && input.progress() != length) {
                cause = new EncoderException(
                        input.progress() + " bytes were written behind a length of " + length + " bytes");
            }
            if (cause == null) {
                whole.setSuccess();
            } else {
                whole.setFailure(cause);
                ctx.fireExceptionCaught(cause);
            }
        });
        return whole;
    }
}
