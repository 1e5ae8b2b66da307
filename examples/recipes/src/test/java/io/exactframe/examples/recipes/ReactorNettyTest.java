package io.exactframe.examples.recipes;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import io.exactframe.netty.LengthPrefix;
import io.exactframe.netty.LengthPrefixedEncoder;
import io.exactframe.netty.LengthPrefixedExactDecoder;
import io.exactframe.netty.ReceiveOptions;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.util.LeakPresenceDetector;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Schedulers;
import reactor.netty.Connection;
import reactor.netty.DisposableServer;
import reactor.netty.resources.LoopResources;
import reactor.netty.tcp.TcpClient;
import reactor.netty.tcp.TcpServer;

/** The decoder in reactor-netty's pipeline, on both ends. */
class ReactorNettyTest {
    // README: from here
    static final LengthPrefix PREFIX = LengthPrefix.uint32();
    static final ReceiveOptions ON_DEMAND = ReceiveOptions.defaults().onDemand(); // a slow subscriber stops the peer

    /** For doOnConnection of a TcpServer, and doOnConnected of a TcpClient. */
    static void frame(Connection connection) {
        connection
                .addHandlerLast(new LengthPrefixedEncoder(PREFIX))
                .addHandlerLast(new LengthPrefixedExactDecoder(1 << 20, PREFIX, ON_DEMAND));
    }
    // README: to here

    private final LoopResources loops = LoopResources.create("recipes", 1, 2, true);
    private final BlockingQueue<String> notes = new LinkedBlockingQueue<>();
    private final AtomicLong fromSocket = new AtomicLong(); // bytes
    private DisposableServer server;

    private String next() throws InterruptedException {
        return notes.poll(30, TimeUnit.SECONDS);
    }

    private TcpServer listening() {
        return TcpServer.create()
                .runOn(loops)
                .bindAddress(() -> new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
                .doOnChannelInit((observer, channel, address) -> channel.pipeline().addFirst(new ChannelInboundHandlerAdapter() {
                    @Override
                    public void channelRead(ChannelHandlerContext ctx, Object bytes) {
                        fromSocket.addAndGet(((ByteBuf) bytes).readableBytes());
                        ctx.fireChannelRead(bytes);
                    }
                }));
    }

    private DisposableServer shouting() {
        TcpServer tcpServer = listening();
        // README: from here
        return tcpServer
                .doOnConnection(ReactorNettyTest::frame)
                .handle((in, out) -> in.receive() // each ByteBuf is one message
                        .asString(ISO_8859_1)
                        .doOnError(cause -> notes.add(cause.getMessage())) // "stream ended after 7 of 104 bytes"
                        .concatMap(message -> out.sendString(Mono.just(message.toUpperCase()), ISO_8859_1)))
                .bindNow();
        // README: to here
    }

    @Test
    void theServerGetsMessagesAndATruncatedEndIsItsSubscribersError() throws Exception {
        server = shouting();
        try (Socket peer = Sockets.connect(server.port())) {
            peer.getOutputStream().write(Sockets.messages("ab", "", "c".repeat(70_000)));
            byte[] answers = Sockets.messages("AB", "", "C".repeat(70_000));
            assertThat(peer.getInputStream().readNBytes(answers.length)).isEqualTo(answers);
            peer.getOutputStream().write(new byte[] {0, 0, 0, 100, 1, 2, 3});
        }
        assertThat(next()).isEqualTo("stream ended after 7 of 104 bytes");
    }

    @Test
    void theClientGetsMessagesAndATruncatedEndIsItsSubscribersError() throws Exception {
        try (ServerSocket listening = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            TcpClient tcpClient = TcpClient.create().runOn(loops).host("127.0.0.1").port(listening.getLocalPort());
            // README: from here
            Connection connection = tcpClient.doOnConnected(ReactorNettyTest::frame).connectNow();
            connection.outbound().sendString(Mono.just("hello")).then().subscribe();
            connection.inbound().receive()
                    .asString(ISO_8859_1)
                    .subscribe(notes::add, cause -> notes.add(cause.toString()));
            // README: to here
            try (Socket peer = listening.accept()) {
                assertThat(peer.getInputStream().readNBytes(9)).isEqualTo(Sockets.messages("hello"));
                peer.getOutputStream().write(Sockets.messages("first", "second"));
                peer.getOutputStream().write(0);
            }
            assertThat(List.of(next(), next())).containsExactly("first", "second");
            assertThat(next()).endsWith("PrematureCloseException: stream ended after 1 of 4 header bytes");
            connection.onDispose().block(Duration.ofSeconds(30));
        }
    }

    private DisposableServer slow(Consumer<String> consumer) {
        TcpServer tcpServer = listening();
        // README: from here
        return tcpServer
                .doOnConnection(ReactorNettyTest::frame)
                .handle((in, out) -> {
                    in.receive()
                            .asString(ISO_8859_1)
                            .publishOn(Schedulers.boundedElastic(), 1)
                            .subscribe(consumer, cause -> notes.add(cause.getMessage())); // behind every message
                    return out.neverComplete(); // until the connection is closed
                })
                .bindNow();
        // README: to here
    }

    /** 64 MiB from the peer: what a subscriber does not ask for is not read from the socket, and nothing is lost. */
    @Test
    void aSlowSubscriberStopsThePeer() throws Exception {
        Semaphore permits = new Semaphore(1);
        int count = 4_096;
        server = slow(message -> {
            permits.acquireUninterruptibly();
            notes.add(message.substring(0, 4));
        });
        try (Socket peer = Sockets.connect(server.port())) {
            CompletableFuture<Void> sending = CompletableFuture.runAsync(() -> {
                try {
                    for (int i = 0; i < count; i++) {
                        peer.getOutputStream().write(Sockets.messages(String.format("%04d", i) + "x".repeat(16_380)));
                    }
                    peer.getOutputStream().write(new byte[2]);
                    peer.shutdownOutput();
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
            });
            awaitStandstill();
            assertThat(fromSocket.get()).isLessThan(4 << 20);
            permits.release(count);
            for (int i = 0; i < count; i++) {
                assertThat(next()).isEqualTo(String.format("%04d", i));
            }
            sending.get(30, TimeUnit.SECONDS);
            assertThat(fromSocket.get()).isGreaterThan(64 << 20);
            assertThat(next()).isEqualTo("stream ended after 2 of 4 header bytes");
        }
    }

    private void awaitStandstill() {
        long[] last = {0, System.nanoTime()};
        Sockets.await(() -> {
            long now = fromSocket.get();
            if (now != last[0]) {
                last[0] = now;
                last[1] = System.nanoTime();
            }
            return now > 0 && System.nanoTime() - last[1] > 500_000_000L;
        });
    }

    @AfterEach
    void stop() {
        if (server != null) {
            server.disposeNow();
        }
        loops.disposeLater(Duration.ZERO, Duration.ofSeconds(10)).block(Duration.ofSeconds(30));
        LeakPresenceDetector.check();
    }
}
