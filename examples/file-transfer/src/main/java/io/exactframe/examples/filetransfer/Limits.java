package io.exactframe.examples.filetransfer;

import java.time.Duration;

/** What a peer may ask of this end, and how long it may take. Those of PROTOCOL.md. */
final class Limits {
    static final int VERSION = 2;
    static final int MAX_FRAME_LENGTH = 40 * 1024;

    /** Bytes of a file that goes in one frame. */
    static final int MAX_WHOLE_LENGTH = 32 * 1024;

    static final int MAX_PATH_LENGTH = 4096;
    static final int MAX_NAME_LENGTH = 255;
    static final int MAX_PIECE_LENGTH = 1 << 20;
    static final int MAX_ENTRIES = 1_000_000;

    /** What an entry takes of the heap besides its path, about. */
    static final int ENTRY_COST = 256;

    /** Requests that may be on their way: enough that nobody waits for a round trip. */
    static final int GETS_AHEAD = 256;

    static final int MAX_CONNECTIONS = 32;
    static final int MAX_RECEIVERS = 8;

    /** From the connection to the first frame, TLS and proof included. */
    static final Duration GREETING = Duration.ofSeconds(10);

    /** Without a frame that was due, a byte of a piece, or a byte taken that was written. */
    static final Duration PATIENCE = Duration.ofSeconds(30);

    static final Duration BUSY_INTERVAL = Duration.ofSeconds(5);

    /** For a last word to be heard. */
    static final Duration GOODBYE = Duration.ofSeconds(2);

    private Limits() {}

    /** Bytes that all entries together may take. */
    static long listBudget() {
        return Runtime.getRuntime().maxMemory() / 8;
    }
}
