package io.exactframe.netty.benchmark;

import io.netty.buffer.AdaptiveByteBufAllocator;
import java.lang.management.ManagementFactory;
import java.util.Map;

/** The JVM of {@link Growth}: receives large frames, one after the other, and prints lines of JSON. */
public final class GrowthReceiver {
    private static final int MIB = 1 << 20;
    private static final int MIB_IN_A_SAMPLE = 256;

    private GrowthReceiver() {}

    /** The arguments: a decoder, MiB of a frame, whether it is to be one piece, milliseconds of warm-up, samples. */
    public static void main(String[] args) {
        int status = 1;
        try {
            new EventLoopThreads(1, "growth").submit(() -> receive(args)).sync();
            status = 0;
        } catch (Throwable t) {
            t.printStackTrace();
        } finally {
            System.exit(status);
        }
    }

    private static void receive(String[] args) {
        DecoderKind decoder = DecoderKind.valueOf(args[0]);
        int mebibytes = Integer.parseInt(args[1]);
        boolean contiguous = Boolean.parseBoolean(args[2]);
        Workload workload = new Workload("growth", mebibytes * MIB, MIB / 16, 1, 16, contiguous);
        Playback playback = new Playback(
                workload, decoder, workload.options(), new AdaptiveByteBufAllocator(), FrameConsumer.peek);
        int frames = Math.max(1, MIB_IN_A_SAMPLE / mebibytes);
        long warm = System.nanoTime() + Long.parseLong(args[3]) * 1_000_000;
        do {
            cpuNanos(playback, frames);
        } while (System.nanoTime() < warm);
        int samples = Integer.parseInt(args[4]);
        for (int i = 0; i < samples; i++) {
            double bytes = (double) frames * workload.bytes();
            System.out.println(Json.write(Map.of("cpuNsPerByte", cpuNanos(playback, frames) / bytes)));
        }
        playback.checkCounts();
    }

    private static long cpuNanos(Playback playback, int frames) {
        long before = ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime();
        for (int i = 0; i < frames; i++) {
            playback.receive();
        }
        return ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime() - before;
    }
}
