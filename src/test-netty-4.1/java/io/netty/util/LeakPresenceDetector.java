package io.netty.util;

public final class LeakPresenceDetector {
    private LeakPresenceDetector() {}

    public static void check() {
        throw new UnsupportedOperationException();
    }
}
