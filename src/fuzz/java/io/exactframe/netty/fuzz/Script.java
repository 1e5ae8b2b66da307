package io.exactframe.netty.fuzz;

/** What the fuzzer wrote: read from the front, zeros when it is used up, so that every prefix of a script is a script. */
final class Script {
    private static final int[] SIZES = {
        0, 1, 2, 3, 4, 5, 7, 8, 15, 16, 31, 63, 64, 100, 127, 128, 129, 200, 255, 256, 257, 1000, 2047, 2048, 4095, 4096, 4097, 5000,
        8191, 8192, 9000, 16384, 20_000, 32_000, 65_535, 65_536, 65_537, 70_000, 100_000, 140_000
    };

    private final byte[] bytes;
    private int next;

    Script(byte[] bytes) {
        this.bytes = bytes;
    }

    boolean isUsedUp() {
        return next >= bytes.length;
    }

    int next() {
        return next < bytes.length ? bytes[next++] & 0xff : 0;
    }

    /** 0 to most, both included. */
    int upTo(int most) {
        return next() % (most + 1);
    }

    boolean flag() {
        return (next() & 1) != 0;
    }

    /** A number of bytes: mostly few; at the edges of what the library treats differently; seldom many. */
    int size() {
        int chosen = next();
        return chosen < 160 ? chosen % 24 : SIZES[chosen % SIZES.length];
    }

    /** A size of at most so many. */
    int size(int most) {
        return Math.min(size(), most);
    }
}
