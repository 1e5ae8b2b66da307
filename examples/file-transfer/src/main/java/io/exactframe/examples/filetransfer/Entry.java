package io.exactframe.examples.filetransfer;

import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.List;

/**
 * A file or folder as the sender lists it.
 *
 * @param mode permission bits, 0777
 * @param size bytes; 0 for a folder
 * @param path names joined by '/'
 */
record Entry(boolean folder, int mode, long size, Instant modified, String path) implements Message {
    FileTime time() {
        return FileTime.from(modified);
    }

    String name() {
        return path.substring(path.lastIndexOf('/') + 1);
    }

    /** What the user has named, or would have. */
    String top() {
        return path.split("/", 2)[0];
    }

    static String summary(List<Entry> entries) {
        return Sizes.files(entries.stream().filter(entry -> !entry.folder).count()) + ", "
                + Sizes.bytes(entries.stream().mapToLong(Entry::size).sum());
    }
}
