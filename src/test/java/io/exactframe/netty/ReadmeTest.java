package io.exactframe.netty;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelPipeline;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.util.concurrent.Future;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The README's code about limits and sinks compiles, and does what it says there. */
class ReadmeTest {
    private static final Pattern QUOTED =
            Pattern.compile(" *// README: from here\n(.*?)\n *// README: to here", Pattern.DOTALL);

    private static final class MessageHandler extends ChannelInboundHandlerAdapter {}

    @ParameterizedTest
    @ValueSource(strings = {"ReadmeTest", "StreamToFilesTest"})
    void whatIsQuotedIsInTheReadme(String test) throws IOException {
        String readme = Files.readString(Path.of("README.md"));
        String source = Files.readString(Path.of("src/test/java/io/exactframe/netty", test + ".java"));
        Matcher quoted = QUOTED.matcher(source);
        int count = 0;
        for (; quoted.find(); count++) {
            assertThat(readme).contains("\n" + quoted.group(1).stripIndent() + "\n");
        }
        assertThat(count).isEqualTo(3);
    }

    @Test
    void aFrameMayTakeSoLong() {
        EmbeddedChannel channel = new EmbeddedChannel();
        channel.freezeTime();
        ChannelPipeline pipeline = channel.pipeline();
        // README: from here
        ReceiveOptions options = ReceiveOptions.defaults()
                .frameDeadline(Duration.ofSeconds(30)) // from a frame's first byte to its last
                .stallTimeout(Duration.ofSeconds(5)); // from one byte of a frame to the next
        pipeline.addLast(new LengthPrefixedExactDecoder(1 << 20, LengthPrefix.uint32(), options), new MessageHandler());
        // README: to here
        Sink sink = new Sink();
        pipeline.addLast(sink);
        Wire.receive(channel, new byte[] {0, 0});
        for (int second = 0; second < 30; second++) {
            assertThat(sink.faults).isEmpty();
            Wire.receive(channel, new byte[] {second == 0 ? (byte) 1 : 0});
            channel.advanceTimeBy(1, TimeUnit.SECONDS);
            channel.runScheduledPendingTasks();
        }
        assertThat(sink.faults).singleElement().isInstanceOf(FrameTimeoutException.class);
        channel.finish();
    }

    // README: from here
    static final ReceiveBudget BUDGET = new ReceiveBudget(256 << 20); // for all channels of all event loops
    static final ReceiveOptions OPTIONS =
            ReceiveOptions.defaults().budget(BUDGET).frameDeadline(Duration.ofSeconds(30));
    // README: to here

    @Test
    void allChannelsShareABudget() {
        EmbeddedChannel channel =
                new EmbeddedChannel(new LengthPrefixedExactDecoder(1 << 24, LengthPrefix.uint32(), OPTIONS));
        Wire.receive(channel, Wire.number(1 << 20, 4, false));
        assertThat(List.of(BUDGET.used(), BUDGET.capacity())).containsExactly((1L << 20) + 4, 256L << 20);
        channel.pipeline().removeFirst();
        assertThat(BUDGET.used()).isZero();
        channel.finishAndReleaseAll();
    }

    @Test
    void aFileIsReceivedByTheExecutor(@TempDir Path directory) throws IOException {
        Executor disk = Runnable::run;
        AtomicBoolean done = new AtomicBoolean();
        ExactReceiver receiver = new ExactReceiver();
        EmbeddedChannel channel = new EmbeddedChannel(receiver);
        Path path = directory.resolve("content");
        long size = 3;
        try (FileChannel file = FileChannel.open(path, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
            // README: from here
            receiver.receiveTo(file, size, disk).addListener((Future<Void> content) -> {
                // success: all of it is in the file; failure: the file's position is what is safely in it
            });
            // README: to here
            ByteBuf read = channel.alloc().buffer().writeBytes(new byte[] {1, 2, 3});
            Wire.receive(channel, read);
            channel.runPendingTasks();
            done.set(file.position() == size);
        }
        assertThat(done).isTrue();
        assertThat(Files.readAllBytes(path)).containsExactly(1, 2, 3);
        channel.finish();
    }
}
