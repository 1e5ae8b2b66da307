package io.exactframe.netty;

import static io.exactframe.netty.LengthPrefix.uint32;
import static io.exactframe.netty.ReceiverChannel.text;
import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.util.concurrent.GenericProgressiveFutureListener;
import io.netty.util.concurrent.ProgressiveFuture;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** 47: progress is monotonic, throttled, and ends at the total. */
class ExactReceiverProgressTest {
    private static final int STEP = 64 * 1024;

    private final ReceiverChannel it = new ReceiverChannel();
    private final ExactReceiver receiver = it.receiver;
    private final List<Long> progress = new ArrayList<>();
    private final List<Long> totals = new ArrayList<>();

    @AfterEach
    void close() {
        it.channel.finish();
    }

    private class Listener implements GenericProgressiveFutureListener<ProgressiveFuture<ByteBuf>> {
        @Override
        public void operationProgressed(ProgressiveFuture<ByteBuf> receive, long received, long total) {
            assertThat(receive.isDone()).isFalse();
            progress.add(received);
            totals.add(total);
        }

        @Override
        public void operationComplete(ProgressiveFuture<ByteBuf> receive) {
            progress.add(-1L); // nothing comes behind it
        }
    }

    private void arriveInPieces(int bytes, int piece) {
        for (int left = bytes; left > 0; left -= piece) {
            it.arrive("x".repeat(Math.min(piece, left)));
        }
    }

    private void assertThrottled(long total) {
        long last = 0;
        for (long received : progress.subList(0, progress.size() - 2)) {
            assertThat(received - last).isBetween((long) STEP, 2L * STEP);
            last = received;
        }
        assertThat(progress.get(progress.size() - 2)).isEqualTo(total);
        assertThat(progress.get(progress.size() - 1)).isEqualTo(-1L);
        assertThat(totals).containsOnly(total);
    }

    @ParameterizedTest
    @ValueSource(ints = {1000, 65_536, 100_000})
    void everyStepAndTheTotal(int piece) {
        ProgressiveFuture<ByteBuf> receive = receiver.receive(1_000_000).addListener(new Listener());
        arriveInPieces(1_000_000, piece);
        assertThat(progress).hasSizeGreaterThan(1_000_000 / 131_072);
        assertThrottled(1_000_000);
        assertThat(text(receive)).hasSize(1_000_000);
    }

    @Test
    void theHeaderIsCountedToo() {
        ProgressiveFuture<ByteBuf> receive = receiver.receive(uint32(), 300_000);
        receive.addListener(new Listener());
        it.arrive("\0\3\15", "\100"); // 200_000
        assertThat(progress).isEmpty();
        arriveInPieces(200_000, 10_000);
        assertThrottled(200_004);
        assertThat(text(receive)).hasSize(200_000);
    }

    @Test
    void theTotalIsUnknownWhileTheHeaderIsIncomplete() {
        ProgressiveFuture<ByteBuf> receive = receiver.receive(uint32().headerBefore(100_000), 300_000);
        receive.addListener(new Listener());
        it.arrive("x".repeat(70_000));
        assertThat(progress).containsExactly(70_000L);
        assertThat(totals).containsExactly(-1L); // Netty's word for it
        receive.cancel(false);
    }

    @Test
    void aSmallReceiveIsToldOfOnce() {
        ProgressiveFuture<ByteBuf> receive = receiver.receive(4).addListener(new Listener());
        it.arrive("A", "B", "C", "D");
        assertThat(progress).containsExactly(4L, -1L);
        assertThat(totals).containsExactly(4L);
        assertThat(text(receive)).isEqualTo("ABCD");
    }

    @Test
    void aListenerThatThrowsHarmsNobody() {
        List<Long> thrower = new ArrayList<>();
        ProgressiveFuture<ByteBuf> receive = receiver.receive(200_000);
        receive.addListener(new Listener() {
            @Override
            public void operationProgressed(ProgressiveFuture<ByteBuf> receive, long received, long total) {
                thrower.add(received);
                throw new IllegalStateException("thrown by a listener, on purpose");
            }
        });
        progress.clear();
        receive.addListener(new Listener());
        arriveInPieces(200_000, 70_000);
        assertThat(thrower).containsExactly(70_000L, 140_000L, 200_000L);
        assertThat(progress).containsSubsequence(70_000L, 140_000L, 200_000L);
        assertThat(text(receive)).hasSize(200_000);
        assertThat(it.exceptions).isEmpty();
    }

    @Test // 44
    void aListenerMayCancel() {
        ProgressiveFuture<ByteBuf> receive = receiver.receive(200_000);
        ProgressiveFuture<ByteBuf> next = receiver.receive(100_000);
        receive.addListener(new Listener() {
            @Override
            public void operationProgressed(ProgressiveFuture<ByteBuf> receive, long received, long total) {
                assertThat(receive.cancel(false)).isTrue();
            }
        });
        it.arrive("x".repeat(100_000));
        assertThat(receive.isCancelled()).isTrue();
        assertThat(text(next)).hasSize(100_000);
    }

    @Test // 44: told of the total, it is too late
    void aListenerOfTheTotalCannotCancel() {
        ProgressiveFuture<ByteBuf> receive = receiver.receive(4);
        receive.addListener(new Listener() {
            @Override
            public void operationProgressed(ProgressiveFuture<ByteBuf> receive, long received, long total) {
                assertThat(receive.cancel(false)).isFalse();
                progress.add(received);
            }
        });
        it.arrive("ABCD");
        assertThat(progress).containsExactly(4L, -1L);
        assertThat(text(receive)).isEqualTo("ABCD");
    }

    @Test // 46
    void aListenerMayClose() {
        ProgressiveFuture<ByteBuf> receive = receiver.receive(200_000);
        receive.addListener(new Listener() {
            @Override
            public void operationProgressed(ProgressiveFuture<ByteBuf> receive, long received, long total) {
                it.channel.close();
            }
        });
        it.arrive("x".repeat(100_000));
        assertThat(receive.cause()).hasMessage("stream ended after 100000 of 200000 bytes");
        assertThat(it.exceptions).containsExactly(receive.cause());
    }

    @Test // 20
    void aListenerMayRemoveTheReceiver() {
        ProgressiveFuture<ByteBuf> receive = receiver.receive(200_000);
        receive.addListener(new Listener() {
            @Override
            public void operationProgressed(ProgressiveFuture<ByteBuf> receive, long received, long total) {
                it.channel.pipeline().remove(receiver);
            }
        });
        it.arrive("x".repeat(100_000));
        assertThat(receive.isDone()).isTrue();
        assertThat(it.passed).containsExactly("x".repeat(100_000), "readComplete", "readComplete");
    }
}
