package io.exactframe.netty.testing;

import io.exactframe.netty.LengthPrefix;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.channel.ChannelHandler;
import io.netty.channel.embedded.EmbeddedChannel;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Random;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Byte strings and how they get to a channel. */
public final class Wire {
    private Wire() {}

    /** Hex digits to bytes; anything else in the text is for the reader. */
    public static byte[] bytes(String hex) {
        return HexFormat.of().parseHex(hex.replaceAll("[^0-9a-fA-F]", ""));
    }

    public static String hex(byte[] bytes, int from, int to) {
        return HexFormat.of().formatHex(bytes, from, to);
    }

    public static byte[] random(Random random, int length) {
        byte[] bytes = new byte[length];
        random.nextBytes(bytes);
        return bytes;
    }

    public static byte[] concat(byte[]... parts) {
        int length = Arrays.stream(parts).mapToInt(part -> part.length).sum();
        byte[] all = new byte[length];
        int at = 0;
        for (byte[] part : parts) {
            System.arraycopy(part, 0, all, at, part.length);
            at += part.length;
        }
        return all;
    }

    public static byte[] repeat(byte[] stream, int times) {
        byte[][] parts = new byte[times][];
        Arrays.fill(parts, stream);
        return concat(parts);
    }

    /** How many bytes a prefix has "before" or "after" its field, or as a "trailer": as it says when it is asked. */
    public static int count(LengthPrefix prefix, String where) {
        Matcher drawn = Pattern.compile("(\\d+) " + where).matcher(prefix.toString());
        return drawn.find() ? Integer.parseInt(drawn.group(1)) : 0;
    }

    /** A number as a length field has it. */
    public static byte[] number(long value, int width, boolean littleEndian) {
        byte[] bytes = new byte[width];
        for (int i = 0; i < width; i++) {
            bytes[littleEndian ? i : width - 1 - i] = (byte) (value >>> (8 * i));
        }
        return bytes;
    }

    public static EmbeddedChannel channel(ChannelHandler decoder, Sink sink) {
        return new EmbeddedChannel(decoder, sink);
    }

    /** One read, of these bytes. */
    public static void receive(EmbeddedChannel channel, byte[] stream, int from, int to) {
        receive(channel, channel.alloc().buffer(Math.max(to - from, 1)).writeBytes(stream, from, to - from));
    }

    public static void receive(EmbeddedChannel channel, byte[] stream) {
        receive(channel, stream, 0, stream.length);
    }

    /** One read. Not writeInbound, which throws what was fired. */
    public static void receive(EmbeddedChannel channel, ByteBuf read) {
        channel.pipeline().fireChannelRead(read);
        channel.pipeline().fireChannelReadComplete();
    }

    /** Reads of so many bytes each. */
    public static void receiveInPieces(EmbeddedChannel channel, byte[] stream, int size) {
        for (int at = 0; at < stream.length; at += size) {
            receive(channel, stream, at, Math.min(at + size, stream.length));
        }
    }

    /** The peer closes: no handler is asked, as by close() and finish(). Throws nothing. */
    public static void peerCloses(EmbeddedChannel channel) {
        channel.unsafe().close(channel.unsafe().voidPromise());
        channel.runPendingTasks();
    }

    /** The same, and then finish(), which throws what was recorded, and tells whether a message is left. */
    public static boolean finishByPeer(EmbeddedChannel channel) {
        peerCloses(channel);
        return channel.finish();
    }

    public static String hexAndRelease(ByteBuf frame) {
        try {
            // All at once: a leak detector notes each access.
            return HexFormat.of().formatHex(ByteBufUtil.getBytes(frame));
        } finally {
            frame.release();
        }
    }
}
