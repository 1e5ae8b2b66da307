package io.exactframe.examples.postgresql;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.netty.buffer.ByteBuf;
import io.netty.channel.embedded.EmbeddedChannel;
import java.util.HexFormat;

/** Bytes as a client sends them, and a channel to send them to. */
final class Wire {
    static final String SSL_REQUEST = "00000008 04D2162F";
    static final String GSS_REQUEST = "00000008 04D21630";
    static final String CANCEL_REQUEST = "00000010 04D2162E 00000001 00000002";

    /** Protocol 3.0, user ada, database math. */
    static final String STARTUP = "00000020 00030000 7573657200 61646100 646174616261736500 6D61746800 00";

    static final String SELECT_1 = "51 0000000D 53454C454354203100";
    static final String TERMINATE = "58 00000004";
    static final String SYNC = "53 00000004";

    private Wire() {}

    static byte[] bytes(String... hex) {
        return HexFormat.of().parseHex(String.join("", hex).replace(" ", ""));
    }

    static void send(EmbeddedChannel channel, String... hex) {
        send(channel, bytes(hex), Integer.MAX_VALUE);
    }

    /** In fragments of so many bytes, as long as the channel is open. */
    static void send(EmbeddedChannel channel, byte[] bytes, int fragment) {
        for (int i = 0; i < bytes.length && channel.isOpen(); i += Math.min(fragment, bytes.length - i)) {
            ByteBuf part = channel.alloc().buffer();
            channel.writeInbound(part.writeBytes(bytes, i, Math.min(fragment, bytes.length - i)));
        }
    }

    static String hex(String text) {
        return HexFormat.of().formatHex(text.getBytes(UTF_8));
    }

    /** What was answered: types, with a colon and the content if there is a length; see {@link #drawn}. */
    static String answers(EmbeddedChannel channel) {
        ByteBuf wire = channel.alloc().buffer();
        for (ByteBuf part; (part = channel.readOutbound()) != null; part.release()) {
            wire.writeBytes(part);
        }
        StringBuilder answers = new StringBuilder();
        while (wire.isReadable()) {
            answers.append(answers.isEmpty() ? "" : " ").append((char) wire.readByte());
            if (wire.isReadable() && wire.getByte(wire.readerIndex()) == 0) { // and not the next after a bare byte
                byte[] content = new byte[wire.readInt() - 4];
                wire.readBytes(content);
                answers.append(':').append(drawn(content));
            }
        }
        wire.release();
        return answers.toString();
    }

    /** A point for a zero, and the number of other bytes that cannot be printed. */
    private static String drawn(byte[] content) {
        StringBuilder drawn = new StringBuilder();
        for (byte b : content) {
            drawn.append(b == 0 ? "." : b >= ' ' ? "" + (char) b : "<" + (b & 0xFF) + ">");
        }
        return drawn.toString();
    }
}
