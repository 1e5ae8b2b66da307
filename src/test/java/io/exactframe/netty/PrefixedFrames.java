package io.exactframe.netty;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** A stream of prefixed frames, and the end of a pipeline that expects their payloads. */
final class PrefixedFrames extends ChannelInboundHandlerAdapter {
    final byte[] stream;
    final List<Throwable> faults = new CopyOnWriteArrayList<>();
    final CountDownLatch missing;
    int count;
    long address; // of the last frame
    private final List<byte[]> payloads = new ArrayList<>();

    PrefixedFrames(int... lengths) {
        byte[][] all = new byte[2 * lengths.length][];
        for (int i = 0; i < lengths.length; i++) {
            payloads.add(Wire.random(new Random(i), lengths[i]));
            all[2 * i] = Wire.number(lengths[i], 4, false);
            all[2 * i + 1] = payloads.get(i);
        }
        stream = Wire.concat(all);
        missing = new CountDownLatch(lengths.length);
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
        ByteBuf frame = (ByteBuf) message;
        address = frame.hasMemoryAddress() ? frame.memoryAddress() : 0;
        byte[] payload = payloads.get(count++);
        assertThat(frame.isContiguous()).isTrue();
        assertThat(frame.readerIndex()).isZero();
        assertThat(frame.equals(Unpooled.wrappedBuffer(payload))).as("content").isTrue();
        assertThat(frame.refCnt()).as("references").isEqualTo(1);
        frame.release();
        missing.countDown();
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        faults.add(cause);
    }

    /** That all are here, or will be soon; on another thread than the channel's. */
    void awaitAll() throws InterruptedException {
        boolean all = missing.await(Loopback.SECONDS, TimeUnit.SECONDS);
        assertThat(faults).isEmpty();
        assertThat(all).as("all frames").isTrue();
    }

    void assertAllReceived(FakeTransport transport) {
        assertThat(transport.channel.finish()).isFalse();
        assertThat(faults).isEmpty();
        assertThat(count).isEqualTo(payloads.size());
    }
}
