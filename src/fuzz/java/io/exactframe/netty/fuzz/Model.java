package io.exactframe.netty.fuzz;

import io.netty.handler.codec.CorruptedFrameException;
import io.netty.handler.codec.TooLongFrameException;
import java.util.Arrays;

/**
 * What must come out of a decoder for the bytes that went in: an oracle that looks at all of them from the front, whenever
 * it is asked for the next thing. It holds no state of a machine but where it is, and is written from the documentation.
 */
abstract class Model {
    enum Kind { NOTHING, PART, MESSAGE, OVERSIZED, FAULT }

    final Format format;
    final Wire wire;
    final long longestSkipped;

    /** Where what went in ends, and where the first byte is that was not given or dropped. */
    int arrived;

    int given;
    boolean ended; // it gives no more
    boolean endTold; // of the input
    boolean closing; // a close passed it: no more messages
    long skipping; // bytes of a frame that is too long that are still to be dropped
    private long skippedFrame; // its length
    int mode; // of a codec

    // The end of each read that went in, for chunks follow them.
    private int[] ends = new int[16];
    private int count;

    // What next() found.
    long length; // of the frame; of its header, if that is not complete
    long got;
    boolean inHeader;
    Class<?> fault;
    int from; // the message
    int size;

    Model(Format format, Wire wire, int start, long longestSkipped) {
        this.format = format;
        this.wire = wire;
        this.arrived = start;
        this.given = start;
        this.longestSkipped = longestSkipped;
    }

    void arrive(int bytes) {
        arrived += bytes;
        if (count == ends.length) {
            ends = Arrays.copyOf(ends, 2 * count);
        }
        ends[count++] = arrived;
    }

    /** The end of the read that a byte came in. */
    int endOfRead(int at) {
        for (int i = count - 1; i > 0; i--) {
            if (ends[i - 1] <= at) {
                return ends[i];
            }
        }
        return count == 0 ? arrived : ends[0];
    }

    /** What must come next, if that is known already. */
    final Kind next() {
        if (ended || closing) {
            return Kind.NOTHING;
        }
        if (skipping > 0) {
            int now = (int) Math.min(skipping, arrived - given);
            given += now;
            skipping -= now;
            if (skipping > 0) {
                return part(skippedFrame, skippedFrame - skipping, false);
            }
        }
        return look();
    }

    abstract Kind look();

    /** What next() found was seen. */
    abstract void seen();

    /** Bytes that went in and were neither given nor dropped. */
    int buffered() {
        next();
        return ended ? 0 : arrived - given;
    }

    final Kind part(long length, long got, boolean inHeader) {
        this.length = length;
        this.got = got;
        this.inHeader = inHeader;
        return Kind.PART;
    }

    private Kind fault(Class<?> fault) {
        this.fault = fault;
        return Kind.FAULT;
    }

    /** How long the frame is that begins at what is given; null if it is within the limit, and told in length. */
    final Kind measure() {
        int available = arrived - given;
        if (available == 0) {
            return Kind.NOTHING;
        }
        switch (format.measure(wire.bytes, given, available, mode)) {
            case MORE_HEADER:
                return part(format.told, available, true);
            case CORRUPTED:
                return fault(CorruptedFrameException.class);
            case TOO_LONG:
                return fault(TooLongFrameException.class);
            default:
                length = format.told;
        }
        if (length > format.max) {
            return length <= longestSkipped ? Kind.OVERSIZED : fault(TooLongFrameException.class);
        }
        return null;
    }

    /** The frame that is too long was told of, and nothing has changed since. */
    final void skip() {
        skippedFrame = length;
        skipping = length;
    }

    /** Of a frame that is too long, as much as is dropped when that has just been told and the channel is closed. */
    final int skippedAtClose(long length) {
        int header = Math.max(format.header, 1);
        return (int) Math.min(length, endOfRead(given + header - 1) - given);
    }

    /** Whole frames. */
    static final class Whole extends Model {
        private int frame;

        Whole(Format format, Wire wire, int start, long longestSkipped) {
            super(format, wire, start, longestSkipped);
        }

        @Override
        Kind look() {
            Kind other = measure();
            if (other != null) {
                return other;
            }
            if (length > arrived - given) {
                return part(length, arrived - given, false);
            }
            frame = (int) length;
            boolean isPrefixed = format.kind == Format.Kind.PREFIXED;
            boolean payloadOnly = isPrefixed && format.strip == Format.PAYLOAD_ONLY;
            int front = payloadOnly ? format.header + format.after : isPrefixed ? format.strip : 0;
            from = given + front;
            size = frame - front - (payloadOnly ? format.trailer : 0);
            return Kind.MESSAGE;
        }

        @Override
        void seen() {
            given += frame;
        }
    }

    /** Frames in parts: a start, then a chunk for each read. */
    static final class Parts extends Model {
        boolean started; // a start was given, and not all of its frame
        long frame; // its length
        long frameGot;
        int header;
        private int step;
        long offset; // of the next chunk, in the payload
        boolean last;

        Parts(Format format, Wire wire, int start, long longestSkipped) {
            super(format, wire, start, longestSkipped);
        }

        long payload() {
            return frame - header - format.trailer;
        }

        @Override
        Kind look() {
            if (!started) {
                Kind other = measure();
                if (other != null) {
                    return other;
                }
                frame = length;
                header = format.header + format.after;
                step = header;
                return arrived - given < header ? part(length, arrived - given, false) : Kind.MESSAGE;
            }
            int here = arrived - given;
            long left = payload() - offset;
            if (left > 0 && here == 0 || left == 0 && here < frame - frameGot) {
                return part(frame, frameGot + here, false);
            }
            from = given;
            if (left > 0) {
                int inRead = endOfRead(given) - given;
                size = (int) Math.min(left, inRead);
                step = (int) Math.min(frame - frameGot, inRead);
            } else {
                size = 0;
                step = (int) (frame - frameGot);
            }
            last = frameGot + step == frame;
            return Kind.MESSAGE;
        }

        @Override
        void seen() {
            given += step;
            if (!started) {
                started = true;
                frameGot = step;
                offset = 0;
            } else {
                frameGot += step;
                offset += size;
                started = !last;
            }
        }

        /** What came of the trailer behind the last byte of payload was dropped, though the last chunk was not given. */
        void dropTrailer(Kind next) {
            if (next != Kind.NOTHING && started && payload() == offset) {
                int dropped = (int) Math.min(frame - frameGot, arrived - given);
                given += dropped;
                frameGot += dropped;
            }
        }

        /** A trailer is dropped as it comes, even while the last chunk is not asked for. */
        @Override
        int buffered() {
            int all = super.buffered();
            return all > 0 && started && payload() == offset ? (int) Math.max(all - (frame - frameGot), 0) : all;
        }
    }
}
