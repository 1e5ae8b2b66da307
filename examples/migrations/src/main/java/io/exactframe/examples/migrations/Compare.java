package io.exactframe.examples.migrations;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/** Runs each program with its own decoder and with ours in alternating rounds, and prints ratios (ours to theirs). */
final class Compare {
    private record Result(long digest, double nanos, double cpu) {}

    private Compare() {}

    public static void main(String... args) throws Exception {
        String classPath = args[0];
        String patched = args[1];
        int rounds = args.length > 2 ? Integer.parseInt(args[2]) : 3;
        List<String> programs = args.length > 3
                ? List.of(args).subList(3, args.length)
                : List.of("rsocket", "rocketmq", "spark", "vertx-pg", "artemis");
        System.out.println("more than 1: ours has the higher throughput, or takes the more CPU");
        for (String program : programs) {
            Map<Integer, List<Result>> theirs = new TreeMap<>();
            Map<Integer, List<Result>> ours = new TreeMap<>();
            for (int round = 0; round < rounds; round++) {
                run(program, classPath, theirs);
                run(program, patched + ":" + classPath, ours);
            }
            for (int size : theirs.keySet()) {
                List<Double> speed = new ArrayList<>();
                List<Double> cpu = new ArrayList<>();
                boolean equal = true;
                for (int round = 0; round < rounds; round++) {
                    Result a = theirs.get(size).get(round);
                    Result b = ours.get(size).get(round);
                    equal &= a.digest() == b.digest();
                    speed.add(a.nanos() / b.nanos());
                    cpu.add(b.cpu() / a.cpu());
                }
                speed.sort(null);
                cpu.sort(null);
                System.out.printf(
                        Locale.ROOT,
                        "%-10s %,10d bytes: %s, throughput %.2f (%.2f to %.2f), CPU %.2f (%.2f to %.2f)%n",
                        program,
                        size,
                        equal ? "equal" : "NOT EQUAL",
                        speed.get(rounds / 2),
                        speed.get(0),
                        speed.get(rounds - 1),
                        cpu.get(rounds / 2),
                        cpu.get(0),
                        cpu.get(rounds - 1));
            }
        }
    }

    private static void run(String program, String classPath, Map<Integer, List<Result>> results)
            throws IOException, InterruptedException {
        Process process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xmx1g",
                        "-XX:+UseParallelGC",
                        "-cp",
                        classPath,
                        "--add-opens=java.base/java.nio=ALL-UNNAMED",
                        "--add-opens=java.base/sun.nio.ch=ALL-UNNAMED",
                        "--add-opens=java.base/java.lang=ALL-UNNAMED",
                        Rounds.class.getName(),
                        program)
                .redirectErrorStream(true)
                .start();
        List<String> other = new ArrayList<>();
        int sizes = 0;
        try (BufferedReader out = process.inputReader()) {
            for (String line; (line = out.readLine()) != null; ) {
                String[] words = line.split(" ");
                if (words[0].equals("result")) {
                    results.computeIfAbsent(Integer.parseInt(words[1]), none -> new ArrayList<>())
                            .add(new Result(
                                    Long.parseLong(words[2]),
                                    Double.parseDouble(words[3]),
                                    Double.parseDouble(words[4])));
                    sizes++;
                } else {
                    other.add(line);
                }
            }
        }
        if (process.waitFor() != 0 || sizes == 0) {
            throw new IOException(program + " failed:\n" + String.join("\n", other));
        }
    }
}
