package io.exactframe.netty;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.channel.ChannelHandler;
import io.netty.channel.embedded.EmbeddedChannel;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Random;

/** Byte strings and how they get to a channel. */
final class Wire {
    private Wire() {}

    /** Hex digits to bytes; anything else in the text is for the reader. */
    static byte[] bytes(String hex) {
        return HexFormat.of().parseHex(hex.replaceAll("[^0-9a-fA-F]", ""));
    }

    static String hex(byte[] bytes, int from, int to) {
        return HexFormat.of().formatHex(bytes, from, to);
    }

    static byte[] random(Random random, int length) {
        byte[] bytes = new byte[length];
        random.nextBytes(bytes);
        return bytes;
    }

    static byte[] concat(byte[]... parts) {
        int length = Arrays.stream(parts).mapToInt(part -> part.length).sum();
        byte[] all = new byte[length];
        int at = 0;
        for (byte[] part : parts) {
            System.arraycopy(part, 0, all, at, part.length);
            at += part.length;
        }
        return all;
    }

    static byte[] repeat(byte[] stream, int times) {
        byte[][] parts = new byte[times][];
        Arrays.fill(parts, stream);
        return concat(parts);
    }

    /** A number as a length field has it. */
    static byte[] number(long value, int width, boolean littleEndian) {
        byte[] bytes = new byte[width];
        for (int i = 0; i < width; i++) {
            bytes[littleEndian ? i : width - 1 - i] = (byte) (value >>> (8 * i));
        }
        return bytes;
    }

    static EmbeddedChannel channel(ChannelHandler decoder, Sink sink) {
        return new EmbeddedChannel(decoder, sink);
    }

    /** One read, of these bytes. */
    static void receive(EmbeddedChannel channel, byte[] stream, int from, int to) {
        receive(channel, channel.alloc().buffer(Math.max(to - from, 1)).writeBytes(stream, from, to - from));
    }

    static void receive(EmbeddedChannel channel, byte[] stream) {
        receive(channel, stream, 0, stream.length);
    }

    /** One read. Not writeInbound, which throws what was fired. */
    static void receive(EmbeddedChannel channel, ByteBuf read) {
        channel.pipeline().fireChannelRead(read);
        channel.pipeline().fireChannelReadComplete();
    }

    /** Reads of so many bytes each. */
    static void receiveInPieces(EmbeddedChannel channel, byte[] stream, int size) {
        for (int at = 0; at < stream.length; at += size) {
            receive(channel, stream, at, Math.min(at + size, stream.length));
        }
    }

    static String hexAndRelease(ByteBuf frame) {
        try {
            // All at once: a leak detector notes each access.
            return HexFormat.of().formatHex(ByteBufUtil.getBytes(frame));
        } finally {
            frame.release();
        }
    }
}
