package io.exactframe.examples.filetransfer;

import io.netty.buffer.ByteBuf;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.LinkOption;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.List;
import java.util.Queue;

/** The sender's half of the protocol, with one receiver that has proved itself. */
final class SenderSession {
    /** Bytes of a piece: it is still in the processor's cache when it is digested and sent. */
    private static final int PIECE_LENGTH = 256 * 1024;

    private final Connection connection;
    private final List<Source> sources;
    private final User user;
    private final Progress progress;
    private final Queue<Message.Get> asked = new ArrayDeque<>();
    private final Reason[] receipts;
    private int missing;
    private boolean done;

    SenderSession(Connection connection, List<Source> sources, User user, Progress progress) {
        this.connection = connection;
        this.sources = sources;
        this.user = user;
        this.progress = progress;
        this.receipts = new Reason[sources.size()];
        this.missing = sources.size();
    }

    static void greet(Connection connection) throws TransferException {
        if (!(connection.receive() instanceof Message.Hello hello) || hello.magic() != Message.MAGIC) {
            throw TransferException.notUnderstood("something else than a greeting");
        }
        connection.greeted();
        if (hello.version() != Limits.VERSION) {
            throw TransferException.failed(Reason.OTHER_VERSION, Reason.OTHER_VERSION.text);
        }
    }

    /** Serves until the receiver is done; returns whether it said that it has everything. */
    boolean serve() throws TransferException {
        connection.send(Message.Hello.OURS);
        long bytes = 0;
        for (Source source : sources) {
            connection.send(source.entry());
            bytes += source.entry().size();
        }
        connection.send(new Message.Listed(sources.size(), bytes));
        while (!done) {
            Message.Get get = asked.poll();
            if (get != null) {
                send(get);
            } else if (!takePolled()) {
                connection.flush();
                take(connection.receive());
            }
        }
        if (missing > 0) {
            throw TransferException.notUnderstood("an end before its time");
        }
        connection.send(new Message.Bye());
        connection.flush();
        connection.goodbye();
        return Arrays.stream(receipts).allMatch(receipt -> receipt == Reason.OK);
    }

    private boolean takePolled() throws TransferException {
        Message message = connection.poll();
        if (message != null) {
            take(message);
        }
        return message != null;
    }

    private void take(Message message) throws TransferException {
        if (message instanceof Message.Get get && isFile(get.index()) && asked.size() < Limits.GETS_AHEAD) {
            asked.add(get);
        } else if (message instanceof Message.Receipt receipt && isOpen(receipt.index())) {
            receipts[receipt.index()] = receipt.reason();
            missing--;
            if (receipt.reason() != Reason.OK) {
                problem(receipt.index(), receipt.reason().text);
            }
        } else if (message instanceof Message.Done) {
            done = true;
        } else {
            throw TransferException.notUnderstood("a frame out of turn");
        }
    }

    private boolean isOpen(int index) {
        return index >= 0 && index < receipts.length && receipts[index] == null;
    }

    private boolean isFile(int index) {
        return isOpen(index) && !sources.get(index).entry().folder();
    }

    private void problem(int index, String why) {
        user.line(Names.shown(sources.get(index).entry().path()) + ": " + why);
    }

    private void send(Message.Get get) throws TransferException {
        Source source = sources.get(get.index());
        if (get.offset() < 0 || get.offset() > source.entry().size()) {
            throw TransferException.notUnderstood("an offset that makes no sense");
        }
        try {
            source.checkUnchanged();
            try (FileChannel file =
                    FileChannel.open(source.path(), StandardOpenOption.READ, LinkOption.NOFOLLOW_LINKS)) {
                if (source.entry().size() <= Limits.MAX_WHOLE_LENGTH && get.offset() == 0) {
                    sendWhole(get, source, file);
                } else {
                    sendPieces(get, source, file);
                }
            }
        } catch (EOFException e) {
            notSent(get, new FileProblem(Reason.CHANGED, "it shrank while it was sent; it is not sent"));
        } catch (IOException e) {
            notSent(get, new FileProblem(Reason.UNREADABLE, "cannot be read: " + FileProblem.describe(e)));
        } catch (FileProblem e) {
            notSent(get, e);
        }
    }

    private void notSent(Message.Get get, FileProblem why) {
        if (why.reason != Reason.DIFFERENT) { // that is the receiver's to tell
            problem(get.index(), why.getMessage());
        }
        connection.send(new Message.NotSent(get.index(), why.reason));
    }

    private void sendWhole(Message.Get get, Source source, FileChannel file)
            throws IOException, FileProblem, TransferException {
        ByteBuffer content = ByteBuffer.allocate((int) source.entry().size());
        read(file, content);
        source.checkUnchanged();
        connection.awaitRoom();
        connection.send(new Message.Whole(get.index(), Digests.sha256(content.array()), content.array()));
        progress.add(content.capacity());
    }

    private static void read(FileChannel file, ByteBuffer bytes) throws IOException {
        while (bytes.hasRemaining()) {
            if (file.read(bytes) < 0) {
                throw new EOFException();
            }
        }
    }

    private void sendPieces(Message.Get get, Source source, FileChannel file)
            throws IOException, FileProblem, TransferException {
        MessageDigest digest = Digests.newSha256();
        long offset = get.offset();
        if (offset > 0 && !beginsAlike(get, file, digest)) {
            if (get.onlySame()) {
                throw new FileProblem(Reason.DIFFERENT, Reason.DIFFERENT.text);
            }
            offset = 0;
            digest.reset();
        }
        connection.send(new Message.Begin(get.index(), offset));
        progress.add(offset);
        sendContent(file.position(offset), source.entry().size() - offset, digest);
        source.checkUnchanged();
        connection.send(new Message.End(digest.digest()));
    }

    private boolean beginsAlike(Message.Get get, FileChannel file, MessageDigest digest)
            throws IOException, TransferException {
        connection.flush();
        connection.startBusy();
        try {
            if (!Digests.update(digest, Channels.newInputStream(file), get.offset())) {
                throw new EOFException();
            }
        } finally {
            connection.stopBusy();
        }
        return MessageDigest.isEqual(Digests.soFar(digest), get.sha256());
    }

    /** Reads and digests a piece while the one before is on its way. */
    private void sendContent(FileChannel file, long size, MessageDigest digest) throws IOException, TransferException {
        for (long left = size; left > 0; ) {
            connection.awaitRoom();
            int length = (int) Math.min(left, PIECE_LENGTH);
            ByteBuf piece = connection.allocate(length);
            try {
                ByteBuffer bytes = piece.internalNioBuffer(0, length);
                read(file, bytes);
                digest.update(bytes.flip());
                piece.writerIndex(length);
            } catch (IOException e) {
                piece.release();
                throw e;
            }
            connection.send(new Message.Piece(length));
            connection.sendBytes(piece);
            connection.flush();
            progress.add(length);
            left -= length;
            while (takePolled()) {
                // what the receiver says meanwhile; that it refuses is an exception
            }
        }
    }
}
