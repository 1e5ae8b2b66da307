package io.exactframe.netty;

import static io.exactframe.netty.testing.Probe.receive;
import static io.exactframe.netty.testing.Probe.reenter;
import static org.assertj.core.api.Assertions.assertThat;

import io.exactframe.netty.testing.FrameCodec;
import io.exactframe.netty.testing.Probe;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelOutboundHandlerAdapter;
import io.netty.channel.embedded.EmbeddedChannel;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** 20 to 22: a decoder leaves, or another takes over, in the middle of the stream. */
class RemovalTest {
    /** What a decoder that leaves the pipeline does with the bytes it has. */
    @Nested
    class Removed {
        private static final String[] PAYLOADS = {"aaaa", "bbbb", "cccc", "dddd"};

        private final Probe probe = new Probe();
        private ExactFrameDecoder decoder = new FixedLengthExactDecoder(4);

        private void remove(ChannelHandlerContext ctx) {
            ctx.pipeline().remove(decoder);
        }

        static Stream<Arguments> codecsAndFrames() {
            return Stream.of(FrameCodec.values())
                    .flatMap(codec -> Stream.of(1, 2, 3, 4)
                            .flatMap(k -> Stream.of(false, true).map(throwing -> Arguments.of(codec, k, throwing))));
        }

        @ParameterizedTest(name = "{0}, frame {1}, then a throw: {2}")
        @MethodSource("codecsAndFrames") // 20
        void removedWhileDeliveringAFrameTheRestGoesOnUnchanged(FrameCodec codec, int k, boolean throwing) {
            decoder = codec.decoder();
            probe.onRead(k, ctx -> {
                remove(ctx);
                probe.note("[handled]");
                if (throwing) {
                    throw new IllegalStateException("boom");
                }
            });
            EmbeddedChannel channel = new EmbeddedChannel(decoder, probe);
            String wire = codec.wire(PAYLOADS);
            String partial = wire.substring(0, 3);
            receive(channel, wire + partial);

            List<String> expected = new ArrayList<>();
            for (int i = 0; i < k; i++) {
                expected.add(codec.delivered(PAYLOADS[i]));
            }
            expected.add("[handled]");
            if (throwing) {
                expected.add("[IllegalStateException: boom]");
            }
            expected.add(wire.substring(k * codec.frameLength) + partial);
            expected.add("[complete]"); // of the bytes handed over
            expected.add("[complete]"); // of the read
            assertThat(probe.drain()).isEqualTo(expected);

            receive(channel, "more");
            assertThat(channel.finish()).isFalse();
            assertThat(probe.drain()).containsExactly("more", "[complete]", "[inactive]");
        }

        @ParameterizedTest
        @EnumSource
        void whatCameWhileTheLastFrameWasHandledGoesOnBehindTheRest(FrameCodec codec) {
            decoder = codec.decoder();
            probe.onRead(1, ctx -> {
                reenter(ctx, "first");
                remove(ctx);
                ctx.pipeline().fireUserEventTriggered("passes by");
            });
            EmbeddedChannel channel = new EmbeddedChannel(decoder, probe);
            receive(channel, codec.wire("aaaa") + "re");
            assertThat(channel.finish()).isFalse();
            List<String> log = probe.log();
            assertThat(log.subList(0, 2)).containsExactly(codec.delivered("aaaa"), "[event String]");
            assertThat(String.join("", log).replace("[complete]", "")).endsWith("[event String]refirst[inactive]");
            assertThat(log.subList(log.size() - 2, log.size())).containsExactly("[complete]", "[inactive]");
        }

        @ParameterizedTest
        @EnumSource // 17, 20: in one piece, but not in front of another's message
        void whatWaitsGoesOnInItsOrderAndEachPieceIsCompleteOnce(FrameCodec codec) {
            decoder = codec.decoder();
            probe.onRead(1, ctx -> {
                for (String read : List.of("2", "3")) {
                    reenter(ctx, read);
                    ctx.pipeline().fireUserEventTriggered(read);
                    ctx.pipeline().fireChannelReadComplete();
                }
                ctx.pipeline().fireChannelRead("text");
                reenter(ctx, "4");
                remove(ctx);
            });
            EmbeddedChannel channel = new EmbeddedChannel(decoder, probe);
            channel.pipeline().fireChannelRead(Probe.bytes(channel, codec.wire("aaaa") + "1"));
            assertThat(probe.drain()).containsExactly(codec.delivered("aaaa"), "123", "[complete]", "[event String]",
                    "[event String]", "[message text]", "4", "[complete]");
            channel.finish();
        }

        @ParameterizedTest
        @EnumSource // 20, 27
        void theEndOfTheReadThatWaitsGoesOnIfThereIsNoRest(FrameCodec codec) {
            decoder = codec.decoder();
            probe.onRead(1, ctx -> {
                ctx.pipeline().fireChannelReadComplete();
                remove(ctx);
            });
            EmbeddedChannel channel = new EmbeddedChannel(decoder, probe);
            channel.pipeline().fireChannelRead(Probe.bytes(channel, codec.wire("aaaa")));
            assertThat(probe.drain()).containsExactly(codec.delivered("aaaa"), "[complete]");
            channel.finish();
        }

        @ParameterizedTest
        @EnumSource // 19, 20
        void bytesThatWaitAreNotOvertakenByThoseThatTheRestBrings(FrameCodec codec) {
            decoder = codec.decoder();
            probe.onRead(1, ctx -> {
                reenter(ctx, "2");
                remove(ctx);
            });
            probe.onRead(2, ctx -> reenter(ctx, "3"));
            EmbeddedChannel channel = new EmbeddedChannel(decoder, probe);
            receive(channel, codec.wire("aaaa") + "1");
            assertThat(channel.finish()).isFalse();
            assertThat(String.join("", probe.log()).replace("[complete]", ""))
                    .isEqualTo(codec.delivered("aaaa") + "123[inactive]");
        }

        @ParameterizedTest
        @EnumSource // 22
        void aPartialFrameGoesOnAsItCame(FrameCodec codec) {
            String wire = codec.wire("aaaa");
            for (int received = 0; received < wire.length(); received++) {
                for (int cut = 0; cut <= received; cut++) {
                    decoder = codec.decoder();
                    EmbeddedChannel channel = new EmbeddedChannel(decoder, probe);
                    receive(channel, wire.substring(0, cut));
                    receive(channel, wire.substring(cut, received));
                    assertThat(probe.drain()).containsExactly("[complete]", "[complete]");
                    channel.pipeline().remove(decoder);
                    if (received == 0) {
                        assertThat(probe.drain()).isEmpty();
                    } else {
                        assertThat(probe.drain()).containsExactly(wire.substring(0, received), "[complete]");
                    }
                    assertThat(channel.finish()).isFalse();
                    assertThat(probe.drain()).containsExactly("[inactive]");
                }
            }
        }

        /** Where else than in a frame a decoder may be removed. */
        enum Place {
            READ_COMPLETE,
            OTHER_MESSAGE,
            EVENT,
            EXCEPTION,
            READ_REQUEST
        }

        @ParameterizedTest
        @EnumSource // 22
        void aPartialFrameGoesOnFromWhereverTheDecoderIsRemoved(Place place) {
            boolean[] armed = {false};
            Probe.Action removal = ctx -> {
                if (armed[0]) {
                    armed[0] = false;
                    ctx.pipeline().remove(decoder);
                }
            };
            EmbeddedChannel channel = new EmbeddedChannel(
                    new ChannelOutboundHandlerAdapter() {
                        @Override
                        public void read(ChannelHandlerContext ctx) throws Exception {
                            if (place == Place.READ_REQUEST) {
                                removal.run(ctx);
                            }
                            ctx.read();
                        }
                    },
                    decoder,
                    probe);
            channel.config().setAutoRead(false);
            receive(channel, "aaaabb");
            probe.drain();
            armed[0] = true;
            switch (place) {
                case READ_COMPLETE -> {
                    probe.onReadComplete(removal);
                    channel.pipeline().fireChannelReadComplete();
                }
                case OTHER_MESSAGE -> {
                    probe.onRead(2, removal);
                    channel.pipeline().fireChannelRead("text");
                }
                case EVENT -> {
                    probe.onEvent(removal);
                    channel.pipeline().fireUserEventTriggered("event");
                }
                case EXCEPTION -> {
                    probe.onException(removal);
                    channel.pipeline().fireExceptionCaught(new IllegalStateException("boom"));
                }
                case READ_REQUEST -> receive(channel, "b");
            }
            assertThat(armed[0]).isFalse();
            receive(channel, "cccc");
            assertThat(channel.finish()).isFalse();
            List<String> log = probe.log();
            String rest = place == Place.READ_REQUEST ? "bbb" : "bb";
            assertThat(log.stream().filter(line -> !line.startsWith("["))).containsExactly(rest, "cccc");
            assertThat(log).containsSequence(rest, "[complete]");
        }

        @ParameterizedTest
        @EnumSource // 20
        void removedByItsOwnDecodeItGivesThatMessageAndTheRest(FrameCodec codec) {
            decoder = codec.decoder(this::remove);
            EmbeddedChannel channel = new EmbeddedChannel(decoder, probe);
            receive(channel, codec.wire("aaaa", "bbbb") + "re");
            assertThat(channel.finish()).isFalse();
            assertThat(probe.log())
                    .containsExactly(
                            codec.delivered("aaaa"), codec.wire("bbbb") + "re", "[complete]", "[complete]", "[inactive]");
        }

        @ParameterizedTest(name = "{0} bytes of the frame are here")
        @ValueSource(ints = {1, 3, 5, 8}) // 20
        void removedByItsOwnFrameLengthItDecodesNothingMore(int received) {
            decoder = new ExactFrameDecoder(1, 16) {
                private ChannelHandlerContext ctx;

                @Override
                public void handlerAdded(ChannelHandlerContext ctx) {
                    this.ctx = ctx;
                }

                @Override
                protected long frameLength(ByteBuf header) {
                    if (header.getByte(0) == 'X') {
                        remove(ctx);
                    }
                    return 5;
                }
            };
            EmbeddedChannel channel = new EmbeddedChannel(decoder, probe);
            String other = "XYZ45678".substring(0, received);
            receive(channel, "1aaaa2bbbb" + other);
            assertThat(channel.finish()).isFalse();
            assertThat(probe.log())
                    .containsExactly("1aaaa", "2bbbb", other, "[complete]", "[complete]", "[inactive]");
        }

        @Test // 28, 20
        void removedBehindACloseItHandsOnNothing() {
            probe.onRead(1, ctx -> {
                ctx.close();
                remove(ctx);
            });
            EmbeddedChannel channel = new EmbeddedChannel(decoder, probe);
            receive(channel, "aaaabbbbcc");
            assertThat(channel.finish()).isFalse();
            assertThat(probe.log()).containsExactly("aaaa", "[inactive]");
        }

        @Test // 9, 20
        void removedAfterAViolationItHandsOnNothing() {
            decoder = new LengthPrefixedExactDecoder(16, LengthPrefix.uint16());
            probe.onException(this::remove);
            EmbeddedChannel channel = new EmbeddedChannel(decoder, probe);
            receive(channel, "\0\4aaaa\1\0bbbb");
            receive(channel, "cccc");
            assertThat(channel.finish()).isFalse();
            assertThat(probe.log())
                    .containsExactly(
                            "aaaa",
                            "[TooLongFrameException: frame of 258 bytes, the limit is 16]",
                            "[complete]",
                            "cccc",
                            "[complete]",
                            "[inactive]");
        }
    }

    /** 22: a large partial frame, whatever it is made of, goes on as it came. */
    @Nested
    class InALargeFrame {
        private static final int PAYLOAD = 400_000;
        private static final int[] SIZES = {1, 2, 3, 100, 4096, 8192, 8193, 16 * 1024, 64 * 1024};

        static Stream<Arguments> kinds() {
            LengthPrefix prefix = LengthPrefix.uint32().headerBefore(2).headerAfter(3).trailer(1);
            ReceiveOptions composite = ReceiveOptions.defaults();
            return Stream.of(
                            Arguments.of("payload alone", prefix, composite),
                            Arguments.of("part of the header", prefix.strip(4), composite),
                            Arguments.of("header kept", prefix.keepHeader(), composite),
                            Arguments.of("contiguous", prefix, composite.contiguous()),
                            Arguments.of("contiguous, header kept", prefix.keepHeader(), composite.contiguous()))
                    .flatMap(kind -> IntStream.rangeClosed(1, 5).mapToObj(seed -> {
                        Object[] args = kind.get();
                        return Arguments.of(args[0], args[1], args[2], seed);
                    }));
        }

        @ParameterizedTest(name = "{0}, seed {3}")
        @MethodSource("kinds")
        void aLargePartialFrameGoesOnAsItCame(String name, LengthPrefix prefix, ReceiveOptions options, int seed) {
            Random random = new Random(seed);
            byte[] stream = new byte[2 + 4 + 3 + PAYLOAD + 1];
            random.nextBytes(stream);
            Unpooled.wrappedBuffer(stream).setInt(2, PAYLOAD);
            int length = random.nextInt(stream.length);

            LengthPrefixedExactDecoder decoder = new LengthPrefixedExactDecoder(1 << 20, prefix, options);
            EmbeddedChannel channel = new EmbeddedChannel(decoder);
            int[] sizes = random.ints(0, SIZES.length).map(i -> SIZES[i]).limit(3).toArray();
            List<ByteBuf> fragments = new ArrayList<>();
            for (int sent = 0; sent < length; ) {
                int size = Math.min(length - sent, sizes[random.nextInt(sizes.length)]);
                if (fragments.size() > 2_000) {
                    size = length - sent;
                }
                ByteBuf fragment = channel.alloc().buffer(size).writeBytes(stream, sent, size);
                fragments.add(fragment);
                assertThat(channel.writeInbound(fragment)).isFalse();
                sent += size;
            }
            assertThat(decoder.bufferedBytes()).isEqualTo(length);
            channel.pipeline().remove(decoder);
            assertThat(decoder.bufferedBytes()).isZero();

            ByteBuf rest = channel.readInbound();
            if (length > 0) {
                assertThat(rest).isEqualTo(Unpooled.wrappedBuffer(stream, 0, length));
                assertThat(rest.release()).isTrue();
            }
            assertThat(fragments).allMatch(fragment -> fragment.refCnt() == 0);
            assertThat(channel.finish()).isFalse();
        }
    }

    /** 21: another decoder takes over in the middle of the stream. */
    @Nested
    class Replaced {
        private final Probe probe = new Probe();

        enum Way {
            REPLACE {
                @Override
                void upgrade(ChannelHandlerContext ctx, ExactFrameDecoder from, ExactFrameDecoder to) {
                    ctx.pipeline().replace(from, null, to);
                }
            },
            ADD_THEN_REMOVE {
                @Override
                void upgrade(ChannelHandlerContext ctx, ExactFrameDecoder from, ExactFrameDecoder to) {
                    ctx.pipeline().addAfter(ctx.pipeline().context(from).name(), null, to);
                    ctx.pipeline().remove(from);
                }
            };

            abstract void upgrade(ChannelHandlerContext ctx, ExactFrameDecoder from, ExactFrameDecoder to);
        }

        static Stream<Arguments> upgrades() {
            return Stream.of(FrameCodec.values())
                    .flatMap(from -> Stream.of(FrameCodec.values())
                            .flatMap(to -> Stream.of(Way.values()).map(way -> Arguments.of(from, to, way))));
        }

        @ParameterizedTest(name = "{0} to {1} by {2}")
        @MethodSource("upgrades")
        void noByteIsLostOrDoubledWhereverTheStreamIsCut(FrameCodec from, FrameCodec to, Way way) {
            String wire = from.wire("aaaa", "bbbb") + to.wire("cccc", "dddd");
            for (int cut = 0; cut <= wire.length(); cut++) {
                Probe probe = new Probe();
                ExactFrameDecoder old = from.decoder();
                probe.onRead(2, ctx -> way.upgrade(ctx, old, to.decoder()));
                EmbeddedChannel channel = new EmbeddedChannel(old, probe);
                receive(channel, wire.substring(0, cut));
                receive(channel, wire.substring(cut));
                assertThat(channel.finish()).isFalse();
                assertThat(probe.log().stream().filter(line -> !line.equals("[complete]")))
                        .as("cut at %d", cut)
                        .containsExactly(
                                from.delivered("aaaa"),
                                from.delivered("bbbb"),
                                to.delivered("cccc"),
                                to.delivered("dddd"),
                                "[inactive]");
            }
        }

        @ParameterizedTest
        @EnumSource
        void betweenReadsAPartialFrameGoesToTheSuccessor(Way way) {
            ExactFrameDecoder old = new LengthPrefixedExactDecoder(16, LengthPrefix.uint16());
            EmbeddedChannel channel = new EmbeddedChannel(old, probe);
            receive(channel, "\0\4aaaa\0\4b");
            way.upgrade(channel.pipeline().context(probe), old, new FixedLengthExactDecoder(2));
            receive(channel, "b");
            assertThat(channel.finish()).isFalse();
            assertThat(probe.log())
                    .containsExactly("aaaa", "[complete]", "\0\4", "[complete]", "bb", "[complete]", "[inactive]");
        }

        @Test
        void aSuccessorThatIsReplacedAtItsFirstFrameHandsOnAsWell() {
            ExactFrameDecoder first = new FixedLengthExactDecoder(4);
            ExactFrameDecoder second = new LengthPrefixedExactDecoder(16, LengthPrefix.uint8());
            probe.onRead(1, ctx -> ctx.pipeline().replace(first, null, second));
            probe.onRead(2, ctx -> ctx.pipeline().replace(second, null, new FixedLengthExactDecoder(3)));
            EmbeddedChannel channel = new EmbeddedChannel(first, probe);
            receive(channel, "aaaa\2bbccc\1dd");
            assertThat(channel.finish()).isFalse();
            assertThat(probe.log().stream().filter(line -> !line.equals("[complete]")))
                    .containsExactly("aaaa", "bb", "ccc", "\1dd", "[inactive]");
        }

        @ParameterizedTest
        @EnumSource // 19
        void bytesThatWaitAreNotOvertakenByThoseThatTheSuccessorsFrameBrings(Way way) {
            ExactFrameDecoder old = new FixedLengthExactDecoder(4);
            probe.onRead(1, ctx -> {
                reenter(ctx, "cc");
                ctx.pipeline().fireChannelReadComplete();
                ctx.pipeline().fireUserEventTriggered("event");
                reenter(ctx, "ddee");
                ctx.pipeline().fireChannelReadComplete();
                way.upgrade(ctx, old, new FixedLengthExactDecoder(2));
            });
            probe.onRead(2, ctx -> reenter(ctx, "ff"));
            EmbeddedChannel channel = new EmbeddedChannel(old, probe);
            receive(channel, "aaaabb");
            assertThat(channel.finish()).isFalse();
            assertThat(probe.log().stream().filter(line -> !line.startsWith("[")))
                    .containsExactly("aaaa", "bb", "cc", "dd", "ee", "ff");
            assertThat(probe.log()).containsOnlyOnce("[event String]").containsOnlyOnce("[inactive]");
        }

        @Test
        void aSuccessorAddedAfterTheRemovalIsBypassed() {
            ExactFrameDecoder old = new FixedLengthExactDecoder(4);
            probe.onRead(1, ctx -> {
                ctx.pipeline().remove(old);
                ctx.pipeline().addBefore(ctx.name(), null, new FixedLengthExactDecoder(2));
            });
            EmbeddedChannel channel = new EmbeddedChannel(old, probe);
            receive(channel, "aaaabbcc");
            receive(channel, "ddee");
            assertThat(channel.finish()).isFalse();
            List<String> bytes =
                    probe.log().stream().filter(line -> !line.equals("[complete]")).toList();
            assertThat(bytes).containsExactly("aaaa", "bbcc", "dd", "ee", "[inactive]");
        }
    }
}
