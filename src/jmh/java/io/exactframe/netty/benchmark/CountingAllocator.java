package io.exactframe.netty.benchmark;

import io.netty.buffer.AbstractByteBufAllocator;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.CompositeByteBuf;
import io.netty.buffer.UnpooledHeapByteBuf;

/** Counts what buffers hold and what is copied into them. They hide their array, so that nothing goes around them. */
final class CountingAllocator extends AbstractByteBufAllocator {
    /** Bytes of capacity that are not released. */
    long live;

    /** The most that was live. */
    long peak;

    /** Bytes written, or moved to a larger array. */
    long copied;

    /** Buffers made and grown. */
    long allocations;

    CountingAllocator() {
        super(false);
    }

    void reset() {
        peak = live;
        copied = 0;
        allocations = 0;
    }

    @Override
    protected ByteBuf newHeapBuffer(int initialCapacity, int maxCapacity) {
        return new Counted(initialCapacity, maxCapacity);
    }

    @Override
    protected ByteBuf newDirectBuffer(int initialCapacity, int maxCapacity) {
        return new Counted(initialCapacity, maxCapacity);
    }

    @Override
    public CompositeByteBuf compositeDirectBuffer(int maxNumComponents) {
        return compositeHeapBuffer(maxNumComponents);
    }

    @Override
    public boolean isDirectBufferPooled() {
        return false;
    }

    private final class Counted extends UnpooledHeapByteBuf {
        Counted(int initialCapacity, int maxCapacity) {
            super(CountingAllocator.this, initialCapacity, maxCapacity);
        }

        @Override
        public boolean hasArray() {
            return false;
        }

        @Override
        protected byte[] allocateArray(int size) {
            allocations++;
            live += size;
            peak = Math.max(peak, live);
            return super.allocateArray(size);
        }

        @Override
        protected void freeArray(byte[] array) {
            live -= array.length;
        }

        @Override
        public ByteBuf capacity(int newCapacity) {
            if (newCapacity != capacity()) {
                copied += Math.min(capacity(), newCapacity);
            }
            return super.capacity(newCapacity);
        }

        @Override
        protected void _setByte(int index, int value) {
            copied++;
            super._setByte(index, value);
        }

        @Override
        public ByteBuf setBytes(int index, byte[] source, int sourceIndex, int length) {
            copied += length;
            return super.setBytes(index, source, sourceIndex, length);
        }

        @Override
        public ByteBuf setBytes(int index, ByteBuf source, int sourceIndex, int length) {
            copied += length;
            return super.setBytes(index, source, sourceIndex, length);
        }
    }
}
