package io.exactframe.netty;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelPipeline;
import java.nio.ByteBuffer;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Transports that read into frames, and what happens to a pipeline meanwhile, on real sockets. */
class ReceiveIntoSocketTest {
    private static final int MIB = 1 << 20;

    Transport transport() {
        return Transport.nio();
    }

    @Test
    void ofABacklogLittleIsReadElsewhere() throws Exception {
        PrefixedFrames frames = new PrefixedFrames(8 * MIB);
        try (Loopback it = new Loopback(transport(), ReceiveIntoTest.decoder(), frames)) {
            ByteBuffer stream = ByteBuffer.wrap(frames.stream);
            it.send(stream.slice(0, 4 * MIB + 4));
            while (it.bytesRead.get() < 4 * MIB + 4) {
                Thread.onSpinWait();
            }
            it.channel.eventLoop().submit(() -> {}).sync();
            long before = it.buffers.get();
            it.send(stream.slice(4 * MIB + 4, 4 * MIB));
            frames.awaitAll();
            assertThat(it.buffers.get() - before).as("buffers of the transport").isLessThanOrEqualTo(6); // else 64
        }
    }

    /** Passes everything on, in buffers of its own, as an SslHandler does. */
    private static final class Copier extends ChannelInboundHandlerAdapter {
        @Override
        public void channelRead(ChannelHandlerContext ctx, Object message) {
            ByteBuf read = (ByteBuf) message;
            ByteBuf copy = read.copy();
            read.setZero(0, read.capacity()).release();
            ctx.fireChannelRead(copy);
        }
    }

    private enum Meanwhile {
        NOTHING,
        HANDLERS_COME_AND_GO,
        THE_DECODER_IS_REPLACED
    }

    @ParameterizedTest
    @EnumSource
    @Tag("slow")
    void framesArriveByteForByte(Meanwhile meanwhile) throws Exception {
        Random random = new Random(7);
        int[] lengths = random.ints(40, 1, 2 * MIB).toArray();
        PrefixedFrames frames = new PrefixedFrames(lengths);
        try (Loopback it = new Loopback(transport(), ReceiveIntoTest.decoder(), frames)) {
            ByteBuffer stream = ByteBuffer.wrap(frames.stream);
            while (stream.hasRemaining()) {
                int piece = Math.min(1 + random.nextInt(MIB), stream.remaining());
                it.send(stream.slice(stream.position(), piece));
                stream.position(stream.position() + piece);
                it.channel.eventLoop().execute(() -> change(it.channel.pipeline(), meanwhile));
            }
            frames.awaitAll();
        }
    }

    private static void change(ChannelPipeline pipeline, Meanwhile meanwhile) {
        switch (meanwhile) {
            case NOTHING -> {}
            case HANDLERS_COME_AND_GO -> {
                if (pipeline.get(Copier.class) != null) {
                    pipeline.remove(Copier.class);
                } else {
                    pipeline.addFirst(new Copier());
                }
            }
            case THE_DECODER_IS_REPLACED ->
                pipeline.replace(LengthPrefixedExactDecoder.class, null, ReceiveIntoTest.decoder());
        }
    }

    @Test
    void aCloseInsideAFrameGivesAllMemoryBack() throws Exception {
        // With io_uring a read may be in flight.
        for (int i = 0; i < 20; i++) {
            PrefixedFrames frames = new PrefixedFrames(MIB);
            try (Loopback it = new Loopback(transport(), ReceiveIntoTest.decoder(), frames)) {
                it.send(ByteBuffer.wrap(frames.stream, 0, MIB * 5 / 8));
                while (it.bytesRead.get() < MIB / 2) {
                    Thread.onSpinWait();
                }
                it.closeChannel();
                assertThat(frames.faults).singleElement().isInstanceOf(PrematureCloseException.class);
            }
        }
    }
}
