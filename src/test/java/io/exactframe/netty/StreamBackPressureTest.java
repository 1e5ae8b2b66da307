package io.exactframe.netty;

import static io.exactframe.netty.StreamProbe.bytes;
import static org.assertj.core.api.Assertions.assertThat;

import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelOutboundHandlerAdapter;
import io.netty.channel.DefaultEventLoopGroup;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.handler.flow.FlowControlHandler;
import io.netty.util.concurrent.EventExecutorGroup;
import java.util.ArrayDeque;
import java.util.Queue;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** 25, 30, 31: who asks for the next read of a stream, and on which thread it is handled. */
class StreamBackPressureTest {
    private static final LengthPrefix PREFIX = LengthPrefix.uint16().trailer(1);

    private final StreamProbe probe = new StreamProbe();

    /** Answers read() at once with the next piece, as the local transport does; counts. */
    private static final class Source extends ChannelOutboundHandlerAdapter {
        final Queue<String> pieces = new ArrayDeque<>();
        int reads;

        @Override
        public void read(ChannelHandlerContext ctx) {
            reads++;
            String piece = pieces.poll();
            if (piece != null) {
                ctx.fireChannelRead(bytes(ctx.channel(), piece));
                ctx.fireChannelReadComplete();
            }
        }

        int drain() {
            int drained = reads;
            reads = 0;
            return drained;
        }
    }

    private final Source source = new Source();

    private EmbeddedChannel channel(boolean flowControl) {
        EmbeddedChannel channel = new EmbeddedChannel();
        channel.config().setAutoRead(false);
        channel.pipeline().addLast(source, new FrameStreamDecoder(1000, PREFIX));
        if (flowControl) {
            channel.pipeline().addLast(new FlowControlHandler());
        }
        channel.pipeline().addLast(probe);
        return channel;
    }

    @Test // 30
    void aReadIsAskedForWhenAReadGaveNothing() {
        EmbeddedChannel channel = channel(false);
        probe.receive(channel, "\0");
        assertThat(source.drain()).isOne();
        probe.receive(channel, "");
        assertThat(source.drain()).isOne();
        probe.receive(channel, "\2ab");
        assertThat(source.drain()).as("a start and a chunk").isZero();
        probe.receive(channel, ";");
        assertThat(source.drain()).as("the last chunk").isZero();
        probe.receive(channel, "\0\2");
        assertThat(source.drain()).as("a start").isZero();
        probe.receive(channel, "c");
        probe.receive(channel, "d;\0");
        assertThat(source.drain()).as("chunks").isZero();
        assertThat(probe.drain().stream().filter(line -> line.equals("[complete]"))).hasSize(5);
        channel.finish();
    }

    @Test // 30
    void aTrailerThatIsIncompleteGivesNothing() {
        EmbeddedChannel channel = new EmbeddedChannel();
        channel.config().setAutoRead(false);
        FrameStreamDecoder decoder = new FrameStreamDecoder(1000, LengthPrefix.uint8().trailer(3));
        channel.pipeline().addLast(source, decoder, probe);
        probe.receive(channel, "\1a");
        assertThat(source.drain()).isZero();
        probe.receive(channel, ";");
        probe.receive(channel, ";");
        assertThat(source.drain()).isEqualTo(2);
        probe.receive(channel, ";");
        assertThat(source.drain()).isZero();
        assertThat(probe.log()).containsExactly("start 5/1 \1", "a@0", "[complete]", "@1 last", "[complete]");
        channel.finish();
    }

    @Test // 27, 30
    void aReadInsideADeliveryThatGaveNothingEndsWhatCameBefore() {
        EmbeddedChannel channel = new EmbeddedChannel();
        channel.config().setAutoRead(false);
        FrameStreamDecoder decoder = new FrameStreamDecoder(1000, LengthPrefix.uint8().trailer(2));
        channel.pipeline().addLast(source, decoder, probe);
        source.pieces.add(";");
        probe.on(2, ChannelHandlerContext::read);
        probe.receive(channel, "\1a");
        assertThat(probe.log()).containsExactly("start 4/1 \1", "a@0", "[complete]", "[complete]");
        assertThat(source.drain()).as("one by the handler, one for what the trailer did not give").isEqualTo(2);
        probe.receive(channel, ";");
        assertThat(probe.log()).endsWith("@1 last", "[complete]");
        channel.finish();
    }

    private static void cut(String stream, Random random, Queue<String> pieces) {
        for (int at = 0; at < stream.length(); ) {
            int next = Math.min(stream.length(), at + 1 + random.nextInt(6));
            pieces.add(stream.substring(at, next));
            at = next;
        }
    }

    private static final String STREAM = "\0\2ab;\0\0;\0\7cdefghi;\0\1j;\0\0;";

    @ParameterizedTest(name = "seed {0}")
    @ValueSource(ints = {1, 2, 3, 4, 5, 6, 7, 8}) // 31
    void withFlowControlBehindEachReadGivesOneMessage(int seed) {
        cut(STREAM.repeat(3), new Random(seed), source.pieces);
        EmbeddedChannel channel = channel(true);
        for (int i = 0; i < 100 && probe.frames.size() < 15; i++) {
            channel.read();
            assertThat(probe.drain().stream().filter(line -> !line.equals("[complete]")))
                    .as("messages of one read").hasSize(1);
        }
        assertThat(probe.faults).isEmpty();
        assertThat(probe.frames).hasSize(15);
        channel.finish();
    }

    @ParameterizedTest(name = "seed {0}")
    @ValueSource(ints = {1, 2, 3, 4, 5, 6, 7, 8}) // 30
    void aHandlerThatReadsAgainAtEachMessageGetsThemAll(int seed) {
        cut(STREAM.repeat(3), new Random(seed), source.pieces);
        for (int i = 1; i <= 200; i++) {
            probe.on(i, ChannelHandlerContext::read);
        }
        EmbeddedChannel channel = channel(false);
        channel.read();
        assertThat(probe.frames).hasSize(15);
        assertThat(probe.faults).isEmpty();
        channel.finish();
    }

    @ParameterizedTest(name = "seed {0}")
    @ValueSource(ints = {1, 2, 3, 4, 5, 6, 7, 8}) // 31
    void autoReadSwitchedDuringDeliveryLosesNothing(int seed) {
        Random random = new Random(seed);
        Queue<String> pieces = new ArrayDeque<>();
        cut(STREAM.repeat(3), random, pieces);
        for (int i = 1; i <= 200; i++) {
            probe.on(i, ctx -> ctx.channel().config().setAutoRead(random.nextBoolean()));
        }
        EmbeddedChannel channel = channel(true);
        for (String piece : pieces) {
            Wire.receive(channel, bytes(channel, piece));
        }
        for (int i = 0; i < 100 && probe.frames.size() < 15; i++) {
            channel.read();
        }
        assertThat(probe.frames).hasSize(15);
        assertThat(probe.faults).isEmpty();
        channel.finish();
    }

    @ParameterizedTest(name = "the decoder on it too: {0}")
    @ValueSource(booleans = {false, true}) // 25
    void aStreamMayBeHandledByAnotherThread(boolean decoderToo) throws Exception {
        EventExecutorGroup executors = new DefaultEventLoopGroup(1);
        FrameStreamDecoder decoder = new FrameStreamDecoder(1000, PREFIX);
        try (PipelineLoopback loopback = new PipelineLoopback(false, channel -> channel.pipeline()
                .addLast(decoderToo ? executors : null, decoder)
                .addLast(executors, probe))) {
            Queue<String> pieces = new ArrayDeque<>();
            cut(STREAM.repeat(100) + "\0\5xyz", new Random(7), pieces);
            for (String piece : pieces) {
                loopback.send(piece);
            }
            loopback.peer.shutdownOutput();
            assertThat(probe.inactive.await(30, TimeUnit.SECONDS)).isTrue();
            // Before the executor is gone, which Netty reports as a fault if a handler is still to be removed on it.
            assertThat(probe.faults).singleElement()
                    .hasToString("io.exactframe.netty.PrematureCloseException: stream ended after 5 of 8 bytes");
        } finally {
            assertThat(executors.shutdownGracefully(0, 10, TimeUnit.SECONDS).await(30, TimeUnit.SECONDS)).isTrue();
        }
        assertThat(probe.frames).hasSize(500);
    }
}
