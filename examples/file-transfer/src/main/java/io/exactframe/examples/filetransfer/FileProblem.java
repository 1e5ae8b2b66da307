package io.exactframe.examples.filetransfer;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;

/** Why one file was not transferred, in a sentence; the rest goes on. */
final class FileProblem extends Exception {
    private static final long serialVersionUID = 1L;

    final Reason reason;

    FileProblem(Reason reason, String message) {
        super(message);
        this.reason = reason;
    }

    /** What went wrong, without the path and without names of classes. */
    static String describe(IOException e) {
        if (e instanceof AccessDeniedException) {
            return "permission denied";
        } else if (e instanceof NoSuchFileException) {
            return "no such file or folder";
        }
        String reason = e instanceof FileSystemException f ? f.getReason() : e.getMessage();
        return reason != null ? reason : "input/output error";
    }
}
