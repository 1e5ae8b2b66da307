package io.exactframe.netty.soak;

import static io.exactframe.netty.soak.Verdict.check;
import static io.exactframe.netty.soak.Verdict.wrong;

import io.exactframe.netty.ExactReceiver;
import io.exactframe.netty.FixedLengthExactDecoder;
import io.exactframe.netty.FrameChunk;
import io.exactframe.netty.FrameStart;
import io.exactframe.netty.FrameStreamDecoder;
import io.exactframe.netty.FrameTimeoutException;
import io.exactframe.netty.LengthPrefixedExactDecoder;
import io.exactframe.netty.PrematureCloseException;
import io.exactframe.netty.ReceiveOptions;
import io.exactframe.netty.soak.Journey.End;
import io.exactframe.netty.soak.Journey.Kind;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOption;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.util.concurrent.Future;
import io.netty.util.concurrent.ScheduledFuture;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.WritableByteChannel;
import java.time.Duration;
import java.util.Arrays;
import java.util.Random;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;

/**
 * Reads a journey as its kind does, and knows at its end whether all was right: what came out of the socket was given on,
 * every whole unit and no other byte, and of the last, if it was not whole, one exception counts the bytes.
 */
final class JourneyReader extends ChannelInboundHandlerAdapter {
    private static final long TICK = 250; // ms
    private static final long GENEROUS = TimeUnit.SECONDS.toNanos(20); // for a time-out to be told

    private final Journey journey;
    private final Tally tally;
    private final Executor io;
    private final ExactReceiver receiver; // null: a decoder's messages are read
    private final Random random;
    private EmbeddedChannel holder; // of the budget, while it starves
    private ScheduledFuture<?> watch;
    private int quietTicks; // of it; counted, as a machine that is held up shows long times
    private long quietState;
    private long tickAt = System.nanoTime();

    private int seen; // whole units
    private long inUnit; // bytes of one that comes in parts
    private long unitBegunAt;
    private long lastByteAt = System.nanoTime();
    private Throwable told; // the end inside a unit
    private long toldArrived = -1;
    private int inputEnds;
    private boolean failed; // an error of the socket
    private boolean closed; // by this reader
    private boolean inactive;
    private boolean askedLate; // the last receive, behind the end of the channel: its part is told to it alone
    private boolean sinking; // a receive with a sink is under way
    private boolean behindSink; // it was when the channel became inactive, so that the end is told later
    private boolean receives;
    private boolean finished;

    private JourneyReader(Journey journey, Tally tally, Executor io, ExactReceiver receiver) {
        this.journey = journey;
        this.tally = tally;
        this.io = io;
        this.receiver = receiver;
        this.receives = receiver != null;
        this.random = new Random(journey.seed);
    }

    /** What a channel that was accepted for it is read with. */
    static void add(Channel channel, Journey journey, Tally tally, Executor io) {
        ReceiveOptions options = journey.options();
        ExactReceiver receiver = journey.kind.isReceiver() ? new ExactReceiver(options) : null;
        int most = Journey.LARGEST + Journey.HEADER;
        ChannelHandler handler = switch (journey.kind) {
            case FIXED -> new FixedLengthExactDecoder(journey.units[0], options);
            case PREFIXED, ON_DEMAND -> new LengthPrefixedExactDecoder(most, Journey.PREFIX, options);
            case PARTS, PARTS_ON_DEMAND -> new FrameStreamDecoder(most, Journey.PREFIX, options);
            default -> receiver;
        };
        channel.config().setOption(ChannelOption.ALLOW_HALF_CLOSURE, journey.halfClosure);
        channel.config().setAutoRead(!journey.kind.isOnDemand());
        JourneyReader reader = new JourneyReader(journey, tally, io, receiver);
        channel.pipeline().addLast(reader.new Arrivals(), handler, reader);
    }

    /** What comes out of the socket. */
    private final class Arrivals extends ChannelInboundHandlerAdapter {
        @Override
        public void channelRead(ChannelHandlerContext ctx, Object message) {
            long before = journey.arrived;
            long now = before + ((ByteBuf) message).readableBytes();
            lastByteAt = System.nanoTime();
            int unit = journey.whole(now);
            if (before == journey.start(unit) || journey.whole(before) < unit) {
                unitBegunAt = lastByteAt;
            }
            journey.arrived = now;
            ctx.fireChannelRead(message);
        }
    }

    @Override
    public void handlerAdded(ChannelHandlerContext ctx) {
        if (journey.starved) { // another connection's frame has the whole budget
            ReceiveOptions options = ReceiveOptions.defaults().frameDeadline(Duration.ofDays(1)).budget(journey.budget);
            holder = new EmbeddedChannel(new LengthPrefixedExactDecoder(Integer.MAX_VALUE, Journey.PREFIX, options));
            int rest = (int) journey.budget.capacity() - Journey.HEADER;
            holder.writeInbound(holder.alloc().buffer().writeInt(rest));
            check(journey.budget.used() == journey.budget.capacity(), "the budget is not held", journey);
        }
    }

    @Override
    public void channelActive(ChannelHandlerContext ctx) {
        journey.accepted = true;
        watch = ctx.executor().scheduleWithFixedDelay(() -> watch(ctx), TICK, TICK, TimeUnit.MILLISECONDS);
        if (receiver != null) {
            receiveNext(ctx);
        } else if (journey.kind.isOnDemand()) {
            ctx.read();
        }
    }

    // What is received: by a decoder

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
        check(!closed && told == null && !inactive, "a message behind the end", journey);
        if (message instanceof FrameStart start) {
            check(inUnit == 0 && start.frameLength() == journey.units[seen], "another start", journey);
            inUnit = Journey.HEADER;
        } else if (message instanceof FrameChunk chunk) {
            check(Journey.HEADER + chunk.offset() == inUnit, "another offset", journey);
            compare(chunk.content(), inUnit);
            inUnit += chunk.content().readableBytes();
            if (chunk.isLast()) {
                whole(ctx, inUnit);
            }
            chunk.release();
        } else {
            frame(ctx, (ByteBuf) message);
        }
        if (journey.kind.isOnDemand()) {
            soon(ctx, () -> readOn(ctx));
        } else if (!closed && random.nextInt(20) == 0) {
            ctx.channel().config().setAutoRead(false);
            later(ctx, () -> readOn(ctx));
        }
    }

    /** Not of an input that is known to be shut, which epoll answers with an exception. */
    private void readOn(ChannelHandlerContext ctx) {
        if (inputEnds == 0) {
            if (journey.kind.isOnDemand()) {
                ctx.read();
            } else {
                ctx.channel().config().setAutoRead(true);
            }
        }
    }

    private void frame(ChannelHandlerContext ctx, ByteBuf frame) {
        int header = journey.kind.isPrefixed() ? Journey.HEADER : 0;
        compare(frame, header);
        int size = header + frame.readableBytes();
        frame.release();
        whole(ctx, size);
    }

    private void compare(ByteBuf bytes, long offset) {
        byte[] copy = new byte[bytes.readableBytes()]; // the leak detector notes each access to the buffer
        bytes.getBytes(bytes.readerIndex(), copy);
        compare(copy, journey.start(seen) + offset);
    }

    private void compare(byte[] bytes, long at) {
        int from = (int) at;
        boolean same = from + bytes.length <= journey.sent
                && Arrays.equals(journey.wire, from, from + bytes.length, bytes, 0, bytes.length);
        check(same, "other bytes at " + from, journey);
        tally.bytes.addAndGet(bytes.length);
    }

    private void whole(ChannelHandlerContext ctx, long size) {
        check(seen < journey.units.length && journey.units[seen] == size, "unit of " + size, journey);
        seen++;
        inUnit = 0;
        tally.units.incrementAndGet();
        if (journey.end == End.READER_CLOSES && seen == journey.closesAfter) {
            closed = true;
            receives = false; // what came of the next is dropped with the channel
            ctx.close();
        }
    }

    /** At once, or a little later: the application is busy. */
    private void soon(ChannelHandlerContext ctx, Runnable next) {
        if (random.nextInt(journey.slow ? 3 : 30) == 0) {
            later(ctx, next);
        } else {
            next.run();
        }
    }

    private void later(ChannelHandlerContext ctx, Runnable next) {
        ctx.executor().schedule(next, random.nextInt(60), TimeUnit.MILLISECONDS);
    }

    // by a receiver

    private void receiveNext(ChannelHandlerContext ctx) {
        int size = seen < journey.units.length ? journey.units[seen] : Journey.HEADER;
        boolean isHeader = seen % 2 == 0;
        Kind kind = journey.kind;
        Sink sink = kind == Kind.TO_SINK && !isHeader ? new Sink() : null;
        Future<?> future = kind == Kind.RECEIVES_FRAMES ? receiver.receive(Journey.PREFIX, Journey.LARGEST + Journey.HEADER)
                : sink != null ? receiver.receiveTo(sink, size, io)
                : kind == Kind.OR_END_AND_SKIP && isHeader ? receiver.receiveOrEnd(size)
                : kind == Kind.OR_END_AND_SKIP && random.nextBoolean() ? receiver.skip(size)
                : kind == Kind.OR_END_AND_SKIP ? receiver.receive(size, Duration.ofMinutes(10))
                : receiver.receive(size);
        sinking = sink != null;
        askedLate = inactive;
        future.addListener(receive -> {
            sinking = false;
            if (!receive.isSuccess()) {
                failed(ctx, receive.cause(), sink);
            } else if (receive.getNow() instanceof ByteBuf frame) {
                frame(ctx, frame);
            } else if (kind == Kind.OR_END_AND_SKIP && isHeader) {
                failed(ctx, null, null);
            } else {
                check(sink == null || sink.written == size, "a sink with " + (sink == null ? 0 : sink.written), journey);
                whole(ctx, size);
            }
            if (receives) {
                soon(ctx, () -> receiveNext(ctx));
            }
        });
    }

    /** A slow disk that takes what it likes. */
    private final class Sink implements WritableByteChannel {
        private final int unit = seen;
        private final Random random = new Random(journey.seed + seen);
        private volatile int written;

        @Override
        public int write(ByteBuffer bytes) {
            if (random.nextInt(3) == 0) {
                try {
                    TimeUnit.MILLISECONDS.sleep(random.nextInt(60));
                } catch (InterruptedException e) {
                    wrong("the thread of a sink was interrupted");
                }
            }
            byte[] taken = new byte[Math.min(bytes.remaining(), random.nextInt(20_000))];
            bytes.get(taken);
            compare(taken, journey.start(unit) + written);
            written += taken.length;
            return taken.length;
        }

        @Override
        public boolean isOpen() {
            return true;
        }

        @Override
        public void close() {}
    }

    /** The last receive: by then the stream has ended. */
    private void failed(ChannelHandlerContext ctx, Throwable cause, Sink sink) {
        check(receives, "a receive failed twice", journey);
        receives = false;
        long part = part();
        if (sink != null) {
            check(sink.written <= part, "more in the sink than came: " + sink.written, journey);
        }
        if (cause instanceof PrematureCloseException close) {
            check(close.receivedBytes() == (sink == null ? part : sink.written), "the receive says: " + close, journey);
        } else if (cause == null || cause instanceof ClosedChannelException) {
            check(part == 0, "a part is lost, but the receive says: " + cause, journey);
        } else if (cause instanceof IOException) {
            check(journey.end.isReset(), "an error of the socket: " + cause, journey);
        } else {
            check(cause instanceof FrameTimeoutException && cause == told, "the receive failed: " + cause, journey);
        }
        if (!inactive) {
            endOfInput(ctx);
        }
        finish();
    }

    /** Bytes of a unit that is not whole, as far as the reader can know of them. */
    private long part() {
        long arrived = toldArrived < 0 ? journey.arrived : toldArrived;
        return arrived - journey.start(journey.whole(arrived));
    }

    // How it ends

    @Override
    public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
        if (event instanceof ChannelInputShutdownEvent) {
            inputEnds++;
            check(inputEnds == 1 && !inactive && journey.halfClosure, "an end of input", journey);
            if (receiver == null) {
                endOfInput(ctx);
            }
        }
    }

    /** No more to come: a half-closed peer is told how much came. */
    private void endOfInput(ChannelHandlerContext ctx) {
        closed = true;
        if (journey.end == End.HALF_CLOSE) {
            ctx.writeAndFlush(ctx.alloc().buffer(8).writeLong(journey.arrived)).addListener(ChannelFutureListener.CLOSE);
        } else if (journey.end == End.HALF_THEN_RESET) {
            journey.inputEnded = true; // and stays
        } else {
            ctx.close();
        }
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        if (cause instanceof PrematureCloseException || cause instanceof FrameTimeoutException) {
            check(told == null, "told twice, " + cause, journey);
            boolean inFront = receiver == null ? inputEnds == 0 && !inactive : !inactive || behindSink;
            check(inFront, "told behind the end, " + cause, journey);
            told = cause;
            toldArrived = journey.arrived;
            checkTold(System.nanoTime());
            if (cause instanceof FrameTimeoutException && receiver == null) {
                closed = true;
                ctx.close();
            }
        } else if (cause instanceof IOException) {
            check(journey.end.isReset() && !failed, "an error of the socket: " + cause, journey);
            failed = true;
        } else {
            if (Verdict.isGood()) {
                cause.printStackTrace(System.out);
            }
            wrong(cause + ", " + journey);
        }
    }

    private void checkTold(long now) {
        if (journey.end == End.READER_CLOSES) {
            boolean isOwn = told instanceof PrematureCloseException close && close.closedLocally() && closed;
            check(isOwn, "its own close: " + told, journey);
            return;
        }
        int unit = journey.whole(toldArrived);
        long part = part();
        long received;
        long expected;
        boolean inHeader;
        if (told instanceof PrematureCloseException close) {
            received = close.receivedBytes();
            expected = close.expectedBytes();
            inHeader = close.inHeader();
            check(!journey.end.isTimeOut(), "instead of a time-out: " + told, journey);
            check(close.closedLocally() == closed, "closed here: " + closed + ", but it says: " + told, journey);
        } else {
            FrameTimeoutException late = (FrameTimeoutException) told;
            received = late.receivedBytes();
            expected = late.expectedBytes();
            inHeader = late.inHeader();
            check(journey.mayTimeOut(), "a time-out: " + told, journey);
            boolean stalled = late.limit() == FrameTimeoutException.Limit.STALL;
            Duration limit = stalled ? journey.stall : journey.deadline;
            long took = now - (stalled ? lastByteAt : unitBegunAt);
            check(stalled == (journey.stall != null), "another limit: " + told, journey);
            check(limit != null && took >= limit.toNanos() / 8 * 7, told + ", after " + took / 1000 + " us", journey);
            // If this program was held up, its timer may have come in front of the bytes.
            boolean heldUp = now - tickAt > TimeUnit.MILLISECONDS.toNanos(3 * TICK);
            check(!stalled || heldUp || Link.isSilent(journey.port), told + ", but it has not read what came", journey);
            if (journey.arrived == journey.sent && !journey.slow && journey.budget == null) {
                check(limit != null && took <= limit.toNanos() + GENEROUS, told + ", late: " + took / 1000 + " us", journey);
            }
        }
        boolean hasHeader = journey.kind.isPrefixed() && part < Journey.HEADER;
        check(part > 0 && received == part, told + ", but a part of " + part, journey);
        check(inHeader == hasHeader, told + ", in the header: " + inHeader, journey);
        check(expected == (hasHeader ? Journey.HEADER : journey.units[unit]), told + ", expected", journey);
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
        check(!inactive, "inactive twice", journey);
        inactive = true;
        behindSink = sinking;
        finish();
    }

    /** Both the channel has ended and the receives have. */
    private void finish() {
        if (!inactive || receives || finished) {
            return;
        }
        finished = true;
        watch.cancel(false);
        release();
        if (journey.end == End.READER_CLOSES && closed) {
            check(seen == Math.min(journey.closesAfter, journey.units.length), seen + " units and a close", journey);
        } else {
            checkAll();
        }
        journey.readerDone = true;
        tally.done(journey, told);
    }

    private void checkAll() {
        long arrived = toldArrived < 0 ? journey.arrived : toldArrived;
        long part = part();
        boolean mayLose = journey.end.mayTimeOut() || told instanceof FrameTimeoutException;
        check(mayLose || arrived == journey.sent, "lost " + (journey.sent - arrived) + " bytes", journey);
        check(seen == journey.whole(arrived), seen + " units seen", journey);
        check(part > 0 == (told != null) || askedLate && told == null, "told " + told, journey);
        check(!journey.kind.isParts() || inUnit == (part < Journey.HEADER ? 0 : part), "parts of " + inUnit, journey);
        boolean mayBeEither = journey.end.isReset() && !journey.end.isHalf();
        check(mayBeEither || inputEnds == (journey.end.isHalf() ? 1 : 0), inputEnds + " ends of input", journey);
    }

    private void release() {
        if (holder != null) {
            holder.close(); // not finish, which throws what was told
            holder = null;
        }
    }

    /** What no handler tells: that a peer between two frames is gone. It is the application that closes then. */
    private void watch(ChannelHandlerContext ctx) {
        long now = System.nanoTime();
        tickAt = now;
        long sent = journey.sentAt;
        boolean enough = sent != 0 && now - sent > TimeUnit.MILLISECONDS.toNanos(700)
                || now - journey.begun > TimeUnit.SECONDS.toNanos(5);
        if (holder != null && enough) {
            release();
        }
        if (sent == 0 || closed && journey.end != End.HALF_THEN_RESET) {
            return;
        }
        long state = journey.arrived + ((long) inputEnds << 40);
        quietTicks = state == quietState ? quietTicks + 1 : 0;
        quietState = state;
        long quiet = quietTicks * TICK / 1000; // seconds
        boolean isGone = switch (journey.end) {
            case HALF_THEN_RESET -> quiet >= 3 && inputEnds > 0;
            case LINK_LOST -> quiet >= 6 && part() == 0;
            case RESET_AT_ONCE, RESET_WHEN_READ -> quiet >= 8 && (part() == 0 || inputEnds > 0);
            default -> false;
        };
        if (isGone && holder == null) {
            tally.unheard(journey);
            closed = true;
            ctx.channel().close();
        }
    }
}
