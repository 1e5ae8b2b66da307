package io.exactframe.netty;

/**
 * What a handler may be told beside the length of its frames. Immutable; one instance serves any number of channels.
 *
 * <pre>{@code
 * new LengthPrefixedExactDecoder(1 << 20, LengthPrefix.uint32(), ReceiveOptions.defaults().contiguous())
 * }</pre>
 */
public final class ReceiveOptions {
    private static final ReceiveOptions DEFAULTS = new ReceiveOptions(false);

    private final boolean contiguous;

    private ReceiveOptions(boolean contiguous) {
        this.contiguous = contiguous;
    }

    /**
     * Nothing special: frames over 64 KiB come in the pieces they arrived in, as one composite buffer.
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
        return new ReceiveOptions(true);
    }

    boolean isContiguous() {
        return contiguous;
    }
}
