package io.exactframe.netty;

import static io.exactframe.netty.testing.Probe.bytes;
import static io.exactframe.netty.testing.Probe.receive;
import static io.exactframe.netty.testing.Probe.reenter;
import static org.assertj.core.api.Assertions.assertThat;

import io.exactframe.netty.testing.FrameCodec;
import io.exactframe.netty.testing.Loopback;
import io.exactframe.netty.testing.Probe;
import io.exactframe.netty.testing.StreamProbe;
import io.exactframe.netty.testing.Loopback.Transport;
import io.exactframe.netty.testing.Wire;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelOutboundHandlerAdapter;
import io.netty.channel.DefaultEventLoopGroup;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.handler.flow.FlowControlHandler;
import io.netty.util.concurrent.EventExecutorGroup;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** 25, 30, 31: who asks for the next read. */
class BackPressureTest {
    /** 30, 31: who asks for the next read. */
    @Nested
    class Frames {
        private final Probe probe = new Probe();

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
        void aReadIsAskedForWhenAReadGaveNothing(FrameCodec codec) {
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
        void noReadIsAskedForWithAutoRead(FrameCodec codec) {
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
            return Stream.of(FrameCodec.values())
                    .flatMap(codec -> IntStream.rangeClosed(1, 6).mapToObj(seed -> Arguments.of(codec, seed)));
        }

        private static String[] payloads(int count) {
            return IntStream.range(0, count).mapToObj(i -> String.format("%04d", i)).toArray(String[]::new);
        }

        @ParameterizedTest(name = "{0}, seed {1}")
        @MethodSource("codecsAndSeeds") // 30
        void aHandlerThatReadsAgainAtEachFrameGetsThemAll(FrameCodec codec, int seed) {
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
        void withFlowControlBehindEachReadGivesOneFrame(FrameCodec codec, int seed) {
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
        void autoReadSwitchedDuringDeliveryLosesNothing(FrameCodec codec, int seed) {
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

    /** 25, 30, 31: who asks for the next read of a stream, and on which thread it is handled. */
    @Nested
    class Streams {
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
            try (Loopback loopback = new Loopback(Transport.nio(), false, channel -> channel.pipeline()
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
}
