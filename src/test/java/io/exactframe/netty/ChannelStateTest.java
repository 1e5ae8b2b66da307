package io.exactframe.netty;

import static io.exactframe.netty.testing.Probe.bytes;
import static io.exactframe.netty.testing.Probe.receive;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import io.exactframe.netty.testing.FrameCodec;
import io.exactframe.netty.testing.Loopback;
import io.exactframe.netty.testing.Probe;
import io.exactframe.netty.testing.Loopback.Transport;
import io.exactframe.netty.testing.Wire;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandler.Sharable;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelPipelineException;
import io.netty.channel.EventLoop;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.util.concurrent.DefaultEventExecutorGroup;
import io.netty.util.concurrent.EventExecutorGroup;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** 23 to 25: a channel in any state, and an event loop that changes. */
class ChannelStateTest {
    /** Where and when a decoder may be added. */
    @Nested
    class Added {
        private final Probe probe = new Probe();

        @ParameterizedTest
        @EnumSource // 23
        void anInstanceIsAddedOnce(FrameCodec codec) {
            ExactFrameDecoder decoder = codec.decoder();
            EmbeddedChannel channel = new EmbeddedChannel(decoder, probe);
            EmbeddedChannel other = new EmbeddedChannel();
            assertThatExceptionOfType(ChannelPipelineException.class)
                    .isThrownBy(() -> channel.pipeline().addLast(decoder));
            assertThatExceptionOfType(ChannelPipelineException.class)
                    .isThrownBy(() -> other.pipeline().addLast(decoder));
            channel.pipeline().remove(decoder);
            assertThatExceptionOfType(ChannelPipelineException.class)
                    .isThrownBy(() -> other.pipeline().addLast(decoder));
            channel.finish();
            other.finish();
        }

        @Sharable
        private static final class SharedFixed extends FixedLengthExactDecoder {
            SharedFixed() {
                super(4);
            }
        }

        @Sharable
        private static final class SharedPrefixed extends LengthPrefixedExactDecoder {
            SharedPrefixed() {
                super(16, LengthPrefix.uint16());
            }
        }

        @Sharable
        private static final class SharedOwn extends ExactFrameDecoder {
            SharedOwn() {
                super(1, 16);
            }

            @Override
            protected long frameLength(ByteBuf header) {
                return 1;
            }
        }

        @Test // 23
        void aSharableSubclassIsRefused() {
            assertThatIllegalStateException().isThrownBy(SharedFixed::new);
            assertThatIllegalStateException().isThrownBy(SharedPrefixed::new);
            assertThatIllegalStateException().isThrownBy(SharedOwn::new);
        }

        @ParameterizedTest
        @EnumSource // 24
        void addedToAnActiveChannelItCutsFromThereOn(FrameCodec codec) {
            EmbeddedChannel channel = new EmbeddedChannel(probe);
            receive(channel, "before");
            channel.pipeline().addFirst(codec.decoder());
            receive(channel, codec.wire("aaaa") + "x");
            Wire.finishByPeer(channel);
            assertThat(probe.log())
                    .containsExactly(
                            "before",
                            "[complete]",
                            codec.delivered("aaaa"),
                            "[complete]",
                            codec.truncated(1),
                            "[inactive]");
        }

        @ParameterizedTest
        @EnumSource // 24
        void addedToAChannelThatIsNotRegisteredItWorksFromItsFirstByte(FrameCodec codec) throws Exception {
            EmbeddedChannel channel = new EmbeddedChannel(false, false);
            channel.pipeline().addLast(codec.decoder(), probe);
            assertThat(channel.isRegistered()).isFalse();
            channel.register();
            receive(channel, codec.wire("aaaa"));
            channel.finish();
            assertThat(probe.log()).containsExactly(codec.delivered("aaaa"), "[complete]", "[inactive]");
        }

        @ParameterizedTest
        @EnumSource // 24
        void addedToAClosedChannelItDoesNothing(FrameCodec codec) {
            EmbeddedChannel channel = new EmbeddedChannel();
            channel.finish();
            ExactFrameDecoder decoder = codec.decoder();
            channel.pipeline().addLast(decoder, probe);
            channel.runPendingTasks();
            assertThat(probe.log()).isEmpty();
            channel.pipeline().fireChannelRead(bytes(channel, codec.wire("aaaa") + "x"));
            channel.pipeline().remove(decoder);
            assertThat(probe.log()).containsExactly(codec.delivered("aaaa"), "x", "[complete]");
        }
    }

    /**
     * 25: an executor of its own, and an event loop that changes. Over a real socket. What was noted is looked at before any
     * of the event loops is shut down, when Netty may report more.
     */
    @Nested
    class Moved {
        private static final String[] PAYLOADS =
                IntStream.range(0, 500).mapToObj(i -> String.format("%04d", i)).toArray(String[]::new);

        private final EventExecutorGroup executors = new DefaultEventExecutorGroup(1);
        private final Probe probe = new Probe();

        @AfterEach
        void shutDown() throws InterruptedException {
            assertThat(executors.shutdownGracefully(0, 10, TimeUnit.SECONDS).await(30, TimeUnit.SECONDS))
                    .isTrue();
        }

        private List<String> logWithoutCompletes() {
            return probe.log().stream().filter(line -> !line.equals("[complete]")).toList();
        }

        private static void sendInPieces(Loopback loopback, String stream) throws Exception {
            for (int i = 0; i < stream.length(); i += 17) {
                loopback.send(stream.substring(i, Math.min(stream.length(), i + 17)));
            }
        }

        @ParameterizedTest
        @EnumSource
        void onAnExecutorOfItsOwnItDecodesThereAndInOrder(FrameCodec codec) throws Exception {
            List<Boolean> onExecutor = new ArrayList<>();
            ExactFrameDecoder decoder = codec.decoder(ctx -> onExecutor.add(ctx.executor().inEventLoop()));
            try (Loopback loopback = new Loopback(Transport.nio(), false, channel -> channel.pipeline().addLast(executors, decoder).addLast(executors, probe))) {
                sendInPieces(loopback, codec.wire(PAYLOADS) + "x");
                loopback.peer.shutdownOutput();
                assertThat(probe.inactive.await(30, TimeUnit.SECONDS)).isTrue();
                List<String> expected = new ArrayList<>(List.of(codec.delivered(PAYLOADS)));
                expected.add(codec.truncated(1));
                expected.add("[inactive]");
                assertThat(logWithoutCompletes()).isEqualTo(expected);
            }
            assertThat(onExecutor).hasSize(PAYLOADS.length).doesNotContain(false);
        }

        @ParameterizedTest
        @EnumSource
        void itsFramesMayBeHandledByAnotherThread(FrameCodec codec) throws Exception {
            try (Loopback loopback = new Loopback(Transport.nio(), false, channel -> channel.pipeline().addLast(codec.decoder()).addLast(executors, probe))) {
                sendInPieces(loopback, codec.wire(PAYLOADS) + "x");
                loopback.peer.shutdownOutput();
                assertThat(probe.inactive.await(30, TimeUnit.SECONDS)).isTrue();
                List<String> expected = new ArrayList<>(List.of(codec.delivered(PAYLOADS)));
                expected.add(codec.truncated(1));
                expected.add("[inactive]");
                assertThat(logWithoutCompletes()).isEqualTo(expected);
            }
        }

        @ParameterizedTest
        @EnumSource
        void onAnExecutorOfItsOwnItIsClosedReplacedAndRemovedAlike(FrameCodec codec) throws Exception {
            ExactFrameDecoder first = codec.decoder();
            ExactFrameDecoder second = codec.decoder();
            probe.onRead(100, ctx -> ctx.pipeline().replace(first, null, second));
            probe.onRead(300, ctx -> ctx.close());
            try (Loopback loopback = new Loopback(Transport.nio(), false, channel -> channel.pipeline().addLast(executors, first).addLast(executors, probe))) {
                sendInPieces(loopback, codec.wire(PAYLOADS).substring(0, 300 * codec.frameLength));
                assertThat(probe.inactive.await(30, TimeUnit.SECONDS)).isTrue();
                List<String> expected = new ArrayList<>(List.of(codec.delivered(PAYLOADS)).subList(0, 300));
                expected.add("[inactive]");
                assertThat(logWithoutCompletes()).isEqualTo(expected);
            }
        }

        @ParameterizedTest
        @EnumSource
        void inAFrameTheChannelMayMoveToAnotherEventLoop(FrameCodec codec) throws Exception {
            Semaphore seen = new Semaphore(0);
            String wire = codec.wire("aaaa", "bbbb", "cccc", "dddd");
            try (Loopback loopback = new Loopback(Transport.nio(), false, channel -> channel.pipeline().addLast(new ChannelInboundHandlerAdapter() {
                        @Override
                        public void channelReadComplete(ChannelHandlerContext ctx) {
                            ctx.fireChannelReadComplete();
                            seen.release();
                        }
                    }, codec.decoder(), probe))) {
                for (int sent = 0; sent < wire.length(); sent += codec.frameLength - 1) {
                    loopback.send(wire.substring(sent, Math.min(wire.length(), sent + codec.frameLength - 1)));
                    assertThat(seen.tryAcquire(30, TimeUnit.SECONDS)).isTrue();
                    move(loopback);
                }
                loopback.send(wire.substring(0, 1));
                assertThat(seen.tryAcquire(30, TimeUnit.SECONDS)).isTrue();
                move(loopback);
                loopback.peer.shutdownOutput();
                assertThat(probe.inactive.await(30, TimeUnit.SECONDS)).isTrue();
                List<String> expected = new ArrayList<>(List.of(codec.delivered("aaaa", "bbbb", "cccc", "dddd")));
                expected.add(codec.truncated(1));
                expected.add("[inactive]");
                assertThat(logWithoutCompletes()).isEqualTo(expected);
            }
        }

        private static void move(Loopback loopback) throws InterruptedException {
            Channel channel = loopback.channel;
            EventLoop from = channel.eventLoop();
            EventLoop to = loopback.group.next();
            while (to == from) {
                to = loopback.group.next();
            }
            assertThat(channel.deregister().await(30, TimeUnit.SECONDS)).isTrue();
            assertThat(to.register(channel).await(30, TimeUnit.SECONDS)).isTrue();
            assertThat(channel.eventLoop()).isSameAs(to);
        }
    }
}
