package io.exactframe.netty;

import static io.exactframe.netty.LengthPrefix.uint16;
import static io.exactframe.netty.testing.Loopback.block;
import static io.exactframe.netty.testing.Loopback.done;
import static io.exactframe.netty.testing.Loopback.text;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeFalse;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.exactframe.netty.testing.Loopback;
import io.exactframe.netty.testing.Loopback.Transport;
import io.netty.bootstrap.Bootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.util.concurrent.DefaultEventExecutorGroup;
import io.netty.util.concurrent.Future;
import io.netty.util.concurrent.ProgressiveFuture;
import java.io.IOException;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.NotYetConnectedException;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** A receiver on a real socket and a real event loop, called from other threads. */
class ExactReceiverSocketTest {
    private final ExactReceiver receiver = new ExactReceiver();

    Transport transport() {
        return Transport.nio();
    }

    /** Whether a channel of the transport can be registered again, with another event loop. */
    boolean canChangeItsLoop() {
        return true;
    }

    @Test // 41
    void fromOtherThreadsAndFromTheEventLoop() throws Exception {
        try (Loopback it = new Loopback(transport(), receiver)) {
            ProgressiveFuture<ByteBuf> first = receiver.receive(3);
            CompletableFuture<Thread> listener = new CompletableFuture<>();
            CompletableFuture<ProgressiveFuture<ByteBuf>> second = new CompletableFuture<>();
            first.addListener(receive -> {
                listener.complete(Thread.currentThread());
                second.complete(receiver.receive(uint16(), 10));
            });
            it.send("ABC\0\2D");
            assertThat(text(first)).isEqualTo("ABC");
            Thread thread = listener.get(Loopback.SECONDS, TimeUnit.SECONDS);
            assertThat(it.channel.eventLoop().inEventLoop(thread)).isTrue();
            it.send("E");
            assertThat(text(second.get(Loopback.SECONDS, TimeUnit.SECONDS))).isEqualTo("DE");
        }
    }

    @Test // 24, 41: in initChannel of an accepted channel
    void fromInitChannel() throws Exception {
        List<ProgressiveFuture<ByteBuf>> receives = new ArrayList<>();
        try (Loopback it = new Loopback(transport(), false, channel -> {
            channel.pipeline().addLast(receiver);
            receives.add(receiver.receive(2));
        })) {
            it.send("AB");
            assertThat(text(receives.get(0))).isEqualTo("AB");
        }
    }

    @Test // 41
    void beforeTheConnectionAndFromItsListener() throws Exception {
        ExactReceiver client = new ExactReceiver();
        try (Loopback it = new Loopback(transport())) {
            Channel channel = new Bootstrap()
                    .group(it.group)
                    .channel(transport().socket())
                    .handler(client)
                    .register()
                    .sync()
                    .channel();
            assertThat(done(client.receive(1)).cause()).isInstanceOf(NotYetConnectedException.class);
            assertThat(done(client.receiveOrEnd(1)).cause()).isInstanceOf(NotYetConnectedException.class);
            CompletableFuture<ProgressiveFuture<ByteBuf>> receive = new CompletableFuture<>();
            ChannelFuture connect = channel.connect(it.address());
            connect.addListener(connected -> receive.complete(client.receive(1)));
            ProgressiveFuture<ByteBuf> received = receive.get(Loopback.SECONDS, TimeUnit.SECONDS);
            assertThat(received.cause()).isNull();
            channel.close().sync();
            assertThat(done(received).cause()).isInstanceOf(PrematureCloseException.class);
            assertThat(done(client.receive(1)).cause()).isInstanceOf(ClosedChannelException.class);
        }
    }

    @Test // 24, 41: the handler is added when the event loop comes to it, the receive is made before
    void addedByAnotherThreadWhichReceivesAtOnce() throws Exception {
        try (Loopback it = new Loopback(transport())) {
            it.channel.config().setAutoRead(false);
            CountDownLatch open = block(it.channel.eventLoop());
            it.channel.pipeline().addFirst(receiver);
            ProgressiveFuture<ByteBuf> first = receiver.receive(2);
            ProgressiveFuture<ByteBuf> cancelled = receiver.receive(2);
            ProgressiveFuture<ByteBuf> last = receiver.receive(2);
            cancelled.cancel(false);
            assertThat(first.isDone()).isFalse();
            open.countDown();
            it.send("ABCD");
            assertThat(text(first) + text(last)).isEqualTo("ABCD");
        }
    }

    @Test // 43
    void tooManyFromOtherThreads() throws Exception {
        try (Loopback it = new Loopback(transport(), receiver)) {
            CountDownLatch open = block(it.channel.eventLoop());
            List<ProgressiveFuture<ByteBuf>> ours = new ArrayList<>();
            List<ProgressiveFuture<ByteBuf>> theirs = new ArrayList<>();
            Thread other = new Thread(() -> {
                for (int i = 0; i < 600; i++) {
                    theirs.add(receiver.receive(1));
                }
            });
            other.start();
            for (int i = 0; i < 600; i++) {
                ours.add(receiver.receive(1));
            }
            other.join();
            ours.addAll(theirs);
            List<ProgressiveFuture<ByteBuf>> accepted = new ArrayList<>(ours);
            accepted.removeIf(Future::isDone);
            ours.removeAll(accepted);
            assertThat(accepted).hasSize(1024);
            open.countDown();
            for (ProgressiveFuture<ByteBuf> rejected : ours) {
                assertThat(rejected.cause()).isInstanceOf(RejectedExecutionException.class);
            }
            accepted.forEach(receive -> receive.cancel(false));
            // One of the next may come before the places are free.
            it.channel.eventLoop().submit(() -> {}).sync();
            ProgressiveFuture<ByteBuf> next = receiver.receive(3);
            it.send("ABC");
            assertThat(text(next)).isEqualTo("ABC");
        }
    }

    @Test // 36, 41, 46: what is stashed is there after the channel was closed and its pipeline is gone
    void stashedBytesOutliveTheChannel() throws Exception {
        try (Loopback it = new Loopback(transport(), receiver)) {
            ProgressiveFuture<ByteBuf> first = receiver.receive(1);
            it.send("ABCDEF");
            assertThat(text(first)).isEqualTo("A");
            it.closeChannel();
            String rest = "ABCDEF".substring(1, (int) it.bytesRead.get()); // all, unless TCP cut them
            assertThat(it.channel.pipeline().get(ExactReceiver.class)).isNull();
            if (!rest.isEmpty()) {
                assertThat(text(receiver.receive(rest.length()))).isEqualTo(rest);
            }
            assertThat(done(receiver.receive(1)).cause()).isInstanceOf(ClosedChannelException.class);
            assertThat(done(receiver.receiveOrEnd(1)).getNow()).isNull();
        }
    }

    @Test // 36: FIN right behind the bytes; some transports close at once, some when they are asked to read
    void bytesInFrontOfTheEndAreReceived() throws Exception {
        try (Loopback it = new Loopback(transport(), receiver)) {
            ProgressiveFuture<ByteBuf> first = receiver.receive(2);
            it.send("ABCDEFG");
            it.peer.close();
            assertThat(text(first)).isEqualTo("AB");
            assertThat(text(receiver.receive(2))).isEqualTo("CD");
            assertThat(text(receiver.receiveOrEnd(2))).isEqualTo("EF");
            assertThat(done(receiver.receive(2)).cause()).hasMessage("stream ended after 1 of 2 bytes");
            done(it.channel.closeFuture());
            assertThat(done(receiver.receive(2)).cause()).isInstanceOf(ClosedChannelException.class);
        }
    }

    @Test // 34, 46
    void thePeerClosesInsideAFrame() throws Exception {
        try (Loopback it = new Loopback(transport(), receiver)) {
            ProgressiveFuture<ByteBuf> first = receiver.receive(4);
            ProgressiveFuture<ByteBuf> second = receiver.receiveOrEnd(4);
            it.send("AB");
            it.peer.close();
            assertThat(done(first).cause()).hasMessage("stream ended after 2 of 4 bytes");
            assertThat(done(second).cause()).isInstanceOf(PrematureCloseException.class);
            assertThat(it.nextPassed()).isEqualTo("PrematureCloseException");
            assertThat(it.nextPassed()).isEqualTo("inactive");
        }
    }

    @Test // 39, 46
    void thePeerResetsInsideAFrame() throws Exception {
        try (Loopback it = new Loopback(transport(), receiver)) {
            ProgressiveFuture<ByteBuf> first = receiver.receive(1);
            ProgressiveFuture<ByteBuf> second = receiver.receive(100);
            ProgressiveFuture<ByteBuf> third = receiver.receive(4);
            it.send("AB");
            assertThat(text(first)).isEqualTo("A");
            it.send("C");
            while (it.bytesRead.get() < 3) {
                Thread.onSpinWait();
            }
            it.reset();
            assertThat(done(second).cause()).isInstanceOf(IOException.class);
            assertThat(done(third).cause()).isSameAs(second.cause());
            assertThat(it.nextPassed()).isEqualTo("IOException");
            assertThat(it.nextPassed()).isEqualTo("PrematureCloseException");
            assertThat(it.nextPassed()).isEqualTo("inactive");
        }
    }

    @Test // 34, 38: half-closure, answered, then closed
    void thePeerHalfCloses() throws Exception {
        try (Loopback it = new Loopback(transport(), true, channel -> channel.pipeline().addLast(receiver))) {
            ProgressiveFuture<ByteBuf> first = receiver.receive(2);
            ProgressiveFuture<ByteBuf> second = receiver.receive(2);
            it.send("ABC");
            it.peer.shutdownOutput();
            assertThat(text(first)).isEqualTo("AB");
            assertThat(done(second).cause()).hasMessage("stream ended after 1 of 2 bytes");
            assertThat(it.nextPassed()).isEqualTo("PrematureCloseException");
            assertThat(it.nextPassed()).isEqualTo("ChannelInputShutdownEvent");
            assertThat(done(receiver.receive(1)).cause()).isInstanceOf(PrematureCloseException.class);
            done(it.channel.writeAndFlush(it.channel.alloc().buffer().writeByte('!')));
            ByteBuffer answer = ByteBuffer.allocate(1);
            it.peer.read(answer);
            assertThat(answer.get(0)).isEqualTo((byte) '!');
            it.closeChannel();
            assertThat(it.passed).doesNotContain("PrematureCloseException").contains("inactive");
        }
    }

    @Test // 41: a receiver that comes when the input is shut down already hears of that from nobody
    void addedAfterTheHalfClosure() throws Exception {
        try (Loopback it = new Loopback(transport(), true, channel -> {})) {
            it.peer.shutdownOutput();
            assertThat(it.nextPassed()).isEqualTo("ChannelInputShutdownEvent");
            it.channel.pipeline().addLast(receiver);
            assertThat(done(receiver.receive(1)).cause()).isInstanceOf(PrematureCloseException.class);
            assertThat(done(receiver.receiveOrEnd(1)).isSuccess()).isTrue();
        }
    }

    @Test // 46
    void theEventLoopShutsDown() throws Exception {
        assumeFalse(transport().keepsLoops(), "this transport's event loops are not shut down");
        try (Loopback it = new Loopback(transport(), receiver)) {
            List<ProgressiveFuture<ByteBuf>> receives = new ArrayList<>();
            AtomicInteger completions = new AtomicInteger();
            for (int i = 0; i < 10; i++) {
                receives.add(receiver.receive(4));
                receives.get(i).addListener(receive -> completions.incrementAndGet());
            }
            it.send("AB");
            // With no quiet period at all, Netty may end a loop that is busy without closing its channels.
            it.group.shutdownGracefully(10, Loopback.SECONDS * 1000, TimeUnit.MILLISECONDS);
            for (ProgressiveFuture<ByteBuf> receive : receives) {
                assertThat(done(receive).cause()).isInstanceOf(PrematureCloseException.class);
            }
            assertThat(it.group.awaitTermination(Loopback.SECONDS, TimeUnit.SECONDS)).isTrue();
            assertThat(completions).hasValue(10);
            assertThat(done(receiver.receive(1)).cause()).isInstanceOf(ClosedChannelException.class);
        }
    }

    @Test // 48: by the clock of a real event loop, called from another thread
    void aPeerThatIsTooSlow() throws Exception {
        try (Loopback it = new Loopback(transport(), receiver)) {
            ProgressiveFuture<ByteBuf> inTime = receiver.receive(1, Duration.ofSeconds(Long.MAX_VALUE));
            it.send("ABC");
            assertThat(text(inTime)).isEqualTo("A");
            while (it.bytesRead.get() < 3) {
                Thread.onSpinWait();
            }
            ProgressiveFuture<ByteBuf> tooSlow = receiver.receive(4, Duration.ofMillis(50));
            ProgressiveFuture<ByteBuf> next = receiver.receive(1);
            assertThat(done(tooSlow).cause()).hasMessage("2 of 4 bytes within the deadline of 50 ms");
            assertThat(done(next).cause()).isSameAs(tooSlow.cause());
            assertThat(it.nextPassed()).isEqualTo("FrameTimeoutException");
        }
    }

    @Test // 32: 100 MiB for a receiver that nobody asks
    void aReceiverThatNobodyAsksStopsThePeer() throws Exception {
        try (Loopback it = new Loopback(transport(), receiver); Selector selector = Selector.open()) {
            it.peer.setOption(StandardSocketOptions.SO_SNDBUF, 64 * 1024);
            it.peer.configureBlocking(false);
            SelectionKey key = it.peer.register(selector, SelectionKey.OP_WRITE);
            ByteBuffer piece = ByteBuffer.allocate(64 * 1024);
            long sent = 0;
            // Nothing becomes writable for so long: the window is closed.
            while (sent < 100L << 20 && selector.select(1000) > 0) {
                selector.selectedKeys().clear();
                sent += it.peer.write(piece.clear());
            }
            assertThat(sent).isLessThan(100L << 20);
            assertThat(it.bytesRead).hasValueBetween(1, 64 * 1024);
            // Asked again, it gets everything.
            assertThat(it.channel.config().isAutoRead()).isFalse();
            ProgressiveFuture<ByteBuf> all = receiver.receive((int) sent);
            done(all).getNow().release();
            assertThat(it.bytesRead).hasValue(sent);
            key.cancel();
        }
    }

    @Test // 25
    void registeredWithAnotherEventLoopInsideAFrame() throws Exception {
        assumeTrue(canChangeItsLoop(), "a channel of this transport reads nothing after a second registration");
        try (Loopback it = new Loopback(transport(), receiver)) {
            ProgressiveFuture<ByteBuf> first = receiver.receive(1);
            ProgressiveFuture<ByteBuf> second = receiver.receive(5);
            it.send("ABC");
            text(first);
            for (int i = 0; i < 4; i++) {
                done(it.channel.deregister());
                done(it.group.next().register(it.channel));
            }
            assertThat(second.isDone()).isFalse();
            it.send("DEF");
            assertThat(text(second)).isEqualTo("BCDEF");
        }
    }

    @Test // 25
    void onAnExecutorOfItsOwn() throws Exception {
        DefaultEventExecutorGroup executors = new DefaultEventExecutorGroup(1);
        try (Loopback it = new Loopback(
                transport(), false, channel -> channel.pipeline().addLast(executors, receiver))) {
            CompletableFuture<Boolean> onIt = new CompletableFuture<>();
            ProgressiveFuture<ByteBuf> first = receiver.receive(3);
            first.addListener(receive -> onIt.complete(executors.iterator().next().inEventLoop()));
            it.send("ABC\0\3");
            assertThat(text(first)).isEqualTo("ABC");
            assertThat(onIt.get(Loopback.SECONDS, TimeUnit.SECONDS)).isTrue();
            ProgressiveFuture<ByteBuf> second = receiver.receive(uint16(), 10);
            it.send("D");
            it.peer.close();
            assertThat(done(second).cause()).hasMessage("stream ended after 3 of 5 bytes");
            assertThat(it.nextPassed()).isEqualTo("PrematureCloseException");
            assertThat(it.nextPassed()).isEqualTo("inactive");
        } finally {
            executors.shutdownGracefully(0, Loopback.SECONDS, TimeUnit.SECONDS);
            assertThat(executors.awaitTermination(Loopback.SECONDS, TimeUnit.SECONDS)).isTrue();
        }
    }
}
