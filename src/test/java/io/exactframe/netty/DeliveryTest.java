package io.exactframe.netty;

import static io.exactframe.netty.testing.Probe.bytes;
import static io.exactframe.netty.testing.Probe.receive;
import static io.exactframe.netty.testing.Probe.reenter;
import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import io.exactframe.netty.testing.FrameCodec;
import io.exactframe.netty.testing.Probe;
import io.exactframe.netty.testing.Sink;
import io.exactframe.netty.testing.Wire;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOutboundHandlerAdapter;
import io.netty.channel.ChannelPromise;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.handler.codec.CorruptedFrameException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** 19, 26 to 30: in which order a handler behind sees things, also when it throws or closes. */
class DeliveryTest {
    /** What a handler behind sees when it throws or closes while frames are being delivered, and in which order. */
    @Nested
    class Frames {
        private static final String[] PAYLOADS = {"aaaa", "bbbb", "cccc"};

        private final Probe probe = new Probe();

        static Stream<Arguments> codecsAndFrames() {
            return Stream.of(FrameCodec.values()).flatMap(codec -> Stream.of(1, 2, 3).map(k -> Arguments.of(codec, k)));
        }

        @ParameterizedTest(name = "{0}, frame {1}")
        @MethodSource("codecsAndFrames") // 26, 27
        void aThrowDownstreamStopsNoOtherFrame(FrameCodec codec, int k) {
            probe.onRead(k, ctx -> {
                throw new IllegalStateException("boom");
            });
            EmbeddedChannel channel = new EmbeddedChannel(codec.decoder(), probe);
            receive(channel, codec.wire(PAYLOADS));
            List<String> expected = new ArrayList<>(List.of(codec.delivered(PAYLOADS)));
            expected.add(k, "[IllegalStateException: boom]");
            expected.add("[complete]");
            assertThat(probe.drain()).isEqualTo(expected);
            receive(channel, codec.wire("dddd"));
            assertThat(channel.finish()).isFalse();
            assertThat(probe.log()).containsExactly(codec.delivered("dddd"), "[complete]", "[inactive]");
        }

        enum Closing {
            CONTEXT_CLOSE(ChannelHandlerContext::close),
            CHANNEL_CLOSE(ctx -> ctx.channel().close()),
            CONTEXT_DISCONNECT(ChannelHandlerContext::disconnect),
            CHANNEL_DISCONNECT(ctx -> ctx.channel().disconnect());

            private final Consumer<ChannelHandlerContext> action;

            Closing(Consumer<ChannelHandlerContext> action) {
                this.action = action;
            }

            void run(ChannelHandlerContext ctx) {
                action.accept(ctx);
            }
        }

        static Stream<Arguments> closings() {
            return codecsAndFrames().flatMap(codecAndFrame -> Stream.of(Closing.values())
                    .map(closing -> Arguments.of(codecAndFrame.get()[0], codecAndFrame.get()[1], closing)));
        }

        @ParameterizedTest(name = "{0}, frame {1}, {2}")
        @MethodSource("closings") // 28
        void noFrameComesAfterOneAtWhichTheChannelWasClosed(FrameCodec codec, int k, Closing closing) {
            probe.onRead(k, ctx -> {
                reenter(ctx, codec.wire("xxxx"));
                closing.run(ctx);
                reenter(ctx, codec.wire("yyyy"));
                probe.note("[handled]");
            });
            EmbeddedChannel channel = new EmbeddedChannel(true, codec.decoder(), probe);
            receive(channel, codec.wire(PAYLOADS) + "z");
            channel.finish();
            List<String> expected = new ArrayList<>(List.of(codec.delivered(PAYLOADS)).subList(0, k));
            expected.add("[handled]");
            expected.add("[inactive]");
            assertThat(probe.log().stream().filter(line -> !line.equals("[complete]")).toList())
                    .isEqualTo(expected);
        }

        @ParameterizedTest
        @EnumSource // 28
        void noFrameComesAfterACloseThatAHandlerInFrontHoldsUp(FrameCodec codec) {
            probe.onRead(1, ChannelHandlerContext::close);
            EmbeddedChannel channel = new EmbeddedChannel(
                    new ChannelOutboundHandlerAdapter() {
                        @Override
                        public void close(ChannelHandlerContext ctx, ChannelPromise promise) {
                            ctx.executor().execute(() -> ctx.close(promise));
                        }
                    },
                    codec.decoder(),
                    probe);
            channel.pipeline().fireChannelRead(bytes(channel, codec.wire(PAYLOADS)));
            assertThat(channel.isActive()).isTrue();
            channel.pipeline().fireChannelRead(bytes(channel, codec.wire("dddd")));
            channel.pipeline().fireChannelReadComplete();
            channel.runPendingTasks();
            channel.finish();
            assertThat(probe.log()).containsExactly(codec.delivered("aaaa"), "[complete]", "[inactive]");
        }

        @ParameterizedTest
        @EnumSource // 28
        void framesThatAreHereComeAlthoughTheTransportIsClosed(FrameCodec codec) {
            probe.onRead(1, ctx -> {
                ctx.pipeline().firstContext().close(); // not through the decoder: a failed write, say
                assertThat(ctx.channel().isActive()).isFalse();
            });
            EmbeddedChannel channel = new EmbeddedChannel(new ChannelInboundHandlerAdapter(), codec.decoder(), probe);
            receive(channel, codec.wire(PAYLOADS));
            List<String> expected = new ArrayList<>(List.of(codec.delivered(PAYLOADS)));
            expected.add("[inactive]");
            assertThat(probe.log()).isEqualTo(expected);
        }

        @ParameterizedTest
        @EnumSource // 28
        void aChannelThatGoesInactiveInsideTheDeliveryIsDoneWith(FrameCodec codec) {
            probe.onRead(1, ctx -> {
                reenter(ctx, codec.wire("cccc"));
                ctx.close();
                ((EmbeddedChannel) ctx.channel()).runPendingTasks(); // a nested run of the loop
            });
            EmbeddedChannel channel = new EmbeddedChannel(codec.decoder(), probe);
            receive(channel, codec.wire("aaaa", "bbbb") + "x");
            channel.finish();
            assertThat(probe.log()).containsExactly(codec.delivered("aaaa"), "[inactive]");
        }

        @ParameterizedTest
        @EnumSource // 27
        void channelReadCompleteComesOnceBehindTheFramesOfTheRead(FrameCodec codec) {
            EmbeddedChannel channel = new EmbeddedChannel(codec.decoder(), probe);
            String wire = codec.wire("aaaa", "bbbb");
            channel.writeInbound(bytes(channel, wire.substring(0, 3)), bytes(channel, wire.substring(3)));
            assertThat(probe.drain()).containsExactly(codec.delivered("aaaa"), codec.delivered("bbbb"), "[complete]");
            channel.flushInbound();
            assertThat(probe.drain()).containsExactly("[complete]");
            channel.finish();
        }

        @ParameterizedTest
        @EnumSource // 29, 17
        void eventsAndOtherMessagesGoOnOnceAndInOrder(FrameCodec codec) {
            EmbeddedChannel channel = new EmbeddedChannel(codec.decoder(), probe);
            String wire = codec.wire("aaaa", "bbbb");
            channel.pipeline().fireUserEventTriggered("event");
            channel.pipeline().fireChannelRead(bytes(channel, wire.substring(0, codec.frameLength + 1)));
            channel.pipeline().fireUserEventTriggered(1);
            channel.pipeline().fireChannelRead("text");
            channel.pipeline().fireUserEventTriggered(1L);
            channel.pipeline().fireChannelRead(bytes(channel, wire.substring(codec.frameLength + 1)));
            channel.pipeline().fireUserEventTriggered('x');
            channel.finish();
            assertThat(probe.log())
                    .containsExactly(
                            "[event String]",
                            codec.delivered("aaaa"),
                            "[event Integer]",
                            "[message text]",
                            "[event Long]",
                            codec.delivered("bbbb"),
                            "[event Character]",
                            "[inactive]");
        }

        @Test // 29
        void anExceptionFromInFrontPassesAndEndsNothing() {
            FixedLengthExactDecoder decoder = new FixedLengthExactDecoder(4);
            EmbeddedChannel channel = new EmbeddedChannel(decoder, probe);
            receive(channel, "aaaabb");
            channel.pipeline().fireExceptionCaught(new IllegalStateException("in front"));
            assertThat(decoder.hasEnded()).isFalse();
            receive(channel, "bb");
            channel.finish();
            assertThat(probe.log())
                    .containsExactly(
                            "aaaa",
                            "[complete]",
                            "[IllegalStateException: in front]",
                            "bbbb",
                            "[complete]",
                            "[inactive]");
        }
    }

    /** 19, 27, 30: what comes in turn when it is not a frame that is being delivered, and when something was thrown. */
    @Nested
    class EverythingElse {
        private final Probe probe = new Probe();

        @Test
        void bytesFromAnotherMessageOrAReadCompleteWaitUntilThatIsHandled() {
            List<String> log = new ArrayList<>();
            EmbeddedChannel channel = new EmbeddedChannel(
                    new FixedLengthExactDecoder(4), new ChannelInboundHandlerAdapter() {
                        @Override
                        public void channelRead(ChannelHandlerContext ctx, Object message) {
                            if (message instanceof ByteBuf frame) {
                                log.add(frame.toString(ISO_8859_1));
                                frame.release();
                            } else {
                                reenter(ctx, "message", "aaaa");
                            }
                        }

                        @Override
                        public void channelReadComplete(ChannelHandlerContext ctx) {
                            reenter(ctx, "complete", "bbbb");
                        }

                        private void reenter(ChannelHandlerContext ctx, String what, String frame) {
                            log.add(what);
                            ctx.pipeline().fireChannelRead(bytes(ctx.channel(), frame));
                            log.add(what + " is handled");
                        }
                    });
            channel.pipeline().fireChannelRead("message");
            channel.pipeline().fireChannelReadComplete();
            assertThat(log)
                    .containsExactly("message", "message is handled", "aaaa", "complete", "complete is handled", "bbbb");
            channel.finish();
        }

        @Test
        void whatAThrowLeftWaitingComesInFrontOfAReadComplete() {
            boolean[] done = {false};
            probe.onException(ctx -> {
                if (!done[0]) {
                    done[0] = true;
                    ByteBuf released = bytes(ctx.channel(), "bbbb");
                    released.release();
                    ctx.pipeline().fireChannelRead(released);
                    ctx.pipeline().fireChannelRead("left");
                }
            });
            EmbeddedChannel channel = new EmbeddedChannel(
                    new FixedLengthExactDecoder(4) {
                        @Override
                        protected Object decode(ChannelHandlerContext ctx, ByteBuf frame) {
                            throw new CorruptedFrameException();
                        }
                    },
                    probe);
            channel.pipeline().fireChannelRead(bytes(channel, "aaaa"));
            channel.pipeline().fireChannelReadComplete();
            assertThat(probe.exceptions).hasSize(2);
            assertThat(probe.log().stream().filter(line -> !line.contains("Exception")))
                    .containsExactly("[message left]", "[complete]");
            channel.finish();
        }

        @Test
        void aReadThatGaveAFrameAsksForNoOtherAlsoIfItEndedWithAThrow() {
            int[] reads = {0};
            EmbeddedChannel channel = new EmbeddedChannel(
                    new ChannelOutboundHandlerAdapter() {
                        @Override
                        public void read(ChannelHandlerContext ctx) {
                            reads[0]++;
                            ctx.read();
                        }
                    },
                    new FixedLengthExactDecoder(4) {
                        @Override
                        protected Object decode(ChannelHandlerContext ctx, ByteBuf frame) {
                            if (frame.getByte(0) == 'b') {
                                frame.release(); // not its own: it throws when it is released again
                                return null;
                            }
                            return frame;
                        }
                    },
                    probe);
            channel.config().setAutoRead(false);
            reads[0] = 0;
            channel.pipeline().fireChannelRead(bytes(channel, "aaaabbbb"));
            channel.pipeline().fireChannelReadComplete();
            assertThat(probe.exceptions).hasSize(1);
            assertThat(reads[0]).isZero();
            assertThat(probe.log()).contains("aaaa", "[complete]");
            channel.finish();
        }

        private final ReceiveBudget budget = new ReceiveBudget(10_000);
        private final ReceiveOptions options =
                ReceiveOptions.defaults().budget(budget).frameDeadline(Duration.ofSeconds(30));
        private final byte[] small = Wire.bytes("00 01 61");
        private final byte[] large = Wire.concat(Wire.bytes("1f 40"), Wire.bytes("20".repeat(8000)));

        private LengthPrefixedExactDecoder limited() {
            return new LengthPrefixedExactDecoder(10_000, LengthPrefix.uint16(), options);
        }

        /** Has nearly all of the budget. */
        private EmbeddedChannel holder() {
            EmbeddedChannel holder = new EmbeddedChannel(limited(), new Sink());
            Wire.receive(holder, Wire.bytes("26 00"));
            return holder;
        }

        private ByteBuf begun(EmbeddedChannel channel) {
            return channel.alloc().buffer().writeBytes(small).writeBytes(large, 0, 3000);
        }

        private ByteBuf rest(EmbeddedChannel channel) {
            return channel.alloc().buffer().writeBytes(large, 3000, large.length - 3000).writeBytes(small);
        }

        @Test
        void aReadCompleteGoesOnWhileAFrameWaitsForMemoryUnlessBytesAreInFrontOfIt() {
            EmbeddedChannel holder = holder();
            EmbeddedChannel waiter = new EmbeddedChannel(limited(), probe);
            waiter.pipeline().fireChannelRead(begun(waiter));
            assertThat(budget.waiting()).isEqualTo(1);
            assertThat(probe.drain()).containsExactly("a");
            waiter.pipeline().fireChannelReadComplete();
            assertThat(probe.drain()).containsExactly("[complete]");

            waiter.pipeline().fireChannelRead(rest(waiter));
            waiter.pipeline().fireChannelReadComplete();
            assertThat(probe.drain()).isEmpty();
            holder.finish();
            waiter.runPendingTasks();
            assertThat(probe.drain()).hasSize(3).endsWith("a", "[complete]");
            waiter.finish();
            assertThat(probe.exceptions).isEmpty();
        }

        @Test
        void bytesFromADeliveryWaitWithTheFrameThatWaitsForMemory() {
            EmbeddedChannel holder = holder();
            EmbeddedChannel waiter = new EmbeddedChannel(limited(), probe);
            probe.onRead(1, ctx -> ctx.pipeline().fireChannelRead(rest(waiter)));
            waiter.pipeline().fireChannelRead(begun(waiter));
            assertThat(budget.waiting()).isEqualTo(1);
            assertThat(probe.drain()).containsExactly("a");
            holder.finish();
            waiter.runPendingTasks();
            assertThat(probe.drain()).hasSize(3).endsWith("a", "[complete]");
            waiter.finish();
            assertThat(probe.exceptions).isEmpty();
        }

        @Test
        void nothingIsReadWhileAFrameWaitsForMemoryWhateverIsAskedFor() {
            EmbeddedChannel holder = holder();
            EmbeddedChannel waiter = new EmbeddedChannel(limited(), probe);
            waiter.pipeline().fireChannelRead(begun(waiter));
            assertThat(waiter.config().isAutoRead()).isFalse();
            waiter.config().setAutoRead(true);
            assertThat(waiter.config().isAutoRead()).isFalse();
            holder.finish();
            waiter.runPendingTasks();
            assertThat(waiter.config().isAutoRead()).isTrue();
            Wire.receive(waiter, rest(waiter));
            waiter.finish();
            assertThat(probe.exceptions).isEmpty();
        }
    }
}
