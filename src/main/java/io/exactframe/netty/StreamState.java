package io.exactframe.netty;

/**
 * What is known of a receiver's stream.
 *
 * <pre>
 *   NEW ──active──► OPEN ──end of input, error of the socket──► ENDED ──a receive gets a part only──► TRUNCATED
 *                     │                                           ├──told ahead of it──► TOLD ──────┘
 *                     └────violation, time-out, no memory─────────┴─────────────────────────────────► FAILED
 *   NEW         not connected: a receive fails
 *   ENDED       what came still serves the receives that it is enough for
 *   TOLD        the same, and the pipeline knows of a part; its sink may yet fail, then others get those bytes
 *   TRUNCATED   and that was told; every receive fails
 *   FAILED      and that was told; what came is lost, every receive fails
 * </pre>
 */
enum StreamState {
    NEW, OPEN, ENDED, TOLD, TRUNCATED, FAILED;

    boolean hasEnded() {
        return this != NEW && this != OPEN;
    }
}
