package io.exactframe.examples.pipeline;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.concurrent.TimeUnit.MILLISECONDS;
import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.util.LeakPresenceDetector;
import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What examples/README.md says of the three servers: the table, cell by cell, on real sockets, and the code it shows. */
class MovingOverTest {
    private final EventLoopGroup group = new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
    private final BlockingQueue<String> events = new LinkedBlockingQueue<>();

    private Socket connect(ThreeServers server) throws IOException, InterruptedException {
        Channel listening = new ServerBootstrap()
                .group(group)
                .channel(NioServerSocketChannel.class)
                .childHandler(new ChannelInitializer<>() {
                    @Override
                    protected void initChannel(Channel channel) {
                        server.initPipeline(channel.pipeline(), events::add);
                    }
                })
                .bind("127.0.0.1", 0)
                .sync()
                .channel();
        return new Socket("127.0.0.1", ((InetSocketAddress) listening.localAddress()).getPort());
    }

    /** A whole message of 5 bytes, then one of 100, of which only the first 3 come. */
    private static void stopInAFrame(Socket socket) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        DataOutputStream out = new DataOutputStream(bytes);
        out.writeInt(5);
        out.write(new byte[5]);
        out.writeInt(100);
        out.write(new byte[3]);
        socket.getOutputStream().write(bytes.toByteArray());
    }

    private List<String> untilClosed() throws InterruptedException {
        List<String> all = new ArrayList<>();
        for (String event; (event = events.poll(10, SECONDS)) != null; ) {
            all.add(event);
            if (event.equals("closed")) {
                break;
            }
        }
        return all;
    }

    @ParameterizedTest
    @EnumSource
    void whoClosesInAFrame(ThreeServers server) throws Exception {
        try (Socket socket = connect(server)) {
            stopInAFrame(socket);
        }
        if (server == ThreeServers.LENGTH_FIELD || server == ThreeServers.BYTE_TO_MESSAGE) {
            assertThat(untilClosed()).containsExactly("message of 5", "closed");
        } else {
            assertThat(untilClosed())
                    .containsExactly(
                            "message of 5", "PrematureCloseException: stream ended after 7 of 104 bytes", "closed");
        }
    }

    @ParameterizedTest
    @EnumSource
    void whoResetsInAFrame(ThreeServers server) throws Exception {
        try (Socket socket = connect(server)) {
            stopInAFrame(socket);
            assertThat(events.poll(10, SECONDS)).isEqualTo("message of 5");
            socket.setSoLinger(true, 0);
        }
        if (server == ThreeServers.LENGTH_FIELD || server == ThreeServers.BYTE_TO_MESSAGE) {
            assertThat(untilClosed()).containsExactly("SocketException: Connection reset", "closed");
        } else {
            assertThat(untilClosed())
                    .containsExactly(
                            "SocketException: Connection reset",
                            "PrematureCloseException: stream ended after 7 of 104 bytes",
                            "closed");
        }
    }

    @ParameterizedTest
    @EnumSource
    void whoFallsSilentInAFrame(ThreeServers server) throws Exception {
        try (Socket socket = connect(server)) {
            stopInAFrame(socket);
            assertThat(events.poll(10, SECONDS)).isEqualTo("message of 5");
            if (server == ThreeServers.EXACT_IN_TIME) {
                assertThat(untilClosed())
                        .containsExactly("FrameTimeoutException: 7 of 104 bytes within the deadline of 1000 ms", "closed");
            } else {
                assertThat(events.poll(1_500, MILLISECONDS)).isNull();
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void whoDeclaresMoreThanTheLimit(ThreeServers server) throws Exception {
        try (Socket socket = connect(server)) {
            socket.getOutputStream().write(new byte[] {0x7F, -1, -1, -1, 1, 2, 3});
            List<String> told = untilClosed();
            assertThat(told.get(0)).startsWith("TooLongFrameException: ");
            assertThat(told.get(told.size() - 1)).isEqualTo("closed");
        }
    }

    @Test
    void theSameBytesAreTheSameMessages() throws Exception {
        for (ThreeServers server : ThreeServers.values()) {
            try (Socket socket = connect(server)) {
                DataOutputStream out = new DataOutputStream(socket.getOutputStream());
                for (int length : new int[] {0, 1, 100, 70_000, ThreeServers.MAX}) {
                    out.writeInt(length);
                    out.write(new byte[length]);
                }
            }
            assertThat(untilClosed())
                    .as("%s", server)
                    .containsExactly(
                            "message of 0",
                            "message of 1",
                            "message of 100",
                            "message of 70000",
                            "message of 1048576",
                            "closed");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"length-field", "byte-to-message", "exact", "in-time", "messages"})
    void theReadmeShowsThisCode(String tag) throws IOException {
        String source = Files.readString(Path.of("src/test/java/io/exactframe/examples/pipeline/ThreeServers.java"), UTF_8);
        String region = source.substring(source.indexOf("// tag::" + tag + "[]"), source.indexOf("// end::" + tag + "[]"));
        String quoted = region.substring(region.indexOf('\n') + 1).stripIndent().strip();
        assertThat(Files.readString(Path.of("../README.md"), UTF_8)).contains(quoted);
    }

    @AfterEach
    void nothingLeaks() throws InterruptedException {
        group.shutdownGracefully(0, 5_000, MILLISECONDS).sync();
        LeakPresenceDetector.check();
    }
}
