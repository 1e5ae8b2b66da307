package io.exactframe.netty;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.EventLoop;
import io.netty.util.concurrent.DefaultEventExecutorGroup;
import io.netty.util.concurrent.EventExecutorGroup;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * 25: an executor of its own, and an event loop that changes. Over a real socket. What was noted is looked at before any
 * of the event loops is shut down, when Netty may report more.
 */
class PipelineExecutorTest {
    private static final String[] PAYLOADS =
            IntStream.range(0, 500).mapToObj(i -> String.format("%04d", i)).toArray(String[]::new);

    private final EventExecutorGroup executors = new DefaultEventExecutorGroup(1);
    private final PipelineProbe probe = new PipelineProbe();

    @AfterEach
    void shutDown() throws InterruptedException {
        assertThat(executors.shutdownGracefully(0, 10, TimeUnit.SECONDS).await(30, TimeUnit.SECONDS))
                .isTrue();
    }

    private List<String> logWithoutCompletes() {
        return probe.log().stream().filter(line -> !line.equals("[complete]")).toList();
    }

    private static void sendInPieces(PipelineLoopback loopback, String stream) throws Exception {
        for (int i = 0; i < stream.length(); i += 17) {
            loopback.send(stream.substring(i, Math.min(stream.length(), i + 17)));
        }
    }

    @ParameterizedTest
    @EnumSource
    void onAnExecutorOfItsOwnItDecodesThereAndInOrder(PipelineCodec codec) throws Exception {
        List<Boolean> onExecutor = new ArrayList<>();
        ExactFrameDecoder decoder = codec.decoder(ctx -> onExecutor.add(ctx.executor().inEventLoop()));
        try (PipelineLoopback loopback = new PipelineLoopback(
                false, channel -> channel.pipeline().addLast(executors, decoder).addLast(executors, probe))) {
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
    void itsFramesMayBeHandledByAnotherThread(PipelineCodec codec) throws Exception {
        try (PipelineLoopback loopback = new PipelineLoopback(
                false, channel -> channel.pipeline().addLast(codec.decoder()).addLast(executors, probe))) {
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
    void onAnExecutorOfItsOwnItIsClosedReplacedAndRemovedAlike(PipelineCodec codec) throws Exception {
        ExactFrameDecoder first = codec.decoder();
        ExactFrameDecoder second = codec.decoder();
        probe.onRead(100, ctx -> ctx.pipeline().replace(first, null, second));
        probe.onRead(300, ctx -> ctx.close());
        try (PipelineLoopback loopback = new PipelineLoopback(
                false, channel -> channel.pipeline().addLast(executors, first).addLast(executors, probe))) {
            sendInPieces(loopback, codec.wire(PAYLOADS).substring(0, 300 * codec.frameLength));
            assertThat(probe.inactive.await(30, TimeUnit.SECONDS)).isTrue();
            List<String> expected = new ArrayList<>(List.of(codec.delivered(PAYLOADS)).subList(0, 300));
            expected.add("[inactive]");
            assertThat(logWithoutCompletes()).isEqualTo(expected);
        }
    }

    @ParameterizedTest
    @EnumSource
    void inAFrameTheChannelMayMoveToAnotherEventLoop(PipelineCodec codec) throws Exception {
        Semaphore seen = new Semaphore(0);
        String wire = codec.wire("aaaa", "bbbb", "cccc", "dddd");
        try (PipelineLoopback loopback = new PipelineLoopback(
                false, channel -> channel.pipeline().addLast(new ChannelInboundHandlerAdapter() {
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

    private static void move(PipelineLoopback loopback) throws InterruptedException {
        Channel channel = loopback.channel;
        EventLoop from = channel.eventLoop();
        EventLoop to = loopback.loops.next();
        while (to == from) {
            to = loopback.loops.next();
        }
        assertThat(channel.deregister().await(30, TimeUnit.SECONDS)).isTrue();
        assertThat(to.register(channel).await(30, TimeUnit.SECONDS)).isTrue();
        assertThat(channel.eventLoop()).isSameAs(to);
    }
}
