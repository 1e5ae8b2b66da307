package io.exactframe.netty;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** 51: frames that are larger than all memory there is. */
@Tag("slow")
class LargeStreamTest {
    @TempDir
    private Path directory;

    private String inSmallMemory(String... arguments) throws Exception {
        File output = directory.resolve("output").toFile();
        ProcessBuilder program = new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx64m",
                "-XX:MaxDirectMemorySize=64m",
                "-cp",
                System.getProperty("java.class.path"),
                StreamInSmallMemory.class.getName(),
                arguments[0],
                arguments[1]);
        Process process = program.redirectErrorStream(true).redirectOutput(output).start();
        try {
            assertThat(process.waitFor(120, TimeUnit.SECONDS)).isTrue();
        } finally {
            process.destroyForcibly();
        }
        return Files.readString(output.toPath(), UTF_8).strip();
    }

    @Test
    void fiveGibibytesStreamThroughAHeapOf64MiB() throws Exception {
        assertThat(inSmallMemory("generated", Long.toString((5L << 30) + 12_345)))
                .endsWith("5368721465 bytes, at most 65536 at once");
    }

    @Test
    void aFrameLargerThanMemoryArrivesOverASocket() throws Exception {
        assertThat(inSmallMemory("loopback", Long.toString((256L << 20) + 12_345)))
                .startsWith("268447801 bytes, at most ")
                .endsWith(" at once, checksum as sent");
    }
}
