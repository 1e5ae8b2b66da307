package io.exactframe.netty;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.Unpooled;
import java.nio.ByteOrder;
import java.util.ArrayDeque;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/** What a receiver has of the stream and nobody has got yet: fragments in order, the first of them in the assembler. */
final class Stash {
    final FrameAssembler assembler;
    private final ArrayDeque<ByteBuf> fragments = new ArrayDeque<>(2);
    private boolean onHeap;
    private boolean released; // and nothing of the stream is wanted any more

    Stash(ReceiveOptions options, BooleanSupplier whenGranted) {
        assembler = new FrameAssembler(
                new FrameLengthRule.Fixed(1), 1, options, options.skippedBytes(), whenGranted);
    }

    @SuppressWarnings("deprecation") // copying fragments together wants them all of one order
    void add(ByteBuf fragment) {
        fragments.add(fragment.order(ByteOrder.BIG_ENDIAN));
    }

    /** Whether there are bytes that are not part of the frame under way. */
    boolean hasUnread() {
        return assembler.hasUnread() || !fragments.isEmpty();
    }

    long unreadBytes() {
        long bytes = assembler.bufferedBytes();
        for (ByteBuf fragment : fragments) {
            bytes += fragment.readableBytes();
        }
        return bytes;
    }

    /** Whether the frame that the assembler expects is whole; if not, it has taken all there was, or it waits. */
    boolean fill(ByteBufAllocator alloc) {
        while (!assembler.fill(alloc)) {
            ByteBuf next = assembler.isWaiting() ? null : fragments.poll();
            if (next == null) {
                return false;
            }
            assembler.offer(next);
        }
        return true;
    }

    /** The next bytes as they came, at most so many, owned by the caller; null if there are none. Not within frames. */
    @Nullable ByteBuf takePart(long most) {
        if (!assembler.hasUnread()) {
            ByteBuf next = fragments.poll();
            if (next == null) {
                return null;
            }
            assembler.offer(next);
        }
        return assembler.takePart(most);
    }

    /** The frame under way is not wanted: its bytes are the next one's. */
    void giveBack() {
        ByteBuf bytes = assembler.takeBack();
        if (bytes != null) {
            fragments.addFirst(bytes);
        }
    }

    /** Parts that were taken and not used, all that is left of them: they are the next one's too. */
    void giveBack(ArrayDeque<ByteBuf> parts) {
        if (parts.isEmpty()) {
            return;
        }
        giveBack();
        while (!parts.isEmpty()) {
            fragments.addFirst(parts.removeLast());
        }
        if (released) {
            release();
        } else if (onHeap) {
            moveToHeap();
        }
    }

    /** Everything, for the caller to release. */
    ByteBuf[] takeAll() {
        giveBack();
        ByteBuf[] all = fragments.toArray(new ByteBuf[0]);
        fragments.clear();
        return all;
    }

    /** Moves everything to the heap, where nobody has to release it if nobody asks for it. */
    void moveToHeap() {
        onHeap = true;
        giveBack();
        if (!fragments.isEmpty()) {
            ByteBuf all = Unpooled.copiedBuffer(fragments.toArray(new ByteBuf[0]));
            release(fragments);
            add(all);
        }
    }

    void release() {
        released = true;
        assembler.discard();
        release(fragments);
    }

    static void release(ArrayDeque<ByteBuf> all) {
        while (!all.isEmpty()) {
            all.remove().release();
        }
    }
}
