package io.exactframe.netty;

import io.exactframe.netty.FrameSource.Step;
import io.exactframe.netty.ReceiveBudget.Share;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.Unpooled;
import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;

/** What a receiver has of the stream and nobody has got yet: fragments in order, the first of them in the assembler. */
final class ReceivedBytes {
    /** How they are kept, what a sink gives back included. */
    private enum Kept { AS_THEY_CAME, ON_HEAP, NOT_AT_ALL }

    final FrameAssembler assembler;
    final ArrayDeque<ByteBuf> fragments = new ArrayDeque<>(2);
    private long queued; // bytes of the fragments; there may be very many
    private Kept kept = Kept.AS_THEY_CAME;

    ReceivedBytes(ReceiveOptions options, Share share) {
        assembler = new FrameAssembler(new LengthRule.Fixed(1), 1, options, share);
    }

    void add(ByteBuf fragment) {
        fragments.add(fragment);
        queued += fragment.readableBytes();
    }

    private void addFirst(ByteBuf fragment) {
        fragments.addFirst(fragment);
        queued += fragment.readableBytes();
    }

    /** Gives the next fragment to the assembler, whose last is used up; false if there is none. */
    private boolean offerNext() {
        ByteBuf next = fragments.poll();
        if (next != null) {
            queued -= next.readableBytes();
            assembler.offer(next);
        }
        return next != null;
    }

    long count() {
        return assembler.bufferedBytes() + queued;
    }

    /** Looks for the frame that the assembler expects. If it NEEDS_BYTES it has taken all there were. */
    Step next(ByteBufAllocator alloc) {
        Step step;
        do {
            step = assembler.next(alloc);
        } while (step == Step.NEEDS_BYTES && offerNext());
        return step;
    }

    /** The next bytes as they came, at most so many, owned by the caller; null if there are none. Not within frames. */
    @Nullable ByteBuf takePart(long most) {
        return assembler.fragment.readableBytes() > 0 || offerNext() ? assembler.fragment.takePart(most) : null;
    }

    /** The frame under way is not wanted: its bytes are the next one's. */
    void giveBack() {
        ByteBuf bytes = assembler.takeBack();
        if (bytes != null) {
            addFirst(bytes);
        }
    }

    /** Parts that were taken and not used, all that is left of them: they are the next one's too, if they are wanted. */
    void giveBack(ArrayDeque<ByteBuf> parts, boolean wanted) {
        if (!wanted || kept == Kept.NOT_AT_ALL) {
            parts.forEach(ByteBuf::release);
            parts.clear();
        } else if (!parts.isEmpty()) {
            giveBack();
            while (!parts.isEmpty()) {
                addFirst(parts.removeLast());
            }
            if (kept == Kept.ON_HEAP) {
                moveToHeap();
            }
        }
    }

    /** Everything, for the caller to release. */
    ByteBuf[] takeAll() {
        giveBack();
        ByteBuf[] all = fragments.toArray(new ByteBuf[0]);
        fragments.clear();
        queued = 0;
        return all;
    }

    /** Moves everything to the heap, where nobody has to release it if nobody asks for it. */
    void moveToHeap() {
        kept = Kept.ON_HEAP;
        ByteBuf all = Unpooled.wrappedBuffer(takeAll());
        if (all.isReadable()) {
            add(Unpooled.copiedBuffer(all));
        }
        all.release();
    }

    /** Nothing of the stream is wanted any more. */
    void release() {
        kept = Kept.NOT_AT_ALL;
        do {
            assembler.discard();
        } while (offerNext());
    }
}
