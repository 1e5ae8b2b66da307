package io.exactframe.examples.postgresql;

import io.exactframe.examples.postgresql.Pipe.From;
import io.exactframe.netty.PrematureCloseException;
import java.util.Map;

/** The names of message types, as PostgreSQL's documentation has them. */
final class Messages {
    private static final Map<Character, String> OF_CLIENTS = Map.ofEntries(
            Map.entry('B', "Bind"),
            Map.entry('C', "Close"),
            Map.entry('d', "CopyData"),
            Map.entry('c', "CopyDone"),
            Map.entry('f', "CopyFail"),
            Map.entry('D', "Describe"),
            Map.entry('E', "Execute"),
            Map.entry('F', "FunctionCall"),
            Map.entry('H', "Flush"),
            Map.entry('P', "Parse"),
            Map.entry('p', "PasswordMessage"),
            Map.entry('Q', "Query"),
            Map.entry('S', "Sync"),
            Map.entry('X', "Terminate"));

    private static final Map<Character, String> OF_SERVERS = Map.ofEntries(
            Map.entry('R', "Authentication"),
            Map.entry('K', "BackendKeyData"),
            Map.entry('2', "BindComplete"),
            Map.entry('3', "CloseComplete"),
            Map.entry('C', "CommandComplete"),
            Map.entry('W', "CopyBothResponse"),
            Map.entry('d', "CopyData"),
            Map.entry('c', "CopyDone"),
            Map.entry('G', "CopyInResponse"),
            Map.entry('H', "CopyOutResponse"),
            Map.entry('D', "DataRow"),
            Map.entry('I', "EmptyQueryResponse"),
            Map.entry('E', "ErrorResponse"),
            Map.entry('V', "FunctionCallResponse"),
            Map.entry('v', "NegotiateProtocolVersion"),
            Map.entry('n', "NoData"),
            Map.entry('N', "NoticeResponse"),
            Map.entry('A', "NotificationResponse"),
            Map.entry('t', "ParameterDescription"),
            Map.entry('S', "ParameterStatus"),
            Map.entry('1', "ParseComplete"),
            Map.entry('s', "PortalSuspended"),
            Map.entry('Z', "ReadyForQuery"),
            Map.entry('T', "RowDescription"));

    private Messages() {}

    static String name(From from) {
        return from == From.CLIENT ? "the client" : "the server";
    }

    static String name(From from, char type) {
        return (from == From.CLIENT ? OF_CLIENTS : OF_SERVERS).getOrDefault(type, "type " + type);
    }

    static String progress(From from, char type, PrematureCloseException e) {
        String counts = e.receivedBytes() + " of " + e.expectedBytes() + " bytes";
        return e.inHeader() ? "in a message's header" : "after " + counts + " of " + name(from, type);
    }

    static String progress(From from, char type, long passed, long length) {
        return ", when " + passed + " of " + length + " bytes of " + name(from, type) + " had come from " + name(from);
    }
}
