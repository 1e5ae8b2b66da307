package io.exactframe.netty.benchmark;

import static io.exactframe.netty.benchmark.Table.number;

import java.util.List;
import java.util.Map;

/**
 * Part {@code memory}: what one frame costs in buffers. Numbers that are counted, not measured.
 *
 * <p>Columns: the most that all buffers held at one time, reads included, divided by the frame's length; bytes copied
 * for each byte received, after the copy out of the socket; buffers made or grown, less the reads.
 */
final class PeakMemory {
    private static final List<String> DECODERS = List.of("exactPrefixed", "nettyPrefixed", "nettyPrefixedComposite");

    private PeakMemory() {}

    static void run(Settings settings, Results results) {
        Table table = new Table(
                "Memory of buffers, for one frame",
                "workload", -23, "decoder", -22, "peak/frame", 10, "copied/byte", 11, "buffers", 8);
        for (Workload workload : Workload.ALL) {
            boolean oneFrame = workload.frames() == 1 && !workload.isLong();
            if (!oneFrame || !settings.isWanted(workload.name())) {
                continue;
            }
            for (String name : settings.parameter("decoder", DECODERS)) {
                DecoderKind decoder = DecoderKind.valueOf(name);
                if (decoder.isExact() || !workload.contiguous()) {
                    measure(workload, decoder, table, results);
                }
            }
        }
    }

    private static void measure(Workload workload, DecoderKind decoder, Table table, Results results) {
        CountingAllocator alloc = new CountingAllocator();
        Playback playback = new Playback(workload, decoder, workload.options(), alloc, FrameConsumer.peek);
        alloc.reset();
        playback.receive();
        playback.checkCounts();
        playback.close();
        if (alloc.live != 0) {
            throw new IllegalStateException(alloc.live + " bytes are not released");
        }
        double length = workload.frameLength();
        double peak = alloc.peak / length;
        double copied = (alloc.copied - length) / length;
        long buffers = alloc.allocations - workload.bytes() / workload.readLength();
        table.row(workload.name(), decoder, number("%.3f", peak), number("%.3f", copied), buffers);

        Map<String, Object> row = results.row("memory");
        row.put("workload", workload.name());
        row.put("decoder", decoder.name());
        row.put("frameBytes", workload.frameLength());
        row.put("readBytes", workload.readLength());
        row.put("peakBytes", alloc.peak);
        row.put("peakTimesFrame", peak);
        row.put("copiedTimesReceived", copied);
        row.put("buffers", buffers);
        results.put(row);
    }
}
