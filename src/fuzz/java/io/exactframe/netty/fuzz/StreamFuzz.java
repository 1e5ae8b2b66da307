package io.exactframe.netty.fuzz;

/** {@link io.exactframe.netty.FrameStreamDecoder}: a start, then chunks that follow the reads. */
public final class StreamFuzz {
    private StreamFuzz() {}

    public static void fuzzerTestOneInput(byte[] input) {
        DecoderLife.live(input, true);
    }
}
