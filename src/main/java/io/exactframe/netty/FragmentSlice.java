package io.exactframe.netty;

import io.netty.buffer.AbstractByteBuf;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.channels.GatheringByteChannel;
import java.nio.channels.ScatteringByteChannel;

/** A part of a fragment, readable from index 0; all access goes to the fragment. Netty's own slices cannot be moved. */
abstract class FragmentSlice extends AbstractByteBuf {
    private ByteBuf fragment;
    private int offset;

    FragmentSlice(ByteBuf fragment) {
        super(0);
        this.fragment = fragment;
    }

    final void show(ByteBuf fragment, int offset, int length) {
        if (this.fragment != fragment) { // a reference that is written for each frame costs the collector something
            this.fragment = fragment;
        }
        this.offset = offset;
        maxCapacity(length);
        clear().markReaderIndex().markWriterIndex().writerIndex(length);
    }

    /** Where it lies, also once it is released: then that is its owner's, or somebody else's. */
    final ByteBuf fragment() {
        return fragment;
    }

    /** Whether it may be read, as far as can be told at once. */
    abstract boolean isAlive();

    @Override
    public ByteBuf touch() {
        fragment.touch();
        return this;
    }

    @Override
    public ByteBuf touch(Object hint) {
        fragment.touch(hint);
        return this;
    }

    @Override
    public int capacity() {
        return maxCapacity();
    }

    @Override
    public ByteBuf capacity(int newCapacity) {
        throw new UnsupportedOperationException("a frame does not change its capacity");
    }

    @Override
    public final ByteBuf unwrap() {
        ensureAccessible();
        return fragment;
    }

    @Override
    public ByteBufAllocator alloc() {
        return unwrap().alloc();
    }

    @Override
    public boolean isDirect() {
        return unwrap().isDirect();
    }

    @Override
    public boolean isReadOnly() {
        return unwrap().isReadOnly();
    }

    @Override
    public boolean isContiguous() {
        return unwrap().isContiguous();
    }

    @Override
    public boolean hasArray() {
        return unwrap().hasArray();
    }

    @Override
    public boolean hasMemoryAddress() {
        return unwrap().hasMemoryAddress();
    }

    @Override
    @Deprecated
    public ByteOrder order() {
        return unwrap().order();
    }

    @Override
    public byte[] array() {
        return unwrap().array();
    }

    @Override
    public int arrayOffset() {
        return unwrap().arrayOffset() + offset;
    }

    @Override
    public long memoryAddress() {
        return unwrap().memoryAddress() + offset;
    }

    /** Where index is in the fragment. As checkIndex, which throws, but short. */
    private int at(int index, int count) {
        if ((index | maxCapacity() - count - index) < 0 || !isAlive()) {
            checkIndex(index, count);
        }
        return offset + index;
    }

    @Override
    public byte getByte(int index) {
        return fragment.getByte(at(index, 1));
    }

    @Override
    public short getShort(int index) {
        return fragment.getShort(at(index, 2));
    }

    @Override
    public int getInt(int index) {
        return fragment.getInt(at(index, 4));
    }

    @Override
    public long getLong(int index) {
        return fragment.getLong(at(index, 8));
    }

    @Override
    protected byte _getByte(int index) {
        return fragment.getByte(offset + index);
    }

    @Override
    protected short _getShort(int index) {
        return fragment.getShort(offset + index);
    }

    @Override
    protected short _getShortLE(int index) {
        return fragment.getShortLE(offset + index);
    }

    @Override
    protected int _getUnsignedMedium(int index) {
        return fragment.getUnsignedMedium(offset + index);
    }

    @Override
    protected int _getUnsignedMediumLE(int index) {
        return fragment.getUnsignedMediumLE(offset + index);
    }

    @Override
    protected int _getInt(int index) {
        return fragment.getInt(offset + index);
    }

    @Override
    protected int _getIntLE(int index) {
        return fragment.getIntLE(offset + index);
    }

    @Override
    protected long _getLong(int index) {
        return fragment.getLong(offset + index);
    }

    @Override
    protected long _getLongLE(int index) {
        return fragment.getLongLE(offset + index);
    }

    @Override
    protected void _setByte(int index, int value) {
        fragment.setByte(offset + index, value);
    }

    @Override
    protected void _setShort(int index, int value) {
        fragment.setShort(offset + index, value);
    }

    @Override
    protected void _setShortLE(int index, int value) {
        fragment.setShortLE(offset + index, value);
    }

    @Override
    protected void _setMedium(int index, int value) {
        fragment.setMedium(offset + index, value);
    }

    @Override
    protected void _setMediumLE(int index, int value) {
        fragment.setMediumLE(offset + index, value);
    }

    @Override
    protected void _setInt(int index, int value) {
        fragment.setInt(offset + index, value);
    }

    @Override
    protected void _setIntLE(int index, int value) {
        fragment.setIntLE(offset + index, value);
    }

    @Override
    protected void _setLong(int index, long value) {
        fragment.setLong(offset + index, value);
    }

    @Override
    protected void _setLongLE(int index, long value) {
        fragment.setLongLE(offset + index, value);
    }

    @Override
    public ByteBuf getBytes(int index, ByteBuf dst, int dstIndex, int count) {
        checkDstIndex(index, count, dstIndex, dst.capacity());
        fragment.getBytes(offset + index, dst, dstIndex, count);
        return this;
    }

    @Override
    public ByteBuf getBytes(int index, byte[] dst, int dstIndex, int count) {
        checkDstIndex(index, count, dstIndex, dst.length);
        fragment.getBytes(offset + index, dst, dstIndex, count);
        return this;
    }

    @Override
    public ByteBuf getBytes(int index, ByteBuffer dst) {
        checkIndex(index, dst.remaining());
        fragment.getBytes(offset + index, dst);
        return this;
    }

    @Override
    public ByteBuf getBytes(int index, OutputStream out, int count) throws IOException {
        checkIndex(index, count);
        fragment.getBytes(offset + index, out, count);
        return this;
    }

    @Override
    public int getBytes(int index, GatheringByteChannel out, int count) throws IOException {
        checkIndex(index, count);
        return fragment.getBytes(offset + index, out, count);
    }

    @Override
    public int getBytes(int index, FileChannel out, long position, int count) throws IOException {
        checkIndex(index, count);
        return fragment.getBytes(offset + index, out, position, count);
    }

    @Override
    public ByteBuf setBytes(int index, ByteBuf src, int srcIndex, int count) {
        checkSrcIndex(index, count, srcIndex, src.capacity());
        fragment.setBytes(offset + index, src, srcIndex, count);
        return this;
    }

    @Override
    public ByteBuf setBytes(int index, byte[] src, int srcIndex, int count) {
        checkSrcIndex(index, count, srcIndex, src.length);
        fragment.setBytes(offset + index, src, srcIndex, count);
        return this;
    }

    @Override
    public ByteBuf setBytes(int index, ByteBuffer src) {
        checkIndex(index, src.remaining());
        fragment.setBytes(offset + index, src);
        return this;
    }

    @Override
    public int setBytes(int index, InputStream in, int count) throws IOException {
        checkIndex(index, count);
        return fragment.setBytes(offset + index, in, count);
    }

    @Override
    public int setBytes(int index, ScatteringByteChannel in, int count) throws IOException {
        checkIndex(index, count);
        return fragment.setBytes(offset + index, in, count);
    }

    @Override
    public int setBytes(int index, FileChannel in, long position, int count) throws IOException {
        checkIndex(index, count);
        return fragment.setBytes(offset + index, in, position, count);
    }

    @Override
    public ByteBuf copy(int index, int count) {
        checkIndex(index, count);
        return fragment.copy(offset + index, count);
    }

    @Override
    public int nioBufferCount() {
        return unwrap().nioBufferCount();
    }

    @Override
    public ByteBuffer nioBuffer(int index, int count) {
        checkIndex(index, count);
        return fragment.nioBuffer(offset + index, count);
    }

    @Override
    public ByteBuffer internalNioBuffer(int index, int count) {
        // Not the fragment's own: several frames of one fragment may be under way to sockets at once.
        return nioBuffer(index, count);
    }

    @Override
    public ByteBuffer[] nioBuffers(int index, int count) {
        checkIndex(index, count);
        return fragment.nioBuffers(offset + index, count);
    }
}
