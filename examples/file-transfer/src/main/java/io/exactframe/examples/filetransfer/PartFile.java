package io.exactframe.examples.filetransfer;

import static java.nio.file.LinkOption.NOFOLLOW_LINKS;
import static java.nio.file.StandardCopyOption.ATOMIC_MOVE;
import static java.nio.file.StandardOpenOption.CREATE_NEW;
import static java.nio.file.StandardOpenOption.WRITE;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.WritableByteChannel;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.MessageDigest;

/**
 * A file while it arrives. It is called {@code NAME.part} until it is complete, so that whatever has the right name is
 * whole. Its methods block on the disk: not for an event loop.
 */
final class PartFile implements WritableByteChannel {
    static final String SUFFIX = ".part";

    private final String name;
    private final Path part;
    private final Path target;
    private final boolean overwrite;
    private final FileChannel out;
    private final MessageDigest digest = Transferred.newSha256();
    private volatile long written;
    private volatile IOException failure;

    PartFile(Path target, boolean overwrite, FileChannel out) {
        this.name = target.getFileName().toString();
        this.part = partOf(target);
        this.target = target;
        this.overwrite = overwrite;
        this.out = out;
    }

    private static Path partOf(Path target) {
        return target.resolveSibling(target.getFileName() + SUFFIX);
    }

    /** Starts a file, unless something is in the way. Whatever was, stays as it was. */
    static PartFile create(Path directory, Metadata file, boolean overwrite) throws TransferException {
        String name = file.name();
        Path target = resolve(directory, name);
        Path part = partOf(target);
        checkAbsent(target, overwrite);
        checkAbsent(part, overwrite);
        try {
            long free = Files.getFileStore(directory).getUsableSpace();
            if (free > 0 && free < file.size()) { // some file systems say 0 and mean that they do not know
                throw new TransferException(
                        Reply.NO_SPACE, name + ": needs " + file.size() + " bytes, only " + free + " are free");
            }
            if (overwrite) {
                Files.deleteIfExists(part); // not written through: it may be a link
            }
            return new PartFile(target, overwrite, FileChannel.open(part, CREATE_NEW, WRITE));
        } catch (IOException e) {
            throw new TransferException(Reply.DISK_ERROR, name + SUFFIX + ": cannot be created: " + reason(e));
        }
    }

    /** Once more what {@link Metadata#checkName} says, this time by the file system itself. */
    private static Path resolve(Path directory, String name) throws TransferException {
        try {
            Path target = directory.resolve(name);
            if (target.getParent().equals(directory)
                    && target.getFileName().toString().equals(name)) {
                return target;
            }
        } catch (InvalidPathException e) {
            // refused, as below
        }
        throw new TransferException(Reply.NAME_REFUSED, "this system cannot have a file named '" + name + "'");
    }

    private static void checkAbsent(Path path, boolean overwrite) throws TransferException {
        if (Files.isDirectory(path, NOFOLLOW_LINKS)) {
            throw new TransferException(Reply.EXISTS, path.getFileName() + " exists already, as a directory");
        }
        if (!overwrite && Files.exists(path, NOFOLLOW_LINKS)) {
            throw new TransferException(Reply.EXISTS, path.getFileName() + " exists already; --overwrite replaces it");
        }
    }

    /** Writes what the disk takes, and digests just that. */
    @Override
    public int write(ByteBuffer bytes) throws IOException {
        ByteBuffer taken = bytes.duplicate();
        try {
            int count = out.write(bytes);
            digest.update(taken.limit(taken.position() + count));
            written += count;
            return count;
        } catch (IOException e) {
            failure = e;
            throw e;
        }
    }

    /** Throws why the file could not be written, if so it was. */
    void check() throws TransferException {
        if (failure != null) {
            throw notWritten(failure);
        }
    }

    @Override
    public boolean isOpen() {
        return out.isOpen();
    }

    TransferException notWritten(IOException cause) {
        return new TransferException(
                Reply.DISK_ERROR,
                name + ": cannot be written: " + reason(cause) + "; " + name + SUFFIX + " holds " + written + " bytes");
    }

    long written() {
        return written;
    }

    /** The SHA-256 of everything written; to be asked for once. */
    byte[] sha256() {
        return digest.digest();
    }

    /** Gives the file its name, in one step, once every byte of it is on the disk. */
    void complete() throws TransferException {
        try {
            out.force(true);
            out.close();
            if (!overwrite && Files.exists(target, NOFOLLOW_LINKS)) { // the transfer took its time
                throw new TransferException(
                        Reply.EXISTS, name + " has appeared meanwhile; what came is whole and in " + name + SUFFIX);
            }
            Files.move(part, target, ATOMIC_MOVE);
        } catch (IOException e) {
            throw notWritten(e);
        }
    }

    @Override
    public void close() throws IOException {
        out.close();
    }

    /** What went wrong, without the path. */
    static String reason(IOException e) {
        if (e instanceof AccessDeniedException) {
            return "permission denied";
        } else if (e instanceof NoSuchFileException) {
            return "no such file or directory";
        }
        String reason = e instanceof FileSystemException f ? f.getReason() : e.getMessage();
        return reason != null ? reason : e.getClass().getSimpleName().replace("Exception", "");
    }
}
