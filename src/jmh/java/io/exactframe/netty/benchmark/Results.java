package io.exactframe.netty.benchmark;

import io.netty.util.Version;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.ZonedDateTime;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * The results file: JSON, one line for each row, one for each run.
 *
 * <p>In a row the strings tell what was measured, and identify the row; the numbers are what was found. A row that is
 * put again takes its old one's place, all others stay, so that the parts of the suite may run one by one; {@code run}
 * tells which of the runs, with its date, JVM and command, a row comes from.
 */
final class Results {
    static final Path FILE = Path.of(System.getProperty("benchmark.results", "target/benchmark-results.json"));

    private final Map<Integer, Map<String, Object>> runs = new TreeMap<>();
    private final Map<String, Map<String, Object>> rows = new LinkedHashMap<>();
    private final String jvm;
    private final int run;

    private Results(String jvm, int run) {
        this.jvm = jvm;
        this.run = run;
    }

    /** Begins a run: what is in the file already, and a note of what this JVM and its forks are. */
    static Results begin(List<String> arguments, List<String> jvmArguments) {
        String flags = String.join(" ", jvmArguments);
        Results old = read();
        int number = old.runs.keySet().stream().mapToInt(Integer::intValue).max().orElse(0) + 1;
        Results results = new Results((Runtime.version().feature() + " " + flags).trim(), number);
        results.runs.putAll(old.runs);
        results.rows.putAll(old.rows);
        results.runs.put(number, environment(number, String.join(" ", arguments), flags));
        return results;
    }

    /** What is in the file; nothing if there is none. */
    static Results read() {
        Results results = new Results("", 0);
        if (Files.exists(FILE)) {
            try {
                for (String line : Files.readAllLines(FILE)) {
                    if (line.startsWith("{\"run\"")) {
                        Map<String, Object> entry = Json.parse(line);
                        results.runs.put(((Number) entry.get("run")).intValue(), entry);
                    } else if (line.startsWith("{\"part\"")) {
                        Map<String, Object> row = Json.parse(line);
                        results.rows.put(key(row), row);
                    }
                }
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
        return results;
    }

    private static Map<String, Object> environment(int number, String arguments, String flags) {
        Map<String, Object> run = new LinkedHashMap<>();
        run.put("run", number);
        run.put("date", ZonedDateTime.now().truncatedTo(ChronoUnit.SECONDS).toOffsetDateTime().toString());
        run.put("jdk", System.getProperty("java.vm.vendor") + " " + System.getProperty("java.vm.version"));
        run.put("jvmFlags", flags);
        run.put("netty", Version.identify().get("netty-common").artifactVersion());
        run.put("os", System.getProperty("os.name") + " " + System.getProperty("os.version") + " "
                + System.getProperty("os.arch"));
        run.put("cpu", cpu());
        run.put("cores", Runtime.getRuntime().availableProcessors());
        run.put("memoryMiB", memoryMiB());
        run.put("malloc", System.getenv().entrySet().stream()
                .filter(entry -> entry.getKey().startsWith("MALLOC_"))
                .map(Object::toString)
                .sorted()
                .collect(Collectors.joining(" ")));
        run.put("socketSender", SocketSender.transport() + " " + SocketSender.congestionControl());
        run.put("command", "mvn -q -Pjmh -DskipTests test-compile exec:exec -Djmh.args='" + arguments + "'");
        return run;
    }

    private static String cpu() {
        try (var lines = Files.lines(Path.of("/proc/cpuinfo"))) {
            return lines.filter(line -> line.startsWith("model name"))
                    .map(line -> line.substring(line.indexOf(':') + 1).trim())
                    .findFirst()
                    .orElse("unknown");
        } catch (IOException e) {
            return "unknown";
        }
    }

    private static long memoryMiB() {
        var system = (com.sun.management.OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
        return system.getTotalMemorySize() >> 20;
    }

    /** A new row of a part of the suite, not yet in the file. */
    Map<String, Object> row(String part) {
        Map<String, Object> row = new LinkedHashMap<>();
        row.put("part", part);
        row.put("jvm", jvm);
        return row;
    }

    /** Writes the file anew, with this row: what was measured is not lost if a later case fails. */
    void put(Map<String, Object> row) {
        row.values().removeIf(value -> value instanceof Double number && !Double.isFinite(number));
        row.put("run", run);
        rows.put(key(row), row);
        write();
    }

    List<Map<String, Object>> rows(String part) {
        return rows.values().stream().filter(row -> part.equals(row.get("part"))).toList();
    }

    Map<String, Object> run(Map<String, Object> row) {
        return runs.get(((Number) row.get("run")).intValue());
    }

    private static String key(Map<String, Object> row) {
        return row.entrySet().stream()
                .filter(entry -> entry.getValue() instanceof String)
                .map(Object::toString)
                .sorted()
                .collect(Collectors.joining("|"));
    }

    private void write() {
        List<Integer> used = rows.values().stream().map(row -> ((Number) row.get("run")).intValue()).toList();
        runs.keySet().retainAll(used);
        List<String> lines = new ArrayList<>();
        lines.add("{\"runs\": [");
        lines.add(runs.values().stream().map(Json::write).collect(Collectors.joining(",\n")));
        lines.add("],\n\"rows\": [");
        lines.add(rows.values().stream().map(Json::write).collect(Collectors.joining(",\n")));
        lines.add("]}");
        try {
            Path file = FILE.toAbsolutePath();
            Files.createDirectories(file.getParent());
            Path temporary = Files.write(file.resolveSibling(file.getFileName() + ".tmp"), lines);
            Files.move(temporary, file, StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
