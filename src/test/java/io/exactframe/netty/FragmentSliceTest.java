package io.exactframe.netty;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.channel.embedded.EmbeddedChannel;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.GatheringByteChannel;
import java.nio.channels.ScatteringByteChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A frame that lies in a read does whatever a buffer of its own would, and touches nothing beside it. */
class FragmentSliceTest {
    private static final int LENGTH = 64;
    private static final int SEED = 10;

    enum Memory {
        HEAP,
        DIRECT
    }

    @TempDir
    Path folder;

    private final Keeper keeper = Keeper.ofAll();
    private final Random random = new Random(SEED);
    private byte[] stream;
    private ByteBuf read;
    private ByteBuf frame; // the second of three
    private ByteBuf model; // a copy of it

    private void receive(Memory memory) {
        EmbeddedChannel channel = Wire.channel(new FixedLengthExactDecoder(LENGTH), keeper);
        stream = Wire.random(random, 3 * LENGTH);
        read = memory == Memory.HEAP ? channel.alloc().heapBuffer(200) : channel.alloc().directBuffer(200);
        read.writeBytes(stream);
        Wire.receive(channel, read);
        channel.finish();
        frame = keeper.kept.get(1);
        assertThat(frame).isInstanceOf(FragmentSlice.class);
        model = Unpooled.copiedBuffer(frame);
    }

    private void release() {
        assertThat(ByteBufUtil.getBytes(keeper.kept.get(0))).isEqualTo(Arrays.copyOf(stream, LENGTH));
        byte[] last = Arrays.copyOfRange(stream, 2 * LENGTH, 3 * LENGTH);
        assertThat(ByteBufUtil.getBytes(keeper.kept.get(2))).isEqualTo(last);
        keeper.releaseAll();
        assertThat(read.refCnt()).isZero();
    }

    @ParameterizedTest
    @EnumSource
    void readsAreThoseOfACopy(Memory memory) throws IOException {
        receive(memory);
        for (int i = 0; i <= LENGTH - 8; i++) {
            assertThat(frame.getByte(i)).isEqualTo(model.getByte(i));
            assertThat(frame.getShort(i)).isEqualTo(model.getShort(i));
            assertThat(frame.getShortLE(i)).isEqualTo(model.getShortLE(i));
            assertThat(frame.getUnsignedMedium(i)).isEqualTo(model.getUnsignedMedium(i));
            assertThat(frame.getUnsignedMediumLE(i)).isEqualTo(model.getUnsignedMediumLE(i));
            assertThat(frame.getInt(i)).isEqualTo(model.getInt(i));
            assertThat(frame.getIntLE(i)).isEqualTo(model.getIntLE(i));
            assertThat(frame.getLong(i)).isEqualTo(model.getLong(i));
            assertThat(frame.getLongLE(i)).isEqualTo(model.getLongLE(i));
            assertThat(frame.copy(i, 8)).isEqualTo(model.slice(i, 8)).satisfies(ByteBuf::release);
            assertThat(frame.slice(i, 8)).isEqualTo(model.slice(i, 8));
            assertThat(frame.nioBuffer(i, 8)).isEqualTo(model.nioBuffer(i, 8));
            assertThat(frame.internalNioBuffer(i, 8)).isEqualTo(model.nioBuffer(i, 8));
            assertThat(frame.nioBuffers(i, 8)).containsExactly(model.nioBuffer(i, 8));
        }
        int at = 5;
        int count = 50;
        assertThat(Unpooled.buffer(count).writeBytes(frame, at, count)).isEqualTo(model.slice(at, count));
        byte[] bytes = new byte[count];
        frame.getBytes(at, bytes);
        assertThat(bytes).isEqualTo(ByteBufUtil.getBytes(model, at, count));
        ByteBuffer nio = ByteBuffer.allocate(count);
        frame.getBytes(at, nio);
        assertThat(nio.flip()).isEqualTo(model.nioBuffer(at, count));
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        frame.getBytes(at, out, count);
        assertThat(out.toByteArray()).isEqualTo(bytes);
        try (FileChannel file = file()) {
            assertThat(frame.getBytes(at, (GatheringByteChannel) file, count)).isEqualTo(count);
            assertThat(frame.getBytes(at, file, 100, count)).isEqualTo(count);
            ByteBuffer back = ByteBuffer.allocate(count);
            file.read(back, 0);
            assertThat(back.flip()).isEqualTo(model.nioBuffer(at, count));
            file.read(back.clear(), 100);
            assertThat(back.flip()).isEqualTo(model.nioBuffer(at, count));
        }
        assertThat(frame.toString(ISO_8859_1)).isEqualTo(model.toString(ISO_8859_1));
        assertThat(frame.indexOf(0, LENGTH, model.getByte(40))).isEqualTo(model.indexOf(0, LENGTH, model.getByte(40)));
        assertThat(frame).isEqualTo(model).hasSameHashCodeAs(model).isEqualByComparingTo(model);
        release();
    }

    @ParameterizedTest
    @EnumSource
    void writesAreThoseToACopyAndStayInTheFrame(Memory memory) throws IOException {
        receive(memory);
        byte[] bytes = Wire.random(random, 8);
        for (ByteBuf each : new ByteBuf[] {frame, model}) {
            each.setByte(0, 0x11);
            each.setShort(1, 0x1213).setShortLE(3, 0x1415);
            each.setMedium(5, 0x161718).setMediumLE(8, 0x191a1b);
            each.setInt(11, 0x1c1d1e1f).setIntLE(15, 0x20212223);
            each.setLong(19, 0x2425262728292a2bL).setLongLE(27, 0x2c2d2e2f30313233L);
            each.setBytes(35, Unpooled.wrappedBuffer(bytes), 1, 3);
            each.setBytes(38, bytes, 2, 3);
            each.setBytes(41, ByteBuffer.wrap(bytes, 3, 3));
            each.setBytes(44, new ByteArrayInputStream(bytes), 4);
            try (FileChannel file = file()) {
                file.write(ByteBuffer.wrap(bytes), 0);
                assertThat(each.setBytes(48, (ScatteringByteChannel) file.position(0), 4)).isEqualTo(4);
                assertThat(each.setBytes(52, file, 2, 6)).isEqualTo(6);
            }
            each.setZero(58, 3);
            each.setCharSequence(61, "end", ISO_8859_1);
        }
        assertThat(ByteBufUtil.hexDump(frame)).isEqualTo(ByteBufUtil.hexDump(model));
        release();
    }

    private FileChannel file() throws IOException {
        return FileChannel.open(
                folder.resolve("bytes"), StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
    }

    @ParameterizedTest
    @EnumSource
    void itsMemoryIsThatOfItsRead(Memory memory) {
        receive(memory);
        assertThat(frame.isDirect()).isEqualTo(read.isDirect());
        assertThat(frame.isReadOnly()).isFalse();
        assertThat(frame.alloc()).isSameAs(read.alloc());
        assertThat(frame.nioBufferCount()).isEqualTo(1);
        assertThat(frame.isContiguous()).isEqualTo(read.isContiguous());
        assertThat(frame.hasArray()).isEqualTo(read.hasArray());
        if (frame.hasArray()) {
            assertThat(frame.array()).isSameAs(read.array());
            assertThat(frame.arrayOffset()).isEqualTo(read.arrayOffset() + LENGTH);
        }
        assertThat(frame.hasMemoryAddress()).isEqualTo(read.hasMemoryAddress());
        if (frame.hasMemoryAddress()) {
            assertThat(frame.memoryAddress()).isEqualTo(read.memoryAddress() + LENGTH);
        }
        assertThat(frame.touch()).isSameAs(frame);
        assertThat(frame.touch("hint")).isSameAs(frame);
        release();
    }

    @ParameterizedTest
    @EnumSource
    void anInternalBufferIsTheFramesOwn(Memory memory) {
        // Several frames of one read may be on their way to sockets at once.
        receive(memory);
        ByteBuffer first = frame.internalNioBuffer(0, LENGTH);
        ByteBuffer second = keeper.kept.get(2).internalNioBuffer(0, LENGTH);
        assertThat(first).isNotSameAs(second).isEqualTo(model.nioBuffer());
        release();
    }
}
