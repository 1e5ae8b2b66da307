package io.exactframe.netty;

import io.netty.handler.codec.TooLongFrameException;

/**
 * The frame that is longer than the limit, while it is reported and skipped, if that is allowed. Skipping begins after
 * the report: until then all of the frame that is here stays where it is.
 */
final class OversizedFrame {
    private final long longest; // that is skipped
    private long length; // 0 while there is none
    private long skipped;

    OversizedFrame(long longest) {
        this.longest = longest;
    }

    /** What the reader is told. The frame is under way from now on if it is one that is skipped. */
    TooLongFrameException tooLong(long told, long limit) {
        if (told <= longest) {
            length = told;
        }
        return report(told, limit);
    }

    /** What the reader is told. */
    static TooLongFrameException report(long told, long limit) {
        return new TooLongFrameException("frame of " + told + " bytes, the limit is " + limit);
    }

    boolean isUnderWay() {
        return length != 0;
    }

    long length() {
        return length;
    }

    /** How much of it arrived, if so much was set aside. */
    long received(long setAside, Fragment fragment) {
        return Math.min(length, skipped + setAside + fragment.readableBytes());
    }

    /** Skips what is here of it; the caller drops what was set aside. */
    void skip(long setAside, Fragment fragment) {
        skipped += setAside;
        int count = (int) Math.min(length - skipped, fragment.readableBytes());
        fragment.skip(count);
        skipped += count;
        if (skipped == length) {
            forget();
        }
        if (fragment.readableBytes() == 0) {
            fragment.release();
        }
    }

    void forget() {
        length = 0;
        skipped = 0;
    }
}
