package io.exactframe.examples.postgresql;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.concurrent.TimeUnit.MILLISECONDS;
import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;

import io.netty.channel.Channel;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.handler.ssl.SslContext;
import io.netty.util.LeakPresenceDetector;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.function.BooleanSupplier;

/** A relay that a test sends clients through. */
final class Running implements AutoCloseable {
    final BlockingQueue<String> told = new LinkedBlockingQueue<>();
    final BlockingQueue<String> queries = new LinkedBlockingQueue<>();
    volatile Runnable atQuery = () -> {}; // on the event loop, when one is done, whose last message did not go on yet
    final Traffic traffic = new Traffic(lines(queries), lines(told), true);
    private final EventLoopGroup group = new MultiThreadIoEventLoopGroup(2, NioIoHandler.newFactory());
    private final Channel listening;

    Running(int server) throws IOException, InterruptedException {
        this(server, null, MessageDecoder.LARGE);
    }

    Running(int server, SslContext tls, int large) throws IOException, InterruptedException {
        InetSocketAddress to = new InetSocketAddress(InetAddress.getLoopbackAddress(), server);
        listening = new Relay(to, tls, mode -> new MessageDecoder(mode, large), traffic)
                .listen(group, new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
    }

    private PrintStream lines(BlockingQueue<String> lines) {
        return new PrintStream(OutputStream.nullOutputStream(), true, UTF_8) {
            @Override
            public void println(String line) {
                lines.add(line);
                if (lines == queries) {
                    atQuery.run();
                }
            }
        };
    }

    int port() {
        return ((InetSocketAddress) listening.localAddress()).getPort();
    }

    Socket connect() throws IOException {
        Socket socket = new Socket(InetAddress.getLoopbackAddress(), port());
        socket.setSoTimeout(10_000);
        return socket;
    }

    String told() throws InterruptedException {
        return told.poll(10, SECONDS);
    }

    void awaitNoConnections() {
        await(() -> traffic.table().get(0).startsWith("0 connections"));
    }

    static void await(BooleanSupplier condition) {
        for (long end = System.nanoTime() + SECONDS.toNanos(20); !condition.getAsBoolean(); Thread.onSpinWait()) {
            assertThat(System.nanoTime()).as("in time").isLessThan(end);
        }
    }

    @Override
    public void close() throws InterruptedException {
        listening.close().sync();
        group.shutdownGracefully(0, 5_000, MILLISECONDS).sync();
        LeakPresenceDetector.check();
    }
}
