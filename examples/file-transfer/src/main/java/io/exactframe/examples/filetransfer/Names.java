package io.exactframe.examples.filetransfer;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.nio.charset.Charset;
import java.util.regex.Pattern;

/** Which paths of a peer are safe, and how any text of a peer is shown. */
final class Names {
    /** Devices, not files, on Windows; with any extension and whatever the case. */
    private static final Pattern WINDOWS_DEVICE = Pattern.compile(
            "(CON|PRN|AUX|NUL|CONIN\\$|CONOUT\\$|(COM|LPT)[0-9¹²³]) *([.:].*)?", Pattern.CASE_INSENSITIVE);

    private static final Pattern WINDOWS_SPECIAL = Pattern.compile("[\\\\:*?\"<>|]");
    private static final int MOST_SHOWN = 120;

    /** In which characters this system's file names are, as far as Java was told. */
    private static final String ENCODING = System.getProperty("sun.jnu.encoding", "UTF-8");

    private Names() {}

    /**
     * Lets a relative path pass that stays below the folder it is resolved in.
     *
     * @throws FileProblem if it might not
     */
    static void check(String path, boolean windows) throws FileProblem {
        String problem = path.getBytes(UTF_8).length > Limits.MAX_PATH_LENGTH ? "it is too long" : null;
        for (String name : path.split("/", -1)) {
            problem = problem != null ? problem : problemOf(name, windows);
        }
        if (problem != null) {
            throw new FileProblem(Reason.NAME_REFUSED, "the name is refused: " + problem);
        }
    }

    /** Or null if there is none. */
    private static String problemOf(String name, boolean windows) {
        if (name.isEmpty()) {
            return "it has an empty part";
        } else if (name.equals(".") || name.equals("..")) {
            return "it leads elsewhere";
        } else if (name.codePoints().anyMatch(Names::isHarmful)) {
            return "it has control characters";
        } else if (name.getBytes(UTF_8).length > Limits.MAX_NAME_LENGTH) {
            return "it is longer than " + Limits.MAX_NAME_LENGTH + " bytes";
        } else if (name.startsWith(PartFile.PREFIX)) {
            return "it begins as those of unfinished files do";
        } else if (windows && WINDOWS_DEVICE.matcher(name).matches()) {
            return "it is a device on Windows";
        } else if (windows && (WINDOWS_SPECIAL.matcher(name).find() || name.endsWith(".") || name.endsWith(" "))) {
            return "Windows does not allow it";
        }
        return null;
    }

    /** Controls, and those that turn the direction of writing, with which a name can show another extension. */
    private static boolean isHarmful(int c) {
        int type = Character.getType(c);
        boolean turns = c == 0x61C || c == 0x200E || c == 0x200F;
        boolean embeds = (c >= 0x202A && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069);
        return Character.isISOControl(c)
                || turns
                || embeds
                || type == Character.LINE_SEPARATOR
                || type == Character.PARAGRAPH_SEPARATOR
                || type == Character.SURROGATE;
    }

    /** For a terminal: what cannot be seen or has an effect is escaped, and what is long is cut. */
    static String shown(String text) {
        StringBuilder shown = new StringBuilder();
        text.codePoints().limit(MOST_SHOWN).forEach(c -> {
            if (isVisible(c)) {
                shown.appendCodePoint(c);
            } else {
                shown.append(String.format("\\u{%X}", c));
            }
        });
        return text.codePointCount(0, text.length()) > MOST_SHOWN ? shown + "..." : shown.toString();
    }

    private static boolean isVisible(int c) {
        return switch (Character.getType(c)) {
            case Character.CONTROL,
                    Character.FORMAT,
                    Character.SURROGATE,
                    Character.PRIVATE_USE,
                    Character.UNASSIGNED,
                    Character.LINE_SEPARATOR,
                    Character.PARAGRAPH_SEPARATOR -> false;
            case Character.SPACE_SEPARATOR -> c == ' ';
            default -> !isBlank(c);
        };
    }

    /** Letters and marks that draw nothing: joiners, fillers, variation selectors. */
    private static boolean isBlank(int c) {
        return c == 0x34F
                || c == 0x115F
                || c == 0x1160
                || c == 0x2800
                || c == 0x3164
                || c == 0xFFA0
                || (c >= 0x17B4 && c <= 0x17B5)
                || (c >= 0x180B && c <= 0x180F)
                || (c >= 0xFE00 && c <= 0xFE0F)
                || (c >= 0xE0100 && c <= 0xE01EF);
    }

    /** What to do if a name cannot be had because the locale has no letters for it; empty if that is not why. */
    static String localeHint(String name) {
        boolean lost = name.indexOf('\uFFFD') >= 0
                || (Charset.isSupported(ENCODING) && !Charset.forName(ENCODING).newEncoder().canEncode(name));
        return lost && !ENCODING.equalsIgnoreCase("UTF-8")
                ? " (this locale has no letters for it; set LC_ALL=C.UTF-8 and run the command again)"
                : "";
    }
}
