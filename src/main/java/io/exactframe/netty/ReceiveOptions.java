package io.exactframe.netty;

import java.time.Duration;
import java.util.Objects;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * What a handler may be told beside the length of its frames. Immutable; one instance serves any number of channels,
 * and the order of the calls does not matter.
 *
 * <pre>{@code
 * new LengthPrefixedExactDecoder(1 << 20, LengthPrefix.uint32(), ReceiveOptions.defaults().contiguous())
 * }</pre>
 *
 * @since 0.1.0
 */
public final class ReceiveOptions {
    static final long NEVER = Long.MAX_VALUE;
    private static final ReceiveOptions DEFAULTS = new ReceiveOptions(false, false, NEVER, NEVER, 0, null);

    final boolean contiguous;
    final boolean onDemand;
    final long frameDeadlineNanos;
    final long stallTimeoutNanos;
    final long skippedBytes;
    final @Nullable ReceiveBudget budget;

    private ReceiveOptions(
            boolean contiguous, boolean onDemand, long frameDeadlineNanos, long stallTimeoutNanos, long skippedBytes,
            @Nullable ReceiveBudget budget) {
        this.contiguous = contiguous;
        this.onDemand = onDemand;
        this.frameDeadlineNanos = frameDeadlineNanos;
        this.stallTimeoutNanos = stallTimeoutNanos;
        this.skippedBytes = skippedBytes;
        this.budget = budget;
    }

    /**
     * Nothing special: frames over 64 KiB come in the pieces they arrived in, as one composite buffer; no frame is too
     * slow; a frame that is too long ends its decoder.
     *
     * @return the options every handler has when it is given none
     */
    public static ReceiveOptions defaults() {
        return DEFAULTS;
    }

    /**
     * Frames of every size come as one piece of memory. For frames over 64 KiB this costs one copy more and, while it
     * is being made, three times the bytes received.
     *
     * @return these options, with contiguous frames
     */
    public ReceiveOptions contiguous() {
        return new ReceiveOptions(true, onDemand, frameDeadlineNanos, stallTimeoutNanos, skippedBytes, budget);
    }

    /**
     * How long a frame may take, from its first byte to its last. A frame that is not complete by then ends its decoder
     * with one {@link FrameTimeoutException} and fails every outstanding receive; a byte now and then does not help it.
     * The time in which the application did not read does not count (see {@link #stallTimeout}).
     *
     * @param deadline more than zero
     * @return these options, with a deadline for each frame
     * @throws IllegalArgumentException if it is zero or negative
     */
    public ReceiveOptions frameDeadline(Duration deadline) {
        return new ReceiveOptions(
                contiguous, onDemand, FrameTimeoutException.nanos(deadline), stallTimeoutNanos, skippedBytes, budget);
    }

    /**
     * How long a frame that was begun may be without a further byte. Then its decoder ends with one {@link
     * FrameTimeoutException}, and every outstanding receive fails. Between frames nothing is timed.
     *
     * <p>While the application does not read (auto-read is off and no read is outstanding) the peer is not to blame,
     * and neither this clock nor that of {@link #frameDeadline} runs. Whether it reads is looked at from time to time:
     * either limit is kept with an error of at most an eighth of it.
     *
     * @param timeout more than zero
     * @return these options, with a limit for the time between the bytes of a frame
     * @throws IllegalArgumentException if it is zero or negative
     */
    public ReceiveOptions stallTimeout(Duration timeout) {
        return new ReceiveOptions(
                contiguous, onDemand, frameDeadlineNanos, FrameTimeoutException.nanos(timeout), skippedBytes, budget);
    }

    /**
     * Bounds the memory that the partial frames of all channels with this budget hold together. It needs a {@link
     * #frameDeadline}: who holds a share of it must give it back some day.
     *
     * @param budget shared by any number of channels and event loops
     * @return these options, with that budget
     */
    public ReceiveOptions budget(ReceiveBudget budget) {
        Objects.requireNonNull(budget, "budget");
        return new ReceiveOptions(contiguous, onDemand, frameDeadlineNanos, stallTimeoutNanos, skippedBytes, budget);
    }

    /**
     * A frame longer than the limit, but no longer than this, is reported once with a {@code TooLongFrameException} and
     * skipped, its bytes released as they come; then decoding goes on behind it. A frame that is longer still ends the
     * decoder, as every frame over the limit does without this option.
     *
     * <p>If the stream ends inside a frame that is being skipped, that is a {@link PrematureCloseException} as in any
     * other. A handler that removes or replaces the decoder when it is told gets the frame from its first byte; one
     * that does so later gets what comes after that, from wherever in the frame it is.
     *
     * <p>With an {@link ExactReceiver} only the receive that asked for the frame fails, and the next one gets what is
     * behind it. A decoder whose {@code maxFrameLength} is {@code maxBytes} or more, or whose frames all have one
     * length, has nothing to skip: its constructor throws an {@link IllegalArgumentException}.
     *
     * @param maxBytes the most bytes a frame that is skipped may have, header included; 1 or more
     * @return these options, with frames skipped
     * @throws IllegalArgumentException if {@code maxBytes} is less than 1
     */
    public ReceiveOptions skipOversized(long maxBytes) {
        require(maxBytes >= 1, () -> "maxBytes: " + maxBytes + " (expected: 1 or more)");
        return new ReceiveOptions(contiguous, onDemand, frameDeadlineNanos, stallTimeoutNanos, maxBytes, budget);
    }

    /**
     * While auto-read is off, at most one message goes on for each {@code read()}; the rest waits in the handler, and
     * nothing is read from the socket while a whole one waits. What marks the end waits behind it: {@code
     * channelInactive}, {@code ChannelInputShutdownEvent}, and the exception of a premature close. With auto-read on
     * everything goes on. Of a {@code read()} that was asked for before it was added, a decoder does not know: ask again
     * then, or at {@code channelReadComplete}.
     *
     * <p>One thing cannot wait: when the channel is closed, Netty takes its pipeline apart right behind {@code
     * channelInactive}. So what still waits at {@code channelUnregistered} goes on then, all at once and in order. With
     * {@code ALLOW_HALF_CLOSURE} a peer's end closes nothing, and every message is asked for to the last. An {@link
     * ExactReceiver} is on demand in any case.
     *
     * @return these options, with messages on demand
     */
    public ReceiveOptions onDemand() {
        return new ReceiveOptions(contiguous, true, frameDeadlineNanos, stallTimeoutNanos, skippedBytes, budget);
    }

    /** Refuses what can skip no frame, for a decoder with that limit. */
    void skippedBytes(long maxFrameLength) {
        require(skippedBytes == 0 || skippedBytes > maxFrameLength,
                () -> "skipOversized(" + skippedBytes + ") skips no frame, maxFrameLength is " + maxFrameLength);
    }

    /** These options for a handler that reserves no memory. */
    ReceiveOptions withoutBudget() {
        return new ReceiveOptions(contiguous, onDemand, frameDeadlineNanos, stallTimeoutNanos, skippedBytes, null);
    }

    /** These options if they make sense together. */
    ReceiveOptions checked() {
        require(budget == null || frameDeadlineNanos != NEVER,
                () -> "a budget needs a frameDeadline: a peer that declares much and sends nothing would hold its share"
                        + " for ever");
        return this;
    }

    /** What is given is checked when it is given: nothing is left to fail at the first frame. */
    static void require(boolean holds, Supplier<String> otherwise) {
        if (!holds) {
            throw new IllegalArgumentException(otherwise.get());
        }
    }
}
