package io.exactframe.netty;

import static io.exactframe.netty.testing.Probe.bytes;
import static org.assertj.core.api.Assertions.assertThat;

import io.exactframe.netty.testing.Loopback;
import io.exactframe.netty.testing.Loopback.Transport;
import io.exactframe.netty.testing.Receiving;
import io.exactframe.netty.testing.Wire;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.DefaultChannelId;
import io.netty.channel.FixedRecvByteBufAllocator;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.util.ReferenceCountUtil;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** 60: a close of our own is told apart from the peer's. */
class LocalCloseTest {
    private static final int PAYLOAD = 1000;
    private static final int FRAME = PAYLOAD + 4;
    private static final int FRAMES = 60;

    Transport transport() {
        return Transport.nio();
    }

    private enum Kind {
        FIXED,
        PREFIXED,
        STREAM,
        RECEIVER;

        ChannelHandler create() {
            LengthPrefix prefix = LengthPrefix.uint32();
            return switch (this) {
                case FIXED -> new FixedLengthExactDecoder(FRAME);
                case PREFIXED -> new LengthPrefixedExactDecoder(FRAME, prefix);
                case STREAM -> new FrameStreamDecoder(FRAME, prefix);
                case RECEIVER -> new Receiving(new ExactReceiver(), receiver -> receiver.receive(FRAME));
            };
        }
    }

    /** Counts frames, notes faults, and answers if it is told to. */
    private static final class Reader extends ChannelInboundHandlerAdapter {
        final AtomicInteger frames = new AtomicInteger();
        final List<PrematureCloseException> closes = new CopyOnWriteArrayList<>();
        final CountDownLatch ended = new CountDownLatch(1);
        private final boolean answers;

        Reader(boolean answers) {
            this.answers = answers;
        }

        @Override
        public void channelRead(ChannelHandlerContext ctx, Object message) {
            ReferenceCountUtil.release(message);
            if (message instanceof FrameStart || message instanceof FrameChunk chunk && !chunk.isLast()) {
                return;
            }
            frames.incrementAndGet();
            if (answers) {
                ctx.writeAndFlush(bytes(ctx.channel(), "x".repeat(FRAME)));
            }
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
            if (cause instanceof PrematureCloseException close) {
                closes.add(close);
            }
        }

        @Override
        public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
            if (event == ChannelInputShutdownEvent.INSTANCE) {
                ended.countDown();
            }
        }

        @Override
        public void channelInactive(ChannelHandlerContext ctx) {
            ended.countDown();
        }

        void assertEndedInsideAFrame(boolean closedLocally) {
            assertThat(closes).singleElement().satisfies(close -> {
                assertThat(close.closedLocally()).isEqualTo(closedLocally);
                assertThat(close.getMessage().endsWith("bytes, closed on this side")).isEqualTo(closedLocally);
            });
        }

        void awaitEnd() throws InterruptedException {
            assertThat(ended.await(Loopback.SECONDS, TimeUnit.SECONDS)).isTrue();
        }
    }

    private static byte[] stream(int frames, int more) {
        ByteBuffer all = ByteBuffer.allocate((frames + 1) * FRAME);
        for (int i = 0; i <= frames; i++) {
            all.putInt(i * FRAME, PAYLOAD);
        }
        return Arrays.copyOf(all.array(), frames * FRAME + more);
    }

    private enum Embedded {
        CLOSE(true) {
            @Override
            void end(EmbeddedChannel channel) {
                channel.close();
            }
        },
        DISCONNECT(true) {
            @Override
            void end(EmbeddedChannel channel) {
                channel.disconnect(); // which a connectionless channel survives
                channel.unsafe().close(channel.voidPromise());
            }
        },
        NEARER_TO_THE_SOCKET(false) {
            @Override
            void end(EmbeddedChannel channel) {
                channel.pipeline().firstContext().close();
            }
        },
        PEER(false) {
            @Override
            void end(EmbeddedChannel channel) {
                channel.unsafe().close(channel.voidPromise());
            }
        },
        HALF_CLOSE(false) {
            @Override
            void end(EmbeddedChannel channel) {
                channel.pipeline().fireUserEventTriggered(ChannelInputShutdownEvent.INSTANCE);
                channel.close(); // later
            }
        };

        private final boolean isLocal;

        Embedded(boolean isLocal) {
            this.isLocal = isLocal;
        }

        abstract void end(EmbeddedChannel channel);
    }

    @ParameterizedTest
    @EnumSource
    void whoClosed(Kind kind) {
        for (Embedded end : Embedded.values()) {
            Reader reader = new Reader(false);
            EmbeddedChannel channel = new EmbeddedChannel(
                    DefaultChannelId.newInstance(), end == Embedded.DISCONNECT, kind.create(), reader);
            Wire.receive(channel, stream(1, 3));
            end.end(channel);
            assertThat(reader.frames).as(end.name()).hasValue(1);
            reader.assertEndedInsideAFrame(end.isLocal);
            channel.finish();
        }
    }

    private enum End {
        FIN,
        RESET,
        HALF_CLOSE,
        LOCAL
    }

    @ParameterizedTest
    @EnumSource
    void whoClosedASocket(Kind kind) throws Exception {
        for (End end : End.values()) {
            Reader reader = new Reader(false);
            try (Loopback it = new Loopback(
                    transport(), end == End.HALF_CLOSE, channel -> channel.pipeline().addLast(kind.create(), reader))) {
                it.send(ByteBuffer.wrap(stream(1, 500)));
                while (it.bytesRead.get() < FRAME + 500) {
                    Thread.onSpinWait();
                }
                switch (end) {
                    case FIN -> it.peer.close();
                    case RESET -> it.reset();
                    case HALF_CLOSE -> it.peer.shutdownOutput();
                    case LOCAL -> it.closeChannel();
                }
                reader.awaitEnd();
                assertThat(reader.frames).as(end.name()).hasValue(1);
                reader.assertEndedInsideAFrame(end == End.LOCAL);
            }
        }
    }

    private static void readInSmallPieces(Channel channel) {
        channel.config().setRecvByteBufAllocator(new FixedRecvByteBufAllocator(700).maxMessagesPerRead(1));
    }

    /** A peer that sends sixty frames and closes, without having read any of our answers. */
    private void answer(Loopback it) throws Exception {
        CountDownLatch open = Loopback.block(it.channel.eventLoop());
        it.send(ByteBuffer.wrap(stream(FRAMES, 0)));
        it.peer.close();
        open.countDown();
    }

    @ParameterizedTest
    @EnumSource
    void ourFailedWriteThatClosesTheChannelIsNotThePeers(Kind kind) throws Exception {
        Reader reader = new Reader(true);
        try (Loopback it = new Loopback(transport(), false, channel -> {
            readInSmallPieces(channel);
            channel.pipeline().addLast(kind.create(), reader);
        })) {
            answer(it);
            reader.awaitEnd();
            it.closeChannel();
            assertThat(reader.frames.get()).isBetween(1, FRAMES - 1);
            reader.assertEndedInsideAFrame(true);
        }
    }

    @ParameterizedTest
    @EnumSource
    void withoutAutoCloseNothingOfWhatWasReceivedIsLost(Kind kind) throws Exception {
        Reader reader = new Reader(true);
        try (Loopback it = new Loopback(transport(), false, channel -> {
            readInSmallPieces(channel);
            channel.config().setAutoClose(false);
            channel.pipeline().addLast(kind.create(), reader);
        })) {
            answer(it);
            reader.awaitEnd();
            assertThat(reader.frames).hasValue(FRAMES);
            assertThat(reader.closes).isEmpty();
        }
    }
}
