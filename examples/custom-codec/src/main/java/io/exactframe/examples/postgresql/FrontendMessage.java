package io.exactframe.examples.postgresql;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.netty.buffer.ByteBuf;
import io.netty.handler.codec.CorruptedFrameException;
import java.util.LinkedHashMap;
import java.util.Map;

/** What a client sends. */
sealed interface FrontendMessage {
    int PROTOCOL_3_0 = 3 << 16;

    /** SSLRequest or GSSENCRequest: may what follows be encrypted? */
    record EncryptionRequest() implements FrontendMessage {
        private static final int SSL = 80877103;
        private static final int GSS = 80877104;
    }

    /** Sent on a connection of its own, which is to be closed without an answer. */
    record CancelRequest() implements FrontendMessage {
        private static final int CODE = 80877102;
    }

    record StartupMessage(int protocol, Map<String, String> parameters) implements FrontendMessage {}

    record PasswordMessage(String password) implements FrontendMessage {
        @Override
        public String toString() {
            return "PasswordMessage[]"; // nothing for a log
        }
    }

    record Query(String sql) implements FrontendMessage {}

    /** The end of a group of extended-query messages; after an error in it, the first that is heeded again. */
    record Sync() implements FrontendMessage {}

    record Terminate() implements FrontendMessage {}

    /** A type that is not treated here; its content is dropped. */
    record Unknown(char type) implements FrontendMessage {}

    /** A whole packet of the startup phase, its length included. */
    static FrontendMessage readStartup(ByteBuf frame) {
        frame.readInt();
        int code = frame.readInt();
        return switch (code) {
            case EncryptionRequest.SSL, EncryptionRequest.GSS -> wholly(frame, new EncryptionRequest());
            case CancelRequest.CODE -> new CancelRequest();
            case PROTOCOL_3_0 -> wholly(frame, new StartupMessage(code, readParameters(frame)));
            default -> new StartupMessage(code, Map.of()); // what follows the code is for that protocol to say
        };
    }

    /** A whole message, its type and its length included. */
    static FrontendMessage readTyped(ByteBuf frame) {
        char type = (char) frame.readUnsignedByte();
        frame.readInt();
        return switch (type) {
            case 'Q' -> wholly(frame, new Query(readString(frame)));
            case 'p' -> wholly(frame, new PasswordMessage(readString(frame)));
            case 'S' -> wholly(frame, new Sync());
            case 'X' -> wholly(frame, new Terminate());
            default -> new Unknown(type);
        };
    }

    private static Map<String, String> readParameters(ByteBuf frame) {
        Map<String, String> parameters = new LinkedHashMap<>();
        for (String name; !(name = readString(frame)).isEmpty(); ) {
            parameters.put(name, readString(frame));
        }
        return parameters;
    }

    private static String readString(ByteBuf frame) {
        int length = frame.bytesBefore((byte) 0);
        if (length < 0) {
            throw new CorruptedFrameException("a string without its end");
        }
        String text = frame.readCharSequence(length, UTF_8).toString();
        frame.readByte();
        return text;
    }

    private static FrontendMessage wholly(ByteBuf frame, FrontendMessage message) {
        if (frame.isReadable()) {
            throw new CorruptedFrameException("a message that is longer than what it says");
        }
        return message;
    }
}
