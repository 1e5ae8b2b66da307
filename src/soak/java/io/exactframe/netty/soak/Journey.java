package io.exactframe.netty.soak;

import io.exactframe.netty.LengthPrefix;
import io.exactframe.netty.ReceiveBudget;
import io.exactframe.netty.ReceiveOptions;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Arrays;
import java.util.Random;
import java.util.stream.IntStream;

/**
 * One connection over the bad link: what it does, all of it from its number and the seed, and how far it is. A unit is what
 * a reader gets whole or not at all: a frame with its header, or what one receive asks for.
 */
final class Journey {
    /** Who reads. */
    enum Kind {
        FIXED, PREFIXED, ON_DEMAND, PARTS, PARTS_ON_DEMAND, RECEIVES_FRAMES, RECEIVES_SIZES, TO_SINK, OR_END_AND_SKIP;

        boolean isPrefixed() {
            return ordinal() >= PREFIXED.ordinal() && ordinal() <= RECEIVES_FRAMES.ordinal();
        }

        boolean isReceiver() {
            return ordinal() >= RECEIVES_FRAMES.ordinal();
        }

        boolean isParts() {
            return this == PARTS || this == PARTS_ON_DEMAND;
        }

        boolean isOnDemand() {
            return this == ON_DEMAND || this == PARTS_ON_DEMAND;
        }

        boolean hasBudget() {
            return !isParts() && ordinal() <= RECEIVES_SIZES.ordinal();
        }
    }

    /** Where the sender ends, in its last frame. */
    enum Phase { NOTHING, IN_HEADER, BEHIND_HEADER, IN_BODY, LAST_BYTE_MISSING, BETWEEN }

    /** How. */
    enum End {
        CLOSE, HALF_CLOSE, RESET_AT_ONCE, RESET_WHEN_READ, HALF_THEN_RESET, LINK_LOST,
        LINK_BACK, DRIP, DRIP_PAST_DEADLINE, READER_CLOSES; // these send all

        boolean isReset() {
            return this == RESET_AT_ONCE || this == RESET_WHEN_READ || this == HALF_THEN_RESET;
        }

        boolean isHalf() {
            return this == HALF_CLOSE || this == HALF_THEN_RESET;
        }

        /** A frame that is not whole ends by a time-out; behind a reset, if that does not come through. */
        boolean mayTimeOut() {
            return isTimeOut() || this == RESET_AT_ONCE || this == RESET_WHEN_READ;
        }

        boolean isTimeOut() {
            return this == LINK_LOST || this == DRIP_PAST_DEADLINE;
        }
    }

    static final int COMBINATIONS = Kind.values().length * Phase.values().length * End.values().length;
    static final LengthPrefix PREFIX = LengthPrefix.uint32();
    static final int HEADER = 4;
    static final int LARGEST = 100_000;
    private static final long PRIVATE_BUDGET = 2L * LARGEST;

    final long number;
    final Kind kind;
    final End end;
    final Phase phase;
    final byte[] wire; // all of it, the last frame whole
    final int[] units;
    final int sent; // how much of it
    final boolean tiny; // windows
    final boolean proxied;
    final boolean halfClosure; // the reader's side allows it
    final boolean slow; // the reader
    final boolean contiguous;
    final boolean starved; // another holds its budget until the sender has ended
    final Duration stall; // null: none
    final Duration deadline;
    final int closesAfter; // units, then the reader closes
    final long seed;
    final ReceiveBudget budget;

    // How far it is. Written by the side it is of.
    volatile int port; // of the client, as the reader sees it
    volatile boolean accepted;
    volatile long arrived; // bytes that came out of the reader's socket
    volatile boolean inputEnded; // and its reader knows, but stays
    volatile boolean readerDone;
    volatile long sentAt; // when the sender had ended, or begun to wait for the reader; 0: not yet
    volatile boolean senderDone;
    final long begun = System.nanoTime();

    Journey(long number, long runSeed, ReceiveBudget shared) {
        this.number = number;
        Random random = new Random(runSeed * 1_000_003 + number);
        int combination = (int) (number % COMBINATIONS);
        kind = Kind.values()[combination % Kind.values().length];
        end = End.values()[combination / Kind.values().length % End.values().length];
        Phase planned = Phase.values()[combination / Kind.values().length / End.values().length];
        phase = end.compareTo(End.LINK_BACK) >= 0 ? Phase.BETWEEN : planned;
        tiny = random.nextInt(4) == 0;
        slow = random.nextInt(4) == 0;
        contiguous = !kind.isParts() && random.nextInt(3) == 0;
        boolean waits = end == End.CLOSE || end == End.RESET_AT_ONCE || end == End.LINK_BACK || end.isHalf();
        starved = kind.hasBudget() && waits && phase.compareTo(Phase.BEHIND_HEADER) >= 0 && random.nextInt(3) == 0;
        proxied = (end == End.CLOSE || end == End.HALF_CLOSE || end == End.RESET_AT_ONCE) && random.nextInt(5) == 0;
        halfClosure = end.isHalf() || end != End.READER_CLOSES && random.nextInt(8) == 0 && end.isReset();
        int[] frames = frames(random);
        int last = frames[frames.length - 1];
        int header = kind == Kind.FIXED ? 0 : HEADER;
        units = units(frames, header);
        int size = 0;
        for (int frame : frames) {
            size += header + frame;
        }
        wire = new byte[size];
        random.nextBytes(wire);
        ByteBuffer out = ByteBuffer.wrap(wire);
        for (int frame : frames) {
            if (header > 0) {
                out.putInt(frame);
            }
            out.position(out.position() + frame);
        }
        int whole = size - header - last;
        sent = whole + switch (phase) {
            case NOTHING -> 0;
            case IN_HEADER -> 1 + random.nextInt(HEADER - 1);
            case BEHIND_HEADER -> HEADER;
            case IN_BODY -> HEADER + 1 + random.nextInt(header + last - HEADER - 2);
            case LAST_BYTE_MISSING -> header + last - 1;
            case BETWEEN -> header + last;
        };
        boolean stalls = end == End.LINK_LOST && random.nextBoolean();
        stall = stalls ? Duration.ofSeconds(2)
                : end == End.DRIP ? Duration.ofSeconds(8)
                : end == End.LINK_BACK ? Duration.ofSeconds(15)
                : null;
        deadline = Duration.ofSeconds(
                end.isTimeOut() && !stalls ? 3 : end.mayTimeOut() && !stalls ? 30 : 150);
        closesAfter = 1 + random.nextInt(units.length);
        budget = starved ? new ReceiveBudget(PRIVATE_BUDGET) : kind.hasBudget() && random.nextBoolean() ? shared : null;
        seed = random.nextLong();
    }

    private int[] frames(Random random) {
        boolean drips = end == End.DRIP || end == End.DRIP_PAST_DEADLINE;
        int[] frames = new int[phase == Phase.NOTHING || end == End.DRIP_PAST_DEADLINE ? 1 : 1 + random.nextInt(6)];
        for (int i = 0; i < frames.length; i++) {
            int shape = random.nextInt(20);
            int most = shape == 0 && !tiny ? LARGEST : shape < 6 ? 12_000 : 600;
            frames[i] = random.nextInt(most);
            if (!kind.isPrefixed()) {
                frames[i]++; // nobody receives nothing
            }
        }
        int last = frames.length - 1;
        frames[last] = starved ? 5_000 + random.nextInt(tiny ? 10_000 : 60_000)
                : drips ? 100 + random.nextInt(5_000)
                : Math.max(frames[last], 8); // every phase is in it
        if (kind == Kind.FIXED) {
            Arrays.fill(frames, frames[last]);
        }
        return frames;
    }

    private int[] units(int[] frames, int header) {
        if (kind == Kind.FIXED) {
            return frames;
        }
        if (kind.isPrefixed()) {
            return Arrays.stream(frames).map(frame -> header + frame).toArray();
        }
        return Arrays.stream(frames).flatMap(frame -> IntStream.of(header, frame)).toArray();
    }

    /** A bad link may be silent for longer than a frame's time-out, in which case that is right. */
    boolean mayTimeOut() {
        return end.mayTimeOut() || stall != null;
    }

    /** Where a unit begins. */
    int start(int unit) {
        int start = 0;
        for (int i = 0; i < unit; i++) {
            start += units[i];
        }
        return start;
    }

    /** How many whole units so many bytes have. */
    int whole(long bytes) {
        int unit = 0;
        long rest = bytes;
        while (unit < units.length && rest >= units[unit]) {
            rest -= units[unit++];
        }
        return unit;
    }

    ReceiveOptions options() {
        ReceiveOptions options = ReceiveOptions.defaults().frameDeadline(deadline);
        options = stall == null ? options : options.stallTimeout(stall);
        options = budget == null ? options : options.budget(budget);
        options = contiguous ? options.contiguous() : options;
        return kind.isOnDemand() ? options.onDemand() : options;
    }

    @Override
    public String toString() {
        return "journey " + number + ": " + kind + ' ' + phase + ' ' + end + (tiny ? " tiny" : "") + (slow ? " slow" : "")
                + (starved ? " starved" : "") + (proxied ? " proxied" : "") + (halfClosure ? " half" : "")
                + (contiguous ? " contiguous" : "") + (budget == null ? "" : " budget") + ", units "
                + Arrays.toString(units) + ", sent " + sent + ", arrived " + arrived;
    }
}
