package io.exactframe.examples.recipes;

import static org.assertj.core.api.Assertions.assertThat;

import io.exactframe.netty.LengthPrefix;
import io.exactframe.netty.LengthPrefixedEncoder;
import io.exactframe.netty.LengthPrefixedExactDecoder;
import io.exactframe.netty.ReceiveOptions;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPipeline;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.internal.net.NetSocketInternal;
import io.vertx.core.net.NetServer;
import io.vertx.core.net.NetSocket;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The decoder in front of Vert.x's own handler, by way of an interface that Vert.x calls internal. */
class VertxTest {
    // README: from here
    static final LengthPrefix PREFIX = LengthPrefix.uint32();
    static final ReceiveOptions ON_DEMAND = ReceiveOptions.defaults().onDemand(); // pause() stops the peer

    /** First thing in a connectHandler, or when connect() succeeds: each Buffer is one message from then on. */
    static NetSocket frame(NetSocket socket) {
        ChannelHandlerContext vertx = ((NetSocketInternal) socket).channelHandlerContext();
        ChannelPipeline pipeline = vertx.pipeline();
        pipeline.addBefore(vertx.name(), "to frames", new LengthPrefixedEncoder(PREFIX));
        pipeline.addBefore(vertx.name(), "from frames", new LengthPrefixedExactDecoder(1 << 20, PREFIX, ON_DEMAND));
        return socket;
    }
    // README: to here

    private final Vertx vertx = Vertx.vertx();
    private final BlockingQueue<String> notes = new LinkedBlockingQueue<>();

    private String next() throws InterruptedException {
        return notes.poll(30, TimeUnit.SECONDS);
    }

    private static <T> T get(io.vertx.core.Future<T> future) throws Exception {
        return future.toCompletionStage().toCompletableFuture().get(30, TimeUnit.SECONDS);
    }

    @Test
    void aServer() throws Exception {
        NetServer server = vertx.createNetServer();
        // README: from here
        server.connectHandler(socket -> frame(socket)
                .handler(message -> socket.write(Buffer.buffer("got " + message.length())))
                .exceptionHandler(cause -> notes.add(cause.getMessage())) // "stream ended after 7 of 104 bytes"
                .closeHandler(closed -> notes.add("closed")));
        // README: to here
        int port = get(server.listen(0, "127.0.0.1")).actualPort();
        try (Socket peer = Sockets.connect(port)) {
            peer.getOutputStream().write(Sockets.messages("ab", "c".repeat(70_000), "d"));
            byte[] answers = Sockets.messages("got 2", "got 70000", "got 1");
            assertThat(peer.getInputStream().readNBytes(answers.length)).isEqualTo(answers);
            peer.getOutputStream().write(new byte[] {0, 0, 0, 100, 1, 2, 3});
        }
        assertThat(next()).isEqualTo("stream ended after 7 of 104 bytes");
        assertThat(next()).isEqualTo("closed");
    }

    @Test
    void aClientOfAServerThatSpeaksFirst() throws Exception {
        try (ServerSocket listening = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            vertx.createNetClient().connect(listening.getLocalPort(), "127.0.0.1").onSuccess(socket -> frame(socket)
                    .handler(message -> notes.add(message.toString()))
                    .exceptionHandler(cause -> notes.add(cause.getMessage())));
            try (Socket peer = listening.accept()) {
                peer.getOutputStream().write(Sockets.messages("welcome", "to this"));
                assertThat(next()).isEqualTo("welcome");
                assertThat(next()).isEqualTo("to this");
                peer.getOutputStream().write(0);
            }
            assertThat(next()).isEqualTo("stream ended after 1 of 4 header bytes");
        }
    }

    @Test
    void aPausedSocketKeepsItsMessages() throws Exception {
        NetServer server = vertx.createNetServer();
        server.connectHandler(socket -> frame(socket).handler(message -> {
            notes.add(message.toString());
            socket.pause();
            vertx.runOnContext(later -> socket.resume());
        }).exceptionHandler(cause -> notes.add(cause.getMessage())));
        int port = get(server.listen(0, "127.0.0.1")).actualPort();
        try (Socket peer = Sockets.connect(port)) {
            String[] texts = new String[1_000];
            for (int i = 0; i < texts.length; i++) {
                texts[i] = i + "x".repeat(i);
            }
            peer.getOutputStream().write(Sockets.messages(texts));
            peer.getOutputStream().write(0);
            peer.shutdownOutput();
            for (String text : texts) {
                assertThat(next()).isEqualTo(text);
            }
            assertThat(next()).isEqualTo("stream ended after 1 of 4 header bytes");
        }
    }

    @AfterEach
    void stop() throws Exception {
        get(vertx.close());
    }
}
