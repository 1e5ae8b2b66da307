package io.exactframe.examples.postgresql;

import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;

import io.netty.channel.Channel;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import java.io.OutputStream;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;

/** The end of the demo: its clients have ended, and what they said last may still be on its way. */
class LastConnectionTest {
    private static final InetAddress HERE = InetAddress.getLoopbackAddress();
    private static final byte[] STARTUP = ByteBuffer.allocate(9).putInt(9).putInt(3 << 16).array();
    private static final byte[] BYE = {'X', 0, 0, 0, 4};

    private final List<String> told = new CopyOnWriteArrayList<>();
    private final CountDownLatch held = new CountDownLatch(1);
    private final CountDownLatch goesOn = new CountDownLatch(1);

    private static void await(CountDownLatch latch) {
        try {
            assertThat(latch.await(10, SECONDS)).isTrue();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    private static boolean isWaitingForTheRest(Thread end) {
        return Arrays.stream(end.getStackTrace()).anyMatch(frame -> frame.getClassName().equals(Traffic.class.getName()));
    }

    private record Pair(Socket client, Socket server) {}

    private static Pair connect(int port, ServerSocket server) throws Exception {
        Socket client = new Socket(HERE, port);
        client.getOutputStream().write(STARTUP);
        Socket accepted = server.accept();
        accepted.setSoTimeout(10_000);
        assertThat(accepted.getInputStream().readNBytes(STARTUP.length)).isEqualTo(STARTUP);
        return new Pair(client, accepted);
    }

    @Test
    void whoSaidGoodbyeIsNotLost() throws Exception {
        PrintStream err = new PrintStream(OutputStream.nullOutputStream()) {
            @Override
            public void println(String line) {
                told.add(line);
                held.countDown();
                LastConnectionTest.await(goesOn); // on the event loop, which has looked at its channels for this time
            }
        };
        Traffic traffic = new Traffic(System.out, err, true);
        EventLoopGroup group = new MultiThreadIoEventLoopGroup(2, NioIoHandler.newFactory());
        try (ServerSocket server = new ServerSocket(0, 10, HERE)) {
            Channel listening = new Relay(new InetSocketAddress(HERE, server.getLocalPort()), null, MessageDecoder::new, traffic)
                    .listen(group, new InetSocketAddress(HERE, 0));
            int port = ((InetSocketAddress) listening.localAddress()).getPort();
            Pair holds = connect(port, server); // on the other event loop than the one that listens
            Pair between = connect(port, server);
            Pair last = connect(port, server); // on the one that is held
            holds.client().close();
            await(held);
            for (Pair each : List.of(between, last)) {
                each.client().getOutputStream().write(BYE);
                each.client().close();
            }
            CompletableFuture<Void> ended = new CompletableFuture<>();
            Thread end = new Thread(() -> {
                try {
                    Demo.end(listening, group, traffic);
                    ended.complete(null);
                } catch (Throwable t) {
                    ended.completeExceptionally(t);
                }
            });
            end.start();
            listening.closeFuture().sync();
            while (!group.isShuttingDown() && !isWaitingForTheRest(end)) {
                Thread.onSpinWait();
            }
            goesOn.countDown();
            for (Pair each : List.of(between, last)) {
                assertThat(each.server().getInputStream().readAllBytes()).isEqualTo(BYE);
                each.server().close();
            }
            holds.server().close();
            ended.get(10, SECONDS);
        }
        assertThat(told).containsExactly("connection 1: the client left");
    }
}
