package io.exactframe.examples.filetransfer;

import java.io.IOException;
import java.io.InputStream;
import java.nio.channels.FileLock;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.LinkedHashMap;
import java.util.Map;

/** The folder that files are received into, and what is allowed in it. */
final class Destination implements AutoCloseable {
    private static final boolean WINDOWS =
            System.getProperty("os.name", "").startsWith("Windows");
    private static final int OWNER_ALL = 0700;

    final boolean overwrite;
    private final Path root;
    private final TargetLocks locks;
    private final int allowedMode;
    private final Map<Path, Entry> folders = new LinkedHashMap<>();
    private final Map<Path, Integer> made = new LinkedHashMap<>(); // with the mode they get in the end

    Destination(Path root, boolean overwrite) throws TransferException {
        if (!Files.isDirectory(root)) {
            throw TransferException.failed(
                    root + (Files.exists(root) ? ": not a folder" : ": no such folder; make it with mkdir"));
        }
        try {
            this.root = root.toRealPath();
            this.overwrite = overwrite;
            this.locks = new TargetLocks(this.root);
            this.allowedMode = Modes.allowed(this.root);
        } catch (IOException e) {
            throw TransferException.failed(root + ": cannot be written to: " + FileProblem.describe(e));
        }
    }

    /** What is to be done for one file. */
    static final class Plan {
        final int index;
        final Entry entry;
        final Path target;
        final Path folder;
        PartFile.Left left; // of an earlier run
        boolean existing; // it is compared with what has its name already
        MessageDigest digest = Digests.newSha256(); // of the first offset bytes
        long offset;
        FileLock lock;

        private Plan(int index, Entry entry, Path target) {
            this.index = index;
            this.entry = entry;
            this.target = target;
            this.folder = target.getParent();
        }
    }

    /** A path of the sender's, if it is a safe one and all folders on its way are folders, no links. */
    private Path resolve(Entry entry) throws FileProblem {
        Names.check(entry.path(), WINDOWS);
        try {
            Path target = root.resolve(entry.path());
            if (!target.startsWith(root) || !target.getFileName().toString().equals(entry.name())) {
                throw new FileProblem(Reason.NAME_REFUSED, "this system cannot have that name");
            }
            for (Path folder = target.getParent(); !folder.equals(root); folder = folder.getParent()) {
                if (!Files.isDirectory(folder, LinkOption.NOFOLLOW_LINKS)) {
                    throw new FileProblem(Reason.NAME_REFUSED, "there is no such folder, or it is a link");
                }
            }
            return target;
        } catch (InvalidPathException e) {
            throw new FileProblem(
                    Reason.NAME_REFUSED, "this system cannot have that name" + Names.localeHint(entry.path()));
        }
    }

    void makeFolder(Entry entry) throws FileProblem {
        Path folder = resolve(entry);
        try {
            Files.createDirectory(folder);
            made.put(folder, entry.mode() & allowedMode);
            Modes.set(folder, entry.mode() & allowedMode | OWNER_ALL); // something has to come into it
        } catch (FileAlreadyExistsException e) {
            if (!Files.isDirectory(folder, LinkOption.NOFOLLOW_LINKS)) {
                throw new FileProblem(Reason.EXISTS, "exists already, and is no folder; move it away");
            }
        } catch (IOException e) {
            throw new FileProblem(Reason.DISK_ERROR, "cannot be made: " + FileProblem.describe(e));
        }
        folders.put(folder, entry);
    }

    /** Times and permissions of the folders, when nothing comes into them any more. */
    void finishFolders() {
        folders.forEach((folder, entry) -> {
            try {
                Files.setLastModifiedTime(folder, entry.time());
                if (made.containsKey(folder)) {
                    Modes.set(folder, made.get(folder));
                }
            } catch (IOException e) {
                // it is not ours, or gone: what is in it is what counts
            }
        });
    }

    /** What is there already of a file, with its digest. */
    Plan plan(int index, Entry entry) throws FileProblem {
        Plan plan = new Plan(index, entry, resolve(entry));
        try {
            plan.left = PartFile.find(plan.folder, entry);
            if (Files.exists(plan.target, LinkOption.NOFOLLOW_LINKS)) {
                planExisting(plan);
            } else if (!Files.isWritable(plan.folder)) {
                throw new FileProblem(Reason.DISK_ERROR, "cannot be written: permission denied in its folder");
            }
            long there = plan.existing ? entry.size() : plan.left != null ? plan.left.state().size() : 0;
            if (there > 0) {
                digest(plan, plan.existing ? plan.target : plan.left.path(), there);
            }
            return plan;
        } catch (IOException e) {
            throw new FileProblem(Reason.DISK_ERROR, "cannot be compared: " + FileProblem.describe(e));
        }
    }

    private void planExisting(Plan plan) throws IOException, FileProblem {
        Source.State state = Source.State.of(plan.target);
        if (state.folder()) {
            throw new FileProblem(Reason.EXISTS, "exists already, as a folder; move it away");
        }
        PartFile.deleteSecondName(plan.folder, plan.entry, state);
        if (state.file() && state.size() == plan.entry.size() && !(overwrite && plan.left != null)) {
            plan.existing = true;
        } else if (!overwrite) {
            throw differs();
        }
    }

    static FileProblem differs() {
        return new FileProblem(Reason.EXISTS, "exists already and is different; --overwrite replaces it");
    }

    private static void digest(Plan plan, Path file, long size) throws IOException {
        try (InputStream in = Files.newInputStream(file, LinkOption.NOFOLLOW_LINKS)) {
            if (Digests.update(plan.digest, in, size)) {
                plan.offset = size;
            } else {
                plan.digest.reset();
                plan.existing = false;
            }
        }
    }

    void lock(Plan plan) throws FileProblem {
        try {
            plan.lock = locks.lock(root.relativize(plan.target).toString());
        } catch (IOException e) {
            throw new FileProblem(Reason.DISK_ERROR, "cannot be locked: " + FileProblem.describe(e));
        }
    }

    void unlock(Plan plan) {
        try {
            if (plan.lock != null) {
                plan.lock.release();
                plan.lock = null;
            }
        } catch (IOException e) {
            // it ends with this process
        }
    }

    /** The file that the bytes from an offset on go into; 0 begins anew whatever there is. */
    PartFile open(Plan plan, long offset) throws FileProblem {
        try {
            return plan.left == null
                    ? PartFile.create(plan.folder, plan.entry)
                    : PartFile.resume(
                            plan.left, plan.entry, offset == 0 ? Digests.newSha256() : plan.digest, offset);
        } catch (IOException e) {
            throw new FileProblem(Reason.DISK_ERROR, "cannot be made: " + FileProblem.describe(e));
        }
    }

    void publish(Plan plan, PartFile part) throws FileProblem {
        try {
            part.publish(plan.target, overwrite, plan.entry.mode() & allowedMode);
        } catch (IOException e) {
            throw new FileProblem(Reason.DISK_ERROR, "cannot be stored: " + FileProblem.describe(e));
        }
    }

    /** Bytes that may still be written, {@code Long.MAX_VALUE} if nobody knows. */
    long space() {
        try {
            long space = Files.getFileStore(root).getUsableSpace();
            return space > 0 ? space : Long.MAX_VALUE; // some file systems say 0 and mean that they do not know
        } catch (IOException e) {
            return Long.MAX_VALUE;
        }
    }

    @Override
    public void close() {
        try {
            locks.close();
        } catch (IOException e) {
            // the next run deletes it
        }
    }
}
