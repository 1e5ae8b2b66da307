package io.exactframe.examples.pipeline;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.concurrent.TimeUnit.MILLISECONDS;
import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.exactframe.netty.PrematureCloseException;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.channel.socket.SocketChannel;
import io.netty.util.LeakPresenceDetector;
import java.nio.channels.ClosedChannelException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class TelemetryTest {
    private static final List<Reading> READINGS =
            List.of(new Reading(7, 1_000, 20), new Reading(0xFFFF_FFFFL, -1, 22), new Reading(7, 3_000, 0.5f));
    private static final List<String> REPLIES = List.of(
            "sensor 7: 20.0, highest of 1: 20.0",
            "sensor 4294967295: 22.0, highest of 2: 22.0",
            "sensor 7: 0.5, highest of 3: 22.0");

    private final Logged logged = new Logged();

    private static ByteBuf onTheWire(EmbeddedChannel channel) {
        ByteBuf wire = channel.alloc().buffer();
        READINGS.forEach(reading -> reading.writeTo(wire));
        return wire;
    }

    private static List<String> replies(EmbeddedChannel channel) {
        List<String> replies = new ArrayList<>();
        ByteBuf wire = channel.alloc().buffer();
        for (ByteBuf part; (part = channel.readOutbound()) != null; part.release()) {
            wire.writeBytes(part);
        }
        while (wire.isReadable()) {
            replies.add(wire.readCharSequence(wire.readUnsignedShort(), UTF_8).toString());
        }
        wire.release();
        return replies;
    }

    private static void setWritable(EmbeddedChannel channel, boolean writable) {
        channel.unsafe().outboundBuffer().setUserDefinedWritability(1, writable);
        channel.runPendingTasks();
    }

    static IntStream cuts() {
        return IntStream.rangeClosed(0, READINGS.size() * Reading.BYTES);
    }

    @ParameterizedTest(name = "cut at byte {0}")
    @MethodSource("cuts")
    void repliesDoNotDependOnWhereTheStreamIsCut(int cut) {
        EmbeddedChannel channel = new EmbeddedChannel(new TelemetryServer());
        ByteBuf wire = onTheWire(channel);
        channel.writeInbound(wire.readRetainedSlice(cut));
        channel.writeInbound(wire);
        assertThat(replies(channel)).isEqualTo(REPLIES);
        assertThat(channel.isOpen()).isTrue();
        channel.finish();
        assertThat(logged.lines()).isEmpty();
    }

    @Test
    void aClientThatHalfClosesInsideAReadingIsLoggedAndClosed() {
        EmbeddedChannel channel = new EmbeddedChannel(new TelemetryServer());
        channel.writeInbound(onTheWire(channel).writerIndex(2 * Reading.BYTES + 15));
        channel.pipeline().fireUserEventTriggered(ChannelInputShutdownEvent.INSTANCE);
        assertThat(channel.isOpen()).isFalse();
        assertThat(logged.lines()).containsExactly("INFO the peer left after 15 of 16 bytes");
        assertThat(replies(channel)).isEqualTo(REPLIES.subList(0, 2));
    }

    @Test
    void aClientThatDoesNotReadItsRepliesIsNotReadFrom() {
        EmbeddedChannel channel = new EmbeddedChannel(new TelemetryServer());
        setWritable(channel, false);
        assertThat(channel.config().isAutoRead()).isFalse();
        setWritable(channel, true);
        assertThat(channel.config().isAutoRead()).isTrue();
        channel.finish();
    }

    @Test
    void aReplyThatCannotBeWrittenClosesTheChannel() {
        EmbeddedChannel channel = new EmbeddedChannel(new FailingWrites(), new TelemetryServer());
        channel.writeInbound(onTheWire(channel));
        assertThat(channel.isOpen()).isFalse();
    }

    @Test
    void readingsThatCannotBeWrittenFailTheClient() {
        TelemetryClient client = new TelemetryClient(READINGS);
        EmbeddedChannel channel = new EmbeddedChannel(new FailingWrites(), client);
        assertThat(client.replies()).isCompletedExceptionally();
        assertThat(channel.isOpen()).isFalse();
        assertThat(logged.lines()).containsExactly("INFO the connection was lost: Broken pipe");
    }

    @Test
    void aReplyBeyondItsLimitFailsTheClient() {
        TelemetryClient client = new TelemetryClient(READINGS);
        EmbeddedChannel channel = new EmbeddedChannel(client);
        channel.writeInbound(channel.alloc().buffer().writeShort(TelemetryServer.MAX_REPLY - 1));
        assertThat(client.replies()).isCompletedExceptionally();
        assertThat(channel.isOpen()).isFalse();
        assertThat(logged.lines()).hasSize(1).first().asString().startsWith("WARNING");
        channel.releaseOutbound();
    }

    @ParameterizedTest(name = "{0} readings")
    @ValueSource(ints = {1, 1_000, 20_000})
    void everyReadingIsAnsweredInOrderOverASocket(int count) throws Exception {
        TelemetryClient client = new TelemetryClient(
                IntStream.range(0, count).mapToObj(i -> new Reading(i, i, 1)).toList());
        List<String> replies = exchange(client, new TelemetryServer());
        assertThat(replies).hasSize(count);
        for (int i = 0; i < count; i++) {
            assertThat(replies.get(i)).isEqualTo("sensor " + i + ": 1.0, highest of " + (i + 1) + ": 1.0");
        }
        assertThat(logged.lines()).isEmpty();
    }

    @Test
    void aServerThatLeavesInsideAReplyFailsTheClient() {
        TelemetryClient client = new TelemetryClient(READINGS);
        assertThatExceptionOfType(ExecutionException.class)
                .isThrownBy(() -> exchange(client, new AnswersAndLeaves(0x00, 0x20, 's')))
                .havingCause()
                .isInstanceOf(PrematureCloseException.class)
                .withMessage("stream ended after 3 of 34 bytes");
    }

    @Test
    void aServerThatLeavesBetweenRepliesFailsTheClientAsWell() {
        TelemetryClient client = new TelemetryClient(READINGS);
        assertThatExceptionOfType(ExecutionException.class)
                .isThrownBy(() -> exchange(client, new AnswersAndLeaves(0x00, 0x01, 's')))
                .withCauseInstanceOf(ClosedChannelException.class);
    }

    /** Waits for all readings, so that the close is not a reset, then sends these bytes and closes. */
    private static final class AnswersAndLeaves extends ChannelInboundHandlerAdapter {
        private final int[] bytes;
        private int toCome = READINGS.size() * Reading.BYTES;

        AnswersAndLeaves(int... bytes) {
            this.bytes = bytes;
        }

        @Override
        public void channelRead(ChannelHandlerContext ctx, Object message) {
            ByteBuf received = (ByteBuf) message;
            toCome -= received.readableBytes();
            received.release();
            if (toCome == 0) {
                ByteBuf answer = ctx.alloc().buffer();
                IntStream.of(bytes).forEach(answer::writeByte);
                ctx.writeAndFlush(answer);
                ctx.close();
            }
        }
    }

    private static List<String> exchange(TelemetryClient client, ChannelHandler server) throws Exception {
        EventLoopGroup group = new MultiThreadIoEventLoopGroup(2, NioIoHandler.newFactory());
        try {
            SocketChannel channel = PipelineDemo.connect(group, PipelineDemo.listen(group, server), client);
            List<String> replies = client.replies().get(10, SECONDS);
            assertThat(channel.closeFuture().await(10, SECONDS)).isTrue();
            return replies;
        } finally {
            group.shutdownGracefully(100, 5_000, MILLISECONDS).sync();
        }
    }

    @AfterEach
    void nothingLeaks() {
        logged.close();
        LeakPresenceDetector.check();
    }
}
