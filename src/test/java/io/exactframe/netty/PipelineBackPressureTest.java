package io.exactframe.netty;

import static io.exactframe.netty.PipelineProbe.bytes;
import static io.exactframe.netty.PipelineProbe.receive;
import static io.exactframe.netty.PipelineProbe.reenter;
import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelOutboundHandlerAdapter;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.handler.flow.FlowControlHandler;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** 30, 31: who asks for the next read. */
class PipelineBackPressureTest {
    private final PipelineProbe probe = new PipelineProbe();

    /** Counts the reads that are asked for, and gives none. */
    private static final class ReadCounter extends ChannelOutboundHandlerAdapter {
        private int count;

        @Override
        public void read(ChannelHandlerContext ctx) {
            count++;
        }

        int drain() {
            int drained = count;
            count = 0;
            return drained;
        }
    }

    private ReadCounter reads = new ReadCounter();

    private EmbeddedChannel channel(ExactFrameDecoder decoder, boolean autoRead) {
        reads = new ReadCounter();
        EmbeddedChannel channel = new EmbeddedChannel(reads, decoder, probe);
        channel.config().setAutoRead(autoRead);
        reads.drain();
        return channel;
    }

    private int readsAskedFor(EmbeddedChannel channel, String... fragments) {
        channel.writeInbound(
                (Object[]) Stream.of(fragments).map(f -> bytes(channel, f)).toArray());
        return reads.drain();
    }

    @ParameterizedTest
    @EnumSource // 30
    void aReadIsAskedForWhenAReadGaveNothing(PipelineCodec codec) {
        EmbeddedChannel channel = channel(codec.decoder(), false);
        String wire = codec.wire("aaaa");
        assertThat(readsAskedFor(channel, wire.substring(0, 1))).isOne();
        assertThat(readsAskedFor(channel, wire.substring(1, 2), wire.substring(2, 3))).isOne();
        assertThat(readsAskedFor(channel, "")).isOne();
        assertThat(readsAskedFor(channel, wire.substring(3))).isZero();
        assertThat(readsAskedFor(channel, wire)).isZero();
        assertThat(readsAskedFor(channel, wire, wire.substring(0, 3))).isZero();
        assertThat(readsAskedFor(channel, "", "")).isOne();
        assertThat(readsAskedFor(channel, wire.substring(3) + wire)).isZero();
        channel.flushInbound();
        channel.writeInbound("text");
        assertThat(reads.drain()).as("without bytes").isZero();
        assertThat(channel.finish()).isFalse();
        assertThat(probe.exceptions).isEmpty();
    }

    @ParameterizedTest
    @EnumSource // 30
    void noReadIsAskedForWithAutoRead(PipelineCodec codec) {
        EmbeddedChannel channel = channel(codec.decoder(), true);
        assertThat(readsAskedFor(channel, codec.wire("aaaa").substring(0, 3)))
                .as("but by the pipeline, behind each read")
                .isOne();
        channel.finish();
    }

    @Test // 30
    void aFrameOfWhichNothingGoesOnIsNothing() {
        EmbeddedChannel channel = channel(
                new FixedLengthExactDecoder(4) {
                    @Override
                    protected Object decode(ChannelHandlerContext ctx, ByteBuf frame) {
                        if (frame.getByte(0) == 'x') {
                            throw new IllegalArgumentException("x");
                        }
                        return frame.getByte(0) == '-' ? null : frame;
                    }
                },
                false);
        assertThat(readsAskedFor(channel, "----")).isOne();
        assertThat(readsAskedFor(channel, "xxxx")).isOne();
        assertThat(readsAskedFor(channel, "----aaaa----xx")).isZero();
        assertThat(readsAskedFor(channel, "xx")).isOne();
        channel.finish();
    }

    @Test // 30
    void whoeverTakesNoMoreAsksForNoMore() {
        EmbeddedChannel violated = channel(new LengthPrefixedExactDecoder(16, LengthPrefix.uint16()), false);
        assertThat(readsAskedFor(violated, "\1\0")).isZero();
        assertThat(readsAskedFor(violated, "more")).isZero();
        violated.finish();

        FixedLengthExactDecoder decoder = new FixedLengthExactDecoder(4);
        EmbeddedChannel removed = channel(decoder, false);
        probe.onRead(1, ctx -> {
            reenter(ctx, "b");
            ctx.pipeline().fireChannelReadComplete();
            ctx.pipeline().remove(decoder);
        });
        assertThat(readsAskedFor(removed, "aaaa")).isZero();
        removed.finish();
    }

    /** A transport that answers read() at once, inside of it, as the local one does. */
    private static final class Source extends ChannelOutboundHandlerAdapter {
        private final Queue<String> fragments = new ArrayDeque<>();

        Source(String stream, Random random) {
            for (int i = 0; i < stream.length(); ) {
                int next = Math.min(stream.length(), i + 1 + random.nextInt(9));
                fragments.add(stream.substring(i, next));
                i = next;
            }
        }

        @Override
        public void read(ChannelHandlerContext ctx) {
            String fragment = fragments.poll();
            if (fragment != null) {
                ctx.fireChannelRead(bytes(ctx.channel(), fragment));
                ctx.fireChannelReadComplete();
            }
        }
    }

    static Stream<Arguments> codecsAndSeeds() {
        return Stream.of(PipelineCodec.values())
                .flatMap(codec -> IntStream.rangeClosed(1, 6).mapToObj(seed -> Arguments.of(codec, seed)));
    }

    private static String[] payloads(int count) {
        return IntStream.range(0, count).mapToObj(i -> String.format("%04d", i)).toArray(String[]::new);
    }

    @ParameterizedTest(name = "{0}, seed {1}")
    @MethodSource("codecsAndSeeds") // 30
    void aHandlerThatReadsAgainAtEachFrameGetsThemAll(PipelineCodec codec, int seed) {
        String[] payloads = payloads(20);
        for (int i = 1; i <= 20; i++) {
            probe.onRead(i, ChannelHandlerContext::read);
        }
        EmbeddedChannel channel = new EmbeddedChannel();
        channel.config().setAutoRead(false);
        channel.pipeline().addLast(new Source(codec.wire(payloads), new Random(seed)), codec.decoder(), probe);
        channel.read();
        assertThat(probe.log().stream().filter(line -> !line.equals("[complete]")))
                .containsExactly(codec.delivered(payloads));
        assertThat(channel.finish()).isFalse();
    }

    @ParameterizedTest(name = "{0}, seed {1}")
    @MethodSource("codecsAndSeeds") // 31
    void withFlowControlBehindEachReadGivesOneFrame(PipelineCodec codec, int seed) {
        String[] payloads = payloads(20);
        EmbeddedChannel channel = new EmbeddedChannel();
        channel.config().setAutoRead(false);
        channel.pipeline()
                .addLast(
                        new Source(codec.wire(payloads), new Random(seed)),
                        codec.decoder(),
                        new FlowControlHandler(),
                        probe);
        for (String payload : payloads) {
            assertThat(probe.drain()).isEmpty();
            channel.read();
            assertThat(probe.drain().stream().filter(line -> !line.equals("[complete]")))
                    .containsExactly(codec.delivered(payload));
        }
        assertThat(channel.finish()).isFalse();
        assertThat(probe.log()).containsExactly("[inactive]");
    }

    @ParameterizedTest(name = "{0}, seed {1}")
    @MethodSource("codecsAndSeeds") // 31
    void autoReadSwitchedDuringDeliveryLosesNothing(PipelineCodec codec, int seed) {
        Random random = new Random(seed);
        String[] payloads = payloads(20);
        for (int i = 1; i <= 20; i++) {
            probe.onRead(i, ctx -> ctx.channel().config().setAutoRead(random.nextBoolean()));
        }
        boolean flowControl = random.nextBoolean();
        EmbeddedChannel channel = new EmbeddedChannel(codec.decoder());
        if (flowControl) {
            channel.pipeline().addLast(new FlowControlHandler());
        }
        channel.pipeline().addLast(probe);
        List<String> frames = new ArrayList<>();
        String wire = codec.wire(payloads);
        for (int i = 0; i < wire.length(); ) {
            int next = Math.min(wire.length(), i + 1 + random.nextInt(20));
            receive(channel, wire.substring(i, next));
            i = next;
        }
        for (int i = 0; i < 20; i++) {
            channel.read();
        }
        probe.log().stream().filter(line -> !line.equals("[complete]")).forEach(frames::add);
        assertThat(frames).as("flow control %s", flowControl).containsExactly(codec.delivered(payloads));
        assertThat(channel.finish()).isFalse();
    }
}
