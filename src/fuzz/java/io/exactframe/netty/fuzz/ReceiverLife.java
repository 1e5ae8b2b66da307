package io.exactframe.netty.fuzz;

import io.exactframe.netty.ExactReceiver;
import io.exactframe.netty.PrematureCloseException;
import io.exactframe.netty.ReceiveOptions;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelPipelineException;
import io.netty.handler.codec.CorruptedFrameException;
import io.netty.handler.codec.TooLongFrameException;
import io.netty.util.concurrent.GenericProgressiveFutureListener;
import io.netty.util.concurrent.ProgressiveFuture;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.WritableByteChannel;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;

/**
 * One life of a channel with a receiver, and an application that asks, cancels, closes and removes, from outside and from
 * its listeners. The oracle is a queue of what was asked over an array of what was sent: the first that is not cancelled
 * gets the next bytes, and nobody else does.
 */
final class ReceiverLife {
    private enum Kind { SIZE, OR_END, PREFIX, SKIP, SINK, OVERSIZED }

    private static final int MOST_OUTSTANDING = 1024;
    private static final int MOST_SENT = 400_000;
    private static final long SLACK = 4096;

    /** What was asked. */
    private final class Asked implements GenericProgressiveFutureListener<ProgressiveFuture<Object>>, WritableByteChannel, Executor {
        final Kind kind;
        final long size;
        Format format;
        ProgressiveFuture<?> future;
        boolean late; // asked after the end
        boolean atClose; // the channel was closed when it was asked
        boolean done;
        boolean cancelled;
        long got; // skipped, or in the sink

        // A sink.
        final ArrayDeque<Runnable> tasks = new ArrayDeque<>();
        boolean inline;
        int at; // its next byte
        int handedTo; // the end of what was handed over
        int most = Integer.MAX_VALUE; // bytes it takes at a time
        long breaksAt = Long.MAX_VALUE;
        boolean rejects;
        Throwable told; // through the pipeline
        boolean atOnce; // done when it was asked
        IOException broken;
        RejectedExecutionException rejected;
        long progress;

        Asked(Kind kind, long size) {
            this.kind = kind;
            this.size = size;
        }

        @Override
        public int write(ByteBuffer source) throws IOException {
            if (got >= breaksAt && !cancelled) {
                broken = new IOException("the sink is full");
                if (position == handedTo) {
                    position = at; // the rest is the next one's
                }
                handedTo = at;
                fed = true;
                throw broken;
            }
            int count = (int) Math.min(source.remaining(), most);
            count = cancelled ? count : (int) Math.min(count, breaksAt - got);
            for (int i = 0; i < count; i++) {
                if (source.get() != wire.bytes[at++]) {
                    fail("not the next byte goes to the sink");
                }
            }
            got += count;
            check(got <= size, "more goes to the sink than was asked for");
            return count;
        }

        @Override
        public boolean isOpen() {
            return true;
        }

        @Override
        public void close() {
            fail("the sink was closed");
        }

        @Override
        public void execute(Runnable task) {
            check(sinks.stream().allMatch(each -> each.tasks.isEmpty()), "two tasks at a time");
            if (rejects) {
                rejected = new RejectedExecutionException("no thread");
                throw rejected;
            }
            // How much is handed over at a time is the receiver's; whether it is the right bytes is seen by all that follows.
            head();
            at = position;
            int handed = arrived - position - receiver.bufferedBytes();
            check(handed > 0 && handed <= size - got, "handed over ", handed);
            position += handed;
            handedTo = position;
            if (inline) {
                task.run();
            } else {
                tasks.add(task);
            }
        }

        @Override
        public void operationProgressed(ProgressiveFuture<Object> future, long now, long total) {
            check(now >= progress, "progress goes back from, to ", progress, now);
            check(total < 0 || now <= total, "progress of, of ", now, total);
            progress = now;
        }

        @Override
        public void operationComplete(ProgressiveFuture<Object> future) {
            done(this);
            ReceiverLife.this.atOnce = depth == 0 ? atOnce : ReceiverLife.this.atOnce;
            if (reacts && calls == 0) {
                react();
            }
            if (throwsNow) {
                throwsNow = false;
                throw new IllegalStateException("a listener");
            }
        }
    }

    private final Script script;
    private final ScriptedChannel channel = new ScriptedChannel();
    private final Wire wire = channel.wire;
    private final Format format;
    private final boolean reacts;
    private final boolean contiguous;
    private final long longestSkipped;
    private final ExactReceiver receiver;

    // The oracle.
    private final ArrayDeque<Asked> queue = new ArrayDeque<>();
    private final List<Asked> sinks = new ArrayList<>();
    private int arrived;
    private int position; // of the first byte that nobody has got
    private boolean ended;
    private boolean truncated;
    private boolean closedHere;
    private boolean reset;
    private boolean removed;
    private int rawFrom;
    private Throwable failure; // of the stream
    private final List<Throwable> fired = new ArrayList<>();
    private int faults; // of them, those that are no premature close
    private boolean maybeNotFired; // the last may come too late, behind a sink
    private int inactive;
    private int resetsSeen;
    private int depth;
    private int calls; // to the receiver: what is done inside one has no listener yet
    private boolean throwsNow;
    private int made;
    private String wrong;
    private final List<ByteBuf> kept = new ArrayList<>();
    private final List<Integer> keptFrom = new ArrayList<>();

    ReceiverLife(Script script) {
        this.script = script;
        int shape = script.next();
        reacts = (shape & 1) != 0;
        contiguous = (shape & 2) != 0;
        format = Format.prefixed(script, true);
        ReceiveOptions options = contiguous ? ReceiveOptions.defaults().contiguous() : ReceiveOptions.defaults();
        long most = 0;
        if ((shape & 4) != 0) {
            most = format.max + 1 + script.size();
            options = options.skipOversized(most);
        }
        longestSkipped = most;
        receiver = new ExactReceiver(options);
        channel.pipeline().addLast(new Tap(), receiver, new Application());
    }

    private void fail(String what) {
        if (wrong == null) {
            wrong = what + "; " + this;
        }
    }

    private void check(boolean holds, String what, Object... more) {
        if (!holds) {
            fail(what + Arrays.toString(more));
        }
    }

    @Override
    public String toString() {
        Asked head = queue.peek();
        return "receiver, arrived " + arrived + ", position " + position + ", outstanding " + queue.size() + ", first "
                + (head == null ? "none" : head.kind + " " + head.size + " got " + head.got) + ", ended " + ended
                + ", truncated " + truncated + ", failure " + failure + ", removed " + removed + ", interest "
                + channel.interest + ", max " + format.max + ", skips " + longestSkipped;
    }

    private final class Tap extends ChannelInboundHandlerAdapter {
        @Override
        public void channelRead(ChannelHandlerContext ctx, Object message) {
            if (!removed) {
                arrived += ((ByteBuf) message).readableBytes();
            }
            ctx.fireChannelRead(message);
        }

        @Override
        public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
            theEnd();
            ctx.fireUserEventTriggered(event);
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
            if (cause instanceof ScriptedChannel.Reset && !ended && !removed && failure == null) {
                failure = cause;
                reset = true;
                theEnd();
            }
            ctx.fireExceptionCaught(cause);
        }

        @Override
        public void channelInactive(ChannelHandlerContext ctx) {
            theEnd();
            ctx.fireChannelInactive();
        }
    }

    private void theEnd() {
        maybeNotFired |= hasTasks();
        ended = true;
    }

    private final class Application extends ChannelInboundHandlerAdapter {
        @Override
        public void channelRead(ChannelHandlerContext ctx, Object message) {
            ByteBuf bytes = (ByteBuf) message;
            check(removed, "bytes pass the receiver");
            check(wire.isAt(rawFrom, bytes), "after the removal other bytes go on than the next ones");
            rawFrom += bytes.readableBytes();
            bytes.release();
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
            if (cause instanceof ScriptedChannel.Reset) {
                resetsSeen++;
            } else {
                fired.add(cause);
                check(!removed, "told through the pipeline after the removal: ", cause);
                check(inactive == 0, "told behind channelInactive");
                if (cause instanceof PrematureCloseException close) {
                    check(ended, "a premature close without an end");
                    firstPart(close);
                } else {
                    violated(cause);
                }
            }
            if (reacts && calls == 0) {
                react();
            }
        }

        @Override
        public void channelInactive(ChannelHandlerContext ctx) {
            inactive++;
        }
    }

    /** The length of what the first asked for is a fault: that fails, and all that follow unless the frame is skipped. */
    private void violated(Throwable cause) {
        Asked head = head();
        Class<?> violation = head == null || broken || truncated ? null : violation(head);
        if (violation == null || cause.getClass() != violation) {
            fail("told of a fault that is none: " + cause);
            return;
        }
        faults++;
        head.told = cause;
        queue.remove(head);
        boolean isLength = head.format.measure(wire.bytes, position, arrived - position, 0) == Format.Says.LENGTH;
        if (isLength && head.format.told <= longestSkipped) {
            queue.addFirst(new Asked(Kind.OVERSIZED, head.format.told));
        } else {
            lost(cause);
        }
    }

    private void lost(Throwable cause) {
        failure = cause;
        broken = true;
        position = arrived;
    }

    /** The counts of what the pipeline is told: all that arrived of what the first asked for. */
    private void firstPart(PrematureCloseException close) {
        Asked head = head();
        if (head == null) {
            fail("a premature close is told, and nobody has asked");
            return;
        }
        truncated |= head.kind != Kind.SINK; // a sink that breaks gives bytes back
        check(head.broken == null && head.rejected == null, "told of a loss, and the sink has given all back");
        long gone = head.kind == Kind.SKIP || head.kind == Kind.OVERSIZED || head.kind == Kind.SINK ? consumed(head) : 0;
        long all = gone + arrived - position;
        check(close.receivedBytes() == Math.min(all, close.expectedBytes()) && all > 0,
                "told of, arrived ", close.receivedBytes(), all);
        check(close.expectedBytes() == expected(head), "told of expected bytes ", close.expectedBytes());
        check(close.closedLocally() == (closedHere && !reset), "closedLocally ", close.closedLocally());
    }

    private long consumed(Asked head) {
        return head.got + (head.kind == Kind.SINK ? head.handedTo - head.at : 0);
    }

    private long expected(Asked asked) {
        if (asked.kind != Kind.PREFIX) {
            return asked.size;
        }
        int available = arrived - position;
        Format.Says says = asked.format.measure(wire.bytes, position, available, 0);
        return says == Format.Says.MORE_HEADER || says == Format.Says.LENGTH ? asked.format.told : -1;
    }

    /** The first that is not cancelled; what it drops as it comes is dropped. */
    private Asked head() {
        for (Asked first; (first = queue.peek()) != null; queue.remove()) {
            if (!first.cancelled && !(first.kind == Kind.OVERSIZED && first.got == first.size)) {
                if (first.kind == Kind.SKIP || first.kind == Kind.OVERSIZED) {
                    int now = (int) Math.min(first.size - first.got, arrived - position);
                    first.got += now;
                    position += now;
                }
                if (first.kind != Kind.OVERSIZED || first.got < first.size) {
                    return first;
                }
            }
        }
        return null;
    }

    /** The rest of a frame that is too long does not come any more. */
    private void dropOversized() {
        Asked head = head();
        if (head != null && head.kind == Kind.OVERSIZED && ended) {
            truncated = true;
            queue.remove();
        }
    }

    /** Whether what has come is enough for the first. */
    private boolean isServed(Asked head) {
        return switch (head.kind) {
            case SIZE, OR_END -> arrived - position >= head.size;
            case SKIP -> head.got == head.size;
            case SINK -> head.got == head.size;
            case OVERSIZED -> false;
            case PREFIX -> {
                int available = arrived - position;
                yield available > 0
                        && head.format.measure(wire.bytes, position, available, 0) == Format.Says.LENGTH
                        && head.format.told <= head.format.max && head.format.told <= available;
            }
        };
    }

    /** What the first's length field says, if that is a fault. */
    private Class<?> violation(Asked head) {
        int available = arrived - position;
        if (head.kind != Kind.PREFIX || available == 0) {
            return null;
        }
        return switch (head.format.measure(wire.bytes, position, available, 0)) {
            case CORRUPTED -> CorruptedFrameException.class;
            case TOO_LONG -> TooLongFrameException.class;
            case LENGTH -> head.format.told > head.format.max ? TooLongFrameException.class : null;
            default -> null;
        };
    }

    /** A future is done: it must be the first one's turn, and this its result. */
    private void done(Asked asked) {
        check(!asked.done, "done twice");
        asked.done = true;
        ProgressiveFuture<?> future = asked.future;
        if (future == null || future.isCancelled()) {
            check(asked.cancelled, "cancelled by nobody");
            return;
        }
        check(!asked.cancelled, "cancelled, and done otherwise");
        Throwable cause = future.cause();
        if (asked.told != null) {
            check(cause == asked.told, "failed with another fault than was told: ", cause);
            return;
        }
        if (cause instanceof RejectedExecutionException && cause != asked.rejected) {
            check(queue.size() > MOST_OUTSTANDING, "rejected, outstanding ", queue.size());
            queue.remove(asked);
            return;
        }
        if (cause instanceof ChannelPipelineException) {
            check(removed, "not removed: " + cause);
            queue.remove(asked);
            return;
        }
        dropOversized();
        Asked head = head();
        if (asked != head) {
            if (cause != null && cause == failure && ended | broken) {
                queue.remove(asked);
                return;
            }
            fail("done out of turn: " + asked.kind + " " + asked.size + ", " + cause);
            return;
        }
        if (cause == null) {
            success(asked, future.getNow());
        } else {
            failed(asked, cause);
        }
    }

    private boolean broken; // the framing is lost

    private void success(Asked asked, Object result) {
        queue.remove(asked);
        check(failure == null || reset, "received after the stream has failed");
        if (asked.kind == Kind.OR_END && result == null) {
            check(ended && arrived == position && failure == null && !truncated, "told of the end, which it is not");
            return;
        }
        if (!isServed(asked)) {
            fail("done, though not enough has come: " + asked.kind + " " + asked.size);
            return;
        }
        check(asked.atOnce || asked.progress == asked.size || asked.kind == Kind.PREFIX, "done at a progress of ", asked.progress);
        if (asked.kind == Kind.SKIP || asked.kind == Kind.SINK) {
            check(asked.tasks.isEmpty(), "done before its sink");
            return;
        }
        ByteBuf bytes = (ByteBuf) result;
        int from = position;
        int count = (int) asked.size;
        if (asked.kind == Kind.PREFIX) {
            asked.format.measure(wire.bytes, position, arrived - position, 0);
            int frame = (int) asked.format.told;
            boolean payloadOnly = asked.format.strip == Format.PAYLOAD_ONLY;
            int front = payloadOnly ? asked.format.header + asked.format.after : asked.format.strip;
            from += front;
            count = frame - front - (payloadOnly ? asked.format.trailer : 0);
            position += frame;
            check(asked.atOnce || asked.progress == frame, "done at a progress of, of ", asked.progress, frame);
        } else {
            position += count;
        }
        check(bytes.readableBytes() == count && wire.isAt(from, bytes), "received what was not sent");
        check(count == 0 || bytes.readerIndex() == 0, "does not begin at reader index 0");
        check(count == 0 || bytes.isContiguous() || count > 64 * 1024 && !contiguous, "in more than one piece");
        if (reacts && (script.next() & 7) == 5) {
            kept.add(bytes);
            keptFrom.add(from);
        } else {
            bytes.release();
        }
    }

    private void failed(Asked asked, Throwable cause) {
        if (asked.kind == Kind.SINK && (cause == asked.broken || cause == asked.rejected)) {
            check(asked.tasks.isEmpty(), "failed before its sink was at rest");
            queue.remove(asked);
            return;
        }
        Class<?> violation = broken || truncated ? null : violation(asked);
        if (violation != null) {
            check(cause.getClass() == violation, "another fault than ", violation, cause);
            check(removed || !channel.isOpen() || !fired.isEmpty(), "not told through the pipeline");
            boolean isLength = asked.format.measure(wire.bytes, position, arrived - position, 0) == Format.Says.LENGTH;
            queue.remove(asked);
            if (isLength && asked.format.told <= longestSkipped) {
                queue.addFirst(new Asked(Kind.OVERSIZED, asked.format.told));
            } else {
                lost(cause);
            }
            return;
        }
        check(!isServed(asked) || broken || truncated, "failed, though enough has come: ", cause);
        check(ended || broken, "failed, though nothing has ended: ", cause);
        long got = asked.kind == Kind.SIZE || asked.kind == Kind.OR_END || asked.kind == Kind.PREFIX
                ? arrived - position
                : asked.got;
        if (broken || reset) {
            check(cause == failure, "failed with " + cause);
        } else if (cause instanceof ClosedChannelException) {
            check(asked.late && got == 0 && !channel.isOpen(), "told that the channel was closed: " + cause);
        } else if (cause instanceof PrematureCloseException close) {
            check(!asked.late || channel.isOpen() || got > 0, "asked after the close: " + cause);
            check(asked.kind != Kind.OR_END || got > 0 || truncated, "not told of the end with null");
            check(close.receivedBytes() == got && close.expectedBytes() == expected(asked),
                    "received, expected, should be ", close.receivedBytes(), close.expectedBytes(), got, expected(asked));
            check(close.closedLocally() == closedHere, "closedLocally ", close.closedLocally());
        } else {
            fail("failed with " + cause);
        }
        if (got > 0 && !broken) {
            truncated = true;
            check(fired.stream().anyMatch(each -> each instanceof PrematureCloseException) || removed || maybeNotFired
                            || asked.late && !channel.isOpen(),
                    "the loss was not told through the pipeline");
        }
        position = arrived;
        queue.remove(asked);
    }

    // ---- what the application does

    private void ask(int choice) {
        if (queue.size() > 40 && (choice & 15) != 9) {
            return;
        }
        Asked asked;
        int size = Math.max(script.size(), 1);
        switch (choice % 9) {
            case 0, 1, 2 -> asked = new Asked(Kind.SIZE, size);
            case 3 -> asked = new Asked(Kind.OR_END, size);
            case 4, 5 -> {
                asked = new Asked(Kind.PREFIX, format.max);
                asked.format = format;
            }
            case 6 -> asked = new Asked(Kind.SKIP, size);
            default -> {
                asked = new Asked(Kind.SINK, size);
                int how = script.next();
                asked.inline = (how & 1) != 0;
                asked.most = (how & 2) != 0 ? 1 + (how >> 6) : Integer.MAX_VALUE;
                asked.breaksAt = (how & 12) == 12 ? script.size() : Long.MAX_VALUE;
                asked.rejects = (how & 48) == 48;
                sinks.add(asked);
            }
        }
        ask(asked);
    }

    @SuppressWarnings({"unchecked", "rawtypes"})
    private void ask(Asked asked) {
        asked.late = ended;
        queue.add(asked);
        made++;
        calls++;
        asked.future = switch (asked.kind) {
            case SIZE -> receiver.receive((int) asked.size);
            case OR_END -> receiver.receiveOrEnd((int) asked.size);
            case PREFIX -> receiver.receive(format.prefix(), (int) format.max);
            case SKIP -> receiver.skip(asked.size);
            default -> receiver.receiveTo(asked, asked.size, asked);
        };
        calls--;
        asked.atOnce = asked.future.isDone();
        ((ProgressiveFuture) asked.future).addListener(asked);
    }

    private void cancel(int choice, boolean outside) {
        Asked victim = null;
        int index = choice % 4;
        for (Asked each : queue) {
            if (each.future != null && !each.cancelled && !each.done && index-- == 0) {
                victim = each;
                break;
            }
        }
        if (victim == null || !outside && (victim.kind == Kind.SKIP || victim.kind == Kind.SINK)) {
            return;
        }
        if (outside) {
            head();
        }
        fed = true; // a read for it may be under way
        victim.cancelled = true;
        if (!victim.future.cancel(false)) {
            victim.cancelled = false;
            check(victim.future.isDone() || !outside, "could not be cancelled");
        }
    }

    private void close() {
        if (channel.isOpen()) {
            closedHere |= !ended && !removed;
            maybeNotFired |= hasTasks();
            channel.pipeline().close();
        }
    }

    private boolean hasTasks() {
        return sinks.stream().anyMatch(each -> !each.tasks.isEmpty());
    }

    private void remove() {
        if (!removed && channel.isOpen() && !fedNow) {
            if (depth == 0 || atOnce) {
                head();
            } // else what is to be skipped next has not begun
            removed = true;
            queue.removeIf(each -> each.kind == Kind.OVERSIZED);
            rawFrom = broken || truncated ? arrived : position;
            channel.pipeline().remove(receiver);
        }
    }

    private boolean atOnce; // a listener of what was done when it was asked
    private boolean fedNow; // by what happens now: it may not have had its turn
    private boolean fed; // though nothing was asked of the socket

    private void feed() {
        if (channel.isOpen() && !channel.endRead && wire.unread() > 0 && !removed) {
            fed = true;
            fedNow = true;
            channel.pipeline().fireChannelRead(channel.nextBuffer(script.size(), script.upTo(7)));
        }
    }

    private void react() {
        depth++;
        int chosen = script.next();
        switch (depth > 5 ? 0 : chosen & 15) {
            case 1, 2, 3 -> ask(chosen >> 4);
            case 4 -> cancel(chosen >> 4, false);
            case 5 -> {
                if (chosen >= 192) {
                    close();
                }
            }
            case 6 -> {
                if (chosen >= 192) {
                    remove();
                }
            }
            case 7 -> feed();
            case 8 -> throwsNow = true;
            case 9 -> {
                ask(chosen >> 4);
                ask(chosen >> 4);
                cancel(chosen >> 4, false);
            }
            default -> {}
        }
        depth--;
    }

    private void step() {
        int chosen = script.next();
        switch (chosen & 15) {
            case 0 -> send(script.size());
            case 1, 2 -> {
                int size = script.size();
                if (!channel.peerEnded && wire.sent + size < MOST_SENT) {
                    wire.sendFill(size);
                }
            }
            case 3, 4, 5 -> act(() -> ask(chosen >> 4));
            case 6, 7, 8 -> {
                int size = script.size();
                int kind = script.upTo(7);
                fed &= !channel.interest || wire.unread() == 0;
                act(() -> channel.poll(1 + (chosen >> 4 & 3), size, kind, (kind & 1) != 0));
            }
            case 9 -> act(() -> cancel(chosen >> 4, true));
            case 10 -> runTask();
            case 11 -> act(() -> channel.config().setAutoRead(true));
            case 12 -> {
                switch (chosen >> 4) {
                    case 0, 1, 2 -> channel.peerEnded = true;
                    case 3 -> {
                        boolean drains = script.flag();
                        maybeNotFired |= hasTasks();
                        act(() -> channel.reset(drains, script.size()));
                    }
                    case 4 -> act(this::close);
                    case 5 -> act(this::remove);
                    case 6 -> act(this::askTooMuch);
                    default -> {}
                }
            }
            case 13 -> {
                send(script.size());
                act(() -> channel.poll(2, script.size(), 0, false));
            }
            case 14 -> act(this::feed);
            default -> {
                for (int i = 0; i < script.upTo(9); i++) {
                    wire.send(script.next());
                }
            }
        }
    }

    private void send(int payload) {
        if (!channel.peerEnded && wire.sent + payload < MOST_SENT) {
            format.send(wire, payload, payload, 0);
        }
    }

    private void askTooMuch() {
        for (int i = 0; i < MOST_OUTSTANDING + 5; i++) {
            ask(new Asked(Kind.SIZE, 1 + i % 3));
        }
    }

    private void runTask() {
        for (Asked each : sinks) {
            Runnable task = each.tasks.poll();
            if (task != null) {
                act(task);
                return;
            }
        }
    }

    private void act(Runnable action) {
        fedNow = false;
        channel.run(action);
        assertQuiet();
    }

    private void assertQuiet() {
        if (wrong == null) {
            dropOversized();
            Asked head = head();
            boolean busy = hasTasks();
            if (removed) {
                check(head == null || head.kind == Kind.SINK && busy, "outstanding after the removal");
                check(!channel.isOpen() || rawFrom == wire.read, "of the rest went on, of ", rawFrom, wire.read);
            } else {
                assertFirst(head, busy);
                if (!ended && !broken && channel.isOpen()) {
                    assertOpen(head, busy);
                }
            }
        }
        throwWrong();
    }

    private void assertFirst(Asked head, boolean busy) {
        if (head != null && !(busy && head.kind == Kind.SINK) && head.kind != Kind.OVERSIZED) {
            check(!broken, "outstanding, though the stream has failed");
            check(!isServed(head), "enough has come, and it is not done: ", head.kind, head.size);
            check(violation(head) == null, "a violation is not told");
            check(!ended, "outstanding, though the stream has ended");
        }
    }

    private void assertOpen(Asked head, boolean busy) {
        boolean collects = head != null && (head.kind == Kind.SIZE || head.kind == Kind.OR_END || head.kind == Kind.PREFIX);
        int buffered = arrived - position;
        check(receiver.bufferedBytes() == buffered, "bufferedBytes, not ", receiver.bufferedBytes(), buffered);
        check(fed || channel.interest == (buffered == 0 || collects), "interest with so many bytes here ", channel.interest, buffered);
        if (collects && !busy && kept.isEmpty() && channel.shared.isEmpty()) {
            long most = (contiguous ? 3L : 2L) * buffered + SLACK;
            check(channel.held() <= most, "bytes of memory, bytes received ", channel.held(), buffered);
        }
        check(!channel.isAutoRead(), "auto-read is on");
    }

    private void throwWrong() {
        if (wrong != null) {
            throw new AssertionError(wrong);
        }
    }

    private void finish() {
        if (channel.isOpen()) {
            maybeNotFired |= hasTasks();
            channel.run(() -> {
                channel.endRead = true;
                channel.unsafe().close(channel.newPromise());
            });
            assertQuiet();
        }
        for (int i = 0; i < 4 && !removed; i++) { // those that what is here is enough for are served to the last
            ask(new Asked(i == 3 ? Kind.OR_END : Kind.SIZE, 1 + i));
            channel.runPendingTasks();
        }
        while (hasTasks()) {
            runTask();
        }
        channel.runPendingTasks();
        assertQuiet();
        check(queue.stream().allMatch(each -> each.done || each.kind == Kind.OVERSIZED), "a future is never done");
        check(inactive == 1, "channelInactive " + inactive + " times");
        check(!channel.wasReset || resetsSeen == 1, "the socket's error was told " + resetsSeen + " times");
        long premature = fired.stream().filter(each -> each instanceof PrematureCloseException).count();
        check(premature <= 1, "told of " + premature + " premature closes");
        check(fired.size() == faults + premature, "told of " + fired);
        for (int i = 0; i < kept.size(); i++) {
            check(wire.isAt(keptFrom.get(i), kept.get(i)), "what was kept has changed");
            kept.get(i).release();
        }
        for (ByteBuf each : channel.shared) {
            check(each.refCnt() == 1, "a shared read buffer has " + each.refCnt() + " references");
            each.release();
        }
        check(channel.held() == 0, channel.held() + " bytes of memory are not released");
        throwWrong();
    }

    static void live(byte[] input) {
        Script script = new Script(input);
        ReceiverLife life = new ReceiverLife(script);
        while (!script.isUsedUp()) {
            life.step();
        }
        life.finish();
    }
}
