package io.exactframe.examples.filetransfer;

import java.nio.charset.Charset;

/** In which characters this system's file names are, as far as Java was told. */
final class Charsets {
    private static final String NAMES = System.getProperty("sun.jnu.encoding", "UTF-8");

    private Charsets() {}

    /** What to do if a name cannot be had because the locale has no letters for it; empty if that is not why. */
    static String hint(String name) {
        boolean lost = name.indexOf('\uFFFD') >= 0
                || (Charset.isSupported(NAMES) && !Charset.forName(NAMES).newEncoder().canEncode(name));
        return lost && !NAMES.equalsIgnoreCase("UTF-8")
                ? " (this locale has no letters for it; set LC_ALL=C.UTF-8 and run the command again)"
                : "";
    }
}
