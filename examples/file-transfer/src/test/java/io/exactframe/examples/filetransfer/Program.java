package io.exactframe.examples.filetransfer;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The program as a user runs it, in a process of its own that can be stopped and killed. */
final class Program implements AutoCloseable {
    private static final Pattern READY = Pattern.compile("receive (?:--plain (\\S+) DIR|(\\S+) DIR\\R.*code (\\S+))\\R");
    private static final long SECONDS = 60;

    private final Process process;
    private final Path output;

    private Program(List<String> prefix, String code, List<String> args) throws IOException {
        this(prefix, code, "C.UTF-8", args);
    }

    private Program(List<String> prefix, String code, String locale, List<String> args) throws IOException {
        List<String> command = new ArrayList<>(prefix);
        command.addAll(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:TieredStopAtLevel=1",
                "-XX:+UseSerialGC",
                "-Xmx128m",
                "-cp",
                System.getProperty("java.class.path"),
                FileTransfer.class.getName()));
        command.addAll(args);
        output = Files.createTempFile("program", ".out");
        ProcessBuilder builder = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(output.toFile());
        builder.environment().put("LC_ALL", locale);
        if (code != null) {
            builder.environment().put("FILE_TRANSFER_CODE", code);
        }
        process = builder.start();
    }

    private static List<String> strings(String first, Object... args) {
        List<String> strings = new ArrayList<>(List.of(first, "--quiet", "--timeout", "5"));
        Arrays.stream(args).map(Object::toString).forEach(strings::add);
        return strings;
    }

    /** A sender that listens. */
    static Program send(Object... args) throws IOException {
        List<String> all = strings("send", args);
        all.addAll(List.of("--host", "127.0.0.1"));
        Program sender = new Program(List.of(), null, all);
        await(() -> sender.ready().find() || !sender.process.isAlive());
        return sender;
    }

    static Program receive(int port, String code, Path folder, Object... more) throws IOException {
        return receive(List.of(), port, code, folder, more);
    }

    static Program receive(List<String> prefix, int port, String code, Path folder, Object... more)
            throws IOException {
        List<String> all = strings("receive", more);
        all.addAll(List.of("-y", "127.0.0.1:" + port, folder.toString()));
        if (code == null) {
            all.add("--plain");
        }
        return new Program(prefix, code, all);
    }

    /** As a user runs it who has no locale. */
    static Program runWithoutLocale(Object... args) throws IOException {
        return new Program(List.of(), null, "C", Arrays.stream(args).map(Object::toString).toList());
    }

    private Matcher ready() {
        return READY.matcher(said());
    }

    int port() {
        Matcher ready = ready();
        assertThat(ready.find()).as(said()).isTrue();
        return Address.parse(ready.group(ready.group(1) != null ? 1 : 2)).port();
    }

    String code() {
        Matcher ready = ready();
        return ready.find() ? ready.group(3) : null;
    }

    String said() {
        try {
            return Files.readString(output);
        } catch (IOException e) {
            return e.toString();
        }
    }

    int exit() throws InterruptedException {
        assertThat(process.waitFor(SECONDS, TimeUnit.SECONDS)).as("ends: " + said()).isTrue();
        return process.exitValue();
    }

    boolean runs() {
        return process.isAlive();
    }

    /** STOP, CONT, KILL. */
    void signal(String name) throws Exception {
        new ProcessBuilder("kill", "-" + name, "" + process.pid()).start().waitFor();
    }

    static void await(BooleanSupplier condition) {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(SECONDS);
        while (!condition.getAsBoolean()) {
            assertThat(System.nanoTime()).as("in time").isLessThan(end);
            LockSupport.parkNanos(2_000_000);
        }
    }

    @Override
    public void close() throws Exception {
        process.destroyForcibly().waitFor();
        Files.deleteIfExists(output);
    }
}
