package io.exactframe.examples.dns;

import static org.assertj.core.api.Assertions.assertThat;

import io.exactframe.netty.ReceiveBudget;
import io.exactframe.netty.ReceiveOptions;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.util.LeakPresenceDetector;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Three queries, the stream cut anywhere: in two reads there, or ended there. */
class EveryCutTest {
    private static final byte[] QUERIES = threeQueries();

    private final List<String> lines = new ArrayList<>();

    private static byte[] threeQueries() {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        for (String name : List.of("www.example.test", "nobody.example.test", "docs.example.test")) {
            bytes.writeBytes(Running.query(bytes.size(), name));
        }
        return bytes.toByteArray();
    }

    static IntStream cuts() {
        return IntStream.rangeClosed(0, QUERIES.length);
    }

    private EmbeddedChannel channel() throws IOException {
        ReceiveOptions receive = ReceiveOptions.defaults().onDemand()
                .frameDeadline(Duration.ofSeconds(5))
                .budget(new ReceiveBudget(1 << 20));
        DnsServer server =
                new DnsServer(new Answers(Running.ZONE), receive, Duration.ofSeconds(10), Duration.ZERO, lines::add);
        EmbeddedChannel channel = new EmbeddedChannel();
        channel.config().setAutoRead(false);
        server.initPipeline(channel.pipeline());
        channel.pipeline().fireChannelActive();
        return channel;
    }

    private static String answers(EmbeddedChannel channel) {
        StringBuilder hex = new StringBuilder();
        for (ByteBuf part; (part = channel.readOutbound()) != null; part.release()) {
            hex.append(ByteBufUtil.hexDump(part));
        }
        return hex.toString();
    }

    private static void write(EmbeddedChannel channel, int from, int to) {
        channel.writeInbound(channel.alloc().buffer().writeBytes(QUERIES, from, to - from));
        channel.runPendingTasks();
    }

    @ParameterizedTest(name = "at byte {0}")
    @MethodSource("cuts")
    void theAnswersAreTheSame(int cut) throws IOException {
        EmbeddedChannel whole = channel();
        write(whole, 0, QUERIES.length);
        EmbeddedChannel inTwo = channel();
        write(inTwo, 0, cut);
        write(inTwo, cut, QUERIES.length);
        assertThat(answers(inTwo)).isNotEmpty().isEqualTo(answers(whole));
        whole.finish();
        inTwo.finish();
        assertThat(lines).isEmpty();
    }

    @ParameterizedTest(name = "at byte {0}")
    @MethodSource("cuts")
    void theEndIsTold(int cut) throws IOException {
        EmbeddedChannel channel = channel();
        write(channel, 0, cut);
        answers(channel);
        channel.finish();
        boolean onBoundary = cut == 0 || cut == 36 || cut == 36 + 39 || cut == QUERIES.length;
        assertThat(lines).hasSize(onBoundary ? 0 : 1);
    }

    @AfterEach
    void nothingLeaks() {
        LeakPresenceDetector.check();
    }
}
