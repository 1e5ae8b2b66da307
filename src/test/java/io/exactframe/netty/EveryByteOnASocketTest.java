package io.exactframe.netty;

import static org.assertj.core.api.Assertions.assertThat;

import io.exactframe.netty.testing.Loopback;
import io.exactframe.netty.testing.Loopback.Transport;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelPipeline;
import io.netty.channel.socket.SocketChannelConfig;
import io.netty.util.ReferenceCountUtil;
import io.netty.util.concurrent.FutureListener;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** 33 to 35, 38, 39: FIN, half-closure and RST behind each byte of a small frame, over a real socket with a small window. */
class EveryByteOnASocketTest {
    private static final LengthPrefix PREFIX = LengthPrefix.uint32().headerAfter(1).trailer(1);
    private static final String FRAME = "\0\0\0\3hABCt"; // header of 5, payload of 3, trailer of 1
    private static final int FIELD = 4;
    private static final int MOST = 100;

    private enum End { CLOSE, HALF_CLOSE, RESET }

    private enum Reader {
        DECODER,
        STREAM,
        RECEIVER;

        void addTo(ChannelPipeline pipeline, Queue<PrematureCloseException> told) {
            switch (this) {
                case DECODER -> pipeline.addLast(new LengthPrefixedExactDecoder(MOST, PREFIX));
                case STREAM -> pipeline.addLast(new FrameStreamDecoder(MOST, PREFIX), new NoMessages());
                case RECEIVER -> {
                    ExactReceiver receiver = new ExactReceiver();
                    pipeline.addLast(receiver);
                    receiveNext(receiver);
                }
            }
            pipeline.addLast(new ChannelInboundHandlerAdapter() {
                @Override
                public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
                    if (cause instanceof PrematureCloseException close) {
                        told.add(close);
                    }
                    ctx.fireExceptionCaught(cause);
                }

                @Override
                public void channelRead(ChannelHandlerContext ctx, Object message) {
                    ReferenceCountUtil.release(message);
                }
            });
        }

        private static void receiveNext(ExactReceiver receiver) {
            receiver.receive(PREFIX, MOST).addListener((FutureListener<ByteBuf>) receive -> {
                if (receive.isSuccess()) {
                    receive.getNow().release();
                    receiveNext(receiver);
                }
            });
        }
    }

    /** Parts of frames: the end is what matters here. */
    private static final class NoMessages extends ChannelInboundHandlerAdapter {
        @Override
        public void channelRead(ChannelHandlerContext ctx, Object message) {
            ReferenceCountUtil.release(message);
        }
    }

    Transport transport() {
        return Transport.nio();
    }

    static Stream<Arguments> ends() {
        return Stream.of(Reader.values())
                .flatMap(reader -> Stream.of(End.values()).map(end -> Arguments.of(reader, end)));
    }

    @ParameterizedTest(name = "{0}, {1}")
    @MethodSource("ends")
    void behindEachByte(Reader reader, End end) throws Exception {
        for (int got : IntStream.range(0, FRAME.length()).toArray()) {
            Queue<PrematureCloseException> told = new ConcurrentLinkedQueue<>();
            try (Loopback it = new Loopback(transport(), end == End.HALF_CLOSE, channel -> {
                ((SocketChannelConfig) channel.config()).setReceiveBufferSize(1024);
                reader.addTo(channel.pipeline(), told);
            })) {
                String what = reader + ", " + end + " behind byte " + got;
                it.send(FRAME + FRAME.substring(0, got));
                while (it.bytesRead.get() < FRAME.length() + got) {
                    Thread.onSpinWait(); // or a reset would overtake the bytes
                }
                switch (end) {
                    case CLOSE -> it.peer.close();
                    case HALF_CLOSE -> it.peer.shutdownOutput();
                    case RESET -> it.reset();
                }
                if (end == End.RESET) {
                    assertThat(it.nextPassed()).as(what).isEqualTo("IOException");
                }
                if (got > 0) {
                    assertThat(it.nextPassed()).as(what).isEqualTo("PrematureCloseException");
                }
                String last = end == End.HALF_CLOSE ? "ChannelInputShutdownEvent" : "inactive";
                assertThat(it.nextPassed()).as(what).isEqualTo(last);
                it.closeChannel();
                assertThat(told).as(what).hasSize(got > 0 ? 1 : 0).allSatisfy(close -> {
                    assertThat(close.receivedBytes()).as(what).isEqualTo(got);
                    assertThat(close.expectedBytes()).as(what).isEqualTo(got < FIELD ? FIELD : FRAME.length());
                    assertThat(close.inHeader()).as(what).isEqualTo(got < FIELD);
                    assertThat(close.closedLocally()).as(what).isFalse();
                });
            }
        }
    }
}
