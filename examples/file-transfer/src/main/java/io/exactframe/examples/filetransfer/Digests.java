package io.exactframe.examples.filetransfer;

import java.io.IOException;
import java.io.InputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;

/** SHA-256. */
final class Digests {
    private static final int BLOCK = 256 * 1024;

    private Digests() {}

    static MessageDigest newSha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e); // every Java platform has it
        }
    }

    static byte[] sha256(byte[] bytes) {
        return newSha256().digest(bytes);
    }

    /** What the digest is now; it can go on. */
    static byte[] soFar(MessageDigest digest) {
        try {
            return ((MessageDigest) digest.clone()).digest();
        } catch (CloneNotSupportedException e) {
            throw new IllegalStateException(e); // that of every Java platform can be cloned
        }
    }

    /** Digests so many bytes; false if there are not as many. */
    static boolean update(MessageDigest digest, InputStream in, long size) throws IOException {
        byte[] block = new byte[(int) Math.min(BLOCK, size)];
        for (long left = size; left > 0; ) {
            int read = in.read(block, 0, (int) Math.min(block.length, left));
            if (read < 0) {
                return false;
            }
            digest.update(block, 0, read);
            left -= read;
        }
        return true;
    }
}
