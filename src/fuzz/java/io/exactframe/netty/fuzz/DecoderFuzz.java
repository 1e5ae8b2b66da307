package io.exactframe.netty.fuzz;

/** Decoders of whole frames: fixed, prefixed, and a codec that asks for more header, changes its mode, and fails. */
public final class DecoderFuzz {
    private DecoderFuzz() {}

    public static void fuzzerTestOneInput(byte[] input) {
        DecoderLife.live(input, false);
    }
}
