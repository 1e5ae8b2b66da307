package io.exactframe.examples.filetransfer;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * One lock for each file that is being received into a folder: a byte of one file, at a place that its path says, so
 * that nothing has to be made and deleted for each. Systems lock bytes that are not there.
 *
 * <pre>
 *   .xft-lock   | 0: held by all that use this folder | ... | hash of a path | ...
 * </pre>
 */
final class TargetLocks implements AutoCloseable {
    private final Path path;
    private final FileChannel channel;
    private FileLock here;

    /** Opens the lock file of a folder, which the last one to close it deletes. */
    TargetLocks(Path folder) throws IOException, TransferException {
        path = folder.resolve(PartFile.PREFIX + "lock");
        for (; ; ) {
            FileChannel opened = FileChannel.open(
                    path, StandardOpenOption.CREATE, StandardOpenOption.WRITE, StandardOpenOption.READ,
                    LinkOption.NOFOLLOW_LINKS);
            try {
                Object before = key(path);
                here = opened.lock(0, 1, true);
                // Elsewhere a file that is open cannot be deleted, and has no key.
                if (!Source.UNIX || (before != null && before.equals(key(path)))) {
                    channel = opened;
                    return;
                }
            } catch (OverlappingFileLockException e) {
                opened.close();
                throw TransferException.failed(folder + " is in use by this very program");
            }
            opened.close(); // deleted meanwhile: it would lock nothing
        }
    }

    private static Object key(Path path) throws IOException {
        return Files.exists(path, LinkOption.NOFOLLOW_LINKS) ? Source.State.of(path).key() : null;
    }

    /** Locks a target until the lock is closed. */
    FileLock lock(String target) throws IOException, FileProblem {
        FileLock lock = null;
        try {
            lock = channel.tryLock(place(target), 1, false);
        } catch (OverlappingFileLockException e) {
            // as if it were another process
        }
        if (lock == null) {
            throw new FileProblem(Reason.IN_USE, "another 'receive' is writing it; wait for it, or stop it, and run"
                    + " this again");
        }
        return lock;
    }

    private static long place(String target) {
        long hash = ByteBuffer.wrap(Digests.sha256(target.getBytes(UTF_8))).getLong();
        return 1 + (hash & (Long.MAX_VALUE >> 2));
    }

    @Override
    public void close() throws IOException {
        try (channel) {
            here.release();
            FileLock alone = channel.tryLock(0, 1, false);
            if (alone != null) {
                Files.deleteIfExists(path);
            }
        }
    }
}
