package io.exactframe.netty.benchmark;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** A JVM for one case, with the class path of this one; what it says on its standard output is read line by line. */
final class ForkedJvm implements AutoCloseable {
    /**
     * Code is compiled when it is hot, and not when the compiler's thread gets a processor: on a busy machine that
     * takes many seconds, in which slow code is measured.
     */
    static final String COMPILE_AT_ONCE = "-Xbatch";

    private final Process process;
    private final BufferedReader lines;

    ForkedJvm(Class<?> main, List<String> jvmArguments, Object... arguments) throws IOException {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(jvmArguments);
        command.addAll(List.of(
                COMPILE_AT_ONCE,
                "-Dio.netty.leakDetection.level=disabled",
                "-XX:CompileCommand=quiet",
                Sink.DONT_INLINE,
                "-cp",
                System.getProperty("java.class.path"),
                main.getName()));
        for (Object argument : arguments) {
            command.add(argument.toString());
        }
        process = new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        lines = process.inputReader(StandardCharsets.UTF_8);
    }

    /** The next line; null at the end. */
    String line() throws IOException {
        return lines.readLine();
    }

    /** Throws unless the JVM ends well. */
    void await() throws IOException, InterruptedException {
        int status = process.waitFor();
        if (status != 0) {
            throw new IOException("a JVM ended with status " + status);
        }
    }

    @Override
    public void close() {
        process.destroy();
    }
}
