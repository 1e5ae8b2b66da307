package io.exactframe.examples.filetransfer;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.Consumer;

/** Sends files to the first receiver that connects. A file counts as sent when the receiver has verified it. */
final class Sender implements AutoCloseable {
    private final List<Path> files;
    private final Progress.Display display;
    private final EventLoopGroup loop;
    private final CompletableFuture<Connection> accepted = new CompletableFuture<>();
    private Channel server;

    Sender(List<Path> files, Progress.Display display) throws TransferException {
        Set<String> names = new HashSet<>();
        for (Path file : files) {
            check(file);
            if (!names.add(nameOf(file))) {
                throw new TransferException(file + ": another file is named " + nameOf(file) + " too");
            }
        }
        this.files = List.copyOf(files);
        this.display = display;
        this.loop = Connection.newEventLoop();
    }

    private static void check(Path file) throws TransferException {
        String problem = null;
        if (!Files.exists(file)) {
            problem = "no such file";
        } else if (!Files.isRegularFile(file)) {
            problem = "not a regular file";
        } else if (!Files.isReadable(file)) {
            problem = "permission denied";
        }
        if (problem != null) {
            throw new TransferException(file + ": " + problem);
        }
        Metadata.checkName(nameOf(file)); // the receiver would refuse it
    }

    private static String nameOf(Path file) {
        return file.getFileName().toString();
    }

    /**
     * Starts to listen.
     *
     * @param host the address to listen on, or null for all of this machine
     * @param port or 0 for any that is free
     * @return the port
     */
    int listen(String host, int port) throws TransferException {
        InetSocketAddress address;
        try {
            address = host == null
                    ? new InetSocketAddress(port)
                    : new InetSocketAddress(InetAddress.getByName(host), port);
        } catch (UnknownHostException e) {
            throw new TransferException("cannot listen on " + host + ": unknown host");
        }
        ChannelFuture bound = new ServerBootstrap()
                .group(loop)
                .channel(NioServerSocketChannel.class)
                .childOption(ChannelOption.ALLOW_HALF_CLOSURE, true) // see Connection
                .childOption(ChannelOption.SO_KEEPALIVE, true)
                .childHandler(new ChannelInitializer<>() {
                    @Override
                    protected void initChannel(Channel channel) {
                        if (!accepted.complete(new Connection(channel))) {
                            channel.close();
                        }
                    }
                })
                .bind(address)
                .awaitUninterruptibly();
        if (!bound.isSuccess()) {
            throw new TransferException("cannot listen on port " + port + ": "
                    + (bound.cause() instanceof IOException e ? PartFile.reason(e) : bound.cause()));
        }
        server = bound.channel();
        return ((InetSocketAddress) server.localAddress()).getPort();
    }

    /** Waits for a receiver and sends it everything. */
    void send(Consumer<Transferred> verified) throws TransferException {
        try (Connection connection = accepted.join()) {
            server.close().awaitUninterruptibly(); // one receiver is enough
            for (Path file : files) {
                verified.accept(sendFile(connection, file));
            }
            connection.send(Unpooled.EMPTY_BUFFER).awaitUninterruptibly();
        } catch (CompletionException closed) {
            throw new TransferException("closed before a receiver came");
        }
    }

    private Transferred sendFile(Connection connection, Path file) throws TransferException {
        String name = nameOf(file);
        try (FileChannel in = FileChannel.open(file)) {
            Metadata metadata = new Metadata(in.size(), name);
            ByteBuf frame = connection.allocate();
            metadata.encode(frame);
            connection.send(frame);
            expect(Reply.READY, name, connection.receiveReply(Connection.TIMEOUT));
            try (Progress progress = display.start(name, metadata.size())) {
                FileContent content = new FileContent(in, metadata.size(), progress);
                return sendContent(connection, metadata, content);
            }
        } catch (IOException e) {
            throw new TransferException(name + ": cannot be read: " + PartFile.reason(e));
        } catch (ConnectionLost e) {
            throw new TransferException(
                    name + ": the connection ended before the receiver verified the file (" + e.getMessage() + ")");
        }
    }

    private static Transferred sendContent(Connection connection, Metadata file, FileContent content)
            throws IOException, ConnectionLost, TransferException {
        CompletableFuture<byte[]> trailer = new CompletableFuture<>();
        connection.send(content).addListener(sent -> {
            if (sent.isSuccess()) {
                byte[] sha256 = content.sha256();
                trailer.complete(sha256);
                connection.send(Unpooled.wrappedBuffer(sha256));
            } else {
                connection.abort();
            }
        });
        try {
            // Asked for at once: a receiver whose disk is full says so before everything is sent. No time limit, since
            // the slowest disk may still be writing what has long been received.
            expect(Reply.VERIFIED, file.name(), connection.receiveReply(Connection.FOREVER));
        } catch (ConnectionLost e) {
            if (content.failure() != null) {
                throw content.failure();
            }
            throw e;
        }
        if (!trailer.isDone()) {
            throw new TransferException(file.name() + ": " + Reply.NONE); // verified what it cannot have
        }
        return new Transferred(file.name(), file.size(), trailer.join());
    }

    private static void expect(Reply expected, String name, Reply reply) throws TransferException {
        if (reply != expected) {
            throw new TransferException(name + ": " + reply);
        }
    }

    @Override
    public void close() {
        accepted.completeExceptionally(new IOException("closed"));
        Connection.stop(loop);
    }
}
