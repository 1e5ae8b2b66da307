package io.exactframe.netty.fuzz;

/** {@link io.exactframe.netty.ExactReceiver}: all that can be asked of it, cancelled, and its ends. */
public final class ReceiverFuzz {
    private ReceiverFuzz() {}

    public static void fuzzerTestOneInput(byte[] input) {
        ReceiverLife.live(input);
    }
}
