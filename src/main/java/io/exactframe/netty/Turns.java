package io.exactframe.netty;

import io.netty.buffer.ByteBuf;
import java.util.ArrayDeque;
import java.util.Iterator;
import org.jspecify.annotations.Nullable;

/** What came while something in front of it was not done: bytes, messages and events, in order, until their turn. */
final class Turns {
    /** A channelReadComplete that waits for its turn. */
    static final Object READ_COMPLETE = new Object();

    /** An event that waits for its turn. */
    record Event(Runnable action) {}

    /** Nothing, in its turn: what is in front of it is looked at once more. */
    static final Event GO_ON = new Event(() -> {});

    /** What waits for the handler to read on. */
    final ReadGate gate = new ReadGate();

    final ArrayDeque<Object> waiting = new ArrayDeque<>(4);

    int readEnds; // of what waits, until it is passed on at a removal

    int bytes() {
        return waiting.stream().mapToInt(item -> item instanceof ByteBuf fragment ? fragment.readableBytes() : 0).sum();
    }

    /**
     * In one piece with first, the bytes that wait in front of any message: passed on one by one, what is re-entered at
     * the first of them would overtake the others.
     */
    @Nullable ByteBuf takeBytes(@Nullable ByteBuf first) {
        ByteBuf all = first;
        for (Iterator<Object> each = waiting.iterator(); each.hasNext(); ) {
            Object item = each.next();
            if (item instanceof ByteBuf fragment) {
                all = FrameSource.join(all, fragment);
                each.remove();
            } else if (item == READ_COMPLETE && all != null) {
                each.remove(); // one for all
            } else if (item != READ_COMPLETE && !(item instanceof Event)) {
                break;
            }
        }
        return all;
    }
}
