package io.exactframe.netty;

import static io.exactframe.netty.PipelineProbe.bytes;
import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** 34, 38, 39 over a real socket. */
class PipelineSocketEndTest {
    private final PipelineProbe probe = new PipelineProbe();
    private final Semaphore bytesSeen = new Semaphore(0);

    private PipelineLoopback loopback(PipelineCodec codec, boolean allowHalfClosure) throws Exception {
        return new PipelineLoopback(
                allowHalfClosure,
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
    void finInsideAFrame(PipelineCodec codec) throws Exception {
        try (PipelineLoopback loopback = loopback(codec, false)) {
            loopback.send(codec.wire("aaaa", "bbbb").substring(0, codec.frameLength + 3));
            loopback.peer.close();
            assertThat(probe.inactive.await(30, TimeUnit.SECONDS)).isTrue();
        }
        assertThat(logWithoutCompletes()).containsExactly(codec.delivered("aaaa"), codec.truncated(3), "[inactive]");
    }

    @ParameterizedTest
    @EnumSource // 37
    void finOnABoundary(PipelineCodec codec) throws Exception {
        try (PipelineLoopback loopback = loopback(codec, false)) {
            loopback.send(codec.wire("aaaa", "bbbb"));
            loopback.peer.close();
            assertThat(probe.inactive.await(30, TimeUnit.SECONDS)).isTrue();
        }
        assertThat(logWithoutCompletes())
                .containsExactly(codec.delivered("aaaa"), codec.delivered("bbbb"), "[inactive]");
    }

    @ParameterizedTest
    @EnumSource // 38
    void halfClosedByThePeerWritingStaysPossible(PipelineCodec codec) throws Exception {
        boolean[] answered = {false};
        probe.onEvent(ctx -> {
            if (!answered[0]) {
                answered[0] = true;
                ctx.writeAndFlush(bytes(ctx.channel(), "reply"));
            }
        });
        try (PipelineLoopback loopback = loopback(codec, true)) {
            loopback.send(codec.wire("aaaa", "bbbb").substring(0, codec.frameLength + 1));
            loopback.peer.shutdownOutput();
            assertThat(new String(loopback.peer.getInputStream().readNBytes(5), ISO_8859_1)).isEqualTo("reply");
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
    void rstInsideAFrameIsAnIoExceptionAndThenAPrematureClose(PipelineCodec codec) throws Exception {
        for (boolean allowHalfClosure : new boolean[] {false, true}) {
            probe.drain();
            probe.exceptions.clear();
            try (PipelineLoopback loopback = loopback(codec, allowHalfClosure)) {
                int sent = codec.frameLength + 3;
                loopback.send(codec.wire("aaaa", "bbbb").substring(0, sent));
                assertThat(bytesSeen.tryAcquire(sent, 30, TimeUnit.SECONDS)).isTrue();
                loopback.peer.setSoLinger(true, 0);
                loopback.peer.close();
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
