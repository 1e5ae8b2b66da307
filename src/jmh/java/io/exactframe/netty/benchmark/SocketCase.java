package io.exactframe.netty.benchmark;

import java.util.List;

/**
 * What is sent to a socket: frames of one length, small ones many in a write, large ones in pieces of one length.
 * Frames have four bytes more than a round number, so that they do not lie in the reads as if made for them.
 */
record SocketCase(String name, int frameLength, int writeLength) {
    private static final int KIB = 1024;
    private static final int MIB = 1024 * KIB;
    private static final int HEADER = FrameStream.LENGTH_BYTES;

    static final SocketCase FRAMES_4K = small("frames4K", 4 * KIB + HEADER, 64);

    static final List<SocketCase> ALL = List.of(
            small("frames64B", 64 + HEADER, 4096),
            FRAMES_4K,
            new SocketCase("frames1M", MIB + HEADER, 64 * KIB),
            new SocketCase("frames16M", 16 * MIB + HEADER, 64 * KIB));

    private static SocketCase small(String name, int frameLength, int framesInAWrite) {
        return new SocketCase(name, frameLength, framesInAWrite * frameLength);
    }

    static SocketCase named(String name) {
        return ALL.stream().filter(each -> each.name.equals(name)).findFirst().orElseThrow();
    }

    boolean isLarge() {
        return frameLength > MIB;
    }

    FrameStream stream() {
        return new FrameStream(frameLength, writeLength);
    }
}
