package io.exactframe.netty;

import io.netty.buffer.ByteBuf;
import java.util.ArrayDeque;
import java.util.Iterator;
import org.jspecify.annotations.Nullable;

/** What comes to a decoder from inside a delivery: bytes, messages and events, in order. */
final class WaitingLine {
    /** An event that waits for its turn. */
    record Event(Runnable action) {}

    /** A channelReadComplete; how many messages had gone on before its read, if that was inside a delivery. */
    record ReadComplete(int givenBefore) {}

    private @Nullable ArrayDeque<Object> items;

    void add(Object item) {
        if (items == null) {
            items = new ArrayDeque<>(4);
        }
        items.add(item);
    }

    boolean isEmpty() {
        return items == null || items.isEmpty();
    }

    @Nullable Object poll() {
        return items == null ? null : items.poll();
    }

    int bytes() {
        int bytes = 0;
        if (items != null) {
            for (Object item : items) {
                bytes += item instanceof ByteBuf fragment ? fragment.readableBytes() : 0;
            }
        }
        return bytes;
    }

    /**
     * In one piece with first, the bytes that wait in front of any message: passed on one by one, what is re-entered at
     * the first of them would overtake the others.
     */
    @Nullable ByteBuf takeBytes(@Nullable ByteBuf first) {
        ByteBuf all = first;
        if (items != null) {
            for (Iterator<Object> each = items.iterator(); each.hasNext(); ) {
                Object item = each.next();
                if (item instanceof ByteBuf fragment) {
                    all = FrameAssembler.join(all, fragment);
                    each.remove();
                } else if (item instanceof ReadComplete && all != null) {
                    each.remove(); // one for all
                } else if (!(item instanceof Event)) {
                    break;
                }
            }
        }
        return all;
    }
}
