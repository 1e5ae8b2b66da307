package io.exactframe.netty;

import static io.exactframe.netty.testing.Probe.bytes;
import static io.exactframe.netty.testing.Probe.receive;
import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.exactframe.netty.testing.FrameCodec;
import io.exactframe.netty.testing.Loopback;
import io.exactframe.netty.testing.Probe;
import io.exactframe.netty.testing.StreamProbe;
import io.exactframe.netty.testing.Loopback.Transport;
import io.exactframe.netty.testing.Wire;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandler;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOutboundBuffer;
import io.netty.channel.ChannelOutboundHandlerAdapter;
import io.netty.channel.ChannelPromise;
import io.netty.channel.DefaultChannelId;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.util.concurrent.Future;
import java.io.IOException;
import java.lang.reflect.Field;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** 33 to 40: the stream ends. */
class EndOfStreamTest {
    /** 33 to 38, 40: the stream ends. */
    @Nested
    class Embedded {
        private static final String[] PAYLOADS = {"aaaa", "bbbb", "cccc"};

        private final Probe probe = new Probe();

        /** What is written down for a stream of three frames of which so many bytes came. */
        private static List<String> framesOf(FrameCodec codec, int received) {
            return new ArrayList<>(List.of(codec.delivered(PAYLOADS)).subList(0, received / codec.frameLength));
        }

        @ParameterizedTest
        @EnumSource // 33, 34, 35, 36, 37
        void closedAtAnyByteItSaysHowFarTheFrameGot(FrameCodec codec) {
            String wire = codec.wire(PAYLOADS);
            for (int received = 0; received <= wire.length(); received++) {
                for (int cut = 0; cut <= received; cut++) {
                    EmbeddedChannel channel = new EmbeddedChannel(codec.decoder(), probe);
                    channel.writeInbound(
                            bytes(channel, wire.substring(0, cut)), bytes(channel, wire.substring(cut, received)));
                    assertThat(Wire.finishByPeer(channel)).isFalse();

                    List<String> expected = framesOf(codec, received);
                    expected.add("[complete]");
                    int partial = received % codec.frameLength;
                    if (partial != 0) {
                        expected.add(codec.truncated(partial));
                    }
                    expected.add("[inactive]");
                    assertThat(probe.drain()).as("%d bytes, cut at %d", received, cut).isEqualTo(expected);
                }
            }
        }

        @ParameterizedTest
        @EnumSource // 33, 34
        void anEndFromInsideADeliveryWaitsForWhatIsThere(FrameCodec codec) {
            EmbeddedChannel channel = new EmbeddedChannel(codec.decoder(), probe);
            probe.onRead(1, ctx -> ctx.pipeline().fireChannelInactive());
            receive(channel, codec.wire("aaaa", "bbbb") + codec.wire("cccc").charAt(0));
            List<String> expected = new ArrayList<>(List.of(codec.delivered("aaaa", "bbbb")));
            expected.addAll(List.of(codec.truncated(1), "[inactive]", "[complete]"));
            assertThat(probe.drain()).isEqualTo(expected);
            channel.finish();
        }

        @ParameterizedTest
        @EnumSource // 34
        void anEndFromInsideTheReadThatGoesOnIsToldAtOnce(FrameCodec codec) {
            EmbeddedChannel channel = new EmbeddedChannel(codec.decoder(), probe);
            channel.config().setAutoRead(false);
            channel.pipeline().addFirst(new ChannelOutboundHandlerAdapter() {
                @Override
                public void read(ChannelHandlerContext ctx) {
                    ctx.close();
                    channel.runPendingTasks(); // and with it the end is told, and the pipeline taken apart
                }
            });
            receive(channel, codec.wire("aaaa").substring(0, 1));
            assertThat(probe.drain()).containsExactly(codec.truncated(1), "[inactive]");
            channel.finish();
        }

        @ParameterizedTest
        @EnumSource // 33, 34
        void anEndBehindBytesFromInsideThatReadWaitsForThem(FrameCodec codec) {
            EmbeddedChannel channel = new EmbeddedChannel(codec.decoder(), probe);
            String wire = codec.wire("aaaa");
            channel.config().setAutoRead(false);
            channel.pipeline().addFirst(new ChannelOutboundHandlerAdapter() {
                @Override
                public void read(ChannelHandlerContext ctx) {
                    ctx.fireChannelRead(bytes(channel, wire.substring(1)));
                    ctx.fireChannelInactive();
                }
            });
            receive(channel, wire.substring(0, 1));
            assertThat(probe.drain()).startsWith(codec.delivered("aaaa")).contains("[inactive]");
            assertThat(probe.exceptions).isEmpty();
            channel.finish();
        }

        @ParameterizedTest
        @EnumSource // 34, 38
        void halfClosedAndThenClosedItSaysSoOnce(FrameCodec codec) {
            String wire = codec.wire(PAYLOADS);
            for (int received = 0; received <= wire.length(); received++) {
                ExactFrameDecoder decoder = codec.decoder();
                EmbeddedChannel channel = new EmbeddedChannel(decoder, probe);
                receive(channel, wire.substring(0, received));
                assertThat(decoder.hasEnded()).isFalse();
                channel.pipeline().fireUserEventTriggered(ChannelInputShutdownEvent.INSTANCE);
                assertThat(decoder.hasEnded()).isTrue();
                channel.writeOutbound(bytes(channel, "still possible"));
                assertThat(channel.releaseOutbound()).isTrue();
                channel.pipeline().fireUserEventTriggered(ChannelInputShutdownEvent.INSTANCE);
                assertThat(channel.finish()).isFalse();

                List<String> expected = framesOf(codec, received);
                expected.add("[complete]");
                int partial = received % codec.frameLength;
                if (partial != 0) {
                    expected.add(codec.truncated(partial));
                }
                expected.addAll(
                        List.of("[event ChannelInputShutdownEvent]", "[event ChannelInputShutdownEvent]", "[inactive]"));
                assertThat(probe.drain()).as("%d bytes", received).isEqualTo(expected);
            }
        }

        @ParameterizedTest
        @EnumSource // 38
        void whatComesBehindTheEndOfInputIsReleased(FrameCodec codec) {
            EmbeddedChannel channel = new EmbeddedChannel(codec.decoder(), probe);
            channel.pipeline().fireUserEventTriggered(ChannelInputShutdownEvent.INSTANCE);
            receive(channel, codec.wire("aaaa") + "x");
            assertThat(channel.finish()).isFalse();
            assertThat(probe.log()).containsExactly("[event ChannelInputShutdownEvent]", "[complete]", "[inactive]");
        }

        @Test // 60: best effort, and none costs the exception
        void aChannelThatCannotTellWhoseEndItWas() {
            EmbeddedChannel channel = new EmbeddedChannel(new FixedLengthExactDecoder(4), probe) {
                @Override
                public Channel.Unsafe unsafe() {
                    if (isOpen()) {
                        return super.unsafe();
                    }
                    throw new UnsupportedOperationException();
                }
            };
            receive(channel, "a");
            probe.drain();
            Channel.Unsafe unsafe = channel.unsafe();
            unsafe.close(channel.voidPromise());
            channel.runPendingTasks();
            assertThat(probe.drain())
                    .containsExactly("[PrematureCloseException: stream ended after 1 of 4 bytes]", "[inactive]");
        }

        @Test // 37
        void nothingEverArrived() {
            ExactFrameDecoder decoder = new FixedLengthExactDecoder(4);
            EmbeddedChannel channel = new EmbeddedChannel(decoder, probe);
            assertThat(channel.finish()).isFalse();
            assertThat(probe.log()).containsExactly("[inactive]");
            assertThat(decoder.hasEnded()).isTrue();
        }

        @ParameterizedTest(name = "{0} bytes of header, 400 of payload")
        @CsvSource(
                delimiter = '|',
                value = {
                    "1 | stream ended after 1 of 2 header bytes | 2 | 1 | true",
                    "2 | stream ended after 2 of 402 bytes | 402 | 2 | false",
                    "3 | stream ended after 3 of 402 bytes | 402 | 3 | false",
                    "401 | stream ended after 401 of 402 bytes | 402 | 401 | false",
                }) // 35
        void theCountsAreThoseOfTheHeaderUntilItIsComplete(
                int received, String message, long expectedBytes, long receivedBytes, boolean inHeader) {
            ByteBuf stream = Unpooled.buffer();
            LengthPrefix.varint32().writeLength(stream, 400);
            stream.writeZero(400);
            for (boolean dripped : new boolean[] {false, true}) {
                EmbeddedChannel channel =
                        new EmbeddedChannel(new LengthPrefixedExactDecoder(1024, LengthPrefix.varint32()));
                for (int i = 0; i < received; i += dripped ? 1 : received) {
                    channel.writeInbound(channel.alloc().buffer().writeBytes(stream, i, dripped ? 1 : received));
                }
                assertThatExceptionOfType(PrematureCloseException.class)
                        .isThrownBy(() -> Wire.finishByPeer(channel))
                        .withMessage(message)
                        .withNoCause()
                        .satisfies(e -> assertThat(e.expectedBytes()).isEqualTo(expectedBytes))
                        .satisfies(e -> assertThat(e.receivedBytes()).isEqualTo(receivedBytes))
                        .satisfies(e -> assertThat(e.inHeader()).isEqualTo(inHeader))
                        .satisfies(e -> assertThat(e.getSuppressed()).isEmpty());
            }
        }

        /** Who ended the input, and how. */
        private enum End {
            PEER_CLOSED(false),
            PEER_SHUT_ITS_OUTPUT(false),
            PEER_FIRST_THEN_CLOSED_HERE(false),
            CLOSED_HERE(true),
            DISCONNECTED_HERE(true),
            CLOSED_BY_A_HANDLER_BEHIND(true),
            CLOSED_HERE_SLOWLY_THEN_SHUT_BY_THE_PEER(true),
            WRITE_FAILED(true);

            final boolean isLocal;

            End(boolean isLocal) {
                this.isLocal = isLocal;
            }

            void of(EmbeddedChannel channel) {
                switch (this) {
                    case PEER_CLOSED -> Wire.peerCloses(channel);
                    case PEER_SHUT_ITS_OUTPUT, PEER_FIRST_THEN_CLOSED_HERE ->
                        channel.pipeline().fireUserEventTriggered(ChannelInputShutdownEvent.INSTANCE);
                    case CLOSED_HERE -> channel.close();
                    case DISCONNECTED_HERE -> channel.disconnect();
                    case CLOSED_BY_A_HANDLER_BEHIND -> channel.pipeline().lastContext().close();
                    case CLOSED_HERE_SLOWLY_THEN_SHUT_BY_THE_PEER -> {
                        channel.pipeline().addFirst(new ChannelOutboundHandlerAdapter() {
                            @Override
                            public void close(ChannelHandlerContext ctx, ChannelPromise promise) {}
                        });
                        channel.close();
                        channel.pipeline().removeFirst();
                        channel.pipeline().fireUserEventTriggered(ChannelInputShutdownEvent.INSTANCE);
                    }
                    case WRITE_FAILED -> {
                        channel.writeAndFlush(bytes(channel, "x"));
                        channel.runPendingTasks();
                    }
                }
                channel.close();
            }
        }

        /** A channel that can be disconnected, and to which nothing can be written. */
        private static EmbeddedChannel broken(ChannelHandler... handlers) {
            return new EmbeddedChannel(DefaultChannelId.newInstance(), true, handlers) {
                @Override
                protected void doWrite(ChannelOutboundBuffer in) throws Exception {
                    throw new IOException("broken");
                }
            };
        }

        @ParameterizedTest
        @EnumSource // 60
        void aCloseOfOurOwnIsToldFromThePeersEnd(End end) {
            String message = "stream ended after 3 of 4 bytes" + (end.isLocal ? ", closed on this side" : "");
            for (FrameCodec codec : FrameCodec.values()) {
                Probe probe = new Probe();
                EmbeddedChannel channel = broken(codec.decoder(), probe);
                receive(channel, codec.wire("aaaa", "bbbb").substring(0, codec.frameLength + 3));
                end.of(channel);
                assertThat(probe.exceptions).singleElement().isInstanceOfSatisfying(PrematureCloseException.class, e -> {
                    assertThat(e.closedLocally()).isEqualTo(end.isLocal);
                    assertThat(e).hasMessage(message.replace("4", "" + codec.frameLength));
                });
                assertThat(probe.log()).endsWith("[inactive]");
            }
            StreamProbe parts = new StreamProbe();
            EmbeddedChannel stream = broken(new FrameStreamDecoder(9, LengthPrefix.uint8()), parts);
            parts.receive(stream, "\3ab");
            end.of(stream);
            assertThat(parts.faults).singleElement().asString().endsWith(message);

            ExactReceiver receiver = new ExactReceiver();
            Probe behind = new Probe();
            EmbeddedChannel receiving = broken(receiver, behind);
            Future<ByteBuf> receive = receiver.receive(4);
            receive(receiving, "abc");
            end.of(receiving);
            assertThat(receive.cause()).hasMessage(message);
            assertThat(behind.exceptions).singleElement().isSameAs(receive.cause());
        }

        @Test // 33, 4
        void behindAnEmptyFrameIsABoundary() {
            EmbeddedChannel channel =
                    new EmbeddedChannel(new LengthPrefixedExactDecoder(16, LengthPrefix.uint16()), probe);
            receive(channel, "\0");
            receive(channel, "\0");
            assertThat(channel.finish()).isFalse();
            assertThat(probe.log()).containsExactly("[complete]", "", "[complete]", "[inactive]");
        }

        static Stream<LengthPrefix> largePrefixes() {
            return Stream.of(LengthPrefix.uint32(), LengthPrefix.uint32().keepHeader());
        }

        /** 40: of one piece, of several, of a header alone. */
        @ParameterizedTest
        @MethodSource("largePrefixes")
        void thePartialFrameIsReleasedBeforeAnybodyIsTold(LengthPrefix prefix) {
            for (ReceiveOptions options : List.of(
                    ReceiveOptions.defaults(), ReceiveOptions.defaults().contiguous())) {
                for (int length : new int[] {1, 4, 5, 100, 60_000, 70_000, 150_000}) {
                    for (int size : new int[] {1_000, 16_384, 65_536}) {
                        EmbeddedChannel channel = new EmbeddedChannel(
                                new LengthPrefixedExactDecoder(1 << 20, prefix, options), probe);
                        List<ByteBuf> fragments = new ArrayList<>();
                        probe.onException(ctx -> fragments.stream()
                                .filter(fragment -> fragment.refCnt() != 0)
                                .forEach(fragment -> probe.note("[held: " + fragment + "]")));
                        byte[] stream = new byte[length];
                        if (length >= 4) {
                            Unpooled.wrappedBuffer(stream).setInt(0, length < 50_000 ? 50_000 : 200_000);
                        }
                        for (int i = 0; i < length; i += size) {
                            int count = Math.min(size, length - i);
                            ByteBuf fragment = channel.alloc().buffer(count).writeBytes(stream, i, count);
                            fragments.add(fragment);
                            channel.writeInbound(fragment);
                        }
                        assertThat(Wire.finishByPeer(channel)).isFalse();
                        List<String> log = new ArrayList<>(probe.drain());
                        log.removeIf(line -> line.equals("[complete]"));
                        assertThat(log).hasSize(2);
                        assertThat(log.get(0))
                                .startsWith("[PrematureCloseException: stream ended after " + length + " of ");
                        assertThat(log.get(1)).isEqualTo("[inactive]");
                    }
                }
            }
        }

        @Test // 40
        void noBufferIsReachableFromTheException() {
            for (Class<?> type = PrematureCloseException.class; type != Exception.class; type = type.getSuperclass()) {
                for (Field field : type.getDeclaredFields()) {
                    assertThat(field.getType().isPrimitive()).as(field.toString()).isTrue();
                }
            }
        }
    }

    /** 34, 38, 39 over a real socket. */
    @Nested
    class OnASocket {
        private final Probe probe = new Probe();
        private final Semaphore bytesSeen = new Semaphore(0);

        private Loopback loopback(FrameCodec codec, boolean allowHalfClosure) throws Exception {
            return new Loopback(Transport.nio(), allowHalfClosure,
                    channel -> channel.pipeline().addLast(new ChannelInboundHandlerAdapter() {
                        @Override
                        public void channelRead(ChannelHandlerContext ctx, Object message) {
                            int count = ((ByteBuf) message).readableBytes();
                            ctx.fireChannelRead(message);
                            bytesSeen.release(count);
                        }
                    }, codec.decoder(), probe));
        }

        private List<String> logWithoutCompletes() {
            return probe.log().stream().filter(line -> !line.equals("[complete]")).toList();
        }

        @ParameterizedTest
        @EnumSource // 33, 34
        void finInsideAFrame(FrameCodec codec) throws Exception {
            try (Loopback loopback = loopback(codec, false)) {
                loopback.send(codec.wire("aaaa", "bbbb").substring(0, codec.frameLength + 3));
                loopback.peer.close();
                assertThat(probe.inactive.await(30, TimeUnit.SECONDS)).isTrue();
            }
            assertThat(logWithoutCompletes()).containsExactly(codec.delivered("aaaa"), codec.truncated(3), "[inactive]");
        }

        @ParameterizedTest
        @EnumSource // 37
        void finOnABoundary(FrameCodec codec) throws Exception {
            try (Loopback loopback = loopback(codec, false)) {
                loopback.send(codec.wire("aaaa", "bbbb"));
                loopback.peer.close();
                assertThat(probe.inactive.await(30, TimeUnit.SECONDS)).isTrue();
            }
            assertThat(logWithoutCompletes())
                    .containsExactly(codec.delivered("aaaa"), codec.delivered("bbbb"), "[inactive]");
        }

        @ParameterizedTest
        @EnumSource // 38
        void halfClosedByThePeerWritingStaysPossible(FrameCodec codec) throws Exception {
            boolean[] answered = {false};
            probe.onEvent(ctx -> {
                if (!answered[0]) {
                    answered[0] = true;
                    ctx.writeAndFlush(bytes(ctx.channel(), "reply"));
                }
            });
            try (Loopback loopback = loopback(codec, true)) {
                loopback.send(codec.wire("aaaa", "bbbb").substring(0, codec.frameLength + 1));
                loopback.peer.shutdownOutput();
                assertThat(new String(loopback.peer.socket().getInputStream().readNBytes(5), ISO_8859_1)).isEqualTo("reply");
                assertThat(loopback.channel.isActive()).isTrue();
                loopback.channel.close();
                assertThat(probe.inactive.await(30, TimeUnit.SECONDS)).isTrue();
            }
            List<String> log = logWithoutCompletes();
            assertThat(log.subList(0, 3))
                    .containsExactly(
                            codec.delivered("aaaa"), codec.truncated(1), "[event ChannelInputShutdownEvent]");
            assertThat(log.get(log.size() - 1)).isEqualTo("[inactive]");
            assertThat(probe.exceptions).hasSize(1);
        }

        @ParameterizedTest
        @EnumSource // 39
        void rstInsideAFrameIsAnIoExceptionAndThenAPrematureClose(FrameCodec codec) throws Exception {
            for (boolean allowHalfClosure : new boolean[] {false, true}) {
                probe.drain();
                probe.exceptions.clear();
                try (Loopback loopback = loopback(codec, allowHalfClosure)) {
                    int sent = codec.frameLength + 3;
                    loopback.send(codec.wire("aaaa", "bbbb").substring(0, sent));
                    assertThat(bytesSeen.tryAcquire(sent, 30, TimeUnit.SECONDS)).isTrue();
                    loopback.reset();
                    probe.awaitException(2);
                }
                assertThat(probe.exceptions).hasSize(2);
                assertThat(probe.exceptions.get(0)).isInstanceOf(IOException.class);
                assertThat(probe.exceptions.get(1)).isInstanceOf(PrematureCloseException.class);
                List<String> log = logWithoutCompletes();
                assertThat(log.get(0)).isEqualTo(codec.delivered("aaaa"));
                assertThat(log).contains(codec.truncated(3)).containsOnlyOnce("[inactive]");
                assertThat(log.get(log.size() - 1)).isEqualTo("[inactive]");
            }
        }
    }
}
