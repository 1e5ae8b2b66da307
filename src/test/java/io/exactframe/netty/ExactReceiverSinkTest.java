package io.exactframe.netty;

import static io.exactframe.netty.LengthPrefix.uint16;
import static io.exactframe.netty.testing.ReceiverChannel.text;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;

import io.exactframe.netty.testing.ByteSink;
import io.exactframe.netty.testing.CountingAllocator;
import io.exactframe.netty.testing.ReceiverChannel;
import io.exactframe.netty.testing.Wire;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.netty.buffer.UnpooledHeapByteBuf;
import io.netty.util.concurrent.GenericProgressiveFutureListener;
import io.netty.util.concurrent.ProgressiveFuture;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Bytes that go to a sink: exactly so many, in order, with memory that stays the same. */
class ExactReceiverSinkTest {
    private final ReceiverChannel it = new ReceiverChannel();
    private final ExactReceiver receiver = it.receiver;
    private final ByteSink sink = new ByteSink();

    @AfterEach
    void close() {
        it.channel.finish();
        sink.runAll();
    }

    @Test // 42
    void whatMakesNoSenseIsRefusedAtTheCall() {
        for (long size : new long[] {0, -1, Long.MIN_VALUE}) {
            assertThatIllegalArgumentException().isThrownBy(() -> receiver.receiveTo(sink, size, sink));
        }
        assertThatNullPointerException().isThrownBy(() -> receiver.receiveTo(null, 1, sink));
        assertThatNullPointerException().isThrownBy(() -> receiver.receiveTo(sink, 1, null));
    }

    @ParameterizedTest(name = "a sink that takes {0} bytes at a time") // 2
    @ValueSource(ints = {1, 2, 100})
    void exactlySoManyBytesInTheOrderOfAsking(int most) {
        String stream = "AB\0\2CDEFGHIJ";
        for (int first = 0; first <= stream.length(); first++) {
            for (int second = first; second <= stream.length(); second++) {
                ReceiverChannel it = new ReceiverChannel();
                ByteSink sink = new ByteSink();
                sink.most = most;
                ProgressiveFuture<ByteBuf> two = it.receiver.receive(2);
                ProgressiveFuture<Void> four = it.receiver.receiveTo(sink, 4, sink);
                ProgressiveFuture<ByteBuf> one = it.receiver.receive(1);
                ProgressiveFuture<Void> more = it.receiver.receiveTo(sink, 2, sink);
                it.arrive(stream.substring(0, first));
                it.arrive(stream.substring(first, second));
                it.arrive(stream.substring(second));
                sink.runAll();
                assertThat(four.isSuccess() && more.isSuccess()).isTrue();
                assertThat(four.getNow()).isNull();
                assertThat(text(two) + text(one)).as("cut at %d and %d", first, second).isEqualTo("ABE");
                assertThat(sink.text()).as("cut at %d and %d", first, second).isEqualTo("\0\2CDFG");
                assertThat(text(it.receiver.receive(3))).isEqualTo("HIJ");
                it.channel.finish();
            }
        }
    }

    @Test // 32, 51: written or not, handed over or not, no more than two reads
    void whileTheSinkIsBehindNothingIsRead() {
        ProgressiveFuture<Void> receive = receiver.receiveTo(sink, 8, sink);
        it.arrive("AB");
        assertThat(it.reads).isEqualTo(2);
        it.arrive("CD");
        assertThat(it.reads).isEqualTo(2);
        it.channel.read();
        assertThat(it.reads).isEqualTo(2);
        assertThat(sink.tasks).hasSize(1);
        assertThat(sink.text()).isEmpty();
        sink.run();
        assertThat(sink.text()).isEqualTo("AB");
        assertThat(sink.tasks).hasSize(1);
        assertThat(it.reads).isEqualTo(3);
        it.arrive("EFGHIJ");
        assertThat(it.reads).isEqualTo(3);
        sink.run();
        sink.run();
        assertThat(receive.isSuccess()).isTrue();
        assertThat(sink.text()).isEqualTo("ABCDEFGH");
        assertThat(it.reads).isEqualTo(3);
        assertThat(text(receiver.receive(2))).isEqualTo("IJ");
    }

    /** A fragment that notes how often it is looked at. */
    private static final class Noted extends UnpooledHeapByteBuf {
        private final AtomicLong looks;

        Noted(AtomicLong looks) {
            super(UnpooledByteBufAllocator.DEFAULT, 1, 1);
            this.looks = looks;
            writeByte('x');
        }

        @Override
        public int readableBytes() {
            looks.incrementAndGet();
            return super.readableBytes();
        }
    }

    @ParameterizedTest // 18: a TLS handler in front, or a reset that epoll drains, brings very many at a time
    @ValueSource(booleans = {false, true})
    void fragmentsThatWaitForASinkAreNotCountedAgainAndAgain(boolean timed) {
        int count = 2_000;
        ReceiveOptions options = ReceiveOptions.defaults();
        ReceiverChannel it = new ReceiverChannel(
                new ExactReceiver(timed ? options.stallTimeout(Duration.ofMinutes(1)) : options));
        AtomicLong looks = new AtomicLong();
        ProgressiveFuture<Void> receive = it.receiver.receiveTo(sink, count, sink);
        for (int i = 0; i < count; i++) {
            it.channel.pipeline().fireChannelRead(new Noted(looks));
        }
        it.channel.pipeline().fireChannelReadComplete();
        assertThat(it.receiver.bufferedBytes()).isEqualTo(count - 1); // one is on its way
        assertThat(looks.get()).isLessThan(20L * count);
        sink.runAll();
        assertThat(receive.isSuccess()).isTrue();
        assertThat(it.receiver.bufferedBytes()).isZero();
        assertThat(looks.get()).isLessThan(40L * count);
        it.channel.finish();
    }

    @Test // 51
    void fiveGibibytesInMemoryThatStaysTheSame() {
        ByteBuf root = it.bytes("x".repeat(1 << 20));
        CountingAllocator allocator = new CountingAllocator();
        it.channel.config().setAllocator(allocator);
        long size = (5L << 30) + 7;
        long[] taken = new long[1];
        ByteSink sink = new ByteSink() {
            @Override
            public int write(ByteBuffer source) {
                int count = source.remaining();
                taken[0] += count;
                source.position(source.limit());
                return count;
            }
        };
        ProgressiveFuture<Void> receive = receiver.receiveTo(sink, size, sink);
        while (taken[0] < size) {
            Wire.receive(it.channel, root.retainedDuplicate());
            assertThat(root.refCnt()).isLessThanOrEqualTo(3); // the last one is cut
            assertThat(sink.tasks).hasSize(1);
            sink.run();
        }
        assertThat(receive.isSuccess()).isTrue();
        assertThat(taken[0]).isEqualTo(size);
        assertThat(allocator.calls).isZero();
        assertThat(receiver.skip((1 << 20) - 7).isSuccess()).isTrue();
        assertThat(root.release()).isTrue();
    }

    @Test // small fragments of one read go together, until that is 64 KiB
    void aTaskHasEnoughToDo() {
        it.arrive("x".repeat(40_000), "y".repeat(20_000), "z".repeat(50_000), "a");
        ProgressiveFuture<Void> receive = receiver.receiveTo(sink, 110_001, sink);
        sink.run();
        assertThat(sink.size()).isEqualTo(110_000);
        sink.run();
        assertThat(receive.isSuccess()).isTrue();
        assertThat(sink.tasks).isEmpty();
    }

    @Test // 10, 11, 13
    void anyKindOfBuffer() {
        ByteBuf kept = it.bytes("-ABC-");
        ByteBuf composite = it.channel
                .alloc()
                .compositeBuffer()
                .addComponents(true, it.bytes("FG"), it.bytes("HI"));
        ProgressiveFuture<Void> receive = receiver.receiveTo(sink, 20, sink);
        it.channel.pipeline().fireChannelRead(kept.retainedSlice(1, 3));
        it.channel.pipeline().fireChannelRead(it.bytes("DE").asReadOnly());
        it.channel.pipeline().fireChannelRead(composite);
        it.channel.pipeline().fireChannelRead(Unpooled.wrappedBuffer(new byte[] {'J', 'K'}));
        it.channel.pipeline().fireChannelRead(it.bytes("-LM").skipBytes(1));
        it.channel.pipeline().fireChannelRead(it.channel.alloc().directBuffer().writeBytes(new byte[] {'N', 'O'}));
        it.channel.pipeline().fireChannelRead(it.channel.alloc().heapBuffer().writeBytes(new byte[] {'P', 'Q'}));
        it.channel.pipeline().fireChannelRead(it.bytes("RSTUV"));
        sink.runAll();
        assertThat(receive.isSuccess()).isTrue();
        assertThat(sink.text()).isEqualTo("ABCDEFGHIJKLMNOPQRST");
        assertThat(kept.release()).isTrue();
        assertThat(text(receiver.receive(2))).isEqualTo("UV");
    }

    @Test
    void anExecutorThatRunsAtOnce() {
        ProgressiveFuture<Void> first = receiver.receiveTo(sink, 3, Runnable::run);
        ProgressiveFuture<ByteBuf> second = receiver.receive(uint16(), 10);
        ProgressiveFuture<Void> third = receiver.receiveTo(sink, 300_000, Runnable::run);
        it.arrive("A", "BC\0\3", "DEF", "x".repeat(100_000), "x".repeat(150_000));
        assertThat(first.isSuccess()).isTrue();
        assertThat(text(second)).isEqualTo("DEF");
        assertThat(it.reads).isEqualTo(2);
        it.arrive("x".repeat(50_001));
        assertThat(third.isSuccess()).isTrue();
        assertThat(sink.text()).isEqualTo("ABC" + "x".repeat(300_000));
    }

    /** Notes progress; runs what was handed over from inside, if it is to. */
    private class Steps implements GenericProgressiveFutureListener<ProgressiveFuture<Void>> {
        final List<Long> steps = new ArrayList<>();
        boolean running;

        @Override
        public void operationProgressed(ProgressiveFuture<Void> receive, long written, long total) {
            assertThat(receive.isDone()).isFalse();
            assertThat(total).isEqualTo(300_000);
            assertThat(sink.size()).isEqualTo((int) written);
            steps.add(written);
            if (running) {
                sink.runAll();
            }
        }

        @Override
        public void operationComplete(ProgressiveFuture<Void> receive) {
            steps.add(-1L);
        }
    }

    @Test // 47: of what is in the sink
    void progress() {
        Steps listener = new Steps();
        receiver.receiveTo(sink, 300_000, sink).addListener(listener);
        for (int i = 0; i < 8; i++) {
            it.arrive("x".repeat(40_000));
        }
        assertThat(listener.steps).isEmpty();
        sink.runAll();
        assertThat(listener.steps).containsExactly(120_000L, 200_000L, 280_000L, 300_000L, -1L);
    }

    @Test // 19: the sink gets ready while a listener of the progress runs
    void aListenerThatWaitsForTheSink() {
        Steps listener = new Steps();
        listener.running = true;
        ProgressiveFuture<Void> receive = receiver.receiveTo(sink, 300_000, sink).addListener(listener);
        it.arrive("x".repeat(100_000), "x".repeat(100_000), "x".repeat(100_000), "AB");
        sink.runAll();
        assertThat(receive.isSuccess()).isTrue();
        assertThat(listener.steps).containsExactly(100_000L, 200_000L, 300_000L, -1L);
        assertThat(text(receiver.receive(2))).isEqualTo("AB");
    }

    @Test // 44: bytes handed over go to the sink, all others to the next receive
    void cancelledWhileTheSinkIsBehind() {
        ProgressiveFuture<Void> receive = receiver.receiveTo(sink, 100, sink);
        it.arrive("AB");
        it.arrive("CD");
        assertThat(receive.cancel(true)).isTrue();
        assertThat(text(receiver.receive(1))).isEqualTo("C");
        assertThat(sink.text()).isEmpty();
        sink.runAll();
        assertThat(sink.text()).isEqualTo("AB");
        assertThat(text(receiver.receive(1))).isEqualTo("D");
        assertThat(it.exceptions).isEmpty();
    }

    @Test // 44: what the next one hands over comes behind it
    void cancelledAndContinuedIntoTheSameSink() {
        ProgressiveFuture<Void> cancelled = receiver.receiveTo(sink, 100, sink);
        it.arrive("AB");
        it.arrive("CDE");
        cancelled.cancel(false);
        ProgressiveFuture<Void> next = receiver.receiveTo(sink, 2, sink);
        assertThat(sink.tasks).hasSize(1);
        assertThat(it.reads).isEqualTo(2);
        sink.runAll();
        assertThat(next.isSuccess()).isTrue();
        assertThat(sink.text()).isEqualTo("ABCD");
        assertThat(text(receiver.receive(1))).isEqualTo("E");
    }

    @Test // 44: the sink has everything, the receive does not know it yet
    void cancelledBeforeTheLastWriteIsSettled() {
        ProgressiveFuture<Void> receive = receiver.receiveTo(sink, 2, sink);
        it.arrive("ABC");
        Runnable write = sink.tasks.remove();
        receive.addListener(future -> assertThat(sink.text()).isEmpty());
        receive.cancel(false);
        write.run();
        assertThat(sink.text()).isEqualTo("AB");
        assertThat(text(receiver.receive(1))).isEqualTo("C");
    }

    @Test // 44, 47: told of the total, it is too late
    void aListenerOfTheTotalCannotCancel() {
        List<Boolean> cancelled = new ArrayList<>();
        Steps listener = new Steps() {
            @Override
            public void operationProgressed(ProgressiveFuture<Void> receive, long written, long total) {
                cancelled.add(receive.cancel(false));
            }
        };
        ProgressiveFuture<Void> receive = receiver.receiveTo(sink, 2, sink).addListener(listener);
        it.arrive("AB");
        sink.run();
        assertThat(cancelled).containsExactly(false);
        assertThat(receive.isSuccess()).isTrue();
    }

    @Test // 44
    void doneItCannotBeCancelled() {
        ProgressiveFuture<Void> receive = receiver.receiveTo(sink, 2, sink);
        List<Boolean> cancelled = new ArrayList<>();
        receive.addListener(future -> cancelled.add(future.cancel(false)));
        it.arrive("AB");
        sink.run();
        assertThat(cancelled).containsExactly(false);
        assertThat(receive.isSuccess()).isTrue();
    }
}
