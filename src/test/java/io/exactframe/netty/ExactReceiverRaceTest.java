package io.exactframe.netty;

import static io.exactframe.netty.testing.Loopback.done;
import static io.exactframe.netty.testing.Loopback.text;
import static org.assertj.core.api.Assertions.assertThat;

import io.exactframe.netty.testing.Loopback;
import io.exactframe.netty.testing.Loopback.Transport;
import io.exactframe.netty.testing.Wire;
import io.netty.buffer.AbstractByteBufAllocator;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.EventLoop;
import io.netty.util.concurrent.EventExecutor;
import io.netty.util.concurrent.ProgressiveFuture;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.WritableByteChannel;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.Random;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** 41, 44, 46: threads that receive, cancel and close while the event loop serves. */
class ExactReceiverRaceTest {
    /** Threads that receive, cancel and close while the event loop serves. */
    @Tag("slow")
    @Nested
    class Frames {
        private final ExactReceiver receiver = new ExactReceiver();

        @Test // 43, 44
        void aReceiveCancelledBeforeTheEventLoopComesToItFreesItsPlace() throws Exception {
            try (Loopback it = new Loopback(Transport.nio(), receiver)) {
                CountDownLatch open = Loopback.block(it.channel.eventLoop());
                List<ProgressiveFuture<ByteBuf>> kept = new ArrayList<>();
                kept.add(receiver.receive(1));
                for (int i = 1; i < 1024; i++) {
                    assertThat(receiver.receive(1).cancel(false)).isTrue();
                }
                assertThat(receiver.receive(1).cause()).isInstanceOf(RejectedExecutionException.class);
                open.countDown();
                it.channel.eventLoop().submit(() -> {}).sync();
                for (int i = 1; i < 1024; i++) {
                    kept.add(receiver.receive(1));
                }
                assertThat(kept).noneMatch(ProgressiveFuture::isDone);
                assertThat(receiver.receive(1).cause()).isInstanceOf(RejectedExecutionException.class);
                it.send("x".repeat(1024));
                for (ProgressiveFuture<ByteBuf> receive : kept) {
                    assertThat(Loopback.text(receive)).isEqualTo("x");
                }
            }
        }

        private static byte pattern(long position) {
            return (byte) (position * 31 + (position >> 8));
        }

        private static Thread sender(Loopback it, int total, int piece) {
            Thread sender = new Thread(() -> {
                try {
                    for (int sent = 0; sent < total; ) {
                        ByteBuffer bytes = ByteBuffer.allocate(Math.min(piece, total - sent));
                        while (bytes.hasRemaining()) {
                            bytes.put(pattern(sent++));
                        }
                        it.send(bytes.flip());
                    }
                } catch (IOException e) {
                    e.printStackTrace(); // the receives then fail
                }
            });
            sender.start();
            return sender;
        }

        private record Asked(ProgressiveFuture<ByteBuf> receive, int size) {}

        @ParameterizedTest(name = "seed {0}") // 44: either the caller has the buffer, or the next receive gets the bytes
        @ValueSource(longs = {1, 2, 3, 4, 5, 6})
        void aCancelThatRacesTheCompletionConservesTheBytes(long seed) throws Exception {
            Random random = new Random(seed);
            int total = 3 << 20;
            int largest = 1 << 5 + 2 * (int) seed;
            try (Loopback it = new Loopback(Transport.nio(), receiver)) {
                Thread sender = sender(it, total, 1 + random.nextInt(100_000));
                Queue<Asked> window = new ArrayDeque<>();
                long taken = 0;
                int asked = 0;
                int rounds = 0;
                while (taken < total && rounds++ < 20_000) {
                    while (window.size() < 3 && taken + asked < total) {
                        int size = 1 + random.nextInt(Math.min(largest, total - (int) taken - asked));
                        window.add(new Asked(receiver.receive(size), size));
                        asked += size;
                    }
                    for (int i = random.nextInt(300); i > 0; i--) {
                        Thread.onSpinWait();
                    }
                    Asked first = window.remove();
                    asked -= first.size();
                    if (rounds % 8 == 0) {
                        done(first.receive()); // on a busy machine all the others may be cancelled
                    }
                    if (first.receive().cancel(false)) {
                        assertThat(first.receive().getNow()).isNull();
                        continue;
                    }
                    if (done(first.receive()).cause() instanceof RejectedExecutionException) {
                        // Cancelled ones have their place until the event loop comes to them.
                        it.channel.eventLoop().submit(() -> {}).sync();
                        continue;
                    }
                    ByteBuf frame = first.receive().getNow();
                    assertThat(frame.readableBytes()).isEqualTo(first.size());
                    for (int i = 0; i < first.size(); i++) {
                        if (frame.getByte(i) != pattern(taken + i)) {
                            assertThat(frame.getByte(i)).as("byte %d", taken + i).isEqualTo(pattern(taken + i));
                        }
                    }
                    frame.release(); // frames of one read share its count
                    taken += first.size();
                }
                // What the window still has, and then all that is left.
                for (Asked left : window) {
                    if (done(left.receive()).cause() instanceof RejectedExecutionException) {
                        continue;
                    }
                    assertThat(done(left.receive()).getNow().getByte(0)).isEqualTo(pattern(taken));
                    left.receive().getNow().release();
                    taken += left.size();
                }
                if (taken < total) {
                    ByteBuf rest = done(receiver.receive(total - (int) taken)).getNow();
                    assertThat(rest.getByte(0)).isEqualTo(pattern(taken));
                    assertThat(rest.getByte(rest.readableBytes() - 1)).isEqualTo(pattern(total - 1));
                    rest.release();
                }
                sender.join();
            }
        }

        @Test // 41, 46: made while the channel is being closed, every receive ends, each once
        void receivesThatRaceTheCloseAllEnd() throws Exception {
            for (int round = 0; round < 50; round++) {
                ExactReceiver receiver = new ExactReceiver();
                List<ProgressiveFuture<ByteBuf>> receives = new ArrayList<>();
                try (Loopback it = new Loopback(Transport.nio(), receiver)) {
                    it.channel.eventLoop().execute(it.channel::close);
                    for (int i = 0; i < 20 + 5 * round; i++) {
                        receives.add(receiver.receive(1));
                    }
                    it.closeChannel();
                    receives.add(receiver.receive(1));
                    for (ProgressiveFuture<ByteBuf> receive : receives) {
                        assertThat(done(receive).cause()).isNotNull();
                    }
                }
            }
        }

        /** Notes who allocates. */
        private static final class Allocator extends AbstractByteBufAllocator {
            final Queue<Thread> callers = new ConcurrentLinkedQueue<>();

            @Override
            protected ByteBuf newHeapBuffer(int initialCapacity, int maxCapacity) {
                callers.add(Thread.currentThread());
                return UnpooledByteBufAllocator.DEFAULT.heapBuffer(initialCapacity, maxCapacity);
            }

            @Override
            protected ByteBuf newDirectBuffer(int initialCapacity, int maxCapacity) {
                return newHeapBuffer(initialCapacity, maxCapacity);
            }

            @Override
            public boolean isDirectBufferPooled() {
                return false;
            }
        }

        @Test // 25: the old event loop finds the task of a receive when the channel is another's already
        void aReceiveIsServedByTheEventLoopThatTheChannelHasNow() throws Exception {
            try (Loopback it = new Loopback(Transport.nio(), receiver)) {
                Channel channel = it.channel;
                EventLoop before = channel.eventLoop();
                EventLoop after = null;
                for (EventExecutor loop : it.group) {
                    after = loop == before ? after : (EventLoop) loop;
                }
                EventLoop next = after;
                Allocator allocator = new Allocator();
                CountDownLatch deregistering = new CountDownLatch(1);
                CountDownLatch asked = new CountDownLatch(1);
                CountDownLatch registered = new CountDownLatch(1);
                AtomicReference<Throwable> failure = new AtomicReference<>();
                before.execute(() -> {
                    for (int i = 0; i < 2; i++) { // two fragments, which have to be put together
                        channel.pipeline().fireChannelRead(channel.alloc().buffer().writeShort('A' << 8 | 'B'));
                    }
                    channel.config().setAllocator(allocator);
                    channel.deregister().addListener(done -> {
                        next.register(channel).addListener(again -> registered.countDown());
                        await(registered, failure);
                    });
                    deregistering.countDown();
                    await(asked, failure);
                });
                assertThat(deregistering.await(Loopback.SECONDS, TimeUnit.SECONDS)).isTrue();
                ProgressiveFuture<ByteBuf> receive = receiver.receive(4);
                asked.countDown();
                assertThat(text(receive)).isEqualTo("ABAB");
                await(registered, failure); // which its loop tells: it is not to end before
                assertThat(failure).hasNullValue();
                assertThat(allocator.callers).isNotEmpty().allMatch(next::inEventLoop);
            }
        }

        private static void await(CountDownLatch latch, AtomicReference<Throwable> failure) {
            try {
                if (!latch.await(Loopback.SECONDS, TimeUnit.SECONDS)) {
                    failure.set(new AssertionError("not in time"));
                }
            } catch (InterruptedException e) {
                failure.set(e);
            }
        }
    }

    /** Receives into a sink that are cancelled, by another thread, while a third one writes. */
    @Tag("slow")
    @Nested
    class Sinks {
        private final ExactReceiver receiver = new ExactReceiver();
        private final ExecutorService io = Executors.newSingleThreadExecutor();

        @ParameterizedTest(name = "seed {0}") // 44: each byte is in a sink or in the next receive, in order, once
        @ValueSource(longs = {1, 2, 3, 4, 5, 6})
        void aCancelThatRacesTheWritesConservesTheBytes(long seed) throws Exception {
            Random random = new Random(seed);
            byte[] stream = Wire.random(random, 6 << 20);
            int largest = 1 << 8 + 2 * (int) seed;
            ByteArrayOutputStream all = new ByteArrayOutputStream();
            WritableByteChannel sink = Channels.newChannel(all);
            try (Loopback it = new Loopback(Transport.nio(), receiver)) {
                Thread sender = new Thread(() -> {
                    try {
                        it.send(ByteBuffer.wrap(stream));
                    } catch (Exception e) {
                        e.printStackTrace(); // the receives then fail
                    }
                });
                sender.start();
                for (int round = 0; all.size() < stream.length && round < 4000; round++) {
                    int size = 1 + random.nextInt(Math.min(largest, stream.length - all.size()));
                    ProgressiveFuture<Void> receive = receiver.receiveTo(sink, size, io);
                    for (int i = random.nextInt(2000); i > 0; i--) {
                        Thread.onSpinWait();
                    }
                    if (round % 8 == 0) {
                        done(receive); // on a busy machine all the others may be cancelled
                    }
                    int before = all.size();
                    if (receive.cancel(true)) {
                        io.submit(() -> {}).get(); // behind whatever was handed over
                        assertThat(all.size() - before).isLessThanOrEqualTo(size);
                    } else {
                        assertThat(done(receive).cause()).isNull();
                    }
                    if (all.size() < stream.length && random.nextBoolean()) {
                        ByteBuf next = done(receiver.receive(1)).getNow();
                        all.write(next.readByte());
                        next.release();
                    }
                }
                if (all.size() < stream.length) {
                    assertThat(done(receiver.receiveTo(sink, stream.length - all.size(), io)).cause()).isNull();
                }
                assertThat(all.toByteArray()).isEqualTo(stream);
                sender.join();
            } finally {
                io.shutdown();
                assertThat(io.awaitTermination(Loopback.SECONDS, TimeUnit.SECONDS)).isTrue();
            }
        }
    }
}
