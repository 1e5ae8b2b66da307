package io.exactframe.netty;

/**
 * What is known of a receiver's stream.
 *
 * <pre>
 *   NEW ──active──► OPEN ──end of input, error of the socket──► ENDED ──a receive gets a part only──► TRUNCATED
 *                     └────violation, time-out, no memory─────────┴─────────────────────────────────► FAILED
 *   NEW         not connected: a receive fails
 *   ENDED       what came still serves the receives that it is enough for
 *   TRUNCATED   and that was told; every receive fails
 *   FAILED      and that was told; what came is lost, every receive fails
 * </pre>
 */
enum StreamState {
    NEW, OPEN, ENDED, TRUNCATED, FAILED;

    boolean hasEnded() {
        return this != NEW && this != OPEN;
    }
}
