package io.exactframe.examples.dns;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.util.concurrent.TimeUnit.MILLISECONDS;

import io.exactframe.netty.ReceiveBudget;
import io.exactframe.netty.ReceiveOptions;
import io.netty.channel.Channel;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.util.LeakPresenceDetector;
import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;

/** A server that a test asks, with the zone of the README. */
final class Running implements AutoCloseable {
    static final Path ZONE = Path.of("example.test.zone");

    final BlockingQueue<String> lines = new LinkedBlockingQueue<>();
    final ReceiveBudget budget = new ReceiveBudget(1 << 20);
    private final EventLoopGroup group = new MultiThreadIoEventLoopGroup(2, NioIoHandler.newFactory());
    private final Channel listening;

    Running(Duration deadline, Duration idle, Duration delay) throws IOException, InterruptedException {
        ReceiveOptions receive = ReceiveOptions.defaults().onDemand().frameDeadline(deadline).budget(budget);
        listening = new DnsServer(new Answers(ZONE), receive, idle, delay, lines::add)
                .listen(group, new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
    }

    int port() {
        return ((InetSocketAddress) listening.localAddress()).getPort();
    }

    Socket connect() throws IOException {
        Socket socket = new Socket(InetAddress.getLoopbackAddress(), port());
        socket.setSoTimeout(10_000);
        return socket;
    }

    /** A query for addresses, its length in front. */
    static byte[] query(int id, String name) {
        return query(id, name, 1);
    }

    static byte[] query(int id, String name, int type) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (DataOutputStream out = new DataOutputStream(bytes)) {
            out.writeShort(12 + name.length() + 2 + 4);
            out.writeShort(id);
            out.writeShort(0x0100); // recursion desired
            out.writeShort(1);
            out.write(new byte[6]);
            for (String label : name.split("\\.")) {
                out.writeByte(label.length());
                out.write(label.getBytes(US_ASCII));
            }
            out.writeByte(0);
            out.writeShort(type);
            out.writeShort(1);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return bytes.toByteArray();
    }

    @Override
    public void close() throws InterruptedException {
        listening.close().sync();
        group.shutdownGracefully(0, 5_000, MILLISECONDS).sync();
        LeakPresenceDetector.check();
    }
}
