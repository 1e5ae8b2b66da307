package io.exactframe.netty;

import static io.exactframe.netty.LengthPrefix.uint16;
import static io.exactframe.netty.testing.ReceiverChannel.text;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.exactframe.netty.testing.CountingAllocator;
import io.exactframe.netty.testing.ReceiverChannel;
import io.exactframe.netty.testing.Wire;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelPipelineException;
import io.netty.util.concurrent.GenericProgressiveFutureListener;
import io.netty.util.concurrent.ProgressiveFuture;
import java.io.IOException;
import java.nio.channels.ClosedChannelException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.RejectedExecutionException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Bytes that nobody wants: counted, and released as they come. */
class ExactReceiverSkipTest {
    private final ReceiverChannel it = new ReceiverChannel();
    private final ExactReceiver receiver = it.receiver;

    @AfterEach
    void close() {
        it.channel.finish();
    }

    @ParameterizedTest // 42
    @ValueSource(longs = {0, -1, Long.MIN_VALUE})
    void aSizeBelowOneIsRefusedAtTheCall(long size) {
        assertThatIllegalArgumentException().isThrownBy(() -> receiver.skip(size));
        it.arrive("A");
        assertThat(text(receiver.receive(1))).isEqualTo("A");
    }

    @Test // 2: in its turn, wherever the stream is cut
    void skipsExactlySoManyBytesInTheOrderOfAsking() {
        String stream = "AB\0\2CDEFGHIJ";
        for (int first = 0; first <= stream.length(); first++) {
            for (int second = first; second <= stream.length(); second++) {
                ReceiverChannel it = new ReceiverChannel();
                ProgressiveFuture<ByteBuf> two = it.receiver.receive(2);
                ProgressiveFuture<Void> header = it.receiver.skip(2);
                ProgressiveFuture<Void> more = it.receiver.skip(3);
                ProgressiveFuture<ByteBuf> three = it.receiver.receive(3);
                ProgressiveFuture<Void> last = it.receiver.skip(1);
                it.arrive(stream.substring(0, first));
                it.arrive(stream.substring(first, second));
                it.arrive(stream.substring(second));
                assertThat(header.isSuccess() && more.isSuccess()).isTrue();
                assertThat(text(two) + text(three)).as("cut at %d and %d", first, second).isEqualTo("ABFGH");
                assertThat(last.isSuccess()).isTrue();
                assertThat(last.getNow()).isNull();
                assertThat(text(it.receiver.receive(1))).isEqualTo("J");
                it.channel.finish();
            }
        }
    }

    @Test // 51
    void anySizeInMemoryThatStaysTheSame() {
        ByteBuf root = it.bytes("x".repeat(1 << 20));
        CountingAllocator allocator = new CountingAllocator();
        it.channel.config().setAllocator(allocator);
        long size = 5L << 30;
        ProgressiveFuture<Void> skip = receiver.skip(size);
        ProgressiveFuture<ByteBuf> behind = receiver.receive(3);
        for (long sent = 0; sent < size; sent += root.readableBytes()) {
            assertThat(skip.isDone()).isFalse();
            Wire.receive(it.channel, root.retainedDuplicate());
            assertThat(root.refCnt()).isEqualTo(1);
        }
        assertThat(skip.isSuccess()).isTrue();
        assertThat(allocator.calls).isZero();
        root.release();
        it.arrive("ABC");
        assertThat(text(behind)).isEqualTo("ABC");
    }

    @Test // 13: what was received before is not touched, nor what follows
    void skippedBytesOfAReadThatIsKeptAreReleasedWithIt() {
        ProgressiveFuture<ByteBuf> before = receiver.receive(2);
        ProgressiveFuture<Void> skip = receiver.skip(3);
        ProgressiveFuture<ByteBuf> after = receiver.receive(2);
        ByteBuf read = it.bytes("ABCDEFG");
        Wire.receive(it.channel, read);
        assertThat(skip.isSuccess()).isTrue();
        assertThat(text(before) + text(after)).isEqualTo("ABFG");
        assertThat(read.refCnt()).isZero();
        ProgressiveFuture<ByteBuf> kept = receiver.receive(2);
        ByteBuf second = it.bytes("ABCDE");
        Wire.receive(it.channel, second);
        assertThat(receiver.skip(3).isSuccess()).isTrue();
        assertThat(second.refCnt()).isPositive();
        assertThat(text(kept)).isEqualTo("AB");
        assertThat(second.refCnt()).isZero();
    }

    @Test // 32: it reads until it has enough, and once in advance
    void readsNoMoreThanItNeeds() {
        ProgressiveFuture<Void> skip = receiver.skip(5);
        it.arrive("ABC");
        assertThat(it.reads).isEqualTo(2);
        it.arrive("DEF");
        assertThat(skip.isSuccess()).isTrue();
        assertThat(it.reads).isEqualTo(2);
        assertThat(text(receiver.receive(1))).isEqualTo("F");
        assertThat(it.reads).isEqualTo(3);
    }

    @Test // 44: what is skipped is gone, what is not is the next one's
    void cancelled() {
        ProgressiveFuture<Void> skip = receiver.skip(10);
        ProgressiveFuture<ByteBuf> next = receiver.receive(2);
        it.arrive("ABC");
        assertThat(skip.cancel(false)).isTrue();
        it.arrive("DEF");
        assertThat(text(next)).isEqualTo("DE");
        assertThat(text(receiver.receive(1))).isEqualTo("F");
        ProgressiveFuture<Void> done = receiver.skip(1);
        it.arrive("G");
        assertThat(done.cancel(false)).isFalse();
    }

    private static final class Steps implements GenericProgressiveFutureListener<ProgressiveFuture<Void>> {
        final List<Long> steps = new ArrayList<>();

        @Override
        public void operationProgressed(ProgressiveFuture<Void> skip, long skipped, long total) {
            assertThat(skip.isDone()).isFalse();
            assertThat(total).isEqualTo(200_000);
            steps.add(skipped);
        }

        @Override
        public void operationComplete(ProgressiveFuture<Void> skip) {
            steps.add(-1L);
        }
    }

    @Test // 47
    void progress() {
        Steps listener = new Steps();
        receiver.skip(200_000).addListener(listener);
        for (int i = 0; i < 5; i++) {
            it.arrive("x".repeat(40_000));
        }
        assertThat(listener.steps).containsExactly(80_000L, 160_000L, 200_000L, -1L);
    }

    @Test // 33, 34
    void theEndInsideIsPremature() {
        ProgressiveFuture<Void> skip = receiver.skip(5L << 30);
        ProgressiveFuture<ByteBuf> next = receiver.receiveOrEnd(1);
        it.arrive("ABC");
        it.peerCloses();
        assertThat(skip.cause()).hasMessage("stream ended after 3 of 5368709120 bytes");
        assertThat(it.exceptions).containsExactly(skip.cause());
        assertThat(next.cause()).isInstanceOf(PrematureCloseException.class);
        assertThat(receiver.skip(1).cause()).isInstanceOf(ClosedChannelException.class);
        assertThat(it.exceptions).hasSize(1);
    }

    @Test // 33
    void theEndInFrontIsPrematureButNothingIsLost() {
        ProgressiveFuture<Void> skip = receiver.skip(5);
        it.halfClose();
        assertThat(skip.cause()).hasMessage("stream ended after 0 of 5 bytes");
        assertThat(receiver.skip(1).cause()).isInstanceOf(PrematureCloseException.class);
        assertThat(it.exceptions).isEmpty();
    }

    @Test // 36: what came in front of the end can be skipped behind it
    void afterTheEnd() {
        it.arrive("ABCDE");
        it.peerCloses();
        assertThat(receiver.skip(2).isSuccess()).isTrue();
        assertThat(text(receiver.receive(1))).isEqualTo("C");
        assertThat(receiver.skip(3).cause()).hasMessage("stream ended after 2 of 3 bytes");
        assertThat(receiver.skip(1).cause()).isInstanceOf(ClosedChannelException.class);
    }

    @Test // 39
    void aSocketErrorInside() {
        ProgressiveFuture<Void> skip = receiver.skip(5);
        it.arrive("ABC");
        IOException reset = new IOException("reset, on purpose");
        it.channel.pipeline().fireExceptionCaught(reset);
        assertThat(skip.cause()).isSameAs(reset);
        assertThat(it.exceptions).hasSize(2);
        assertThat(it.exceptions.get(1)).hasMessage("stream ended after 3 of 5 bytes");
    }

    @Test // 9: it is behind a violation
    void behindAViolation() {
        ProgressiveFuture<ByteBuf> violated = receiver.receive(uint16(), 10);
        ProgressiveFuture<Void> skip = receiver.skip(5);
        it.arrive("\1\1ABCDEF");
        assertThat(skip.cause()).isSameAs(violated.cause());
        assertThat(it.exceptions).containsExactly(violated.cause());
    }

    @Test // 22
    void removed() {
        ProgressiveFuture<Void> skip = receiver.skip(3);
        ProgressiveFuture<Void> second = receiver.skip(5);
        it.arrive("ABCDE");
        assertThat(skip.isSuccess()).isTrue();
        it.passed.clear();
        it.channel.pipeline().remove(receiver);
        assertThat(second.cause()).isInstanceOf(ChannelPipelineException.class);
        it.arrive("FG");
        assertThat(it.passed).containsExactly("FG", "readComplete");
        assertThat(it.exceptions).isEmpty();
    }

    @Test // 43
    void itTakesAPlace() {
        for (int i = 0; i < 1024; i++) {
            receiver.skip(1);
        }
        assertThat(receiver.skip(1).cause()).isInstanceOf(RejectedExecutionException.class);
    }
}
