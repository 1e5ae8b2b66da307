package io.exactframe.netty;

import static io.exactframe.netty.testing.ReceiverChannel.text;
import static java.util.concurrent.TimeUnit.DAYS;
import static java.util.concurrent.TimeUnit.MILLISECONDS;
import static java.util.concurrent.TimeUnit.MINUTES;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;

import io.exactframe.netty.FrameTimeoutException.Limit;
import io.exactframe.netty.testing.ByteSink;
import io.exactframe.netty.testing.ReceiverChannel;
import io.exactframe.netty.testing.Wire;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelException;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.util.concurrent.ProgressiveFuture;
import java.nio.channels.ClosedChannelException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** 48, 50: a receive that has a time for itself. */
class ExactReceiverTimeoutTest {
    private static final Duration SECOND = Duration.ofSeconds(1);
    private static final long NO_TIMER = -1;

    private final ReceiverChannel it = new ReceiverChannel();
    private final ExactReceiver receiver = it.receiver;

    @BeforeEach
    void freeze() {
        it.channel.freezeTime();
    }

    @AfterEach
    void close() {
        it.channel.finish();
        assertThat(timer(it.channel)).isEqualTo(NO_TIMER);
    }

    /** Nanoseconds until a timer runs. */
    private static long timer(EmbeddedChannel channel) {
        return channel.runScheduledPendingTasks();
    }

    private void wait(int millis) {
        it.channel.advanceTimeBy(millis, MILLISECONDS);
        it.channel.runScheduledPendingTasks();
    }

    @Test // 42
    void whatMakesNoSenseIsRefusedAtTheCall() {
        for (Duration none : List.of(Duration.ZERO, Duration.ofNanos(-1), Duration.ofSeconds(Long.MIN_VALUE))) {
            assertThatIllegalArgumentException().isThrownBy(() -> receiver.receive(1, none));
        }
        assertThatIllegalArgumentException().isThrownBy(() -> receiver.receive(0, SECOND));
        assertThatNullPointerException().isThrownBy(() -> receiver.receive(1, null));
        it.arrive("A");
        assertThat(text(receiver.receive(1))).isEqualTo("A");
    }

    @Test
    void inTime() {
        ProgressiveFuture<ByteBuf> receive = receiver.receive(4, SECOND);
        wait(999);
        it.arrive("ABCDEF");
        assertThat(text(receive)).isEqualTo("ABCD");
        assertThat(timer(it.channel)).isEqualTo(NO_TIMER);
        wait(2000);
        assertThat(text(receiver.receive(2))).isEqualTo("EF");
    }

    @Test // 48: a byte now and then does not extend it; every outstanding receive fails, and all after it
    void tooLate() {
        ProgressiveFuture<ByteBuf> receive = receiver.receive(10, SECOND);
        ProgressiveFuture<ByteBuf> orEnd = receiver.receiveOrEnd(1);
        ProgressiveFuture<Void> skip = receiver.skip(1);
        int[] completions = new int[1];
        receive.addListener(failed -> completions[0]++);
        for (int i = 0; i < 4; i++) {
            wait(240);
            it.arrive("A");
        }
        wait(39);
        assertThat(receive.isDone()).isFalse();
        wait(1);
        assertThat(receive.cause())
                .isExactlyInstanceOf(FrameTimeoutException.class)
                .isInstanceOf(ChannelException.class)
                .hasMessage("4 of 10 bytes within the deadline of 1000 ms")
                .hasNoCause();
        FrameTimeoutException timeout = (FrameTimeoutException) receive.cause();
        assertThat(timeout.expectedBytes()).isEqualTo(10);
        assertThat(timeout.receivedBytes()).isEqualTo(4);
        assertThat(timeout.inHeader()).isFalse();
        assertThat(timeout.limit()).isEqualTo(Limit.DEADLINE);
        assertThat(orEnd.cause()).isSameAs(timeout);
        assertThat(skip.cause()).isSameAs(timeout);
        assertThat(receiver.receive(1).cause()).isSameAs(timeout);
        assertThat(receiver.receive(1, SECOND).cause()).isSameAs(timeout);
        assertThat(it.exceptions).containsExactly(timeout);
        ByteBuf late = it.bytes("BCDEFGHIJ");
        Wire.receive(it.channel, late);
        assertThat(late.refCnt()).isZero();
        it.channel.close();
        assertThat(it.exceptions).hasSize(1);
        assertThat(completions).containsExactly(1);
    }

    @Test // 48: nothing of a frame is lost, so the pipeline is told nothing
    void tooLateForTheFirstByte() {
        ProgressiveFuture<ByteBuf> receive = receiver.receive(10, Duration.ofNanos(1_500_000));
        wait(2);
        assertThat(receive.cause()).hasMessage("0 of 10 bytes within the deadline of 1500000 ns");
        assertThat(receiver.receiveOrEnd(1).cause()).isSameAs(receive.cause());
        assertThat(it.exceptions).isEmpty();
        it.channel.close();
        assertThat(it.exceptions).isEmpty();
    }

    @ParameterizedTest(name = "with {0} bytes of the one in front") // 48: the time in the queue counts
    @ValueSource(ints = {0, 3})
    void behindAnotherReceive(int bytes) {
        ProgressiveFuture<ByteBuf> first = receiver.receive(10);
        ProgressiveFuture<ByteBuf> second = receiver.receive(5, SECOND);
        it.arrive("ABC".substring(0, bytes));
        wait(1000);
        assertThat(second.cause()).hasMessage("0 of 5 bytes within the deadline of 1000 ms");
        assertThat(first.cause()).isSameAs(second.cause());
        assertThat(it.exceptions).hasSize(bytes == 0 ? 0 : 1);
    }

    @Test // an application that did not ask has not begun to count
    void fromTheCallOn() {
        it.arrive("AB");
        wait(5000);
        ProgressiveFuture<ByteBuf> receive = receiver.receive(4, SECOND);
        wait(999);
        it.arrive("CD");
        assertThat(text(receive)).isEqualTo("ABCD");
    }

    @Tag("clock")
    @Test // also those in which a listener keeps it from being served
    void fromTheCallOnInAListener() {
        ProgressiveFuture<ByteBuf> first = receiver.receive(1);
        List<ProgressiveFuture<ByteBuf>> second = new ArrayList<>();
        first.addListener(received -> {
            second.add(receiver.receive(4, SECOND));
            wait(600);
        });
        it.arrive("A");
        text(first);
        wait(399);
        assertThat(second.get(0).isDone()).isFalse();
        wait(1);
        assertThat(second.get(0).cause()).isInstanceOf(FrameTimeoutException.class);
    }

    @Test // 24
    void beforeTheRegistration() throws Exception {
        ExactReceiver early = new ExactReceiver();
        EmbeddedChannel channel = new EmbeddedChannel(false, false);
        channel.pipeline().addLast(early);
        ProgressiveFuture<ByteBuf> receive = early.receive(2, Duration.ofHours(1));
        channel.register();
        channel.freezeTime();
        channel.advanceTimeBy(50, MINUTES); // some are gone since the call
        channel.runScheduledPendingTasks();
        assertThat(receive.isDone()).isFalse();
        channel.advanceTimeBy(10, MINUTES);
        channel.runScheduledPendingTasks();
        assertThat(receive.cause()).isInstanceOf(FrameTimeoutException.class);
        channel.finish();
    }

    @Test
    void anyLengthOfTime() {
        ProgressiveFuture<ByteBuf> forEver = receiver.receive(1, Duration.ofSeconds(Long.MAX_VALUE));
        ProgressiveFuture<ByteBuf> long292 = receiver.receive(1, Duration.ofNanos(Long.MAX_VALUE));
        ProgressiveFuture<ByteBuf> nearly = receiver.receive(1, Duration.ofNanos(Long.MAX_VALUE - 1));
        it.channel.advanceTimeBy(100 * 365, DAYS);
        it.channel.runScheduledPendingTasks();
        it.arrive("ABC");
        assertThat(text(forEver) + text(long292) + text(nearly)).isEqualTo("ABC");
        assertThat(timer(it.channel)).isEqualTo(NO_TIMER);
    }

    private enum Ending {
        CANCEL,
        CLOSE,
        HALF_CLOSE,
        REMOVAL;

        void comeTo(ReceiverChannel it, ProgressiveFuture<?> receive) {
            switch (this) {
                case CANCEL -> receive.cancel(false);
                case CLOSE -> it.channel.close();
                case HALF_CLOSE -> it.halfClose();
                case REMOVAL -> {
                    if (it.channel.pipeline().get(ExactReceiver.class) != null) {
                        it.channel.pipeline().remove(it.receiver);
                    }
                }
                default -> throw new AssertionError();
            }
        }
    }

    @ParameterizedTest // 50
    @EnumSource
    void noTimerIsLeft(Ending ending) {
        ProgressiveFuture<ByteBuf> first = receiver.receive(4, SECOND);
        ProgressiveFuture<ByteBuf> second = receiver.receive(4, Duration.ofSeconds(2));
        it.arrive("AB");
        assertThat(timer(it.channel)).isPositive();
        ending.comeTo(it, second);
        ending.comeTo(it, first);
        assertThat(first.isDone() && second.isDone()).isTrue();
        assertThat(timer(it.channel)).isEqualTo(NO_TIMER);
        int exceptions = it.exceptions.size();
        wait(5000);
        assertThat(it.exceptions).hasSize(exceptions);
        if (ending == Ending.CANCEL) {
            assertThat(text(receiver.receive(2))).isEqualTo("AB");
        }
    }

    @Test // 50: neither for one that is asked for when the end is known
    void noTimerAfterTheEnd() {
        it.channel.close();
        assertThat(receiver.receive(1, SECOND).cause()).isInstanceOf(ClosedChannelException.class);
        assertThat(timer(it.channel)).isEqualTo(NO_TIMER);
    }

    @ParameterizedTest(name = "time goes by before the event loop hears of the cancel: {0}") // 44, 48
    @ValueSource(booleans = {true, false})
    void aReceiveThatIsCancelledWhileItsTimeEndsEndsNothing(boolean before) {
        ProgressiveFuture<ByteBuf> cancelled = receiver.receive(4, SECOND);
        ProgressiveFuture<ByteBuf> next = receiver.receive(4);
        it.arrive("AB");
        if (before) {
            cancelled.addListener(done -> wait(1000)); // it is cancelled, and the receiver not told yet
        }
        assertThat(cancelled.cancel(false)).isTrue();
        wait(1000);
        it.arrive("CD");
        assertThat(text(next)).isEqualTo("ABCD");
        assertThat(it.exceptions).isEmpty();
        ProgressiveFuture<ByteBuf> late = receiver.receive(4, SECOND);
        wait(1000);
        assertThat(late.cause()).isInstanceOf(FrameTimeoutException.class);
        assertThat(late.cancel(false)).isFalse();
    }

    @Test // 50: the time of a cancelled receive ends nothing
    void theTimeOfACancelledReceive() {
        ProgressiveFuture<ByteBuf> first = receiver.receive(4);
        ProgressiveFuture<ByteBuf> cancelled = receiver.receive(4, SECOND);
        cancelled.cancel(false);
        wait(5000);
        it.arrive("ABCD");
        assertThat(text(first)).isEqualTo("ABCD");
    }

    @Test // 46, 48: an application that closes as soon as it is told, and the other way round
    void closingWhenToldOfTheTimeout() {
        it.channel.pipeline().addLast(new ChannelInboundHandlerAdapter() {
            @Override
            public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
                ctx.close();
            }
        });
        List<String> order = new ArrayList<>();
        ProgressiveFuture<ByteBuf> first = receiver.receive(4);
        ProgressiveFuture<ByteBuf> second = receiver.receive(4, SECOND);
        first.addListener(failed -> order.add("first"));
        second.addListener(failed -> order.add("second"));
        it.arrive("AB");
        wait(1000);
        assertThat(order).containsExactlyInAnyOrder("first", "second");
        assertThat(first.cause()).isSameAs(second.cause()).isInstanceOf(FrameTimeoutException.class);
        assertThat(it.exceptions).containsExactly(first.cause());
        assertThat(it.channel.isOpen()).isFalse();
    }

    @Test // 46: in a listener, which may let time go by too
    void timeThatGoesByInAListener() {
        ProgressiveFuture<ByteBuf> first = receiver.receive(1);
        ProgressiveFuture<ByteBuf> second = receiver.receive(4, SECOND);
        first.addListener(received -> wait(5000));
        it.arrive("ABCDEF");
        assertThat(text(first)).isEqualTo("A");
        assertThat(second.isDone()).isTrue();
        assertThat(second.cause()).isInstanceOf(FrameTimeoutException.class);
        assertThat(it.channel.inboundMessages()).isEmpty();
    }

    @Test // 48: a sink that is behind is at rest before its receive fails, with what was not handed over dropped
    void behindASinkThatIsBehind() {
        ByteSink sink = new ByteSink();
        ProgressiveFuture<Void> first = receiver.receiveTo(sink, 10, sink);
        ProgressiveFuture<ByteBuf> second = receiver.receive(4, SECOND);
        it.arrive("AB");
        it.arrive("CD");
        wait(1000);
        assertThat(second.cause()).isInstanceOf(FrameTimeoutException.class);
        assertThat(first.isDone()).isFalse();
        assertThat(it.exceptions).containsExactly(second.cause());
        sink.run();
        assertThat(sink.text()).isEqualTo("AB");
        assertThat(first.cause()).isSameAs(second.cause());
        it.channel.close();
        assertThat(it.exceptions).hasSize(1);
    }

    @Test // 43: also at once, in a listener
    void itsPlaceIsFreeAgain() {
        List<ProgressiveFuture<ByteBuf>> again = new ArrayList<>();
        receiver.receive(1, SECOND).addListener(failed -> {
            for (int i = 0; i < 1024; i++) {
                again.add(receiver.receive(1));
            }
        });
        wait(1000);
        assertThat(again).hasSize(1024).allSatisfy(receive -> assertThat(receive.cause())
                .isInstanceOf(FrameTimeoutException.class));
    }

    @Test // 34, 48: the pipeline was told of the end, and is told nothing more
    void behindASinkAfterTheEnd() {
        ByteSink sink = new ByteSink();
        ProgressiveFuture<Void> first = receiver.receiveTo(sink, 10, sink);
        ProgressiveFuture<ByteBuf> second = receiver.receive(4, SECOND);
        it.arrive("AB");
        it.halfClose();
        assertThat(it.exceptions).hasSize(1);
        wait(1000);
        assertThat(second.cause()).isInstanceOf(FrameTimeoutException.class);
        sink.run();
        assertThat(first.cause()).isSameAs(second.cause());
        assertThat(it.exceptions).hasSize(1);
    }

    @Tag("clock")
    @Test
    void theMessageSaysWhichLimit() {
        ReceiverChannel it = new ReceiverChannel(new ExactReceiver(
                ReceiveOptions.defaults().stallTimeout(Duration.ofSeconds(2))));
        it.channel.freezeTime();
        ProgressiveFuture<ByteBuf> receive = it.receiver.receive(LengthPrefix.uint16().headerBefore(8), 100);
        it.arrive("ABCD");
        it.channel.advanceTimeBy(2000, MILLISECONDS);
        it.channel.runScheduledPendingTasks();
        assertThat(receive.cause()).hasMessage("4 of 10 header bytes and no more for 2000 ms");
        it.channel.finish();
    }
}
