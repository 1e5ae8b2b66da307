package io.exactframe.netty;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.netty.util.IllegalReferenceCountException;
import org.jspecify.annotations.Nullable;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.IIII_Result;

/**
 * The references of one frame, from two threads: each holder gives its own up, whenever it likes.
 *
 * <p>Every result ends with the frame's references and those of its read, which the test holds once itself: less than 1
 * is one release too many, more than 1 is a leak. What a release said is 1 if it was the last.
 */
public final class FrameViewStress {
    private FrameViewStress() {}

    /** A read of two frames and a part: the first is dispatched, and then the next. */
    abstract static class Dispatch {
        private static final int LENGTH = 4;

        private final ByteBuf read = Unpooled.wrappedBuffer(new byte[] {1, 2, 3, 4, 5, 6, 7, 8, 9}).retain();
        private final FrameAssembler assembler = new FrameAssembler(
                new FrameLengthRule.Fixed(LENGTH), LENGTH, ReceiveOptions.defaults(), 0, () -> false);

        private volatile @Nullable ByteBuf handed;
        private volatile boolean taken;

        private @Nullable ByteBuf frame;
        private int wrong; // what a frame showed that is not its own

        Dispatch() {
            assembler.offer(read);
        }

        final ByteBuf begin() {
            assembler.fill(UnpooledByteBufAllocator.DEFAULT);
            return frame = assembler.take(UnpooledByteBufAllocator.DEFAULT);
        }

        /** Both go on at the same time. */
        final void hand(ByteBuf frame) {
            handed = frame;
            while (!taken) {
                Thread.onSpinWait();
            }
        }

        final ByteBuf take() {
            ByteBuf frame;
            while ((frame = handed) == null) {
                Thread.onSpinWait();
            }
            taken = true;
            return frame;
        }

        /** The dispatch is over, and the next frame, in the same view or in another, is dispatched and comes back. */
        final void settleAndGoOn() {
            assembler.settle(frame);
            assembler.fill(UnpooledByteBufAllocator.DEFAULT);
            ByteBuf next = assembler.take(UnpooledByteBufAllocator.DEFAULT);
            look(next, 0x05060708);
            next.release();
            assembler.settle(next);
        }

        final void look(ByteBuf bytes, int expected) {
            if (bytes.getInt(0) != expected) {
                wrong = 1;
            }
        }

        final void lookAtFirst(ByteBuf bytes) {
            look(bytes, 0x01020304);
        }

        final void tell(IIII_Result r) {
            assembler.discard();
            r.r3 = frame.refCnt();
            r.r4 = wrong == 0 ? read.refCnt() : -1;
        }
    }

    static int released(ByteBuf bytes) {
        try {
            return bytes.release() ? 1 : 0;
        } catch (IllegalReferenceCountException e) {
            return -1;
        }
    }

    /** Two holders, of whom one dispatches: whoever is last gives the read's reference back. */
    @JCStressTest
    @State
    @Outcome(id = {"1, 0, 0, 1", "0, 1, 0, 1"}, expect = ACCEPTABLE, desc = "one of them was the last")
    @Outcome(expect = FORBIDDEN, desc = "a reference was lost, or given back twice")
    public static class ReleaseInDispatchAgainstRelease extends Dispatch {
        @Actor
        public void dispatcher(IIII_Result r) {
            ByteBuf frame = begin();
            hand(frame.retain());
            lookAtFirst(frame);
            r.r1 = released(frame);
            settleAndGoOn();
        }

        @Actor
        public void other(IIII_Result r) {
            ByteBuf frame = take();
            lookAtFirst(frame);
            r.r2 = released(frame);
        }

        @Arbiter
        public void end(IIII_Result r) {
            tell(r);
        }
    }

    /** Handed over: the dispatch ends while, before or after the other thread releases. */
    @JCStressTest
    @State
    @Outcome(id = "0, 1, 0, 1", expect = ACCEPTABLE, desc = "the other was the last")
    @Outcome(expect = FORBIDDEN, desc = "a reference was lost, or given back twice")
    public static class EndOfDispatchAgainstRelease extends Dispatch {
        @Actor
        public void dispatcher() {
            hand(begin());
            settleAndGoOn();
        }

        @Actor
        public void other(IIII_Result r) {
            ByteBuf frame = take();
            lookAtFirst(frame);
            r.r2 = released(frame);
        }

        @Arbiter
        public void end(IIII_Result r) {
            tell(r);
        }
    }

    /** A holder of one reference takes a second one while the dispatcher releases its own. */
    @JCStressTest
    @State
    @Outcome(id = {"1, 0, 0, 1", "0, 1, 0, 1"}, expect = ACCEPTABLE, desc = "one of them was the last")
    @Outcome(expect = FORBIDDEN, desc = "a reference was lost, or given back twice")
    public static class ReleaseInDispatchAgainstRetain extends Dispatch {
        @Actor
        public void dispatcher(IIII_Result r) {
            ByteBuf frame = begin();
            hand(frame.retain());
            lookAtFirst(frame);
            r.r1 = released(frame);
            settleAndGoOn();
        }

        @Actor
        public void other(IIII_Result r) {
            ByteBuf frame = take().retain();
            int first = released(frame);
            lookAtFirst(frame);
            r.r2 = first == 0 ? released(frame) : -1;
        }

        @Arbiter
        public void end(IIII_Result r) {
            tell(r);
        }
    }

    /** Both retain, while the dispatch ends. */
    @JCStressTest
    @State
    @Outcome(id = {"1, 0, 0, 1", "0, 1, 0, 1"}, expect = ACCEPTABLE, desc = "one of them was the last")
    @Outcome(expect = FORBIDDEN, desc = "a reference was lost, or given back twice")
    public static class RetainAfterDispatchAgainstRetain extends Dispatch {
        @Actor
        public void dispatcher(IIII_Result r) {
            ByteBuf frame = begin();
            hand(frame.retain());
            settleAndGoOn();
            frame.retain();
            lookAtFirst(frame);
            r.r1 = frame.release(2) ? 1 : 0;
        }

        @Actor
        public void other(IIII_Result r) {
            ByteBuf frame = take().retain(2);
            lookAtFirst(frame);
            int first = released(frame);
            r.r2 = first == 0 ? frame.release(2) ? 1 : 0 : -1;
        }

        @Arbiter
        public void end(IIII_Result r) {
            tell(r);
        }
    }

    /** Something derived, with a reference of its own, is released while the frame is. */
    @JCStressTest
    @State
    @Outcome(id = {"1, 1, 0, 1", "0, 1, 0, 1"}, expect = ACCEPTABLE, desc = "the slice was the last of its own")
    @Outcome(expect = FORBIDDEN, desc = "a reference was lost, or given back twice")
    public static class ReleaseInDispatchAgainstSlice extends Dispatch {
        @Actor
        public void dispatcher(IIII_Result r) {
            ByteBuf frame = begin();
            hand(frame.retainedSlice());
            lookAtFirst(frame);
            r.r1 = released(frame);
            settleAndGoOn();
        }

        @Actor
        public void other(IIII_Result r) {
            ByteBuf slice = take();
            lookAtFirst(slice);
            r.r2 = released(slice);
        }

        @Arbiter
        public void end(IIII_Result r) {
            tell(r);
        }
    }

    /** The dispatcher lends its own reference, and releases it when the other says that it has one. */
    @JCStressTest
    @State
    @Outcome(id = {"1, 0, 0, 1", "0, 1, 0, 1"}, expect = ACCEPTABLE, desc = "one of them was the last")
    @Outcome(expect = FORBIDDEN, desc = "a reference was lost, or given back twice")
    public static class ReleaseInDispatchAfterRetainElsewhere extends Dispatch {
        private volatile boolean retained;

        @Actor
        public void dispatcher(IIII_Result r) {
            ByteBuf frame = begin();
            hand(frame);
            while (!retained) {
                Thread.onSpinWait();
            }
            r.r1 = released(frame);
            settleAndGoOn();
        }

        @Actor
        public void other(IIII_Result r) {
            ByteBuf frame = take().retain();
            retained = true;
            lookAtFirst(frame);
            r.r2 = released(frame);
        }

        @Arbiter
        public void end(IIII_Result r) {
            tell(r);
        }
    }
}
