package io.exactframe.examples.postgresql;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandler.Sharable;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.MessageToByteEncoder;

/** What the server answers. */
sealed interface BackendMessage {
    char type();

    default void writeContent(ByteBuf out) {}

    /** The answer to an encryption request: one byte, without a length. */
    record NoEncryption() implements BackendMessage {
        @Override
        public char type() {
            return 'N';
        }
    }

    record AuthenticationOk() implements BackendMessage {
        @Override
        public char type() {
            return 'R';
        }

        @Override
        public void writeContent(ByteBuf out) {
            out.writeInt(0);
        }
    }

    record ParameterStatus(String name, String value) implements BackendMessage {
        @Override
        public char type() {
            return 'S';
        }

        @Override
        public void writeContent(ByteBuf out) {
            writeString(out, name);
            writeString(out, value);
        }
    }

    /** Idle, in no transaction. */
    record ReadyForQuery() implements BackendMessage {
        @Override
        public char type() {
            return 'Z';
        }

        @Override
        public void writeContent(ByteBuf out) {
            out.writeByte('I');
        }
    }

    /** One column, as text. */
    record RowDescription(String column, int typeOid, int typeSize) implements BackendMessage {
        @Override
        public char type() {
            return 'T';
        }

        @Override
        public void writeContent(ByteBuf out) {
            out.writeShort(1);
            writeString(out, column);
            out.writeInt(0).writeShort(0); // not a table's column
            out.writeInt(typeOid).writeShort(typeSize).writeInt(-1);
            out.writeShort(0); // text format
        }
    }

    /** One value. */
    record DataRow(String value) implements BackendMessage {
        @Override
        public char type() {
            return 'D';
        }

        @Override
        public void writeContent(ByteBuf out) {
            byte[] bytes = value.getBytes(UTF_8);
            out.writeShort(1).writeInt(bytes.length).writeBytes(bytes);
        }
    }

    record CommandComplete(String tag) implements BackendMessage {
        @Override
        public char type() {
            return 'C';
        }

        @Override
        public void writeContent(ByteBuf out) {
            writeString(out, tag);
        }
    }

    /** Instead of the others, if the query was empty. */
    record EmptyQueryResponse() implements BackendMessage {
        @Override
        public char type() {
            return 'I';
        }
    }

    /** A severity of ERROR ends the command, of FATAL the connection. */
    record ErrorResponse(String severity, String sqlState, String message) implements BackendMessage {
        @Override
        public char type() {
            return 'E';
        }

        @Override
        public void writeContent(ByteBuf out) {
            writeString(out, 'S' + severity);
            writeString(out, 'V' + severity);
            writeString(out, 'C' + sqlState);
            writeString(out, 'M' + message);
            out.writeByte(0);
        }
    }

    private static void writeString(ByteBuf out, String text) {
        out.writeCharSequence(text, UTF_8);
        out.writeByte(0);
    }

    /** Type, length, content. The length counts itself and is known when the content is written. */
    @Sharable
    final class Encoder extends MessageToByteEncoder<BackendMessage> {
        Encoder() {
            super(BackendMessage.class);
        }

        @Override
        protected void encode(ChannelHandlerContext ctx, BackendMessage message, ByteBuf out) {
            out.writeByte(message.type());
            if (message instanceof NoEncryption) {
                return;
            }
            int start = out.writerIndex();
            out.writeInt(0);
            message.writeContent(out);
            out.setInt(start, out.writerIndex() - start);
        }
    }
}
