package io.exactframe.netty;

import static org.assertj.core.api.Assertions.assertThat;

import io.exactframe.netty.testing.Loopback;
import io.exactframe.netty.testing.Loopback.Transport;
import io.exactframe.netty.testing.Wire;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.util.concurrent.DefaultEventExecutorGroup;
import io.netty.util.concurrent.EventExecutorGroup;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** 13: frames that are written as they are to a socket, and wait there for a peer that does not read yet. */
class FrameForwardingTest {
    private static final int SEED = 31;
    private static final int FRAMES = 1500;

    private final EventExecutorGroup executor = new DefaultEventExecutorGroup(1);

    Transport transport() {
        return Transport.nio();
    }

    @AfterEach
    void shutDown() throws InterruptedException {
        assertThat(executor.shutdownGracefully(0, 10, TimeUnit.SECONDS).await(30, TimeUnit.SECONDS)).isTrue();
    }

    enum Way {
        BACK,
        TO_ANOTHER_LOOP,
        FROM_ANOTHER_THREAD
    }

    /** Sends each frame on, in one of several forms that are all the same on the wire. */
    private static final class Forwarder extends ChannelInboundHandlerAdapter {
        private final Random random = new Random(SEED);
        private final Channel to; // null: back

        Forwarder(Channel to) {
            this.to = to;
        }

        @Override
        public void channelRead(ChannelHandlerContext ctx, Object message) {
            Channel out = to == null ? ctx.channel() : to;
            ByteBuf frame = (ByteBuf) message;
            switch (random.nextInt(6)) {
                case 0 -> {
                    out.write(frame.readRetainedSlice(random.nextInt(frame.readableBytes())));
                    out.write(frame);
                }
                case 1 -> {
                    ByteBuf first = frame.retainedSlice(0, 3);
                    ByteBuf rest = frame.retainedSlice(3, frame.readableBytes() - 3);
                    frame.release();
                    out.write(Unpooled.wrappedBuffer(first, rest));
                }
                case 2 -> out.write(frame.asReadOnly());
                case 3 -> {
                    out.write(frame.retainedDuplicate());
                    frame.release();
                }
                default -> out.write(frame);
            }
        }

        @Override
        public void channelReadComplete(ChannelHandlerContext ctx) {
            (to == null ? ctx.channel() : to).flush();
        }
    }

    @ParameterizedTest
    @EnumSource
    void framesArriveWholeAndInOrder(Way way) throws Exception {
        Random random = new Random(SEED);
        byte[][] frames = new byte[FRAMES][];
        for (int i = 0; i < FRAMES; i++) {
            int length = random.nextInt(i % 100 == 0 ? 200_000 : i % 4 == 0 ? 4000 : 60);
            frames[i] = Wire.concat(Wire.number(length, 4, false), Wire.random(random, length));
        }
        byte[] stream = Wire.concat(frames);
        try (Loopback out = new Loopback(transport());
                Loopback in = new Loopback(transport(), false, channel -> {
                    channel.pipeline().addLast(
                            new LengthPrefixedExactDecoder(1 << 20, LengthPrefix.uint32().keepHeader()));
                    channel.pipeline().addLast(
                            way == Way.FROM_ANOTHER_THREAD ? executor : null,
                            new Forwarder(way == Way.BACK ? null : out.channel));
                })) {
            in.send(ByteBuffer.wrap(stream));
            assertThat(read(way == Way.BACK ? in.peer : out.peer, stream.length)).isEqualTo(stream);
        }
    }

    private static byte[] read(SocketChannel peer, int length) throws Exception {
        ByteBuffer all = ByteBuffer.allocate(length);
        while (all.hasRemaining() && peer.read(all) >= 0) {
            // on
        }
        return all.array();
    }
}
