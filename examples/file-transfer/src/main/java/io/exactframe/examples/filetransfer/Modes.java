package io.exactframe.examples.filetransfer;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.EnumSet;
import java.util.Set;
import java.util.UUID;

/** Permission bits. */
final class Modes {
    private Modes() {}

    /** For a file that is to have them from its first moment. */
    static FileAttribute<?>[] attributes(int mode) {
        return Source.UNIX
                ? new FileAttribute<?>[] {PosixFilePermissions.asFileAttribute(permissions(mode))}
                : new FileAttribute<?>[0];
    }

    private static Set<PosixFilePermission> permissions(int mode) {
        Set<PosixFilePermission> permissions = EnumSet.noneOf(PosixFilePermission.class);
        for (PosixFilePermission permission : PosixFilePermission.values()) { // from owner's read, 0400, down
            if ((mode & 0400 >> permission.ordinal()) != 0) {
                permissions.add(permission);
            }
        }
        return permissions;
    }

    /** What a program may give others here: the bits that are not in its umask. */
    static int allowed(Path folder) throws IOException {
        Path probe = Files.createDirectory(folder.resolve(PartFile.PREFIX + UUID.randomUUID()));
        try {
            return Source.State.of(probe).mode();
        } finally {
            Files.delete(probe);
        }
    }

    static void set(Path path, int mode) throws IOException {
        if (Source.UNIX && !Files.isSymbolicLink(path) && Files.exists(path)) {
            Files.setPosixFilePermissions(path, permissions(mode));
        }
    }
}
