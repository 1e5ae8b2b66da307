package io.exactframe.netty;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.channel.ChannelHandler;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * A native image may look up only the methods it was told of. Netty looks up each event's method of a handler, to pass by
 * those that are marked as skipped; one it does not find it calls for every event.
 */
class NativeImageTest {
    private static final String METADATA = "/META-INF/native-image/io.exactframe/netty-exact-codec/reflect-config.json";

    @Test
    void theMetadataNamesEveryHandler() throws Exception {
        assertThat(handlers()).contains("io.exactframe.netty.FixedLengthExactDecoder");
        assertThat(values("name")).containsExactlyElementsOf(handlers());
        assertThat(values("typeReachable")).containsExactlyElementsOf(handlers());
        assertThat(metadata().split("\"queryAllPublicMethods\": true", -1)).hasSize(handlers().size() + 1);
    }

    private static List<String> handlers() throws Exception {
        Path classes = Path.of(ExactFrameDecoder.class.getResource("ExactFrameDecoder.class").toURI());
        try (Stream<Path> files = Files.list(classes.getParent())) {
            return files.map(file -> file.getFileName().toString())
                    .filter(name -> name.endsWith(".class") && !name.equals("package-info.class"))
                    .map(name -> "io.exactframe.netty." + name.substring(0, name.length() - ".class".length()))
                    .filter(NativeImageTest::isHandler)
                    .sorted()
                    .toList();
        }
    }

    private static boolean isHandler(String type) {
        try {
            return ChannelHandler.class.isAssignableFrom(
                    Class.forName(type, false, NativeImageTest.class.getClassLoader()));
        } catch (ClassNotFoundException e) {
            throw new AssertionError(e);
        }
    }

    private static List<String> values(String key) throws IOException {
        return Pattern.compile('"' + key + "\": \"([^\"]+)\"")
                .matcher(metadata())
                .results()
                .map((MatchResult match) -> match.group(1))
                .toList();
    }

    private static String metadata() throws IOException {
        try (var file = NativeImageTest.class.getResourceAsStream(METADATA)) {
            return new String(file.readAllBytes(), java.nio.charset.StandardCharsets.UTF_8);
        }
    }
}
