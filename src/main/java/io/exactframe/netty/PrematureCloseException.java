package io.exactframe.netty;

import io.netty.handler.codec.PrematureChannelClosureException;

/**
 * The stream ended inside a frame, or before the first byte of one that was asked for. Nothing more will arrive;
 * reconnect to try again. {@link #closedLocally()} tells a close of our own from the peer's end.
 *
 * <p>Counts only: no byte of the frame and no address is in it.
 *
 * @since 0.1.0
 */
public final class PrematureCloseException extends PrematureChannelClosureException {
    private static final long serialVersionUID = 1L;

    /** Bytes of the frame, or of its header. */
    private final long expectedBytes;

    /** Bytes that arrived of those. */
    private final long receivedBytes;

    /** Whether the frame's length was not known yet. */
    private final boolean inHeader;

    /** Whether it was this side that closed. */
    private final boolean closedLocally;

    PrematureCloseException(long expectedBytes, long receivedBytes, boolean inHeader, boolean closedLocally) {
        super("stream ended after " + receivedBytes + " of " + expectedBytes + (inHeader ? " header bytes" : " bytes")
                + (closedLocally ? ", closed on this side" : ""));
        this.expectedBytes = expectedBytes;
        this.receivedBytes = receivedBytes;
        this.inHeader = inHeader;
        this.closedLocally = closedLocally;
    }

    /**
     * How many bytes the frame has on the wire, its header included.
     *
     * @return bytes of the whole frame; of the header, as far as it was promised, if {@link #inHeader()}
     */
    public long expectedBytes() {
        return expectedBytes;
    }

    /**
     * How many of the {@link #expectedBytes()} arrived.
     *
     * @return bytes, fewer than expected
     */
    public long receivedBytes() {
        return receivedBytes;
    }

    /**
     * Whether the stream ended before the frame's length was known.
     *
     * @return true if the counts are those of the header
     */
    public boolean inHeader() {
        return inHeader;
    }

    /**
     * Whether this side ended the connection, and not the peer: by a {@code close()} or {@code disconnect()} that passed
     * the handler, or because a write failed (Netty then closes the channel unless {@code AUTO_CLOSE} is off). Best
     * effort: a close by a handler nearer to the socket is not seen, and is told as the peer's; so is one with which the
     * application answers an {@code IOException} of the socket.
     *
     * @return true if what is missing may still have been on its way
     */
    public boolean closedLocally() {
        return closedLocally;
    }
}
