package io.exactframe.netty;

/**
 * How far a {@link FrameHandler} is.
 *
 * <pre>
 *   CUTTING ──end of input, fault──► ENDED      what still comes is released, events go on
 *      ├─────close() from behind───► CLOSING    a decoder gives nothing more; what is missing is told at the end
 *      └─────removal───────────────► REMOVED    what was not given goes on as it came
 *   CLOSING ──end of input─────────► ENDED
 * </pre>
 */
enum Phase { CUTTING, CLOSING, ENDED, REMOVED }
