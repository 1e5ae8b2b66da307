package io.exactframe.netty;

import jdk.jfr.Event;
import jdk.jfr.Name;

/** For Java Flight Recorder: a frame has waited for memory of a {@link ReceiveBudget}, from begin to commit. */
@Name("io.exactframe.MemoryWait")
final class MemoryWaitEvent extends Event {
    long bytes;
}
