package io.exactframe.examples.filetransfer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class NamesTest {
    @ParameterizedTest
    @ValueSource(
            strings = {
                "a", "a/b", "größer als null.txt", "文件", "\ud83d\udc68\u200d\ud83d\udc69.png", "nul.txt", "a:b", "trailing.",
                "back\\slash", "-rf", "..."
            })
    void aNameThatIsSafeHereIsAllowedHere(String name) throws Exception {
        Names.check(name, false);
    }

    @ParameterizedTest
    @ValueSource(strings = {"nul.txt", "CON", "com1", "a:b", "trailing.", "trailing ", "back\\slash", "x/AUX/y", "a?"})
    void whatWindowsDoesNotAllowIsRefusedThere(String name) {
        assertThatExceptionOfType(FileProblem.class).isThrownBy(() -> Names.check(name, true));
    }

    @Test
    void aNameThatIsTooLongIsRefused() throws Exception {
        Names.check("ü".repeat(127), false);
        assertThatExceptionOfType(FileProblem.class).isThrownBy(() -> Names.check("ü".repeat(128), false));
        assertThatExceptionOfType(FileProblem.class).isThrownBy(() -> Names.check("a/".repeat(2048) + "a", false));
    }

    @ParameterizedTest
    @CsvSource({
        "a\u001b[31mb, a\\u{1B}[31mb",
        "a\u200bb, a\\u{200B}b",
        "a\uDB40\uDC41b, a\\u{E0041}b",
        "\u3164, \\u{3164}",
        "a\u202eb, a\\u{202E}b",
        "a\uFE0Fb, a\\u{FE0F}b",
        "größer, größer",
        "文件, 文件"
    })
    void whatCannotBeSeenIsShown(String name, String shown) {
        assertThat(Names.shown(name)).isEqualTo(shown);
    }

    @Test
    void whatIsLongIsCut() {
        assertThat(Names.shown("a".repeat(500))).isEqualTo("a".repeat(120) + "...");
    }

    @ParameterizedTest
    @CsvSource({"0, 0 B", "999, 999 B", "1000, 1.0 kB", "999949, 999.9 kB", "999950, 1.0 MB", "1500000000, 1.5 GB",
        "9223372036854775807, 9.2 EB"})
    void sizesAreForPeople(long bytes, String shown) {
        assertThat(Sizes.bytes(bytes)).isEqualTo(shown);
    }
}
