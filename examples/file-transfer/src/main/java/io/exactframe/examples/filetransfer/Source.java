package io.exactframe.examples.filetransfer;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.util.Map;

/** Something to send: where it is, what the receiver is told of it, and what it looked like then. */
record Source(Path path, Entry entry, State state) {
    static final boolean UNIX =
            Path.of("").getFileSystem().supportedFileAttributeViews().contains("unix");

    /** By which a change shows: with the time of the last change of any kind, which nobody can set back. */
    record State(boolean folder, boolean file, long size, FileTime modified, int mode, Object changed, Object key) {
        static State of(Path path) throws IOException {
            if (UNIX) {
                Map<String, Object> now = Files.readAttributes(
                        path,
                        "unix:isDirectory,isRegularFile,size,lastModifiedTime,mode,ctime,fileKey",
                        LinkOption.NOFOLLOW_LINKS);
                return new State(
                        (boolean) now.get("isDirectory"),
                        (boolean) now.get("isRegularFile"),
                        (long) now.get("size"),
                        (FileTime) now.get("lastModifiedTime"),
                        (int) now.get("mode") & 0777,
                        now.get("ctime"),
                        now.get("fileKey"));
            }
            BasicFileAttributes now =
                    Files.readAttributes(path, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
            int mode = now.isDirectory() ? 0755 : 0644;
            return new State(
                    now.isDirectory(), now.isRegularFile(), now.size(), now.lastModifiedTime(), mode, null, now.fileKey());
        }
    }

    static Source of(Path path, String name, State state) {
        long size = state.folder ? 0 : state.size;
        return new Source(
                path, new Entry(state.folder, state.mode, size, state.modified.toInstant(), name), state);
    }

    /** Says if it is not what it was when it was listed. */
    void checkUnchanged() throws FileProblem {
        try {
            State now = State.of(path);
            if (!now.equals(state)) {
                String how = now.size > state.size ? "it grew" : now.size < state.size ? "it shrank" : "it changed";
                throw new FileProblem(
                        Reason.CHANGED, how + " while it was sent; it is not sent. Run 'receive' again when it is at rest");
            }
        } catch (IOException e) {
            throw new FileProblem(Reason.CHANGED, "it vanished while it was sent: " + FileProblem.describe(e));
        }
    }
}
