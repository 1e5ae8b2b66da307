package io.exactframe.netty;

import io.netty.handler.codec.PrematureChannelClosureException;

/**
 * The stream ended inside a frame, or before the first byte of one that was asked for. Nothing more will arrive;
 * reconnect to try again. Whoever closed is not told apart: a local close inside a frame is reported too.
 *
 * <p>Counts only: no byte of the frame and no address is in it.
 */
public final class PrematureCloseException extends PrematureChannelClosureException {
    private static final long serialVersionUID = 1L;

    /** Bytes of the frame, or of its header. */
    private final long expectedBytes;

    /** Bytes that arrived of those. */
    private final long receivedBytes;

    /** Whether the frame's length was not known yet. */
    private final boolean inHeader;

    PrematureCloseException(long expectedBytes, long receivedBytes, boolean inHeader) {
        super("stream ended after " + receivedBytes + " of " + expectedBytes + (inHeader ? " header bytes" : " bytes"));
        this.expectedBytes = expectedBytes;
        this.receivedBytes = receivedBytes;
        this.inHeader = inHeader;
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
}
