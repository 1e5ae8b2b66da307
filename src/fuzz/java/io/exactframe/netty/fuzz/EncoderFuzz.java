package io.exactframe.netty.fuzz;

import io.exactframe.netty.LengthPrefixedEncoder;
import io.exactframe.netty.LengthPrefixedExactDecoder;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.DefaultByteBufHolder;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.netty.channel.ChannelFuture;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.handler.codec.EncoderException;
import io.netty.handler.stream.ChunkedInput;
import java.math.BigInteger;
import java.util.Arrays;

/**
 * {@link LengthPrefixedEncoder}: the bytes on the wire are computed from the documentation, with numbers that cannot
 * overflow; what is refused must be refused; and a decoder of the same prefix gives back what was written, wherever the
 * wire is cut.
 */
public final class EncoderFuzz {
    private EncoderFuzz() {}

    /** Tells a length, and is nothing else: what goes out in front of it is looked at. */
    private static final class Told implements ChunkedInput<ByteBuf> {
        private final long length;
        private boolean closed;

        Told(long length) {
            this.length = length;
        }

        @Override
        public boolean isEndOfInput() {
            return true;
        }

        @Override
        public void close() {
            closed = true;
        }

        @Override
        @Deprecated
        public ByteBuf readChunk(io.netty.channel.ChannelHandlerContext ctx) {
            return null;
        }

        @Override
        public ByteBuf readChunk(ByteBufAllocator allocator) {
            return null;
        }

        @Override
        public long length() {
            return length;
        }

        @Override
        public long progress() {
            return length;
        }
    }

    public static void fuzzerTestOneInput(byte[] input) {
        Script script = new Script(input);
        Format format = Format.prefixed(script, true);
        UnpooledByteBufAllocator memory = new UnpooledByteBufAllocator(false, true, true);
        LengthPrefixedEncoder encoder = new LengthPrefixedEncoder(format.prefix());
        EmbeddedChannel channel = new EmbeddedChannel(encoder);
        channel.config().setAllocator(memory);
        Wire sent = new Wire();
        Wire expected = new Wire();
        do {
            int size = script.size();
            int kind = script.upTo(5);
            if (kind == 5) {
                tell(channel, format, script);
            } else {
                int from = sent.sent;
                sent.sendFill(size);
                ByteBuf message = buffer(memory, sent, from, size, kind);
                Object written = kind == 4 ? new DefaultByteBufHolder(message) : message;
                ChannelFuture done = channel.write(written);
                boolean fits = append(expected, format, sent, from, size);
                channel.flush();
                check(done.isDone() && done.isSuccess() == fits, "written: " + done + ", fits: " + fits);
                if (!fits) {
                    check(done.cause() instanceof EncoderException, "failed with " + done.cause());
                }
            }
        } while (!script.isUsedUp() && expected.sent < 70_000);
        Wire wire = new Wire();
        drain(channel, wire);
        check(Arrays.equals(wire.bytes, 0, wire.sent, expected.bytes, 0, expected.sent), "other bytes are on the wire");
        readBack(format, wire, script.upTo(200) + 1);
        channel.finishAndReleaseAll();
        long held = memory.metric().usedHeapMemory() + memory.metric().usedDirectMemory();
        check(held == 0, held + " bytes of memory are not released");
    }

    private static ByteBuf buffer(ByteBufAllocator memory, Wire sent, int from, int size, int kind) {
        ByteBuf plain = memory.heapBuffer(size + 7).writeZero(kind == 1 ? 5 : 0).skipBytes(kind == 1 ? 5 : 0);
        plain.writeBytes(sent.bytes, from, size);
        if (kind == 2) {
            return memory.compositeHeapBuffer().addComponent(true, plain);
        }
        return kind == 3 ? plain.asReadOnly() : plain;
    }

    /** The smallest field that holds what is to be counted, or -1. */
    private static BigInteger valueOf(Format format, BigInteger payload, int[] field) {
        for (int width = format.fieldLeast(); width <= format.fieldMost(); width++) {
            BigInteger length = payload.add(BigInteger.valueOf((long) format.before + width + format.after + format.trailer));
            BigInteger value = length.subtract(format.frameLength(BigInteger.ZERO, width));
            int bits = format.width == 8 ? 63 : format.width == 0 ? Math.min(7 * width, 32) : 8 * width;
            if (value.signum() >= 0 && value.bitLength() <= bits) {
                field[0] = width;
                return value;
            }
            if (value.signum() < 0 && format.width == 0) {
                continue; // a longer field that counts itself says more
            }
        }
        return null;
    }

    /** Appends what must be on the wire for a message; false if it cannot be told. */
    private static boolean append(Wire wire, Format format, Wire message, int from, int size) {
        int payload = size - format.before - format.after - format.trailer;
        int[] field = new int[1];
        BigInteger value = payload < 0 ? null : valueOf(format, BigInteger.valueOf(payload), field);
        if (value == null) {
            return false;
        }
        for (int i = 0; i < format.before; i++) {
            wire.send(message.bytes[from + i]);
        }
        number(wire, format, value.longValue(), field[0]);
        for (int i = format.before; i < size; i++) {
            wire.send(message.bytes[from + i]);
        }
        return true;
    }

    private static void number(Wire wire, Format format, long value, int field) {
        if (format.width != 0) {
            wire.send(value, field, format.littleEndian);
            return;
        }
        for (int i = 0; i < field; i++) {
            wire.send((int) (value >>> (7 * i)) & 0x7f | (i < field - 1 ? 0x80 : 0));
        }
    }

    /** A long message that tells its length only: its field, at every edge up to 2^63 - 1. */
    private static void tell(EmbeddedChannel channel, Format format, Script script) {
        long length = (1L << script.upTo(62)) + script.upTo(40) - 20;
        length = script.upTo(9) == 0 ? Long.MAX_VALUE - script.upTo(40) : script.upTo(9) == 0 ? -1 : length;
        Told told = new Told(length);
        EmbeddedChannel own = new EmbeddedChannel(new LengthPrefixedEncoder(format.prefix()));
        ChannelFuture done = own.writeAndFlush(told);
        int around = format.before + format.after + format.trailer;
        int[] field = new int[1];
        BigInteger value = length < around || format.before > 0
                ? null
                : valueOf(format, BigInteger.valueOf(length).subtract(BigInteger.valueOf(around)), field);
        // A frame of more than 2^63 - 1 bytes has no length.
        boolean fits = value != null;
        if (fits) {
            Wire expected = new Wire();
            number(expected, format, value.longValue(), field[0]);
            Object header = own.readOutbound();
            check(header instanceof ByteBuf, "no header for " + length + ": " + done.cause());
            ByteBuf bytes = (ByteBuf) header;
            check(bytes.readableBytes() == expected.sent && expected.isAt(0, bytes), "another header for " + length);
            bytes.release();
            check(own.readOutbound() == told, "the message itself is not written");
            check(done.isSuccess(), "not written: " + done.cause());
        } else {
            check(own.readOutbound() == null, "written, though " + length + " cannot be told");
            check(done.cause() instanceof EncoderException && told.closed, "refused, but " + done + told.closed);
        }
        own.finishAndReleaseAll();
    }

    private static void drain(EmbeddedChannel channel, Wire wire) {
        for (Object out; (out = channel.readOutbound()) != null; ) {
            ByteBuf bytes = (ByteBuf) out;
            while (bytes.isReadable()) {
                wire.send(bytes.readByte());
            }
            bytes.release();
        }
    }

    /** The decoder of the same prefix gives what the format says of the wire. */
    private static void readBack(Format format, Wire wire, int cut) {
        EmbeddedChannel reader = new EmbeddedChannel(new LengthPrefixedExactDecoder(1 << 20, format.prefix()));
        Throwable fault = null;
        try {
            for (int at = 0, size = Math.max(cut, wire.sent / 40); at < wire.sent; at += size) {
                int count = Math.min(size, wire.sent - at);
                reader.writeInbound(reader.alloc().buffer(count).writeBytes(wire.bytes, at, count));
            }
            reader.finish();
        } catch (Exception reported) {
            fault = reported;
        }
        format.max = 1 << 20;
        Model.Whole model = new Model.Whole(format, wire, 0, 0);
        model.arrive(wire.sent);
        while (model.next() == Model.Kind.MESSAGE) {
            ByteBuf frame = reader.readInbound();
            check(frame != null, "a frame is missing");
            check(frame.readableBytes() == model.size && wire.isAt(model.from, frame), "another frame is read back");
            frame.release();
            model.seen();
        }
        check(reader.readInbound() == null, "a frame too many");
        // A frame that is shorter than what is to be stripped can be written, and not be read.
        boolean isRefused = model.next() == Model.Kind.FAULT && format.strip > 0;
        check(isRefused || model.next() == Model.Kind.NOTHING, "the wire does not end with a frame: " + model.next());
        check(fault == null || isRefused, "the decoder says " + fault);
        reader.releaseInbound();
    }

    private static void check(boolean holds, String what) {
        if (!holds) {
            throw new AssertionError(what);
        }
    }
}
