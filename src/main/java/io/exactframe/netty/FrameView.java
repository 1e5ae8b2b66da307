package io.exactframe.netty;

import io.netty.buffer.ByteBuf;
import io.netty.util.IllegalReferenceCountException;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import org.jspecify.annotations.Nullable;

/**
 * A frame that lies in a fragment: a slice that holds one reference to the fragment, counts its own references, and
 * can be used again for the next frame when it comes back at once.
 *
 * <pre>
 *   lend ---&gt; dispatch ---&gt; last released by the dispatching thread  ---&gt; returned: lend it again
 *                      \---&gt; anything else: it has escaped, and its last release gives the fragment's reference back
 * </pre>
 *
 * A count of 1 has one holder. If that is the dispatching thread, its {@code release()} races nobody and needs no
 * atomic operation: it only says {@link #RETURNED}, and {@link #takeBack()} finds it when the dispatch is over. A thread
 * that the view was handed to is never the dispatching one and takes the atomic way, as everybody does afterwards.
 */
final class FrameView extends FragmentSlice {
    /** A count: the last reference was released by the dispatching thread, the fragment's is back with the lender. */
    private static final int RETURNED = 0;

    /** A count: the last reference was released in another way, and the fragment's with it. */
    private static final int GONE = -1;

    private static final VarHandle REFERENCES;

    static {
        try {
            REFERENCES = MethodHandles.lookup().findVarHandle(FrameView.class, "references", int.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    /** The thread that lent this view last: dispatches it, while it is {@link #lent}. Written when it changes only. */
    private @Nullable Thread dispatcher;

    /** From lend() to the end of the dispatch. */
    private boolean lent;

    private int references = 1; // or RETURNED, or GONE

    private final Fragment lender;

    FrameView(ByteBuf fragment, Fragment lender) {
        super(fragment);
        this.lender = lender;
    }

    /** Whether this one lent it: what is passed on as it is may be a view of a decoder in front. */
    boolean isOf(Fragment fragment) {
        return lender == fragment;
    }

    /** Shows a part of a fragment. The view owns one reference to the fragment from here on. */
    void lend(ByteBuf fragment, int offset, int length) {
        show(fragment, offset, length);
        REFERENCES.setRelease(this, 1); // nobody else has it: a volatile write would only wait
        lent = true;
        Thread current = Thread.currentThread();
        if (dispatcher != current) {
            dispatcher = current;
        }
    }

    /** After the dispatch: true, once, if the view came back, and the reference to its fragment with it. */
    boolean takeBack() {
        boolean wasLent = lent;
        lent = false;
        return wasLent && references == RETURNED;
    }

    boolean isLent() {
        return lent;
    }

    private boolean isBeingDispatchedHere() {
        return lent && dispatcher == Thread.currentThread();
    }

    /** A best effort, as Netty's own: a volatile read would be made again for each byte of a loop. */
    @Override
    boolean isAlive() {
        return references > 0;
    }

    @Override
    public int refCnt() {
        // A plain read is enough for whoever dispatches it: what another thread did and told about is seen by it, too.
        return Math.max(isBeingDispatchedHere() ? references : (int) REFERENCES.getVolatile(this), 0);
    }

    @Override
    public ByteBuf retain() {
        return retain(1);
    }

    @Override
    public ByteBuf retain(int increment) {
        if (increment < 1) {
            throw new IllegalArgumentException("increment: " + increment);
        }
        for (; ; ) {
            int now = refCnt();
            if (now < 1 || now + increment < now) {
                throw new IllegalReferenceCountException(now, increment);
            }
            if (REFERENCES.compareAndSet(this, now, now + increment)) {
                return this;
            }
        }
    }

    @Override
    public boolean release() {
        if (isBeingDispatchedHere() && references == 1) {
            REFERENCES.setRelease(this, RETURNED);
            return true;
        }
        return release(1);
    }

    @Override
    public boolean release(int decrement) {
        if (decrement < 1) {
            throw new IllegalArgumentException("decrement: " + decrement);
        }
        for (; ; ) {
            ByteBuf fragment = fragment();
            int now = refCnt();
            if (now < decrement) {
                throw new IllegalReferenceCountException(now, -decrement);
            }
            if (now > decrement) {
                if (REFERENCES.compareAndSet(this, now, now - decrement)) {
                    return false;
                }
            } else if (isBeingDispatchedHere()) {
                REFERENCES.setRelease(this, RETURNED); // the last holder, so nobody races
                return true;
            } else if (REFERENCES.compareAndSet(this, now, GONE)) {
                fragment.release();
                return true;
            }
        }
    }

    @Override
    public ByteBuf retainedSlice() {
        return retainedSlice(readerIndex(), readableBytes());
    }

    /** With a count of its own, as Netty's pooled slices have: its last release is one release of the frame. */
    @Override
    public ByteBuf retainedSlice(int index, int length) {
        checkIndex(index, length);
        FrameView part = new FrameView(this, lender);
        retain();
        part.show(this, index, length);
        return part;
    }

    @Override
    public ByteBuf retainedDuplicate() {
        return retainedSlice(0, capacity()).setIndex(readerIndex(), writerIndex());
    }
}
