package io.exactframe.examples.filetransfer;

import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/** A file that arrived whole: both ends had this SHA-256. */
record Transferred(String name, long size, String sha256) {
    Transferred(String name, long size, byte[] sha256) {
        this(name, size, HexFormat.of().formatHex(sha256));
    }

    static MessageDigest newSha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e); // every Java platform has it
        }
    }
}
