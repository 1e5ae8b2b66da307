package io.exactframe.examples.filetransfer;

import io.netty.buffer.ByteBuf;
import io.netty.channel.EventLoopGroup;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.function.Consumer;

/**
 * Takes the files of a sender into a directory. It reads like the protocol: receive exactly this, then exactly that; a
 * stream that ends in between is a {@link ConnectionLost} that tells how much of it came.
 */
class Receiver {
    private static final int SHA256_LENGTH = 32;
    private static final int TRAILER_LENGTH = 2 + SHA256_LENGTH;

    private final Path directory;
    private final boolean overwrite;
    private final Progress.Display display;

    Receiver(Path directory, boolean overwrite, Progress.Display display) throws TransferException {
        if (!Files.isDirectory(directory)) {
            throw new TransferException(
                    directory + (Files.exists(directory) ? ": not a directory" : ": no such directory"));
        }
        this.directory = directory.toAbsolutePath().normalize();
        this.overwrite = overwrite;
        this.display = display;
    }

    /** Receives until the sender says that there is no more. */
    void receive(Address sender, Consumer<Transferred> verified) throws TransferException {
        EventLoopGroup loop = Connection.newEventLoop();
        try (Connection connection = Connection.open(loop, sender)) {
            receiveAll(connection, verified);
        } finally {
            Connection.stop(loop);
        }
    }

    private void receiveAll(Connection connection, Consumer<Transferred> verified) throws TransferException {
        try {
            for (Metadata file; (file = receiveMetadata(connection)) != null; ) {
                verified.accept(receiveFile(connection, file));
                connection.send(Reply.VERIFIED.encode());
            }
        } catch (TransferException e) {
            if (e.reply() != Reply.NONE) {
                connection.refuse(e.reply());
            }
            throw e;
        }
    }

    /** What the next file is, or null if there is none. */
    private static Metadata receiveMetadata(Connection connection) throws TransferException {
        ByteBuf frame;
        try {
            frame = connection.receiveFrame(Metadata.MAX_FRAME_LENGTH);
        } catch (ConnectionLost e) {
            throw new TransferException("the connection ended before the sender said what comes next, or that nothing"
                    + " does (" + e.getMessage() + ")");
        }
        try {
            return frame.isReadable() ? Metadata.decode(frame) : null;
        } finally {
            frame.release();
        }
    }

    private Transferred receiveFile(Connection connection, Metadata file) throws TransferException {
        PartFile part = create(directory, file, overwrite);
        try (part) {
            connection.send(Reply.READY.encode());
            receiveContent(connection, file, part);
            byte[] sha256 = part.sha256();
            if (!MessageDigest.isEqual(sha256, receiveSha256(connection, file))) {
                throw new TransferException(
                        Reply.DIGEST_DIFFERS,
                        file.name() + ": what came has another SHA-256 than what was sent; " + kept(file));
            }
            part.complete();
            return new Transferred(file.name(), file.size(), sha256);
        } catch (IOException e) {
            throw part.notWritten(e);
        }
    }

    /** For tests, which have other disks. */
    PartFile create(Path directory, Metadata file, boolean overwrite) throws TransferException {
        return PartFile.create(directory, file, overwrite);
    }

    private void receiveContent(Connection connection, Metadata file, PartFile part) throws TransferException {
        try (Progress progress = display.start(file.name(), file.size())) {
            if (file.size() > 0) {
                connection.receiveTo(part, file.size(), progress);
            }
        } catch (ConnectionLost e) {
            part.check();
            throw new TransferException(file.name() + ": the connection ended after " + part.written() + " of "
                    + file.size() + " bytes (" + e.getMessage() + "); " + kept(file) + " and holds them");
        }
    }

    private static byte[] receiveSha256(Connection connection, Metadata file) throws TransferException {
        ByteBuf frame;
        try {
            frame = connection.receiveFrame(TRAILER_LENGTH);
        } catch (ConnectionLost e) {
            throw new TransferException(file.name() + ": all " + file.size() + " bytes came, but not their SHA-256 ("
                    + e.getMessage() + "); " + kept(file));
        }
        try {
            byte[] sha256 = new byte[frame.readableBytes()];
            frame.readBytes(sha256);
            return sha256;
        } finally {
            frame.release();
        }
    }

    private static String kept(Metadata file) {
        return file.name() + PartFile.SUFFIX + " is kept";
    }
}
