package io.exactframe.netty;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.AbstractByteBufAllocator;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.UnpooledHeapByteBuf;
import io.netty.channel.embedded.EmbeddedChannel;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** 6: a frame of Integer.MAX_VALUE bytes arrives whole, in memory that only pretends to be there. */
class LargestFrameTest {
    private static final int READ = 1 << 26;

    /** Has a capacity and nothing else. */
    private static final class Pretence extends UnpooledHeapByteBuf {
        private final int capacity;

        Pretence(ByteBufAllocator alloc, int capacity) {
            super(alloc, 0, capacity);
            this.capacity = capacity;
        }

        @Override
        public int capacity() {
            return capacity;
        }

        @Override
        public boolean hasArray() {
            return false;
        }

        @Override
        protected byte _getByte(int index) {
            return 0;
        }

        @Override
        protected void _setByte(int index, int value) {}

        @Override
        public ByteBuf setBytes(int index, ByteBuf source, int sourceIndex, int length) {
            return this;
        }

        @Override
        public ByteBuf getBytes(int index, ByteBuf target, int targetIndex, int length) {
            return this;
        }
    }

    private static final class Pretender extends AbstractByteBufAllocator {
        @Override
        protected ByteBuf newHeapBuffer(int initialCapacity, int maxCapacity) {
            return new Pretence(this, initialCapacity);
        }

        @Override
        protected ByteBuf newDirectBuffer(int initialCapacity, int maxCapacity) {
            return newHeapBuffer(initialCapacity, maxCapacity);
        }

        @Override
        public boolean isDirectBufferPooled() {
            return false;
        }
    }

    @ParameterizedTest(name = "{0} bytes, contiguous: {1}")
    @CsvSource({"2147479552,false", "2147479553,false", "2147483647,false", "2147483647,true"})
    void aFrameOfTheGreatestLengthArrives(int length, boolean contiguous) {
        ReceiveOptions options = contiguous ? ReceiveOptions.defaults().contiguous() : ReceiveOptions.defaults();
        Keeper keeper = Keeper.ofAll();
        EmbeddedChannel channel = Wire.channel(new FixedLengthExactDecoder(length, options), keeper);
        channel.config().setAllocator(new Pretender());
        // A quarter of its root each: no read is worth keeping, all are copied into chunks.
        ByteBuf root = new Pretence(channel.alloc(), 4 * READ).writerIndex(4 * READ);
        for (long left = length; left > 0; left -= READ) {
            Wire.receive(channel, root.retainedSlice(0, (int) Math.min(left, READ)));
        }
        assertThat(keeper.faults).isEmpty();
        assertThat(keeper.kept).hasSize(1);
        assertThat(keeper.kept.get(0).readableBytes()).isEqualTo(length);
        keeper.releaseAll();
        assertThat(root.refCnt()).isEqualTo(1);
        root.release();
        channel.finish();
        assertThat(keeper.faults).isEmpty();
    }
}
