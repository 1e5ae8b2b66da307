package io.exactframe.examples.postgresql;

import static java.nio.charset.StandardCharsets.US_ASCII;

import io.exactframe.examples.postgresql.Pipe.From;
import io.netty.buffer.ByteBuf;
import java.util.ArrayDeque;
import java.util.Queue;

/**
 * Finds a connection's queries among its messages: from the Query, or the first message before a Sync, to the
 * ReadyForQuery.
 */
final class Queries {
    /** A query that is over; {@code error} is its SQLSTATE, or empty. */
    record Query(int connection, String kind, long nanos, long rows, long bytesOut, long bytesIn, String error) {}

    private static final class Open {
        final String kind;
        final long began = System.nanoTime();
        long rows;
        long bytesOut;
        long bytesIn;
        String error = "";

        Open(String kind) {
            this.kind = kind;
        }
    }

    private final Traffic traffic;
    private final int connection;
    private final Queue<Open> waiting = new ArrayDeque<>(); // for their ReadyForQuery
    private Open unsynced; // extended messages, and no Sync yet
    private boolean ready; // the first ReadyForQuery is the log-in's
    private String fatal = "";

    Queries(Traffic traffic, int connection) {
        this.traffic = traffic;
        this.connection = connection;
    }

    /** The SQLSTATE with which the server ended the connection, or empty. */
    String fatalError() {
        return fatal;
    }

    /** {@code frame} is the whole message, or null for a large one. */
    void message(From from, char type, long length, ByteBuf frame) {
        traffic.message(from, type, length);
        if (from == From.CLIENT) {
            asked(type, length);
        } else {
            answered(type, length, frame);
        }
    }

    private void asked(char type, long length) {
        switch (type) {
            case 'Q', 'F' -> waiting.add(new Open(type == 'Q' ? "simple" : "function"));
            case 'P', 'B', 'D', 'E', 'C', 'S' -> unsynced = unsynced == null ? new Open("extended") : unsynced;
            default -> {}
        }
        Open open = unsynced != null ? unsynced : waiting.peek();
        if (open != null) {
            open.bytesOut += length;
        }
        if (type == 'S') {
            waiting.add(unsynced);
            unsynced = null;
        }
    }

    private void answered(char type, long length, ByteBuf frame) {
        Open open = waiting.isEmpty() ? unsynced : waiting.peek();
        String error = type == 'E' && frame != null ? field(frame, 'C') : "";
        if (type == 'E' && frame != null && !field(frame, 'V').equals("ERROR")) {
            fatal = error;
        }
        if (open == null || !ready) {
            ready |= type == 'Z';
            return;
        }
        open.bytesIn += length;
        switch (type) {
            case 'D', 'd' -> open.rows++;
            case 'E' -> open.error = error;
            case 'G' -> {
                if (open.kind.equals("extended") && open != unsynced) { // the server ignores that Sync while it copies
                    unsynced = waiting.poll();
                }
            }
            case 'Z' -> {
                waiting.poll();
                traffic.query(new Query(
                        connection,
                        open.kind,
                        System.nanoTime() - open.began,
                        open.rows,
                        open.bytesOut,
                        open.bytesIn,
                        open.error));
            }
            default -> {}
        }
    }

    /** A field of an ErrorResponse: its letter, its text, a zero. */
    private static String field(ByteBuf error, char letter) {
        int end = error.writerIndex();
        int at = 5;
        for (int zero; at < end && (zero = error.indexOf(at, end, (byte) 0)) > at; at = zero + 1) {
            if (error.getByte(at) == letter) {
                return error.toString(at + 1, zero - at - 1, US_ASCII).replaceAll("[^0-9A-Z]", "?");
            }
        }
        return "";
    }
}
