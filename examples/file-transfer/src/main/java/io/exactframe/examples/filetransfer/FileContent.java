package io.exactframe.examples.filetransfer;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.handler.stream.ChunkedNioFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.security.MessageDigest;

/** The content of a file, piece by piece as the socket takes it, and its SHA-256. */
final class FileContent extends ChunkedNioFile {
    private static final int PIECE = 256 * 1024;

    private final MessageDigest digest = Transferred.newSha256();
    private final Progress progress;
    private volatile IOException failure;

    FileContent(FileChannel file, long size, Progress progress) throws IOException {
        super(file, 0, size, PIECE);
        this.progress = progress;
    }

    @Override
    public ByteBuf readChunk(ByteBufAllocator allocator) throws Exception {
        try {
            return readPiece(allocator);
        } catch (IOException e) {
            failure = e;
            throw e;
        }
    }

    private ByteBuf readPiece(ByteBufAllocator allocator) throws Exception {
        long wanted = Math.min(PIECE, length() - progress());
        ByteBuf piece = super.readChunk(allocator);
        if (piece == null) {
            return null;
        }
        if (piece.readableBytes() < wanted) {
            piece.release();
            throw new IOException("it became shorter while it was sent");
        }
        for (ByteBuffer bytes : piece.nioBuffers()) {
            digest.update(bytes);
        }
        progress.reached(progress());
        return piece;
    }

    /** Why the file could not be read, or null. */
    IOException failure() {
        return failure;
    }

    /** The SHA-256 of all that was read; to be asked for once. */
    byte[] sha256() {
        return digest.digest();
    }
}
