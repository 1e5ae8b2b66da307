package io.exactframe.examples.filetransfer;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.netty.buffer.ByteBuf;
import java.nio.charset.CharacterCodingException;
import java.time.DateTimeException;
import java.time.Instant;

/** What the ends say to each other: the frames of PROTOCOL.md, without their length. */
interface Message {
    int MAGIC = 0x78465452; // xFTR
    int SHA256_LENGTH = 32;

    record Hello(int magic, int version) implements Message {
        static final Hello OURS = new Hello(MAGIC, Limits.VERSION);
    }

    record Listed(int entries, long bytes) implements Message {}

    record Get(int index, long offset, boolean onlySame, byte[] sha256) implements Message {}

    record Begin(int index, long offset) implements Message {}

    record Piece(int length) implements Message {}

    record End(byte[] sha256) implements Message {}

    record Whole(int index, byte[] sha256, byte[] content) implements Message {}

    record NotSent(int index, Reason reason) implements Message {}

    record Receipt(int index, Reason reason) implements Message {}

    record Done() implements Message {}

    record Bye() implements Message {}

    record Busy() implements Message {}

    record Refused(Reason reason) implements Message {}

    static void encode(Message message, ByteBuf out) {
        if (message instanceof Hello hello) {
            out.writeByte(1).writeInt(hello.magic).writeByte(hello.version);
        } else if (message instanceof Entry entry) {
            out.writeByte(2).writeBoolean(entry.folder()).writeShort(entry.mode()).writeLong(entry.size());
            out.writeLong(entry.modified().getEpochSecond());
            out.writeInt(entry.modified().getNano());
            out.writeCharSequence(entry.path(), UTF_8);
        } else if (message instanceof Listed listed) {
            out.writeByte(3).writeInt(listed.entries).writeLong(listed.bytes);
        } else if (message instanceof Get get) {
            out.writeByte(4).writeInt(get.index).writeLong(get.offset).writeBoolean(get.onlySame);
            out.writeBytes(get.sha256);
        } else if (message instanceof Begin begin) {
            out.writeByte(5).writeInt(begin.index).writeLong(begin.offset);
        } else if (message instanceof Piece piece) {
            out.writeByte(6).writeInt(piece.length);
        } else if (message instanceof End end) {
            out.writeByte(7).writeBytes(end.sha256);
        } else if (message instanceof NotSent not) {
            out.writeByte(8).writeInt(not.index).writeByte(not.reason.code);
        } else if (message instanceof Receipt receipt) {
            out.writeByte(9).writeInt(receipt.index).writeByte(receipt.reason.code);
        } else if (message instanceof Done) {
            out.writeByte(10);
        } else if (message instanceof Bye) {
            out.writeByte(11);
        } else if (message instanceof Busy) {
            out.writeByte(12);
        } else if (message instanceof Refused refused) {
            out.writeByte(13).writeByte(refused.reason.code);
        } else if (message instanceof Whole whole) {
            out.writeByte(14).writeInt(whole.index).writeBytes(whole.sha256).writeBytes(whole.content);
        }
    }

    /** Reads all of the frame, or refuses it. */
    static Message decode(ByteBuf frame) throws TransferException {
        try {
            Message message = read(frame.readUnsignedByte(), frame);
            if (frame.isReadable()) {
                throw TransferException.notUnderstood("a frame that is longer than it should be");
            }
            return message;
        } catch (IndexOutOfBoundsException e) {
            throw TransferException.notUnderstood("a frame that is shorter than it should be");
        } catch (DateTimeException | ArithmeticException | CharacterCodingException e) {
            throw TransferException.notUnderstood("an entry that makes no sense");
        }
    }

    private static Message read(int type, ByteBuf in) throws TransferException, CharacterCodingException {
        return switch (type) {
            case 1 -> new Hello(in.readInt(), in.readUnsignedByte());
            case 2 -> readEntry(in);
            case 3 -> new Listed(in.readInt(), in.readLong());
            case 4 -> new Get(in.readInt(), in.readLong(), in.readBoolean(), read(in, SHA256_LENGTH));
            case 5 -> new Begin(in.readInt(), in.readLong());
            case 6 -> new Piece(in.readInt());
            case 7 -> new End(read(in, SHA256_LENGTH));
            case 8 -> new NotSent(in.readInt(), Reason.of(in.readUnsignedByte()));
            case 9 -> new Receipt(in.readInt(), Reason.of(in.readUnsignedByte()));
            case 10 -> new Done();
            case 11 -> new Bye();
            case 12 -> new Busy();
            case 13 -> new Refused(Reason.of(in.readUnsignedByte()));
            case 14 -> new Whole(in.readInt(), read(in, SHA256_LENGTH), read(in, in.readableBytes()));
            default -> throw TransferException.notUnderstood("a frame of type " + type);
        };
    }

    private static Entry readEntry(ByteBuf in) throws CharacterCodingException, TransferException {
        boolean folder = in.readBoolean();
        int mode = in.readUnsignedShort() & 0777;
        long size = in.readLong();
        Instant modified = Instant.ofEpochSecond(in.readLong(), in.readInt());
        modified.toEpochMilli(); // what overflows here is no time of a file
        String path = UTF_8.newDecoder().decode(in.nioBuffer()).toString();
        in.skipBytes(in.readableBytes());
        if (size < 0 || (folder && size != 0)) {
            throw TransferException.notUnderstood("a size that makes no sense");
        }
        return new Entry(folder, mode, size, modified, path);
    }

    private static byte[] read(ByteBuf in, int length) {
        byte[] bytes = new byte[length];
        in.readBytes(bytes);
        return bytes;
    }
}
