package io.exactframe.netty;

import static io.exactframe.netty.ReceiverChannel.text;
import static java.util.concurrent.TimeUnit.HOURS;
import static java.util.concurrent.TimeUnit.MILLISECONDS;
import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.util.concurrent.ProgressiveFuture;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** 48: when the time of a receive begins, and whose it is. */
class ExactReceiverLimitsTest {
    private final ReceiverChannel it = new ReceiverChannel(new ExactReceiver(
            ReceiveOptions.defaults().frameDeadline(Duration.ofSeconds(1))));
    private final ExactReceiver receiver = it.receiver;

    @BeforeEach
    void freeze() {
        it.channel.freezeTime();
    }

    @AfterEach
    void close() {
        it.channel.finish();
    }

    private void pass(int millis) {
        it.channel.advanceTimeBy(millis, MILLISECONDS);
        it.channel.runScheduledPendingTasks();
    }

    @Test
    void aReceiveThatHasNoByteYetHasNotBegun() {
        ProgressiveFuture<ByteBuf> receive = receiver.receive(4);
        it.channel.advanceTimeBy(1, HOURS);
        it.arrive("AB");
        pass(999);
        it.arrive("CD");
        assertThat(text(receive)).isEqualTo("ABCD");
        assertThat(it.exceptions).isEmpty();
    }

    @Test
    void bytesThatCameBeforeItWasAskedForBeginWhenItIs() {
        it.arrive("AB");
        it.channel.advanceTimeBy(1, HOURS);
        ProgressiveFuture<ByteBuf> receive = receiver.receive(4);
        pass(999);
        assertThat(receive.isDone()).isFalse();
        pass(1);
        assertThat(receive.cause()).hasMessage("2 of 4 bytes within the deadline of 1000 ms");
    }

    @Test // 25: what happens between two event loops happens at no time
    void askedForWhileTheChannelHasNoEventLoop() throws Exception {
        it.channel.advanceTimeBy(1, HOURS);
        it.arrive("AB");
        it.channel.deregister();
        ProgressiveFuture<ByteBuf> receive = receiver.receive(4);
        assertThat(it.channel.runScheduledPendingTasks()).as("timer").isNegative();
        it.channel.advanceTimeBy(1, HOURS);
        it.channel.register();
        pass(999);
        assertThat(receive.isDone()).isFalse();
        pass(1);
        assertThat(receive.cause()).hasMessage("2 of 4 bytes within the deadline of 1000 ms");
    }

    @Test
    void theBytesOfACancelledReceiveBeginAgainForTheNext() {
        ProgressiveFuture<ByteBuf> cancelled = receiver.receive(4);
        ProgressiveFuture<ByteBuf> next = receiver.receive(4);
        it.arrive("AB");
        pass(900);
        cancelled.cancel(false);
        pass(999);
        it.arrive("CD");
        assertThat(text(next)).isEqualTo("ABCD");
        it.arrive("E");
        pass(5000);
        assertThat(it.exceptions).isEmpty();
        ProgressiveFuture<ByteBuf> last = receiver.receive(1);
        assertThat(text(last)).isEqualTo("E");
    }

    @Test // 44: it can be cancelled until it fails
    void aReceiveThatIsCancelledWhileItsTimeEndsEndsNothing() {
        ProgressiveFuture<ByteBuf> cancelled = receiver.receive(4);
        ProgressiveFuture<ByteBuf> next = receiver.receive(4);
        it.arrive("AB");
        cancelled.addListener(done -> pass(1000)); // it is cancelled, and the receiver not told yet
        assertThat(cancelled.cancel(false)).isTrue();
        pass(999);
        it.arrive("CD");
        assertThat(text(next)).isEqualTo("ABCD");
        assertThat(it.exceptions).isEmpty();
        ProgressiveFuture<ByteBuf> late = receiver.receive(4);
        it.arrive("E");
        pass(1000);
        assertThat(late.cause()).isInstanceOf(FrameTimeoutException.class);
        assertThat(late.cancel(false)).isFalse();
    }

    @Test // 46: a listener that closes when the first fails; the pipeline is told before
    void theFirstToBeToldIsThePipeline() {
        ProgressiveFuture<ByteBuf> receive = receiver.receive(4);
        ProgressiveFuture<ByteBuf> next = receiver.receive(4);
        receive.addListener(failed -> {
            assertThat(it.exceptions).containsExactly(receive.cause());
            it.channel.close();
            it.passed.add("closed");
        });
        it.arrive("AB");
        it.passed.clear();
        pass(1000);
        assertThat(it.passed).containsExactly("FrameTimeoutException", "inactive", "closed");
        assertThat(next.cause()).isSameAs(receive.cause());
    }
}
