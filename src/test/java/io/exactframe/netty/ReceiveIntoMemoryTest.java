package io.exactframe.netty;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.AbstractByteBufAllocator;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.CompositeByteBuf;
import io.netty.buffer.UnpooledDirectByteBuf;
import java.nio.ByteBuffer;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** 15, when the transport reads into frames: what it is reading into counts too. */
@Tag("slow")
class ReceiveIntoMemoryTest {
    private static final int ALWAYS = 4 * 1024;

    /** Direct memory, counted, that of reads included. */
    private static final class Direct extends AbstractByteBufAllocator {
        long live;
        long peak;

        Direct() {
            super(true);
        }

        @Override
        protected ByteBuf newDirectBuffer(int initialCapacity, int maxCapacity) {
            return new UnpooledDirectByteBuf(this, initialCapacity, maxCapacity) {
                @Override
                protected ByteBuffer allocateDirect(int size) {
                    live += size;
                    peak = Math.max(peak, live);
                    return super.allocateDirect(size);
                }

                @Override
                protected void freeDirect(ByteBuffer buffer) {
                    live -= buffer.capacity();
                    super.freeDirect(buffer);
                }
            };
        }

        @Override
        protected ByteBuf newHeapBuffer(int initialCapacity, int maxCapacity) {
            throw new AssertionError("heap");
        }

        @Override
        public CompositeByteBuf compositeDirectBuffer(int maxNumComponents) {
            return new CompositeByteBuf(this, true, maxNumComponents);
        }

        @Override
        public boolean isDirectBufferPooled() {
            return false;
        }
    }

    @ParameterizedTest(name = "seed {0}")
    @MethodSource("seeds")
    void noMoreIsHeldThanTwiceWhatWasReceivedAndThriceWhileReading(int seed) {
        Random random = new Random(seed);
        int length = 70_000 + random.nextInt(3 << 20);
        PrefixedFrames frames = new PrefixedFrames(length, length, 1000, length);
        int[] ends = {4 + length, 8 + 2 * length, 8 + 2 * length + 1004, frames.stream.length};
        FakeTransport transport = new FakeTransport(frames.stream, ReceiveIntoTest.decoder(), frames);
        Direct memory = new Direct();
        transport.channel.config().setAllocator(memory);
        int most = 1 << (13 + random.nextInt(9));
        while (transport.left() > 0) {
            long partial = partial(ends, frames.stream.length - transport.left());
            assertThat(memory.live).isLessThanOrEqualTo(2 * partial + ALWAYS);
            transport.submit();
            int asked = transport.asked.get(transport.asked.size() - 1);
            if (asked != FakeTransport.Own.SIZE && partial > 0) {
                assertThat(memory.live).as("in flight").isLessThanOrEqualTo(3 * partial + ALWAYS);
            }
            assertThat(memory.live - 2 * partial).as("to read so much").isLessThanOrEqualTo(ALWAYS + (1 << 20));
            memory.peak = 0;
            transport.complete(1 + random.nextInt(most));
            int at = frames.stream.length - transport.left();
            if (partial(ends, at) >= partial) {
                assertThat(memory.peak)
                        .as("while copied")
                        .isLessThanOrEqualTo(3 * partial(ends, at) + ALWAYS + FakeTransport.Own.SIZE);
            }
        }
        frames.assertAllReceived(transport);
        assertThat(memory.live).isZero();
    }

    private static long partial(int[] ends, int at) {
        int begin = 0;
        for (int end : ends) {
            if (end <= at) {
                begin = end;
            }
        }
        return at - begin;
    }

    static IntStream seeds() {
        return IntStream.range(0, 60);
    }

    @Test
    void aPeerThatTricklesCostsNoLargeBuffers() {
        PrefixedFrames frames = new PrefixedFrames(1 << 20);
        FakeTransport transport = new FakeTransport(frames.stream, ReceiveIntoTest.decoder(), frames);
        Direct memory = new Direct();
        transport.channel.config().setAllocator(memory);
        while (transport.left() > 0) {
            transport.submit();
            transport.complete(2048);
        }
        // Until half of it is here; from there on nothing is allocated at all.
        assertThat(transport.asked.subList(0, 255)).containsOnly(FakeTransport.Own.SIZE);
        assertThat(transport.own.buffers).isBetween(255, 260);
        frames.assertAllReceived(transport);
        assertThat(memory.live).isZero();
    }
}
