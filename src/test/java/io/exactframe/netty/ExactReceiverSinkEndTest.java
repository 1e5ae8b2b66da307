package io.exactframe.netty;

import static io.exactframe.netty.LengthPrefix.uint16;
import static io.exactframe.netty.ReceiverChannel.text;
import static org.assertj.core.api.Assertions.assertThat;

import io.exactframe.netty.FailingSink.Fault;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelPipelineException;
import io.netty.util.concurrent.GenericProgressiveFutureListener;
import io.netty.util.concurrent.ProgressiveFuture;
import java.io.IOException;
import java.nio.channels.ClosedChannelException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Streams that end, are violated or lose their receiver while a sink is behind. */
class ExactReceiverSinkEndTest {
    private final ReceiverChannel it = new ReceiverChannel();
    private final ExactReceiver receiver = it.receiver;
    private final ByteSink sink = new ByteSink();

    @AfterEach
    void close() {
        it.channel.finish();
        sink.runAll();
    }

    private enum End {
        CLOSE,
        HALF_CLOSE,
        RESET;

        void comeTo(ReceiverChannel it) {
            if (this == RESET) {
                it.channel.pipeline().fireExceptionCaught(new IOException("reset, on purpose"));
            }
            if (this == HALF_CLOSE) {
                it.halfClose();
            } else {
                it.channel.close();
            }
        }
    }

    @ParameterizedTest // 33 to 39: what came in front of the end goes into the sink first, the pipeline is told at once
    @EnumSource
    void theEndWhileTheSinkIsBehind(End end) {
        ProgressiveFuture<Void> receive = receiver.receiveTo(sink, 10, sink);
        ProgressiveFuture<ByteBuf> next = receiver.receiveOrEnd(1);
        it.arrive("ABC");
        it.arrive("DEFG");
        end.comeTo(it);
        assertThat(receive.isDone()).isFalse();
        assertThat(next.isDone()).isFalse();
        assertThat(it.passed.subList(it.passed.size() - 2, it.passed.size()))
                .containsExactly(
                        "PrematureCloseException", end == End.HALF_CLOSE ? "ChannelInputShutdownEvent" : "inactive");
        Throwable told = it.exceptions.get(it.exceptions.size() - 1);
        assertThat(told).hasMessage("stream ended after 7 of 10 bytes");
        int exceptions = it.exceptions.size();
        sink.run();
        assertThat(receive.isDone()).isFalse();
        sink.run();
        assertThat(sink.text()).isEqualTo("ABCDEFG");
        if (end == End.RESET) {
            assertThat(receive.cause()).isSameAs(it.exceptions.get(0));
            assertThat(next.cause()).isSameAs(it.exceptions.get(0));
        } else {
            assertThat(receive.cause()).hasMessage(told.getMessage());
            assertThat(next.cause()).isInstanceOf(PrematureCloseException.class);
        }
        assertThat(it.exceptions).hasSize(exceptions);
    }

    @Test // 34: what it waits for is another's, which was cancelled
    void theEndWhileItWaitsForTheSinkOfAnother() {
        ProgressiveFuture<Void> cancelled = receiver.receiveTo(sink, 2, sink);
        it.arrive("ABCDE");
        it.arrive("FG");
        cancelled.cancel(false);
        ProgressiveFuture<Void> receive = receiver.receiveTo(sink, 10, sink);
        it.halfClose();
        assertThat(it.exceptions).singleElement().asString().endsWith("stream ended after 5 of 10 bytes");
        sink.runAll();
        assertThat(receive.cause()).hasMessage("stream ended after 5 of 10 bytes");
        assertThat(sink.text()).isEqualTo("ABCDEFG");
        assertThat(it.exceptions).hasSize(1);
    }

    @Test // 33: the sink is at rest
    void theEndWhileItWaitsForBytes() {
        ProgressiveFuture<Void> receive = receiver.receiveTo(sink, 10, sink);
        it.arrive("ABC");
        sink.run();
        it.channel.close();
        assertThat(receive.cause()).hasMessage("stream ended after 3 of 10 bytes");
        assertThat(it.exceptions).containsExactly(receive.cause());
    }

    @Test // 36, 37: everything came, it only is not in the sink yet
    void theEndBehindTheLastByte() {
        ProgressiveFuture<Void> receive = receiver.receiveTo(sink, 7, sink);
        ProgressiveFuture<ByteBuf> end = receiver.receiveOrEnd(1);
        it.arrive("ABC");
        it.arrive("DEFG");
        it.channel.close();
        sink.runAll();
        assertThat(receive.isSuccess()).isTrue();
        assertThat(sink.text()).isEqualTo("ABCDEFG");
        assertThat(end.isSuccess()).isTrue();
        assertThat(end.getNow()).isNull();
        assertThat(it.exceptions).isEmpty();
    }

    @ParameterizedTest(name = "in the same sink: {0}") // 36: asked after the pipeline is gone, with bytes on the heap
    @ValueSource(booleans = {true, false})
    void afterTheEnd(boolean askedBefore) {
        FailingSink failing = new FailingSink(Fault.IO, 1, false);
        ProgressiveFuture<Void> failed = askedBefore ? receiver.receiveTo(failing, 5, failing) : null;
        ByteBuf read = it.bytes("ABC");
        Wire.receive(it.channel, read);
        it.arrive("DEFG");
        it.channel.close();
        if (!askedBefore) {
            failed = receiver.receiveTo(failing, 5, failing);
        }
        failing.runAll();
        assertThat(failed.cause()).isSameAs(Fault.IO.thrown);
        assertThat(read.refCnt()).isZero(); // nobody has to ask for what the sink did not take
        ProgressiveFuture<Void> receive = receiver.receiveTo(sink, 4, sink);
        sink.runAll();
        assertThat(receive.isSuccess()).isTrue();
        assertThat(sink.text()).isEqualTo("BCDE");
        ProgressiveFuture<Void> tooMuch = receiver.receiveTo(sink, 3, sink);
        assertThat(tooMuch.isDone()).isFalse();
        sink.runAll();
        assertThat(tooMuch.cause()).hasMessage("stream ended after 2 of 3 bytes");
        assertThat(sink.text()).isEqualTo("BCDEFG");
        assertThat(receiver.receiveTo(sink, 1, sink).cause()).isInstanceOf(ClosedChannelException.class);
        assertThat(it.exceptions).isEmpty();
    }

    @Test // 22, 46: what was not handed over goes downstream at once
    void removedWhileTheSinkIsBehind() {
        ProgressiveFuture<Void> receive = receiver.receiveTo(sink, 10, sink);
        ProgressiveFuture<ByteBuf> next = receiver.receive(1);
        it.arrive("ABC");
        it.arrive("DEFG");
        it.passed.clear();
        it.channel.pipeline().remove(receiver);
        assertThat(it.passed).containsExactly("DEFG", "readComplete");
        assertThat(receive.isDone()).isFalse();
        sink.run();
        assertThat(sink.text()).isEqualTo("ABC");
        assertThat(receive.cause()).isInstanceOf(ChannelPipelineException.class);
        assertThat(next.cause()).isInstanceOf(ChannelPipelineException.class);
        assertThat(it.exceptions).isEmpty();
        assertThat(it.passed).hasSize(2);
    }

    @Test // 22: what the sink did not take cannot go anywhere
    void removedWhileTheSinkIsAboutToFail() {
        FailingSink failing = new FailingSink(Fault.IO, 1, false);
        ProgressiveFuture<Void> receive = receiver.receiveTo(failing, 10, failing);
        it.arrive("ABC");
        it.arrive("DEFG");
        it.channel.pipeline().remove(receiver);
        failing.run();
        assertThat(receive.cause()).isSameAs(Fault.IO.thrown);
        assertThat(receiver.receive(1).cause()).isInstanceOf(ChannelPipelineException.class);
    }

    @Test // 22: in a listener, which finds out that the sink has failed
    void removedWhenTheSinkHasFailed() {
        FailingSink failing = new FailingSink(Fault.IO, 70_000, false);
        ProgressiveFuture<Void> receive = receiver.receiveTo(failing, 100_000, failing);
        receive.addListener(new GenericProgressiveFutureListener<ProgressiveFuture<Void>>() {
            @Override
            public void operationProgressed(ProgressiveFuture<Void> future, long written, long total) {
                failing.run();
                it.channel.pipeline().remove(receiver);
            }

            @Override
            public void operationComplete(ProgressiveFuture<Void> future) {}
        });
        it.arrive("x".repeat(70_000), "ABC");
        it.arrive("DEF");
        it.passed.clear();
        failing.run();
        assertThat(receive.cause()).isSameAs(Fault.IO.thrown);
        assertThat(it.passed).containsExactly("ABC", "DEF", "readComplete");
    }

    @Test // 9, 46: a violation behind it does not reach it, one in front does
    void besideAViolation() {
        ProgressiveFuture<Void> receive = receiver.receiveTo(sink, 3, sink);
        ProgressiveFuture<ByteBuf> violated = receiver.receive(uint16(), 10);
        ProgressiveFuture<Void> behind = receiver.receiveTo(sink, 3, sink);
        it.arrive("ABC");
        it.arrive("\1\1DEF");
        assertThat(it.exceptions).isEmpty();
        sink.run();
        assertThat(receive.isSuccess()).isTrue();
        assertThat(it.exceptions).containsExactly(violated.cause());
        assertThat(behind.cause()).isSameAs(violated.cause());
        assertThat(sink.tasks).isEmpty();
    }

    @Test // 9: what an earlier sink does not take is not the next one's after that
    void aViolationWhileACancelledSinkIsBehind() {
        FailingSink failing = new FailingSink(Fault.IO, 1, false);
        ProgressiveFuture<Void> cancelled = receiver.receiveTo(failing, 3, failing);
        ProgressiveFuture<ByteBuf> violated = receiver.receive(uint16(), 10);
        it.arrive("ABC");
        it.arrive("\1\1DEF");
        cancelled.cancel(false);
        assertThat(it.exceptions).containsExactly(violated.cause());
        failing.run();
        assertThat(receiver.receive(1).cause()).isSameAs(violated.cause());
    }
}
