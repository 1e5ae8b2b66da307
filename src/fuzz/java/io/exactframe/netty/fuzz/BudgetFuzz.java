package io.exactframe.netty.fuzz;

import io.exactframe.netty.LengthPrefix;
import io.exactframe.netty.LengthPrefixedExactDecoder;
import io.exactframe.netty.PrematureCloseException;
import io.exactframe.netty.ReceiveBudget;
import io.exactframe.netty.ReceiveOptions;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.handler.codec.TooLongFrameException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.LinkedHashSet;
import java.util.Set;

/**
 * {@link ReceiveBudget}: some channels with decoders and one budget. The oracle is the budget as its documentation has it:
 * a number, and a queue that nobody overtakes. What is used and who waits must be the same after each thing that happens,
 * whichever channel does it, also from inside another channel's delivery; a channel that waits is not read; and all of them
 * together hold no more than is promised.
 */
public final class BudgetFuzz {
    private static final int FREE = 4 * 1024;
    private static final int HEADER = 4;
    private static final int MOST_SENT = 300_000;

    private enum Share { NONE, WAITING, HELD, EXEMPT }

    private final Script script;
    private final ReceiveBudget budget;
    private final long capacity;
    private final Line[] lines;
    private String wrong;

    // The oracle's.
    private long used;
    private final Set<Line> waiting = new LinkedHashSet<>();

    private BudgetFuzz(Script script) {
        this.script = script;
        int frames = script.upTo(3); // that fit exactly
        capacity = frames == 0 ? 1 + script.next() * 400L : frames * (HEADER + (long) script.size());
        budget = new ReceiveBudget(capacity);
        lines = new Line[2 + script.upTo(2)];
        int shape = script.next();
        for (int i = 0; i < lines.length; i++) {
            lines[i] = new Line(i, (shape >> i & 1) != 0, (shape & 128) != 0);
        }
    }

    private void check(boolean holds, String what, Object... more) {
        if (!holds && wrong == null) {
            StringBuilder all = new StringBuilder(what).append(java.util.Arrays.toString(more)).append("; capacity " + capacity
                    + ", used " + used + ", waiting " + waiting.size() + ", budget " + budget);
            for (Line line : lines) {
                all.append("; ").append(line);
            }
            wrong = all.toString();
        }
    }

    /** One channel, and what the oracle knows of it. */
    private final class Line {
        final int number;
        final boolean contiguous;
        final boolean reacts;
        final ScriptedChannel channel = new ScriptedChannel();
        final LengthPrefixedExactDecoder decoder;
        final ArrayDeque<Integer> reads = new ArrayDeque<>(); // bytes left of each that has come
        int position; // of the first byte of the frame under way
        int collected; // of it, not in a read any more
        Share share = Share.NONE;
        long reserved;
        boolean ended;
        boolean closing;
        boolean removed;
        boolean tooLong; // and not told yet
        boolean endTold;
        boolean granted; // and has not run since
        int largestRead;
        int premature;

        Line(int number, boolean contiguous, boolean reacts) {
            this.number = number;
            this.contiguous = contiguous;
            this.reacts = reacts;
            ReceiveOptions options = ReceiveOptions.defaults().budget(budget).frameDeadline(Duration.ofDays(1));
            options = contiguous ? options.contiguous() : options;
            decoder = new LengthPrefixedExactDecoder(1 << 20, LengthPrefix.uint32(), options);
            channel.freezeTime();
            channel.pipeline().addLast(new Tap(), decoder, new Application());
        }

        @Override
        public String toString() {
            return number + ": " + share + " position " + position + " collected " + collected + " reads " + reads + " ended "
                    + ended + " interest " + channel.interest + " auto-read " + channel.isAutoRead();
        }

        private final class Tap extends ChannelInboundHandlerAdapter {
            @Override
            public void channelRead(ChannelHandlerContext ctx, Object message) {
                int bytes = ((ByteBuf) message).readableBytes();
                largestRead = Math.max(largestRead, ((ByteBuf) message).capacity());
                if (!ended && !closing && !removed) {
                    reads.add(bytes);
                }
                ctx.fireChannelRead(message);
            }

            @Override
            public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
                endComes();
                ctx.fireUserEventTriggered(event);
                endTold |= event instanceof ChannelInputShutdownEvent;
            }

            @Override
            public void channelInactive(ChannelHandlerContext ctx) {
                endComes();
                ctx.fireChannelInactive();
                endTold = true;
            }
        }

        private final class Application extends ChannelInboundHandlerAdapter {
            @Override
            public void channelRead(ChannelHandlerContext ctx, Object message) {
                ByteBuf frame = (ByteBuf) message;
                if (!removed) {
                    check(!closing, "a frame behind a close");
                    int length = advance();
                    check(length == frame.readableBytes() + HEADER, "a frame of, should be ", frame.readableBytes(), length);
                    check(channel.wire.isAt(position - frame.readableBytes(), frame), "not the frame that was sent");
                }
                frame.release();
                if (reacts) {
                    react(Line.this);
                }
            }

            @Override
            public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
                if (cause instanceof PrematureCloseException close) {
                    premature++;
                    check(advance() == 0, "a premature close in front of a frame");
                    check(closing || collected == close.receivedBytes() && collected > 0, "received, collected ",
                            close.receivedBytes(), collected);
                    ended = true;
                } else if (cause instanceof TooLongFrameException) {
                    check(advance() == 0 && tooLong, "a frame that fits is told to be too long");
                    tooLong = false;
                } else {
                    check(false, "told of " + cause);
                }
            }
        }

        /** Nothing waits any more: what is here needs no memory of the budget. */
        void endComes() {
            leave(Share.EXEMPT);
        }

        void leave(Share next) {
            if (share == Share.HELD) {
                used -= reserved;
            }
            waiting.remove(this);
            share = share == Share.EXEMPT ? share : next;
            grant();
        }

        /** Goes on with what has come until a frame is whole, whose length is the answer; 0 if there is none. */
        int advance() {
            while (!ended && !closing && !removed && share != Share.WAITING && !reads.isEmpty()) {
                int here = reads.peek();
                if (collected + here < HEADER) {
                    take(here);
                    continue;
                }
                int length = length();
                boolean lies = collected <= HEADER && here >= length - collected;
                if (!lies && !reserve(length)) {
                    continue;
                }
                take(Math.min(here, length - collected));
                if (collected == length) {
                    if (share == Share.HELD) {
                        leave(Share.NONE);
                    }
                    position += length;
                    collected = 0;
                    return length;
                }
            }
            return 0;
        }

        private void take(int bytes) {
            int here = reads.remove();
            collected += bytes;
            if (here > bytes) {
                reads.addFirst(here - bytes);
            }
        }

        private int length() {
            byte[] in = channel.wire.bytes;
            return HEADER + ((in[position] & 0xff) << 24 | (in[position + 1] & 0xff) << 16 | (in[position + 2] & 0xff) << 8
                    | in[position + 3] & 0xff);
        }

        private boolean reserve(int length) {
            if (length <= FREE || share == Share.HELD || share == Share.EXEMPT) {
                return true;
            }
            reserved = contiguous ? length + length / 2 : length;
            if (reserved > capacity) {
                tooLong = true;
                collected = 0;
                ended = true;
                reads.clear();
                return false;
            }
            share = Share.WAITING;
            waiting.add(this);
            grant();
            granted = false; // it is inside its own call
            return share == Share.HELD;
        }

        /** What it does, and what follows. */
        void act(Runnable action) {
            if (channel.isOpen()) {
                granted = false;
                channel.run(action);
                granted = false;
                check(advance() == 0, "a frame has not come");
                check(!tooLong, "not told that a frame is larger than the budget");
            }
        }

        void assertQuiet() {
            if (granted || removed) {
                return;
            }
            if (!endTold && channel.isOpen() && !ended && !closing) {
                int here = reads.stream().mapToInt(Integer::intValue).sum() + collected;
                check(decoder.bufferedBytes() == here, "bufferedBytes, should be ", decoder.bufferedBytes(), here);
                check(share != Share.WAITING || !channel.interest, "is read while it waits for memory");
                check(share == Share.WAITING || channel.interest || !channel.isAutoRead(), "is not read");
            }
            check(!endTold || premature == (collected > 0 && !closing ? 1 : 0) || closing, "premature closes ", premature);
        }
    }

    private void grant() {
        while (!waiting.isEmpty()) {
            Line first = waiting.iterator().next();
            if (first.reserved > capacity - used) {
                return;
            }
            waiting.remove(first);
            used += first.reserved;
            first.share = Share.HELD;
            first.granted = true;
        }
    }

    private int depth;

    /** From inside a delivery: something happens to another channel, or to this. */
    private void react(Line line) {
        int chosen = script.next();
        if (depth > 3) {
            return;
        }
        depth++;
        Line other = lines[(line.number + 1 + (chosen >> 4)) % lines.length];
        switch (chosen & 7) {
            case 1 -> {
                if (other != line && !inside.contains(other)) {
                    other.act(() -> {});
                }
            }
            case 2 -> {
                if (other != line && !inside.contains(other)) {
                    poll(other);
                }
            }
            case 3 -> {
                if (other != line && !inside.contains(other)) {
                    close(other);
                }
            }
            case 4 -> line.channel.config().setAutoRead(chosen > 128);
            case 5 -> {
                if (chosen > 200) {
                    line.closing = true;
                    line.channel.pipeline().close();
                }
            }
            default -> {}
        }
        depth--;
    }

    private void poll(Line line) {
        int buffers = 1 + script.upTo(3);
        int size = script.flag() ? 50 + script.next() * 33 : script.size();
        inside.add(line);
        line.act(() -> line.channel.poll(buffers, size, size & 1, (buffers & 1) != 0));
        inside.remove(line);
    }

    private final Set<Line> inside = new LinkedHashSet<>();

    private void close(Line line) {
        inside.add(line);
        line.act(() -> {
            line.closing = !line.ended && !line.endTold;
            line.channel.pipeline().close();
        });
        inside.remove(line);
    }

    private void step() {
        int chosen = script.next();
        Line line = lines[(chosen >> 4) % lines.length];
        switch (chosen & 15) {
            case 0, 1, 2, 3 -> {
                int size = (chosen & 1) == 0 ? FREE + script.next() * 97 : script.size();
                Wire wire = line.channel.wire;
                if (!line.channel.peerEnded && wire.sent + size < MOST_SENT) {
                    wire.send(size, HEADER, false);
                    wire.sendFill(size);
                }
            }
            case 4, 5, 6, 7, 8, 9 -> poll(line);
            case 10 -> run(line, () -> {});
            case 11 -> run(line, () -> line.channel.config().setAutoRead(script.flag()));
            case 12 -> run(line, () -> line.channel.pipeline().read());
            case 13 -> line.channel.peerEnded = true;
            case 14 -> {
                if (script.flag()) {
                    close(line);
                }
            }
            default -> {
                if (script.flag() && !line.removed) {
                    run(line, () -> {
                        line.advance();
                        line.leave(Share.EXEMPT);
                        line.removed = true;
                        line.channel.pipeline().remove(line.decoder);
                    });
                }
            }
        }
        assertQuiet();
    }

    private void run(Line line, Runnable action) {
        inside.add(line);
        line.act(action);
        inside.remove(line);
    }

    private void assertQuiet() {
        check(budget.used() == used, "used, should be ", budget.used(), used);
        check(budget.waiting() == waiting.size(), "waiting, should be ", budget.waiting(), waiting.size());
        check(used <= capacity, "more used than there is");
        long held = 0;
        long most = capacity;
        for (Line line : lines) {
            line.assertQuiet();
            held += line.channel.held();
            most += FREE + line.largestRead;
        }
        check(held <= most, "bytes of memory, at most ", held, most);
        if (wrong != null) {
            throw new AssertionError(wrong);
        }
    }

    private void finish() {
        for (Line line : lines) {
            close(line);
            assertQuiet();
        }
        for (Line line : lines) {
            line.channel.runPendingTasks();
            check(line.channel.held() == 0, "bytes of memory are not released: ", line.channel.held());
        }
        check(budget.used() == 0 && budget.waiting() == 0, "something is left in the budget");
        assertQuiet();
    }

    public static void fuzzerTestOneInput(byte[] input) {
        Script script = new Script(input);
        BudgetFuzz all = new BudgetFuzz(script);
        while (!script.isUsedUp()) {
            all.step();
        }
        all.finish();
    }
}
