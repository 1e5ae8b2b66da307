package io.exactframe.netty.benchmark;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Predicate;

/**
 * Draws src/jmh/speed.svg from the results file: how many times as fast as Netty's MERGE. The argument is the JVM whose
 * rows are drawn, as the file calls it; the one that runs this if there is none.
 */
public final class Chart {
    private static final Path FILE = Path.of("src/jmh/speed.svg");

    private final Results results = Results.read();
    private final String jvm;
    private final BarChart svg = new BarChart();
    private final Set<Map<String, Object>> runs = new LinkedHashSet<>();

    private Chart(String jvm) {
        this.jvm = jvm;
    }

    public static void main(String[] args) throws IOException {
        String jvm = args.length > 0 ? String.join(" ", args) : String.valueOf(Runtime.version().feature());
        Files.writeString(FILE, new Chart(jvm).draw());
        System.out.println("written to " + FILE);
    }

    private String draw() {
        drawCpu();
        drawSockets();
        if (runs.isEmpty()) {
            throw new IllegalStateException(Results.FILE + " has nothing of JVM " + jvm);
        }
        return svg.finish(
                "Times as fast as Netty's frame decoders with their default cumulator, MERGE",
                facts("date", 10) + " · JDK " + facts("jdk", 99) + (jvm.contains(" ") ? " · " + jvm : "") + " · Netty "
                        + facts("netty", 99) + " · " + facts("cpu", 99) + ", " + facts("cores", 9) + " cores",
                facts("command", 999));
    }

    /** What the runs that were drawn have in common, or all of it. */
    private String facts(String name, int length) {
        Set<String> facts = new TreeSet<>();
        for (Map<String, Object> run : runs) {
            Object fact = run.get(name);
            String text = fact instanceof Double number ? String.valueOf(number.intValue()) : String.valueOf(fact);
            facts.add(text.substring(0, Math.min(length, text.length())));
        }
        return String.join(", ", facts);
    }

    private List<Map<String, Object>> rows(String part, Predicate<Map<String, Object>> wanted) {
        List<Map<String, Object>> rows = results.rows(part).stream()
                .filter(row -> jvm.equals(row.get("jvm")))
                .filter(wanted)
                .toList();
        rows.forEach(row -> runs.add(results.run(row)));
        return rows;
    }

    /** Of each workload, a group of bars: length-prefixed and fixed-length frames, on either side an allocator. */
    private void drawCpu() {
        Map<String, List<BarChart.Bar>> groups = new LinkedHashMap<>();
        Workload.ALL.forEach(workload -> groups.put(title(workload), new ArrayList<>()));
        for (int side = 0; side < 2; side++) {
            String allocator = side == 0 ? "adaptive" : "pooled";
            for (DecoderKind decoder : List.of(DecoderKind.exactPrefixed, DecoderKind.exactFixed)) {
                for (Map<String, Object> row : rows("cpu", row -> allocator.equals(row.get("allocator"))
                        && decoder.name().equals(row.get("decoder"))
                        && row.containsKey("timesMerge"))) {
                    // What MERGE would be divided by if there were nothing but the reads and the sink.
                    double limit = number(row, "timesMerge") * number(row, "timesNone");
                    groups.get(title(Workload.named((String) row.get("workload"))))
                            .add(bar(row, "timesMerge", limit, side, decoder == DecoderKind.exactFixed));
                }
            }
        }
        svg.section("CPU time per frame", "adaptive allocator (Netty's default)", "pooled allocator", groups);
    }

    private void drawSockets() {
        Map<String, List<BarChart.Bar>> groups = new LinkedHashMap<>();
        for (Map<String, Object> row : rows("sockets", row -> "exactPrefixed".equals(row.get("decoder"))
                && row.containsKey("speedTimesMerge"))) {
            String workload = (String) row.get("workload");
            int payload = (int) number(row, "frameBytes") - FrameStream.LENGTH_BYTES;
            String title = row.get("transport") + ", " + size(payload)
                    + (workload.endsWith("Contiguous") ? ", one piece" : "");
            double limit = number(row, "speedTimesMerge") / number(row, "speedTimesNone");
            double cpu = number(row, "cpuTimesMerge");
            groups.put(title, List.of(
                    bar(row, "speedTimesMerge", limit, 0, false),
                    new BarChart.Bar(
                            1 / cpu, 1 / number(row, "cpuTimesMergeHigh"), 1 / number(row, "cpuTimesMergeLow"),
                            Double.NaN, 1, false)));
        }
        if (!groups.isEmpty()) {
            svg.section("Loopback sockets", "throughput", "receiver's CPU time per byte", groups);
        }
    }

    private static BarChart.Bar bar(Map<String, Object> row, String name, double limit, int side, boolean pale) {
        return new BarChart.Bar(
                number(row, name), number(row, name + "Low"), number(row, name + "High"), limit, side, pale);
    }

    private static double number(Map<String, Object> row, String name) {
        return row.get(name) instanceof Double number ? number : Double.NaN;
    }

    private static String title(Workload workload) {
        String frame = size(workload.frameLength());
        String read = workload.readLength() == 1
                ? " byte by byte"
                : workload.readLength() == workload.frameLength()
                        ? ", one a read"
                        : " in reads of " + size(workload.readLength());
        String consumer = workload.readThrough() ? ", by bytes" : "";
        return frame + read + (workload.contiguous() ? ", one piece" : "") + consumer;
    }

    private static String size(int bytes) {
        return bytes % (1 << 20) == 0
                ? (bytes >> 20) + " MiB"
                : bytes % 1024 == 0 ? (bytes >> 10) + " KiB" : bytes + " B";
    }
}
