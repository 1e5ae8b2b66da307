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

    /** Controls, and those that turn the direction of writing, with which a name can show another extension. */
    private static final Pattern HARMFUL =
            Pattern.compile("[\\p{Cc}\\p{Cs}\\p{Zl}\\p{Zp}\\u061C\\u200E\\u200F\\u202A-\\u202E\\u2066-\\u2069]");

    /** Those, what is no character, other spaces, and letters and marks that draw nothing. */
    private static final Pattern INVISIBLE = Pattern.compile("[\\p{C}\\p{Z}\\u034F\\u115F\\u1160\\u17B4\\u17B5\\u180B-\\u180F"
            + "\\u2800\\u3164\\uFE00-\\uFE0F\\uFFA0\\x{E0100}-\\x{E01EF}&&[^ ]]");

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
        } else if (HARMFUL.matcher(name).find()) {
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

    /** For a terminal: what cannot be seen or has an effect is escaped, and what is long is cut. */
    static String shown(String text) {
        int length = text.codePointCount(0, text.length());
        String start = text.substring(0, text.offsetByCodePoints(0, Math.min(length, MOST_SHOWN)));
        String escaped = INVISIBLE
                .matcher(start)
                .replaceAll(c -> String.format("\\\\u{%X}", c.group().codePointAt(0)));
        return length > MOST_SHOWN ? escaped + "..." : escaped;
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
