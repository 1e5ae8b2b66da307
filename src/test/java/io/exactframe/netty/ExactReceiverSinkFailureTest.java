package io.exactframe.netty;

import static io.exactframe.netty.LengthPrefix.uint16;
import static io.exactframe.netty.testing.ReceiverChannel.text;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.exactframe.netty.testing.ByteSink;
import io.exactframe.netty.testing.ByteSink.FailingSink.Fault;
import io.exactframe.netty.testing.ByteSink.FailingSink;
import io.exactframe.netty.testing.ReceiverChannel;
import io.exactframe.netty.testing.Wire;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelPipelineException;
import io.netty.util.concurrent.GenericProgressiveFutureListener;
import io.netty.util.concurrent.ProgressiveFuture;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** 9, 22, 33 to 39, 44: sinks that fail, and streams that end while a sink is behind. */
class ExactReceiverSinkFailureTest {
    /** Sinks and executors that fail. */
    @Nested
    class SinkFails {
        private final ReceiverChannel it = new ReceiverChannel();
        private final ExactReceiver receiver = it.receiver;
        private final ByteSink sink = new ByteSink();

        @TempDir
        Path directory;

        @AfterEach
        void close() {
            it.channel.finish();
            sink.runAll();
        }

        @ParameterizedTest // the stream goes on with the first byte that is not in the sink
        @EnumSource
        void aSinkThatFailsFailsItsReceiveAlone(Fault fault) {
            for (int good = 0; good < 6; good++) {
                for (int cut = 0; cut <= 6; cut++) {
                    boolean takesOneMore = (good + cut) % 2 == 0;
                    int taken = good + (takesOneMore ? 1 : 0);
                    ReceiverChannel it = new ReceiverChannel();
                    FailingSink sink = new FailingSink(fault, good, takesOneMore);
                    ProgressiveFuture<ByteBuf> first = it.receiver.receive(1);
                    ProgressiveFuture<Void> receive = it.receiver.receiveTo(sink, 6, sink);
                    ProgressiveFuture<Void> rest = it.receiver.skip(6 - taken + 1);
                    ProgressiveFuture<ByteBuf> next = it.receiver.receive(2);
                    it.arrive("-" + "ABCDEF".substring(0, cut));
                    it.arrive("ABCDEF".substring(cut) + "+GH", "I");
                    sink.runAll();
                    assertThat(receive.cause()).isSameAs(fault.thrown);
                    assertThat(sink.text()).isEqualTo("ABCDEF+".substring(0, taken));
                    assertThat(text(first)).isEqualTo("-");
                    assertThat(rest.isSuccess()).isTrue();
                    assertThat(text(next)).as("failed after %d bytes, cut at %d", taken, cut).isEqualTo("GH");
                    assertThat(it.exceptions).isEmpty();
                    it.channel.finish();
                }
            }
        }

        @Test
        void aFullDisk() throws Exception {
            Path full = Path.of("/dev/full");
            assumeTrue(Files.exists(full), "a system with /dev/full");
            try (FileChannel file = FileChannel.open(full, StandardOpenOption.WRITE)) {
                ProgressiveFuture<Void> receive = receiver.receiveTo(file, 10, sink);
                it.arrive("ABC");
                sink.runAll();
                assertThat(receive.cause()).isExactlyInstanceOf(IOException.class).hasMessageContaining("space");
                assertThat(text(receiver.receive(3))).isEqualTo("ABC");
            }
        }

        @ParameterizedTest(name = "closed before: {0}")
        @ValueSource(booleans = {true, false})
        void aClosedFile(boolean before) throws Exception {
            Path path = directory.resolve("file");
            FileChannel file =
                    FileChannel.open(path, StandardOpenOption.WRITE, StandardOpenOption.CREATE);
            if (before) {
                file.close();
            }
            ProgressiveFuture<Void> receive = receiver.receiveTo(file, 10, sink);
            assertThat(receive.isDone()).isFalse();
            it.arrive("ABC");
            file.close();
            sink.runAll();
            assertThat(receive.cause()).isExactlyInstanceOf(ClosedChannelException.class);
            assertThat(text(receiver.receive(3))).isEqualTo("ABC");
        }

        @Test // 44: what such a sink did not take is dropped, once, and harms nobody behind it
        void aSinkThatFailsBehindItsCancelledReceiveLeavesNothing() {
            FailingSink failing = new FailingSink(Fault.IO, 1, false);
            ProgressiveFuture<Void> cancelled = receiver.receiveTo(failing, 6, failing);
            ProgressiveFuture<Void> next = receiver.receiveTo(sink, 2, sink);
            it.arrive("ABC");
            cancelled.cancel(false);
            it.arrive("DEF");
            failing.runAll();
            sink.runAll();
            assertThat(next.isSuccess()).isTrue();
            assertThat(failing.text() + " " + sink.text()).isEqualTo("A DE");
        }

        @Test // 44: it was cancelled, so what came behind may be gone already
        void aSinkThatFailsAfterTheCancel() {
            FailingSink sink = new FailingSink(Fault.IO, 1, false);
            ProgressiveFuture<Void> cancelled = receiver.receiveTo(sink, 10, sink);
            it.arrive("ABC");
            it.arrive("DEF");
            cancelled.cancel(false);
            assertThat(text(receiver.receive(1))).isEqualTo("D");
            sink.run();
            assertThat(text(receiver.receive(2))).isEqualTo("EF");
            assertThat(it.exceptions).isEmpty();
        }

        @Test // a sink that now and then takes nothing
        void aSinkThatTakesNothingIsAskedAgain() {
            int[] calls = new int[1];
            ByteSink sink = new ByteSink() {
                @Override
                public int write(ByteBuffer source) throws IOException {
                    return calls[0]++ % 3 == 0 ? super.write(source) : 0;
                }
            };
            sink.most = 1;
            ProgressiveFuture<Void> receive = receiver.receiveTo(sink, 3, sink);
            it.arrive("ABC");
            sink.runAll();
            assertThat(receive.isSuccess()).isTrue();
            assertThat(sink.text()).isEqualTo("ABC");
            assertThat(calls[0]).isEqualTo(7);
        }

        @Test
        void anExecutorThatRejects() {
            int[] left = {1};
            Executor executor = task -> {
                if (left[0]-- <= 0) {
                    throw new RejectedExecutionException("on purpose");
                }
                sink.execute(task);
            };
            ProgressiveFuture<Void> receive = receiver.receiveTo(sink, 10, executor);
            it.arrive("AB");
            it.arrive("CD");
            sink.run();
            assertThat(receive.cause()).isInstanceOf(RejectedExecutionException.class).hasMessage("on purpose");
            assertThat(sink.text()).isEqualTo("AB");
            assertThat(text(receiver.receive(2))).isEqualTo("CD");
            ProgressiveFuture<Void> again = receiver.receiveTo(sink, 2, sink);
            it.arrive("EF");
            sink.run();
            assertThat(again.isSuccess()).isTrue();
            assertThat(sink.text()).isEqualTo("ABEF");
        }

        @Test // as a thread pool may that cannot start another thread
        void anExecutorThatThrowsAndRunsTheTaskAllTheSame() {
            Executor executor = task -> {
                sink.execute(task);
                throw new OutOfMemoryError("on purpose");
            };
            ProgressiveFuture<Void> receive = receiver.receiveTo(sink, 3, executor);
            it.arrive("ABC");
            assertThat(receive.cause()).isInstanceOf(OutOfMemoryError.class);
            Runnable late = sink.tasks.remove();
            ByteSink next = new ByteSink() {
                @Override
                public int write(ByteBuffer source) throws IOException {
                    most = 1;
                    late.run(); // as in another thread, while this one writes
                    return super.write(source);
                }
            };
            ProgressiveFuture<Void> again = receiver.receiveTo(next, 2, next);
            next.run();
            assertThat(again.isSuccess()).isTrue();
            assertThat(next.text()).isEqualTo("AB");
            late.run();
            assertThat(sink.text()).isEmpty();
            assertThat(text(receiver.receive(1))).isEqualTo("C");
        }

        @Test
        void anExecutorThatRunsTheTaskAndThrows() {
            ProgressiveFuture<Void> receive = receiver.receiveTo(sink, 3, task -> {
                task.run();
                throw new RejectedExecutionException("on purpose");
            });
            it.arrive("ABC");
            assertThat(receive.isSuccess()).isTrue();
            assertThat(sink.text()).isEqualTo("ABC");
        }
    }

    /** Streams that end, are violated or lose their receiver while a sink is behind. */
    @Nested
    class StreamEnds {
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
                    it.peerCloses();
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
            it.peerCloses();
            assertThat(receive.cause()).hasMessage("stream ended after 3 of 10 bytes");
            assertThat(it.exceptions).containsExactly(receive.cause());
        }

        @Test // 36, 37: everything came, it only is not in the sink yet
        void theEndBehindTheLastByte() {
            ProgressiveFuture<Void> receive = receiver.receiveTo(sink, 7, sink);
            ProgressiveFuture<ByteBuf> end = receiver.receiveOrEnd(1);
            it.arrive("ABC");
            it.arrive("DEFG");
            it.peerCloses();
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
            it.peerCloses();
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
}
