package io.exactframe.examples.filetransfer;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.netty.buffer.ByteBuf;
import java.nio.charset.CharacterCodingException;
import java.util.regex.Pattern;

/**
 * What is said of a file before its content.
 *
 * <pre>
 *   | version 1 | flags 1 | offset 8 | size 8 | name, UTF-8, to the end of the frame |
 * </pre>
 *
 * Version 1 knows no flags and always starts at offset 0; the fields are there for a version that resumes.
 */
record Metadata(long size, String name) {
    /** Bytes of a metadata frame with its length: more than any name needs, so that a long one is refused by name. */
    static final int MAX_FRAME_LENGTH = 4096;

    /** Bytes that file systems commonly allow a name, less {@link PartFile#SUFFIX}. */
    static final int MAX_NAME_LENGTH = 250;

    private static final int VERSION = 1;
    private static final int LENGTH_WITHOUT_NAME = 1 + 1 + 8 + 8;

    /** Devices, not files, on Windows; with any extension and whatever the case. */
    private static final Pattern WINDOWS_DEVICE = Pattern.compile(
            "(CON|PRN|AUX|NUL|CONIN\\$|CONOUT\\$|(COM|LPT)[0-9¹²³]) *([.:].*)?", Pattern.CASE_INSENSITIVE);

    private static final Pattern WINDOWS_DRIVE = Pattern.compile("[A-Za-z]:.*", Pattern.DOTALL);

    void encode(ByteBuf frame) {
        frame.writeByte(VERSION).writeByte(0).writeLong(0).writeLong(size);
        frame.writeCharSequence(name, UTF_8);
    }

    static Metadata decode(ByteBuf frame) throws TransferException {
        if (frame.readableBytes() < LENGTH_WITHOUT_NAME) {
            throw notUnderstood("metadata of " + frame.readableBytes() + " bytes");
        }
        int version = frame.readUnsignedByte();
        int flags = frame.readUnsignedByte();
        long offset = frame.readLong();
        long size = frame.readLong();
        if (version != VERSION) {
            throw notUnderstood("version " + version + " (known: " + VERSION + ")");
        }
        if (flags != 0 || offset != 0) {
            throw notUnderstood("flags " + flags + ", offset " + offset + " (known: 0, 0)");
        }
        if (size < 0) {
            throw notUnderstood("a size of " + size + " bytes");
        }
        String name;
        try {
            name = UTF_8.newDecoder().decode(frame.nioBuffer()).toString();
        } catch (CharacterCodingException e) {
            throw new TransferException(Reply.NAME_REFUSED, "the sender's file name is not UTF-8");
        }
        checkName(name);
        return new Metadata(size, name);
    }

    private static TransferException notUnderstood(String what) {
        return new TransferException(Reply.NOT_UNDERSTOOD, "the sender says what this version cannot: " + what);
    }

    /**
     * Lets a name pass that is one plain file in one directory, on every system.
     *
     * @throws TransferException if it might be anything else
     */
    static void checkName(String name) throws TransferException {
        String problem = problemOf(name);
        if (problem != null) {
            throw new TransferException(
                    Reply.NAME_REFUSED, "the file name '" + printable(name) + "' is refused: " + problem);
        }
    }

    /** Or null if there is none. */
    private static String problemOf(String name) {
        if (name.isEmpty()) {
            return "it is empty";
        } else if (name.equals(".") || name.equals("..")) {
            return "it is a directory";
        } else if (name.indexOf('/') >= 0 || name.indexOf('\\') >= 0) {
            return "it has a path separator";
        } else if (WINDOWS_DRIVE.matcher(name).matches()) {
            return "it starts with a drive";
        } else if (name.codePoints().anyMatch(Metadata::isControl)) {
            return "it has control characters";
        } else if (name.getBytes(UTF_8).length > MAX_NAME_LENGTH) {
            return "it is longer than " + MAX_NAME_LENGTH + " bytes";
        } else if (WINDOWS_DEVICE.matcher(name).matches()) {
            return "it is a device on Windows";
        } else if (name.endsWith(".") || name.endsWith(" ")) {
            return "Windows drops the '" + name.charAt(name.length() - 1) + "' at its end";
        }
        return null;
    }

    /** Also those that turn the direction of writing, with which a name can pretend to have another extension. */
    private static boolean isControl(int c) {
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

    private static String printable(String name) {
        int[] shown =
                name.codePoints().limit(80).map(c -> isControl(c) ? '?' : c).toArray();
        return new String(shown, 0, shown.length) + (name.length() > 80 ? "..." : "");
    }
}
