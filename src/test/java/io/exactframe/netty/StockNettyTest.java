package io.exactframe.netty;

import static io.exactframe.netty.testing.Probe.receive;
import static io.exactframe.netty.testing.Probe.reenter;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import io.exactframe.netty.testing.HeapBytes;
import io.exactframe.netty.testing.Sink.Keeper;
import io.exactframe.netty.testing.Network;
import io.exactframe.netty.testing.Probe;
import io.exactframe.netty.testing.Sink;
import io.exactframe.netty.testing.Wire;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.handler.codec.ByteToMessageDecoder;
import io.netty.handler.codec.CorruptedFrameException;
import io.netty.handler.codec.DecoderException;
import io.netty.handler.codec.FixedLengthFrameDecoder;
import io.netty.handler.codec.LengthFieldBasedFrameDecoder;
import io.netty.handler.codec.PrematureChannelClosureException;
import io.netty.handler.codec.TooLongFrameException;
import io.netty.handler.flow.FlowControlHandler;
import io.netty.util.IllegalReferenceCountException;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.function.Supplier;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Where Netty's own decoders do otherwise. If one of these fails, Netty changed, and the README has to follow. */
class StockNettyTest {
    /** Where Netty's decoders do otherwise: the same input to theirs and to ours. If one of these fails, they changed. */
    @Nested
    class Framing {
        private static final int READ = 1 << 16;

        static List<Arguments> senselessOptions() {
            return List.of(
                    arguments("a field of 5 bytes", nettys(100, 0, 5, 0, 0), ours(100, 0, 5, 0, 0), "0000000001 41"),
                    arguments("a strip beyond every frame", nettys(10, 0, 1, 0, 11), ours(10, 0, 1, 0, 11), "01 41"),
                    arguments("an adjustment below every frame", nettys(10, 0, 1, -256, 0), ours(10, 0, 1, -256, 0),
                            "01 41"),
                    arguments("an adjustment beyond every frame", nettys(10, 0, 1, 100, 0), ours(10, 0, 1, 100, 0),
                            "01 41"));
        }

        private static Supplier<ChannelHandler> nettys(int limit, int offset, int width, int adjustment, int strip) {
            return () -> new LengthFieldBasedFrameDecoder(limit, offset, width, adjustment, strip);
        }

        private static Supplier<ChannelHandler> ours(int limit, int offset, int width, int adjustment, int strip) {
            return () -> new LengthPrefixedExactDecoder(
                    limit, LengthPrefix.fromLengthField(offset, width, adjustment, strip));
        }

        @ParameterizedTest(name = "{0}")
        @MethodSource("senselessOptions")
        void senselessOptionsFailTheirFirstFrameAndOurConstructor(
                String name, Supplier<ChannelHandler> theirs, Supplier<ChannelHandler> ours, String frame) {
            // 8
            assertThatCode(theirs::get).doesNotThrowAnyException();
            Sink sink = receive(theirs.get(), Wire.bytes(frame));
            assertThat(sink.frames).isEmpty();
            assertThat(sink.faults).isNotEmpty().allMatch(e -> e instanceof DecoderException);

            assertThatIllegalArgumentException().isThrownBy(ours::get);
        }

        @Test
        void afterATooLongFrameTheyGoOnAndWeEnd() {
            // 9
            byte[] stream = Wire.bytes("0f 000000000000000000000000000000  01 41  ff");
            Sink theirs = receive(new LengthFieldBasedFrameDecoder(10, 0, 1, 0, 1), stream);
            assertThat(theirs.frames).containsExactly("41");
            assertThat(theirs.faults).hasSize(2).allMatch(e -> e instanceof TooLongFrameException);

            Sink ours = receive(new LengthPrefixedExactDecoder(10, LengthPrefix.uint8()), stream);
            assertThat(ours.frames).isEmpty();
            assertThat(ours.faults).hasSize(1).first().isInstanceOf(TooLongFrameException.class);
        }

        @Test
        void afterASenselessLengthTheyGoOnAndWeEnd() {
            // 9
            byte[] stream = Wire.bytes("ffffffffffffffff  0000000000000001 41  8000000000000000");
            Sink theirs = receive(new LengthFieldBasedFrameDecoder(10, 0, 8, 0, 8), stream);
            assertThat(theirs.frames).containsExactly("41");
            assertThat(theirs.faults).hasSize(2).allMatch(e -> e instanceof CorruptedFrameException);

            Sink ours = receive(new LengthPrefixedExactDecoder(10, LengthPrefix.int64()), stream);
            assertThat(ours.frames).isEmpty();
            assertThat(ours.faults).hasSize(1).first().isInstanceOf(CorruptedFrameException.class);
        }

        private static Sink receive(ChannelHandler decoder, byte[] stream) {
            Sink sink = new Sink();
            EmbeddedChannel channel = Wire.channel(decoder, sink);
            Wire.receive(channel, stream);
            channel.finish();
            return sink;
        }

        @Test
        void aKeptFramePinsEachReadOfTheirsAndSixteenOfOurs() {
            // 14
            assertThat(readsPinnedByOneKeptFrameEach(new FixedLengthFrameDecoder(4))).isEqualTo(100);
            assertThat(readsPinnedByOneKeptFrameEach(new FixedLengthExactDecoder(4))).isEqualTo(16);
        }

        private static int readsPinnedByOneKeptFrameEach(ChannelHandler decoder) {
            Keeper keeper = new Keeper(number -> number % (READ / 4) == 0);
            Network network = new Network(decoder, keeper);
            for (int i = 0; i < 100; i++) {
                network.receive(new byte[READ], 0, READ, READ);
            }
            int pinned = network.pinnedReads();
            keeper.releaseAll();
            network.channel.finish();
            network.assertNothingHeld();
            return pinned;
        }

        @Test
        void fiveBytesAndSilenceHoldAReadOfTheirsAndAChunkOfOurs() {
            // 15
            byte[] beginning = Wire.bytes("00100000 41");
            assertThat(heldAfter(beginning, new LengthFieldBasedFrameDecoder(1 << 21, 0, 4))).isEqualTo(READ);
            assertThat(heldAfter(beginning, new LengthPrefixedExactDecoder(1 << 21, LengthPrefix.uint32())))
                    .isLessThanOrEqualTo(2 * 5 + 4096);
        }

        private static long heldAfter(byte[] beginning, ChannelHandler decoder) {
            Network network = new Network(decoder, new Sink());
            network.receive(beginning, 0, beginning.length, READ);
            long held = network.held();
            network.channel.finish();
            network.assertNothingHeld();
            return held;
        }

        @Test
        void aByteOfALargerFrameIsCopiedMoreOftenByTheirsAndNotByOurs() {
            // 18
            double theirs = copiesPerByte(new FixedLengthFrameDecoder(8 << 20), 8 << 20);
            assertThat(copiesPerByte(new FixedLengthFrameDecoder(32 << 20), 32 << 20)).isGreaterThan(2 * theirs);
            ReceiveOptions contiguous = ReceiveOptions.defaults().contiguous();
            for (int length : new int[] {8 << 20, 32 << 20}) {
                assertThat(copiesPerByte(new FixedLengthExactDecoder(length), length)).isZero();
                assertThat(copiesPerByte(new FixedLengthExactDecoder(length, contiguous), length)).isLessThanOrEqualTo(2);
            }
        }

        private static double copiesPerByte(ChannelHandler decoder, int frameLength) {
            Keeper keeper = new Keeper(number -> false);
            Network network = new Network(decoder, keeper);
            byte[] bytes = new byte[READ];
            for (int at = 0; at < frameLength; at += READ) {
                network.receive(bytes, 0, READ, READ);
            }
            assertThat(keeper.count).isEqualTo(1);
            network.channel.finish();
            network.assertNothingHeld();
            return (double) network.handlers.copied / frameLength;
        }

        @Test
        void aByteByItselfCostsAnObjectInTheirsAndNoneInOurs() {
            // 18
            FixedLengthFrameDecoder theirs = new FixedLengthFrameDecoder(1024);
            theirs.setCumulator(ByteToMessageDecoder.COMPOSITE_CUMULATOR);
            assertThat(heapBytesOf1KiB(theirs)).isGreaterThan(32 * 1024);
            assertThat(heapBytesOf1KiB(new FixedLengthExactDecoder(1024))).isLessThan(2 * 1024);
        }

        private static long heapBytesOf1KiB(ChannelHandler decoder) {
            Network network = new Network(decoder, new Keeper(number -> false));
            Deque<ByteBuf> reads = new ArrayDeque<>();
            for (int i = 0; i < HeapBytes.RUNS * 1024; i++) {
                reads.add(network.reads.buffer(1).writeByte(0));
            }
            long heap = HeapBytes.of(() -> {
                for (int i = 0; i < 1024; i++) {
                    network.channel.pipeline().fireChannelRead(reads.remove());
                }
            });
            network.channel.finish();
            network.assertNothingHeld();
            return heap;
        }
    }

    /**
     * What Netty's own decoders do; what these do in the same place is in the tests that cite the same number. Where Netty
     * changes, a test fails here and the README has to follow.
     */
    @Nested
    class InThePipeline {
        private final Probe probe = new Probe();

        @Test // 19
        void reenteredFromDownstreamNettyReadsAReleasedBuffer() {
            probe.onRead(1, ctx -> reenter(ctx, "c".repeat(4096)));
            EmbeddedChannel netty = new EmbeddedChannel(new FixedLengthFrameDecoder(4), probe);
            receive(netty, "aaaabbbb");
            netty.finish();
            assertThat(probe.log()).startsWith("aaaa", "bbbb", "cccc"); // and these inside the delivery of aaaa
            assertThat(probe.exceptions).singleElement()
                    .satisfies(e -> assertThat(e).isInstanceOf(DecoderException.class)
                            .hasCauseInstanceOf(IllegalReferenceCountException.class));
        }

        @Test // 19
        void reenteredFromDecodeThatThenThrowsNettyQueuesForEver() {
            boolean[] done = {false};
            ByteBuf[] stuck = new ByteBuf[3];
            EmbeddedChannel netty = new EmbeddedChannel(
                    new FixedLengthFrameDecoder(4) {
                        @Override
                        protected Object decode(ChannelHandlerContext ctx, ByteBuf in) throws Exception {
                            if (!done[0]) {
                                done[0] = true;
                                ctx.pipeline().fireChannelRead(stuck[0]);
                                throw new IllegalStateException("boom");
                            }
                            return super.decode(ctx, in);
                        }
                    },
                    probe);
            for (int i = 0; i < stuck.length; i++) {
                stuck[i] = Probe.bytes(netty, "bbbb");
            }
            receive(netty, "aaaa");
            netty.writeInbound(stuck[1]);
            netty.writeInbound(stuck[2]);
            assertThat(probe.drain())
                    .containsExactly(
                            "[DecoderException: java.lang.IllegalStateException: boom]",
                            "[complete]",
                            "[complete]",
                            "[complete]");
            netty.finishAndReleaseAll();
            assertThat(stuck).allMatch(buffer -> buffer.refCnt() == 1); // leaked
            for (ByteBuf buffer : stuck) {
                buffer.release();
            }
        }

        @Test // 20
        void removedInADeliveryNettyHandsOnTheRestInsideOfIt() {
            FixedLengthFrameDecoder decoder = new FixedLengthFrameDecoder(4);
            probe.onRead(1, ctx -> {
                ctx.pipeline().remove(decoder);
                probe.note("[handled]");
            });
            EmbeddedChannel netty = new EmbeddedChannel(decoder, probe);
            receive(netty, "aaaabbbb");
            netty.finish();
            assertThat(probe.drain())
                    .containsExactly("aaaa", "bbbb", "[complete]", "[handled]", "[complete]", "[inactive]");
        }

        @Test // 28
        void closedInADeliveryNettyDeliversWhatIsLeft() {
            probe.onRead(1, ChannelHandlerContext::close);
            EmbeddedChannel netty = new EmbeddedChannel(new LengthFieldBasedFrameDecoder(16, 0, 2, 0, 2), probe);
            receive(netty, "\0\4aaaa\0\4bbbb\0\4cccc");
            netty.finish();
            assertThat(probe.log()).containsExactly("aaaa", "bbbb", "cccc", "[inactive]");
        }

        @Test // 31
        void withFlowControlBehindNettyForgetsAReadThatMetAPartialFrame() {
            EmbeddedChannel netty = new EmbeddedChannel();
            netty.config().setAutoRead(false);
            netty.pipeline().addLast(new FixedLengthFrameDecoder(4), new FlowControlHandler(), probe);
            netty.read();
            receive(netty, "aa");
            receive(netty, "aa");
            assertThat(probe.drain()).containsExactly("[complete]");
            netty.read();
            assertThat(probe.drain()).containsExactly("aaaa", "[complete]");
            netty.finish();
        }

        @Test // 33
        void closedInAFrameNettySaysNothing() {
            String stream = "\0\4aaaa\0\4bbbb";
            for (int received = 7; received < stream.length(); received++) {
                EmbeddedChannel netty = new EmbeddedChannel(new LengthFieldBasedFrameDecoder(16, 0, 2, 0, 2), probe);
                receive(netty, stream.substring(0, received));
                netty.finish();
                assertThat(probe.drain()).containsExactly("aaaa", "[complete]", "[inactive]");
            }
        }

        /** The only way to report it with Netty's decoders. */
        private static final class ReportingDecoder extends FixedLengthFrameDecoder {
            ReportingDecoder() {
                super(4);
            }

            @Override
            protected void decodeLast(ChannelHandlerContext ctx, ByteBuf in, List<Object> out) throws Exception {
                super.decodeLast(ctx, in, out);
                if (in.isReadable()) {
                    throw new PrematureChannelClosureException("said so");
                }
            }
        }

        @Test // 34
        void whatDecodeLastThrowsNettyWrapsAndFiresBehindChannelInactive() {
            EmbeddedChannel netty = new EmbeddedChannel(new ReportingDecoder(), probe);
            receive(netty, "aaaabb");
            netty.finish();
            assertThat(probe.log())
                    .containsExactly(
                            "aaaa",
                            "[complete]",
                            "[inactive]",
                            "[DecoderException: io.netty.handler.codec.PrematureChannelClosureException: said so]");
        }

        @Test // 34
        void whatDecodeLastThrowsAtAHalfCloseTakesNettysEventAway() {
            EmbeddedChannel netty = new EmbeddedChannel(new ReportingDecoder(), probe);
            receive(netty, "aaaabb");
            netty.pipeline().fireUserEventTriggered(ChannelInputShutdownEvent.INSTANCE);
            netty.finish();
            assertThat(probe.log())
                    .containsExactly(
                            "aaaa",
                            "[complete]",
                            "[DecoderException: io.netty.handler.codec.PrematureChannelClosureException: said so]",
                            "[inactive]");
        }

        @Test // 9
        void beyondTheLimitNettySkipsWhatWasDeclaredAndGoesOn() {
            EmbeddedChannel netty = new EmbeddedChannel(new LengthFieldBasedFrameDecoder(16, 0, 2, 0, 2), probe);
            receive(netty, "\0\21" + "x".repeat(17));
            receive(netty, "\0\1a");
            netty.finish();
            assertThat(probe.log())
                    .containsExactly(
                            "[TooLongFrameException: Adjusted frame length exceeds 16: 19 - discarded]",
                            "[complete]",
                            "a",
                            "[complete]",
                            "[inactive]");
        }
    }
}
