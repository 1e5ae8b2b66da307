package io.exactframe.netty.testing;

import io.netty.buffer.AbstractByteBufAllocator;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.CompositeByteBuf;
import io.netty.buffer.UnpooledHeapByteBuf;

/**
 * Heap memory, counted: what is held, what was held at most, what was ever asked for, what was copied into it. Its k-th
 * call may fail. For one thread; Netty's leak detectors do not see its buffers, so a test ends with nothing live.
 */
public final class CountingAllocator extends AbstractByteBufAllocator {
    /** Bytes of capacity that are not released. */
    public long live;

    /** The most that was live since resetPeak(). */
    public long peak;

    /** Bytes of capacity that were ever allocated. */
    public long allocated;

    /** Bytes written, or moved to a larger array. */
    public long copied;

    /** Buffers made and grown. */
    public int calls;

    /** The call that fails, counted from 1; none if 0. */
    public int failingCall;

    public CountingAllocator() {
        super(false);
    }

    public void resetPeak() {
        peak = live;
    }

    private void call() {
        if (++calls == failingCall) {
            throw new OutOfMemoryError("call " + calls);
        }
    }

    @Override
    protected ByteBuf newHeapBuffer(int initialCapacity, int maxCapacity) {
        return new Counted(initialCapacity, maxCapacity);
    }

    @Override
    protected ByteBuf newDirectBuffer(int initialCapacity, int maxCapacity) {
        return newHeapBuffer(initialCapacity, maxCapacity);
    }

    @Override
    public CompositeByteBuf compositeHeapBuffer(int maxNumComponents) {
        call();
        return new CompositeByteBuf(this, false, maxNumComponents);
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
        protected byte[] allocateArray(int size) {
            call();
            live += size;
            allocated += size;
            peak = Math.max(peak, live);
            return super.allocateArray(size);
        }

        @Override
        protected void freeArray(byte[] array) {
            live -= array.length;
        }

        @Override
        public ByteBuf capacity(int newCapacity) {
            copied += Math.min(capacity(), newCapacity);
            return super.capacity(newCapacity);
        }

        @Override
        protected void _setByte(int index, int value) {
            copied++;
            super._setByte(index, value);
        }

        /** All bulk writes come here: the tests have heap buffers only. */
        @Override
        public ByteBuf setBytes(int index, byte[] source, int sourceIndex, int length) {
            copied += length;
            return super.setBytes(index, source, sourceIndex, length);
        }
    }
}
