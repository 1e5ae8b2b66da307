package io.exactframe.netty;

import static io.exactframe.netty.ReceiveOptions.require;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.CorruptedFrameException;
import io.netty.handler.codec.DecoderException;
import io.netty.handler.codec.TooLongFrameException;
import org.jspecify.annotations.Nullable;

/**
 * The base of every decoder that gives whole frames, and of your own: say how long a frame is, get it whole.
 *
 * <pre>{@code
 * // one byte of type, four of length that count themselves and the payload
 * class MessageDecoder extends ExactFrameDecoder {
 *     MessageDecoder() {
 *         super(5, 1 << 20);
 *     }
 *
 *     protected long frameLength(ByteBuf header) {
 *         return 1 + header.getUnsignedInt(1);
 *     }
 *
 *     protected Object decode(ChannelHandlerContext ctx, ByteBuf frame) {
 *         return new Message(frame.readByte(), frame.skipBytes(4).toString(UTF_8)); // the frame is released for us
 *     }
 * }
 * }</pre>
 *
 * <p><b>Errors</b> are fired, not thrown, in front of {@code channelInactive}, which still goes on:
 *
 * <ul>
 *   <li>the stream ends inside a frame: one {@link PrematureCloseException}, on half-closure too
 *   <li>a frame longer than the limit: one {@link TooLongFrameException}; with {@link ReceiveOptions#skipOversized} the
 *       frame behind it goes on
 *   <li>a frame that takes longer than the options allow: one {@link FrameTimeoutException}
 *   <li>{@link #frameLength} throws anything but that or says nonsense, or {@link #decode} throws a {@link
 *       CorruptedFrameException}: one {@code CorruptedFrameException}
 *   <li>{@code decode} throws anything else: one {@link DecoderException}, and the next frame goes on
 * </ul>
 *
 * After any other the decoder {@linkplain #hasEnded() has ended}: it releases whatever still comes. Closing the channel
 * is up to a handler's {@code exceptionCaught}.
 *
 * <p><b>Frames</b> begin at reader index 0, may share memory with what was received, and are released by whoever gets
 * them. Those up to 64 KiB are one piece of memory, larger ones are composite unless {@link
 * ReceiveOptions#contiguous()}.
 *
 * <p><b>Modes.</b> The length of a frame is asked for when the frame before it has been decoded and delivered, so that
 * what handles one frame may change how the next is read: set a mode, or replace or remove the decoder.
 *
 * <p><b>Removal.</b> What was received and not delivered goes on downstream unchanged, a partial frame included; so add
 * the successor before removing (or use {@code replace}): one that is added afterwards is bypassed. An instance is
 * added once, to one channel (Netty's rule for handlers that are not sharable).
 *
 * <p><b>Back-pressure</b> is Netty's: one read may give several frames, and with auto-read off a read that gave none
 * asks for one more and completes with that. With {@link ReceiveOptions#onDemand()} frames come one by one, and the end
 * behind the last ({@link io.netty.handler.flow.FlowControlHandler} drops what it holds at the end). A frame that arrives after a handler behind has called {@code close()} is not delivered; a codec that
 * closes by itself calls {@code ctx.pipeline().close()} for that, as {@code ctx.close()} begins in front of it.
 *
 * @since 0.1.0
 */
public abstract class ExactFrameDecoder extends FrameDecoder {
    private final @Nullable LengthRule rule; // null: all frames have maxFrameLength
    private final int maxFrameLength;

    /**
     * Frames whose length is told by their first {@code headerLength} bytes.
     *
     * @param headerLength bytes of the header; 0 if the length is known without any
     * @param maxFrameLength the most bytes a whole frame may have, header included
     * @throws IllegalArgumentException if the lengths make no sense
     */
    protected ExactFrameDecoder(int headerLength, int maxFrameLength) {
        this(headerLength, headerLength, maxFrameLength, ReceiveOptions.defaults());
    }

    /**
     * Frames whose length is told by their first bytes, how many being told by these bytes.
     *
     * @param headerLength bytes of the shortest header
     * @param maxHeaderLength bytes of the longest header
     * @param maxFrameLength the most bytes a whole frame may have, header included
     * @param options how to receive
     * @throws IllegalArgumentException if the lengths or the options make no sense, or no frame could be {@linkplain
     *     ReceiveOptions#skipOversized skipped}
     */
    @SuppressWarnings("this-escape") // to its own rule, which asks it when bytes come
    protected ExactFrameDecoder(int headerLength, int maxHeaderLength, int maxFrameLength, ReceiveOptions options) {
        super(options);
        require(headerLength >= 0 && maxHeaderLength >= headerLength && maxFrameLength >= Math.max(maxHeaderLength, 1),
                () -> "headerLength " + headerLength + ", maxHeaderLength " + maxHeaderLength + ", maxFrameLength "
                        + maxFrameLength
                        + " (expected: 0 <= headerLength <= maxHeaderLength <= maxFrameLength, and that at least 1)");
        this.rule = new LengthRule.Asked(this, headerLength, maxHeaderLength);
        this.maxFrameLength = maxFrameLength;
        options.skippedBytes(maxFrameLength);
    }

    ExactFrameDecoder(@Nullable LengthRule rule, int maxFrameLength, ReceiveOptions options) {
        super(options);
        require(maxFrameLength >= 1, () -> "a frame has at least 1 byte, not " + maxFrameLength);
        require(rule != null || options.skippedBytes == 0,
                () -> "no frame is too long, skipOversized() makes no sense");
        this.rule = rule;
        this.maxFrameLength = maxFrameLength;
        options.skippedBytes(maxFrameLength);
    }

    /**
     * Tells how long the next frame is.
     *
     * @param header exactly the bytes promised so far, {@code headerLength} of them at first; borrowed for the call,
     *     its indices are free to move
     * @return the whole frame's length in bytes, header included; or -n to be asked again with n bytes, more than now
     *     and at most {@code maxHeaderLength}. Any other negative number, or less than the header, is a corrupted frame
     * @throws Exception if no length can be told: the framing is lost and the decoder ends
     */
    protected abstract long frameLength(ByteBuf header) throws Exception;

    /**
     * Turns a whole frame into the message that goes on; the frame itself unless overridden.
     *
     * @param ctx this decoder's context; for more than one message, call its {@code fireChannelRead}, and return the
     *     last: with auto-read off, a read that returned none asks for one more
     * @param frame borrowed: it is released after return or throw, unless it is what is returned; keep parts of it with
     *     {@code retainedSlice}
     * @return the message, or null if nothing goes on. A decoder that replaces itself in here gives what it returns to its
     *     successor, as any decoder of Netty's does: fire the message first, and return null
     * @throws Exception if the frame makes no sense; a {@link CorruptedFrameException} ends the decoder
     */
    protected @Nullable Object decode(ChannelHandlerContext ctx, ByteBuf frame) throws Exception {
        return frame;
    }

    final LengthRule rule() {
        return rule == null ? new LengthRule.Fixed(maxFrameLength) : rule;
    }

    @Override
    final FrameAssembler newSource(ChannelHandlerContext ctx) {
        return new FrameAssembler(rule(), maxFrameLength, options, newShare(() -> ctx));
    }

    @Override
    final void deliver(ChannelHandlerContext ctx, Object found) {
        ByteBuf frame = (ByteBuf) found;
        Object message = null;
        try {
            message = decode(ctx, frame);
        } catch (CorruptedFrameException e) {
            end(ctx, e);
        } catch (Throwable t) {
            ctx.fireExceptionCaught(t instanceof DecoderException ? t : new DecoderException(Recorded.describe(t), t));
        }
        if (message != frame) {
            frame.release();
        }
        if (message != null) {
            pass(ctx, message);
        }
    }
}
