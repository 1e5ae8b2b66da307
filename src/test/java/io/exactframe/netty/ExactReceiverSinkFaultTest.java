package io.exactframe.netty;

import static io.exactframe.netty.ReceiverChannel.text;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.exactframe.netty.FailingSink.Fault;
import io.netty.buffer.ByteBuf;
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
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Sinks and executors that fail. */
class ExactReceiverSinkFaultTest {
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
