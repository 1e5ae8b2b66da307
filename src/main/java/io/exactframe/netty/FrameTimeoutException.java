package io.exactframe.netty;

import static io.exactframe.netty.ReceiveOptions.require;

import io.netty.channel.ChannelException;
import java.time.Duration;
import java.util.concurrent.TimeUnit;

/**
 * A frame was not complete in the time it had, which is measured by the clock of the event loop. The stream is of no
 * more use, since nobody knows when the rest comes: close the channel.
 *
 * <p>Counts only: no byte of the frame and no address is in it.
 *
 * @since 0.1.0
 */
public final class FrameTimeoutException extends ChannelException {
    private static final long serialVersionUID = 1L;

    /**
     * Which time was over.
     *
     * @since 0.1.0
     */
    public enum Limit {
        /** That for the whole frame; a byte now and then does not extend it. */
        DEADLINE,
        /** That from one byte of the frame to the next. */
        STALL
    }

    /** How far the frame was. */
    private final PrematureCloseException part;

    /** Which time was over. */
    private final Limit limit;

    FrameTimeoutException(PrematureCloseException part, Limit limit, long nanos) {
        super(part.receivedBytes() + " of " + part.expectedBytes() + (part.inHeader() ? " header bytes" : " bytes")
                + (limit == Limit.DEADLINE ? " within the deadline of " : " and no more for ")
                + (nanos % 1_000_000 == 0 ? nanos / 1_000_000 + " ms" : nanos + " ns"));
        this.part = part;
        this.limit = limit;
    }

    /** The nanoseconds of a limit, which is checked; 292 years if it is longer than that. */
    static long nanos(Duration limit) {
        require(!limit.isNegative() && !limit.isZero(), () -> "a time limit is more than nothing, not " + limit);
        return TimeUnit.NANOSECONDS.convert(limit);
    }

    /**
     * How many bytes the frame has on the wire, its header included.
     *
     * @return bytes of the whole frame; of the header, as far as it was promised, if {@link #inHeader()}
     */
    public long expectedBytes() {
        return part.expectedBytes();
    }

    /**
     * How many of the {@link #expectedBytes()} arrived in time.
     *
     * @return bytes, fewer than expected
     */
    public long receivedBytes() {
        return part.receivedBytes();
    }

    /**
     * Whether the time was over before the frame's length was known.
     *
     * @return true if the counts are those of the header
     */
    public boolean inHeader() {
        return part.inHeader();
    }

    /**
     * Which time was over.
     *
     * @return that for the whole frame, or that without a byte
     */
    public Limit limit() {
        return limit;
    }
}
