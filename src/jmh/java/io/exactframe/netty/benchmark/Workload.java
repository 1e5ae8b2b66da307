package io.exactframe.netty.benchmark;

import io.exactframe.netty.ReceiveOptions;
import java.util.List;

/**
 * What is received: a stream of frames of one length, cut into reads of one length.
 *
 * <p>A frame has {@code frameLength} bytes on the wire, its four length bytes included, for every decoder: all receive
 * the same stream in the same reads, and the fixed-length ones take the length for content.
 *
 * @param name the method of {@link DecoderBenchmark}
 * @param frameLength bytes of a frame
 * @param readLength bytes of a read
 * @param frames frames in one invocation; a whole number of reads
 * @param readsPerComplete reads before channelReadComplete: 16 where a transport would find its buffer full and go on
 * @param contiguous whether frames are asked for in one piece
 */
record Workload(
        String name,
        int frameLength,
        int readLength,
        int frames,
        int readsPerComplete,
        boolean contiguous) {
    private static final int KIB = 1024;
    private static final int MIB = 1024 * KIB;

    static final List<Workload> ALL = List.of(
            new Workload("frames16BPackedIn64K", 16, 64 * KIB, DecoderBenchmark.PACKED_16_B, 16, false),
            new Workload("frames64BPackedIn64K", 64, 64 * KIB, DecoderBenchmark.PACKED_64_B, 16, false),
            new Workload("frames64BOneARead", 64, 64, DecoderBenchmark.ONE_A_READ, 1, false),
            new Workload("frames4KOneARead", 4 * KIB, 4 * KIB, DecoderBenchmark.ONE_A_READ, 1, false),
            new Workload("frames4KInReadsOf1460", 4 * KIB, 1460, DecoderBenchmark.IN_1460_B, 1, false),
            new Workload("frames1KByteByByte", KIB, 1, 1, 1, false),
            new Workload("frame1MIn64K", MIB, 64 * KIB, 1, 16, false),
            new Workload("frame1MIn64KContiguous", MIB, 64 * KIB, 1, 16, true),
            new Workload("frame1MIn2K", MIB, 2 * KIB, 1, 16, false),
            new Workload("frame1MIn2KContiguous", MIB, 2 * KIB, 1, 16, true),
            new Workload("frame16MIn64K", 16 * MIB, 64 * KIB, 1, 16, false),
            new Workload("frame16MIn64KContiguous", 16 * MIB, 64 * KIB, 1, 16, true),
            new Workload("frame16MIn2K", 16 * MIB, 2 * KIB, 1, 16, false),
            new Workload("frame16MIn2KContiguous", 16 * MIB, 2 * KIB, 1, 16, true),
            new Workload("frame256MIn64K", 256 * MIB, 64 * KIB, 1, 16, false));

    Workload {
        if ((long) frames * frameLength % readLength != 0) {
            throw new IllegalArgumentException(name + ": the last read would be a short one");
        }
    }

    static Workload named(String name) {
        return ALL.stream().filter(workload -> workload.name.equals(name)).findFirst().orElseThrow();
    }

    /** The same frames, asked for in one piece; null if there is no such workload. */
    Workload inOnePiece() {
        String other = name + "Contiguous";
        return ALL.stream().filter(workload -> workload.name.equals(other)).findFirst().orElse(null);
    }

    ReceiveOptions options() {
        return options(contiguous);
    }

    static ReceiveOptions options(boolean contiguous) {
        ReceiveOptions options = ReceiveOptions.defaults();
        return contiguous ? options.contiguous() : options;
    }

    /** Bytes in one invocation. */
    long bytes() {
        return (long) frames * frameLength;
    }

    /** Reads in one invocation. */
    long reads() {
        return bytes() / readLength;
    }

    /** How the frames are read. Large ones are composite: what that costs is only seen by reading. */
    List<FrameConsumer> consumers(boolean quick) {
        if (frames == DecoderBenchmark.PACKED_64_B) {
            return quick
                    ? List.of(FrameConsumer.longs, FrameConsumer.bytes, FrameConsumer.array)
                    : List.of(FrameConsumer.longs, FrameConsumer.ints, FrameConsumer.bytes, FrameConsumer.array, FrameConsumer.string);
        }
        return frameLength > 64 * KIB ? List.of(FrameConsumer.longs, FrameConsumer.array) : List.of(FrameConsumer.longs);
    }

    boolean isOneARead() {
        return readLength == frameLength;
    }

    /** Whether one invocation takes too long for a quick look. */
    boolean isLong() {
        return bytes() > 100_000_000;
    }

    /** What a transport that guesses the next read's size would allocate for it: 64 or more, a power of two. */
    int readCapacity() {
        return Math.max(64, Integer.highestOneBit(2 * readLength - 1));
    }
}
