package io.exactframe.examples.recipes;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Every sample of the page is from a test, and everything that a test marks is on the page. */
class RecipesReadmeTest {
    private static final Pattern QUOTED =
            Pattern.compile(" *// README: from here\n(.*?)\n *// README: to here", Pattern.DOTALL);

    @Test
    void everySampleIsFromATest() throws IOException {
        String readme = Files.readString(Path.of("README.md"));
        int count = 0;
        List<Path> sources;
        try (Stream<Path> files = Files.list(Path.of("src/test/java/io/exactframe/examples/recipes"))) {
            sources = files.filter(file -> !file.endsWith("RecipesReadmeTest.java")).toList();
        }
        for (Path source : sources) {
            for (Matcher quoted = QUOTED.matcher(Files.readString(source)); quoted.find(); count++) {
                String sample = quoted.group(1).stripIndent();
                assertThat(readme.indexOf("```java\n" + sample + "\n```")).as(sample).isNotNegative();
            }
        }
        assertThat(count).isEqualTo(13);
        assertThat(Pattern.compile("```java\n").matcher(readme).results()).hasSize(count);
    }
}
