package io.exactframe.examples.filetransfer;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.WritableByteChannel;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.Objects;
import java.util.Set;

/**
 * A file while it arrives, under a name of its own: what has the right name is whole. What gets that name is what was
 * written and digested here, or nothing does.
 *
 * <pre>
 *   absent --create--&gt; .xft-KEY.part --write ...--&gt; --sync, publish--&gt; the target
 *                        ^ resume                 |
 *                        +-- the connection is lost
 * </pre>
 *
 * KEY is made of the source's path, size and time, so that only the same source goes on with it. Its methods block on
 * the disk: not for an event loop.
 */
final class PartFile implements WritableByteChannel {
    static final String PREFIX = ".xft-";
    private static final String SUFFIX = ".part";
    private static final int KEY_LENGTH = 10;
    private static final int MOST_IN_THE_WAY = 10;
    private static final int PRIVATE = 0600;

    private final Entry entry;
    private final Path path;
    private final FileChannel out;
    private final Object key; // which file it is, whatever becomes of its name
    private final MessageDigest digest;
    private long size;
    private boolean discarded;
    private volatile IOException failure;

    private PartFile(Entry entry, Path path, FileChannel out, MessageDigest digest, long size) throws IOException {
        this.entry = entry;
        this.path = path;
        this.out = out;
        this.key = Source.State.of(path).key();
        this.digest = digest;
        this.size = size;
    }

    private static Path candidate(Path folder, Entry entry, int number) {
        String source = entry.path() + '\0' + entry.size() + '\0' + entry.modified();
        String key = HexFormat.of().formatHex(Digests.sha256(source.getBytes(UTF_8)), 0, KEY_LENGTH);
        return folder.resolve(PREFIX + key + (number == 0 ? "" : "-" + number) + SUFFIX);
    }

    /** What an earlier run has left of a source. */
    record Left(Path path, Source.State state) {}

    /** What an earlier run has left, or null; never what somebody else has put there. */
    static Left find(Path folder, Entry entry) throws IOException {
        for (int number = 0; number < MOST_IN_THE_WAY; number++) {
            Path path = candidate(folder, entry, number);
            try {
                Source.State state = Source.State.of(path);
                boolean complete =
                        state.size() == entry.size() && state.modified().equals(entry.time());
                boolean ours = state.mode() == PRIVATE || !Source.UNIX || complete; // killed just before its renaming
                if (state.file() && ours && links(path) == 1 && state.size() <= entry.size()) {
                    return new Left(path, state);
                }
            } catch (NoSuchFileException | FileNotFoundException e) {
                return null;
            }
        }
        return null;
    }

    private static int links(Path path) throws IOException {
        return Source.UNIX ? (int) Files.getAttribute(path, "unix:nlink", LinkOption.NOFOLLOW_LINKS) : 1;
    }

    /** Deletes what is only a second name of the target: an earlier run was killed when it had given it the first. */
    static void deleteSecondName(Path folder, Entry entry, Source.State target) throws IOException {
        Path path = candidate(folder, entry, 0);
        if (Files.exists(path, LinkOption.NOFOLLOW_LINKS)
                && target.key() != null
                && target.key().equals(Source.State.of(path).key())) {
            Files.delete(path);
        }
    }

    static PartFile create(Path folder, Entry entry) throws IOException {
        for (int number = 0; ; number++) {
            Path path = candidate(folder, entry, number);
            try {
                Set<OpenOption> options = Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.APPEND);
                FileChannel out = FileChannel.open(path, options, Modes.attributes(PRIVATE));
                return new PartFile(entry, path, out, Digests.newSha256(), 0);
            } catch (FileAlreadyExistsException e) {
                if (number == MOST_IN_THE_WAY) {
                    throw e;
                }
            }
        }
    }

    /**
     * Goes on with what an earlier run has left.
     *
     * @param size bytes of it that are kept, all or none
     * @param digest of them
     */
    static PartFile resume(Left left, Entry entry, MessageDigest digest, long size) throws IOException, FileProblem {
        FileChannel out =
                FileChannel.open(left.path, StandardOpenOption.APPEND, LinkOption.NOFOLLOW_LINKS);
        try {
            if (!Source.State.of(left.path).equals(left.state)) {
                throw new FileProblem(Reason.IN_USE, "another program is writing its unfinished file; run this again");
            }
            Modes.set(left.path, PRIVATE);
            out.truncate(size);
            return new PartFile(entry, left.path, out, digest, size);
        } catch (IOException | FileProblem e) {
            out.close();
            throw e;
        }
    }

    /** Appends and digests what the disk takes. When it has failed once, takes all and writes nothing. */
    @Override
    public int write(ByteBuffer bytes) {
        int length = bytes.remaining();
        try {
            ByteBuffer taken = bytes.duplicate();
            int count = failure != null ? 0 : out.write(bytes);
            digest.update(taken.limit(taken.position() + count));
            size += count;
        } catch (IOException e) {
            failure = e;
        }
        if (failure != null) {
            bytes.position(bytes.limit());
            return length;
        }
        return length - bytes.remaining();
    }

    /** Why writing failed, or null. */
    IOException failure() {
        return failure;
    }

    long size() {
        return size;
    }

    @Override
    public boolean isOpen() {
        return out.isOpen();
    }

    boolean hasSha256(byte[] sha256) {
        return MessageDigest.isEqual(digest.digest(), sha256);
    }

    /** Returns when it is on the disk itself, or has failed. */
    void sync() {
        try {
            out.force(true);
        } catch (IOException e) {
            failure = e;
        }
    }

    /**
     * Gives it its name, in one step.
     *
     * @throws FileProblem if something else has that name, or what is called as this was is not this any more
     */
    void publish(Path target, boolean overwrite, int mode) throws IOException, FileProblem {
        checkIdentity(path);
        Files.setLastModifiedTime(path, entry.time());
        Modes.set(path, mode);
        checkIdentity(path);
        if (overwrite) {
            if (Files.isDirectory(target, LinkOption.NOFOLLOW_LINKS)) {
                throw new FileProblem(Reason.EXISTS, "exists already, as a folder");
            }
            Files.move(path, target, StandardCopyOption.ATOMIC_MOVE);
        } else {
            publishNew(target);
        }
        checkIdentity(target);
        out.close();
    }

    private void publishNew(Path target) throws IOException, FileProblem {
        try {
            Files.createLink(target, path); // unlike renaming, it never replaces what has appeared meanwhile
        } catch (FileAlreadyExistsException e) {
            throw appeared();
        } catch (UnsupportedOperationException | IOException e) { // no such links here
            if (Files.exists(target, LinkOption.NOFOLLOW_LINKS)) {
                throw appeared();
            }
            Files.move(path, target, StandardCopyOption.ATOMIC_MOVE);
            return;
        }
        Files.delete(path);
    }

    private static FileProblem appeared() {
        return new FileProblem(Reason.EXISTS, "has appeared while it was received; --overwrite replaces it");
    }

    private void checkIdentity(Path name) throws FileProblem {
        if (!isThis(name)) {
            throw new FileProblem(
                    Reason.DISK_ERROR,
                    "its unfinished file was replaced or changed by another program; nothing was stored, run this again");
        }
    }

    private boolean isThis(Path name) {
        try {
            Source.State now = Source.State.of(name);
            return now.file() && now.size() == size && Objects.equals(now.key(), key);
        } catch (IOException e) {
            return false;
        }
    }

    /** Deletes it, if it is what has its name. */
    void discard() {
        discarded = true;
        close();
    }

    /** Leaves it for the next run, if there is something in it. */
    @Override
    public void close() {
        try {
            out.close();
            if ((discarded || size == 0) && isThis(path)) {
                Files.delete(path);
            }
        } catch (IOException e) {
            // it stays, and the next run goes on with it or begins it anew
        }
    }
}
