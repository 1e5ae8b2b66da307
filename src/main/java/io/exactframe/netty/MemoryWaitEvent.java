package io.exactframe.netty;

import jdk.jfr.Category;
import jdk.jfr.DataAmount;
import jdk.jfr.Event;
import jdk.jfr.Name;

/** For Java Flight Recorder: a frame has waited for memory of a {@link ReceiveBudget}, from begin to commit. */
@Name("io.exactframe.MemoryWait")
@Category("Netty")
final class MemoryWaitEvent extends Event {
    @DataAmount
    long bytes;
}
