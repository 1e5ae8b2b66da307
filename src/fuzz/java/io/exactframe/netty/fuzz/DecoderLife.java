package io.exactframe.netty.fuzz;

import io.exactframe.netty.ExactFrameDecoder;
import io.exactframe.netty.FixedLengthExactDecoder;
import io.exactframe.netty.FrameChunk;
import io.exactframe.netty.FrameStart;
import io.exactframe.netty.FrameStreamDecoder;
import io.exactframe.netty.LengthPrefixedExactDecoder;
import io.exactframe.netty.PrematureCloseException;
import io.exactframe.netty.ReceiveOptions;
import io.exactframe.netty.fuzz.Model.Kind;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelPipelineException;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.handler.codec.CorruptedFrameException;
import io.netty.handler.codec.DecoderException;
import io.netty.handler.codec.TooLongFrameException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * One life of a channel with a decoder and an application that does its worst, as a script has it. Whatever comes out is
 * held against the {@link Model} at that moment, and whenever all is quiet, what should have come out by then.
 */
final class DecoderLife {
    /** Thrown by the application. */
    private static final class Thrown extends RuntimeException {
        private static final long serialVersionUID = 1;

        Thrown() {
            super("thrown by the application", null, false, false);
        }
    }

    private record Event(int number) {}

    private record Kept(ByteBuf buffer, int from) {}

    /** What a codec does with a frame, by the frame's last byte. */
    private enum Outcome { FRAME, SLICE, NOTHING, TWO, FAILS, FAILS_AS_DECODER, CORRUPTED }

    private static final int MOST_SENT = 400_000;
    private static final long SLACK = 4096;

    private final Script script;
    private final ScriptedChannel channel;
    final Wire wire;
    private final Format chosen;
    private final boolean inParts;
    private final boolean reacts;
    final ReceiveOptions options;
    final boolean onDemand;
    private final boolean contiguous;
    private final long longestSkipped;

    private ChannelHandler decoder;
    Model model;
    private Tap tap;
    private boolean removed;
    private int rawFrom; // after the removal: what comes next

    // The application.
    boolean demand; // a read() that no message has answered
    private boolean handedOn; // a demand, behind what a decoder hands on, whatever the application does meanwhile
    private boolean readAsked; // since the last poll began
    private int messages; // since then
    private boolean anyMessage; // since the last channelReadComplete
    private int depth; // of calls from the handler
    private boolean mayFeed = true;
    private final List<Kept> kept = new ArrayList<>();
    private int thrown;
    private int thrownSeen;
    private int eventsSent;
    private int eventsSeen;
    private int shutdownsSeen;
    private int inactive;
    private boolean closedHere; // by a handler behind
    private boolean answersError; // that close came behind the socket's error
    private int resetsSeen;
    private int replies;

    // What the codec has decided and is still to be seen.
    private int codecFrom;
    private int codecSize;
    private int codecGives;
    private boolean codecFails;
    private int modeNext;

    // A premature close that a close of ours makes: how much is known of it.
    private boolean lossKnown = true;
    private boolean lossExpected;
    private long lossLength;
    private long lossGot;

    /** The stream's reader is told that the decoder left inside a frame. */
    private boolean abortExpected;

    private String failure;

    DecoderLife(Script script, boolean inParts) {
        this(script, inParts, new ScriptedChannel(), ReceiveOptions.defaults(), true);
    }

    DecoderLife(Script script, boolean inParts, ScriptedChannel channel, ReceiveOptions basis, boolean reacts) {
        this.script = script;
        this.channel = channel;
        this.wire = channel.wire;
        this.inParts = inParts;
        int shape = script.next();
        this.reacts = reacts && (shape & 1) != 0;
        this.onDemand = (shape & 2) != 0;
        this.contiguous = !inParts && (shape & 4) != 0;
        boolean skips = (shape & 8) != 0;
        int kind = shape >> 4 & 3;
        Format chosen = inParts ? Format.prefixed(script, false) : kind == 0
                ? Format.fixed(script)
                : kind == 1 ? Format.codec(script) : Format.prefixed(script, true);
        this.chosen = chosen;
        ReceiveOptions options = onDemand ? basis.onDemand() : basis;
        options = contiguous ? options.contiguous() : options;
        long most = 0;
        if (skips && chosen.kind != Format.Kind.FIXED) {
            most = chosen.max + 1 + script.size() * (script.flag() ? 1L << 40 : 1);
            options = options.skipOversized(most);
        }
        this.longestSkipped = most;
        this.options = options;
        decoder = newDecoder();
        model = newModel(0);
        tap = new Tap(model);
        channel.pipeline().addLast(tap, decoder, new Application());
    }

    private Model newModel(int start) {
        return inParts
                ? new Model.Parts(chosen, wire, start, longestSkipped)
                : new Model.Whole(chosen, wire, start, longestSkipped);
    }

    private ChannelHandler newDecoder() {
        if (inParts) {
            return new FrameStreamDecoder(chosen.max, chosen.prefix(), options);
        }
        return switch (chosen.kind) {
            case FIXED -> new FixedLengthExactDecoder((int) chosen.max, options);
            case PREFIXED -> new LengthPrefixedExactDecoder((int) chosen.max, chosen.prefix(), options);
            case CODEC -> new Codec(options);
        };
    }

    void fail(String what) {
        if (failure == null) {
            failure = what + "; " + this;
        }
    }

    private void check(boolean holds, String what, Object... more) {
        if (!holds) {
            fail(what + Arrays.toString(more));
        }
    }

    @Override
    public String toString() {
        return (inParts ? "stream " : "decoder ") + chosen.kind + " max " + chosen.max + (onDemand ? " onDemand" : "")
                + (contiguous ? " contiguous" : "") + " skips " + longestSkipped + ", arrived " + model.arrived + ", given "
                + model.given + ", model " + model.next() + " of " + model.length + ", ended " + model.ended + ", closing "
                + model.closing + ", removed " + removed + ", auto-read " + channel.isAutoRead() + ", demand " + demand
                + ", interest " + channel.interest;
    }

    /** Sees what goes into a decoder. */
    private final class Tap extends ChannelInboundHandlerAdapter {
        private final Model model;
        private boolean off;

        Tap(Model model) {
            this.model = model;
        }

        @Override
        public void channelRead(ChannelHandlerContext ctx, Object message) {
            if (!off && message instanceof ByteBuf bytes) {
                check(wire.isAt(model.arrived, bytes), "bytes go into the decoder that are not the next ones");
                model.arrive(bytes.readableBytes());
            }
            ctx.fireChannelRead(message);
        }

        @Override
        public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
            model.endTold |= event instanceof ChannelInputShutdownEvent;
            ctx.fireUserEventTriggered(event);
        }

        @Override
        public void channelInactive(ChannelHandlerContext ctx) {
            model.endTold = true;
            ctx.fireChannelInactive();
        }
    }

    private final class Codec extends ExactFrameDecoder {
        private int mode;

        Codec(ReceiveOptions options) {
            super(1, Format.CODEC_LONGEST_HEADER, (int) chosen.max, options);
        }

        @Override
        protected long frameLength(ByteBuf header) {
            return Format.codecAnswer(header, mode);
        }

        @Override
        protected Object decode(ChannelHandlerContext ctx, ByteBuf frame) {
            Kind next = model.next();
            check(next == Kind.MESSAGE, "a frame is decoded where there should be ", next);
            check(frame.readableBytes() == model.size && wire.isAt(model.from, frame), "another frame is decoded");
            checkDemand();
            int last = wire.bytes[model.from + Math.max(model.size - 1, 0)] & 0xff;
            Outcome outcome = last < 200 ? Outcome.FRAME : Outcome.values()[last % Outcome.values().length];
            codecFrom = model.from;
            codecSize = model.size;
            codecGives = outcome == Outcome.TWO ? 2 : outcome.ordinal() < 2 ? 1 : 0;
            model.seen();
            if (last % 16 == 3) {
                mode = 1 - mode;
                model.mode = mode;
                modeNext = mode;
            }
            if (reacts && (script.next() & 7) == 1) {
                react(ctx, Place.DECODE);
            }
            switch (outcome) {
                case FRAME:
                    return frame;
                case SLICE:
                    return frame.retainedSlice();
                case TWO:
                    ctx.fireChannelRead(frame.retainedSlice());
                    return frame;
                case NOTHING:
                    return null;
                case CORRUPTED:
                    model.ended = true;
                    codecFails = true;
                    throw new CorruptedFrameException("decode");
                case FAILS:
                    codecFails = true;
                    throw new IllegalStateException("decode");
                default:
                    codecFails = true;
                    throw new DecoderException("decode");
            }
        }
    }

    private enum Place { MESSAGE, FAULT, EVENT, COMPLETE, DECODE, TOP }

    /** Whether a message may come now. */
    private void checkDemand() {
        boolean isDue = !onDemand || channel.isAutoRead() || demand || handedOn || !channel.isOpen();
        check(isDue, "a message that no read() asked for");
        handedOn &= demand;
    }

    private final class Application extends ChannelInboundHandlerAdapter {
        @Override
        public void channelRead(ChannelHandlerContext ctx, Object message) {
            depth++;
            try {
                if (removed && codecGives == 0) {
                    raw((ByteBuf) message);
                } else if (inParts) {
                    part(message);
                } else {
                    frame((ByteBuf) message);
                }
                demand = false;
                messages++;
                anyMessage = true;
                if (reacts) {
                    react(ctx, Place.MESSAGE);
                }
            } finally {
                depth--;
            }
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
            depth++;
            try {
                if (cause instanceof Thrown) {
                    thrownSeen++;
                } else if (cause instanceof ScriptedChannel.Reset) {
                    resetsSeen++;
                    if (reacts && (script.next() & 3) == 1 && !closedHere) {
                        answersError = !removed;
                        close(ctx, Place.TOP, false);
                    }
                } else {
                    fault(ctx, cause);
                }
            } finally {
                depth--;
            }
        }

        @Override
        public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
            depth++;
            try {
                if (event instanceof Event numbered) {
                    check(numbered.number == eventsSeen || replaced || removed, "an event out of its order");
                    eventsSeen++;
                } else if (event instanceof ChannelInputShutdownEvent) {
                    shutdownsSeen++;
                    checkEndReached("a half-closure");
                }
                if (reacts) {
                    react(ctx, Place.EVENT);
                }
            } finally {
                depth--;
            }
        }

        @Override
        public void channelReadComplete(ChannelHandlerContext ctx) {
            depth++;
            try {
                anyMessage = false;
                if (reacts) {
                    react(ctx, Place.COMPLETE);
                }
            } finally {
                depth--;
            }
        }

        @Override
        public void channelInactive(ChannelHandlerContext ctx) {
            inactive++;
            checkEndReached("channelInactive");
        }
    }

    /** What marks the end is behind all that there was. */
    private void checkEndReached(String what) {
        if (!removed) {
            Kind next = model.next();
            check(next == Kind.NOTHING, what, next);
            model.ended = true;
        }
    }

    private void raw(ByteBuf bytes) {
        check(wire.isAt(rawFrom, bytes), "after the removal other bytes go on than the next ones");
        check(!abortExpected, "the rest goes on in front of the news that the frame is cut off");
        rawFrom += bytes.readableBytes();
        bytes.release();
    }

    private void frame(ByteBuf frame) {
        int from;
        int size;
        if (chosen.kind == Format.Kind.CODEC) {
            check(codecGives > 0, "a message that the codec did not give");
            codecGives--;
            from = codecFrom;
            size = codecSize;
        } else {
            Kind next = model.next();
            if (next != Kind.MESSAGE) {
                fail("a frame where there should be " + next);
                frame.release();
                return;
            }
            checkDemand();
            from = model.from;
            size = model.size;
            model.seen();
        }
        check(frame.readableBytes() == size && wire.isAt(from, frame), "not the frame that was sent");
        check(size == 0 || frame.readerIndex() == 0, "a frame that does not begin at reader index 0");
        check(size > 64 * 1024 && !contiguous || size == 0 || frame.isContiguous(), "a frame in more than one piece");
        if (reacts && (script.next() & 15) == 5) {
            kept.add(new Kept(frame, from));
        } else {
            frame.release();
        }
    }

    private void part(Object message) {
        Model.Parts parts = (Model.Parts) model;
        Kind next = model.next();
        checkDemand();
        if (next != Kind.MESSAGE) {
            fail("a part of a frame where there should be " + next);
        } else if (message instanceof FrameStart start) {
            check(!parts.started, "a start inside a frame");
            check(start.frameLength() == parts.frame && start.payloadLength() == parts.payload(), "lengths of a start");
            check(start.header().readableBytes() == parts.header && wire.isAt(model.given, start.header()), "a header");
        } else if (message instanceof FrameChunk chunk) {
            check(parts.started, "a chunk outside a frame");
            check(chunk.offset() == parts.offset, "offset, expected ", chunk.offset(), parts.offset);
            check(chunk.isLast() == parts.last, "last: ", chunk.isLast());
            check(chunk.content().readableBytes() == parts.size, "bytes of a chunk, expected ",
                    chunk.content().readableBytes(), parts.size);
            check(wire.isAt(model.from, chunk.content()), "not the bytes that were sent");
        }
        model.seen();
        io.netty.util.ReferenceCountUtil.release(message);
    }

    private void fault(ChannelHandlerContext ctx, Throwable cause) {
        if (cause instanceof PrematureCloseException close) {
            premature(close);
        } else if (cause instanceof ChannelPipelineException) {
            check(abortExpected, "told of a removal that cut no frame off");
            abortExpected = false;
        } else if (codecFails) {
            check(cause instanceof DecoderException, "not a DecoderException: ", cause);
            codecFails = false;
            if (reacts) {
                react(ctx, Place.FAULT);
            }
        } else {
            Kind next = removed ? Kind.NOTHING : model.next();
            if (next == Kind.FAULT) {
                check(cause.getClass() == model.fault, "another fault than ", model.fault, cause);
                model.ended = true;
                if (reacts) {
                    react(ctx, Place.FAULT);
                }
            } else if (next == Kind.OVERSIZED) {
                check(cause instanceof TooLongFrameException, "not a TooLongFrameException: ", cause);
                Model told = model;
                long length = model.length;
                oversized = length;
                if (reacts) {
                    react(ctx, Place.FAULT);
                }
                oversized = 0;
                if (!removed && model == told && !model.closing && !model.ended) {
                    model.next();
                    model.length = length;
                    model.skip();
                }
            } else {
                fail("a fault where there should be " + next + ": " + cause);
            }
        }
    }

    private long oversized; // while it is told

    private void premature(PrematureCloseException close) {
        check(channel.endRead || closedHere, "a premature close without a close");
        check(close.closedLocally() == (closedHere && !answersError), "closedLocally ", close.closedLocally());
        check(!channel.wasReset || resetsSeen == 1, "a premature close in front of its cause");
        check(inactive == 0, "a premature close behind channelInactive");
        if (model.closing) {
            check(!lossKnown || lossExpected, "a premature close, but nothing was under way at the close");
            if (lossKnown) {
                check(close.expectedBytes() == lossLength && close.receivedBytes() == lossGot,
                        "received, expected, should be ", close.receivedBytes(), close.expectedBytes(), lossGot, lossLength);
            }
            check(close.receivedBytes() < close.expectedBytes() && close.receivedBytes() > 0, "counts: ", close);
            lossKnown = true;
            lossExpected = false;
            model.ended = true;
            return;
        }
        Kind next = removed ? Kind.NOTHING : model.next();
        if (next != Kind.PART) {
            fail("a premature close where there should be " + next);
            return;
        }
        check(close.expectedBytes() == model.length && close.receivedBytes() == model.got,
                "received, expected, should be ", close.receivedBytes(), close.expectedBytes(), model.got, model.length);
        check(close.inHeader() == model.inHeader, "inHeader ", close.inHeader());
        model.ended = true;
    }

    /** What the application does from inside a call. */
    private void react(ChannelHandlerContext ctx, Place place) {
        if (depth > 20) {
            return;
        }
        int chosen = script.next();
        switch (chosen & 31) {
            case 1, 2 -> read();
            case 3 -> setAutoRead((chosen & 32) != 0);
            case 4, 5 -> feed();
            case 6 -> reply(ctx);
            case 7 -> event();
            case 8 -> {
                if (place != Place.FAULT) {
                    throwIt(place);
                }
            }
            case 9 -> close(ctx, place, (chosen & 32) != 0);
            case 10 -> remove(place);
            case 11 -> replace(place);
            case 12 -> {
                read();
                feed();
            }
            case 13 -> {
                feed();
                if (place == Place.MESSAGE || place == Place.EVENT) {
                    throwIt(place);
                }
            }
            case 14 -> {
                setAutoRead(!channel.isAutoRead());
                setAutoRead(!channel.isAutoRead());
            }
            case 15 -> {
                if (mayFeed) {
                    channel.pipeline().fireChannelReadComplete();
                }
            }
            default -> {}
        }
    }

    private void throwIt(Place place) {
        if (place == Place.MESSAGE || place == Place.EVENT || place == Place.COMPLETE) {
            thrown++;
            throw new Thrown();
        }
    }

    private void read() {
        demand = !channel.isAutoRead();
        readAsked = true;
        channel.pipeline().read();
    }

    private void setAutoRead(boolean on) {
        demand = channel.isAutoRead() == on && demand;
        readAsked = true;
        channel.config().setAutoRead(on);
    }

    private void feed() {
        if (mayFeed && channel.isOpen() && !channel.endRead && wire.unread() > 0) {
            fed = true;
            readAsked = true;
            channel.pipeline().fireChannelRead(channel.nextBuffer(script.size(), script.upTo(7)));
        }
    }

    private boolean replaced;
    private boolean fed; // bytes that no channelReadComplete has followed

    private void reply(ChannelHandlerContext ctx) {
        replies++;
        ctx.writeAndFlush(Unpooled.buffer(4).writeInt(replies)).addListener(written -> {
            if (written.isSuccess()) {
                feed();
            }
        });
    }

    private void event() {
        if (channel.isOpen()) {
            channel.pipeline().fireUserEventTriggered(new Event(eventsSent++));
        }
    }

    private void close(ChannelHandlerContext ctx, Place place, boolean disconnects) {
        if (closedHere || !channel.isOpen()) {
            return;
        }
        closedHere = true;
        mayFeed = false;
        boolean cuts = !removed && !model.ended;
        if (cuts) {
            Kind next = model.next();
            model.closing = true;
            foresee(place, next);
        }
        if (ctx == null || place == Place.DECODE) {
            channel.pipeline().close();
        } else if (disconnects) {
            ctx.disconnect();
        } else {
            ctx.close();
        }
    }

    /** What a close of ours loses, if that can be told: the frame under way as far as it was cut. */
    private void foresee(Place place, Kind next) {
        if (model instanceof Model.Parts parts) {
            boolean isMessage = place == Place.MESSAGE;
            if (place == Place.TOP && depth == 0 && next == Kind.MESSAGE) {
                parts.dropTrailer(next);
            }
            if (isMessage || place == Place.TOP && next == Kind.MESSAGE && parts.started) {
                lose(parts.started, parts.frame, parts.frameGot);
            } else if (place == Place.TOP && depth == 0 && next != Kind.MESSAGE) {
                lose(next == Kind.PART, model.length, model.got);
            } else if (oversized > 0 && depth == 1) {
                lose(true, oversized, model.skippedAtClose(oversized));
            } else {
                lossKnown = false;
            }
        } else if (place == Place.MESSAGE && depth == 1) {
            lose(false, 0, 0);
        } else if (place == Place.TOP && depth == 0) {
            lose(next == Kind.PART, model.length, model.got);
        } else if (oversized > 0 && depth == 1) {
            lose(true, oversized, model.skippedAtClose(oversized));
        } else {
            lossKnown = false;
        }
    }

    private void lose(boolean part, long length, long got) {
        lossExpected = part && got < length && got > 0;
        lossLength = length;
        lossGot = got;
    }

    private boolean mayLeave(Place place) {
        boolean still = place == Place.MESSAGE || place == Place.TOP || place == Place.FAULT;
        // While a frame is skipped only the decoder knows how much of what came has had its turn.
        return !removed && codecGives == 0 && still && channel.isOpen() && (place == Place.TOP || depth == 1);
    }

    /** The place from which on what came is somebody else's. */
    private int leave(Place place) {
        Kind next = model.next();
        if (model instanceof Model.Parts parts && !model.ended) {
            if (place == Place.TOP) {
                parts.dropTrailer(next);
            }
            abortExpected = parts.started && parts.frameGot < parts.frame;
        }
        if (model.closing) {
            abortExpected &= !model.ended;
            lossKnown = true;
            lossExpected = false;
        }
        boolean drops = model.ended || model.closing;
        return drops ? model.arrived : model.given;
    }

    private void remove(Place place) {
        if (mayLeave(place)) {
            rawFrom = leave(place);
            removed = true;
            mayFeed = false;
            tap.off = true;
            channel.pipeline().remove(decoder);
        }
    }

    private void replace(Place place) {
        if (mayLeave(place)) {
            int start = leave(place);
            mayFeed = false;
            demand &= onDemand || !model.ended;
            handedOn |= demand;
            readAsked = true; // a successor does not know that the read had a message before it came
            replaced = true;
            tap.off = true;
            ChannelHandler before = decoder;
            Tap tapBefore = tap;
            model = newModel(start);
            tap = new Tap(model);
            decoder = newDecoder();
            String name = channel.pipeline().context(before).name();
            channel.pipeline().addAfter(name, null, decoder);
            channel.pipeline().addAfter(name, null, tap);
            channel.pipeline().remove(tapBefore);
            channel.pipeline().remove(before);
        }
    }

    // ---- what happens from outside

    /** One thing from the script. */
    void step() {
        int chosen = script.next();
        mayFeed = channel.isOpen();
        switch (chosen & 15) {
            case 0, 1, 2 -> send(script.size(), script.next());
            case 3 -> sendRaw(script.upTo(12));
            case 4, 5, 6, 7 -> {
                int buffers = 1 + (chosen >> 4 & 3);
                int size = script.size();
                int kind = script.upTo(7);
                poll(buffers, size, kind);
            }
            case 8 -> act(() -> read());
            case 9 -> act(() -> setAutoRead((chosen & 16) != 0));
            case 10 -> act(() -> event());
            case 11 -> poll(100, 1 + (chosen >> 4), 0);
            case 12 -> {
                switch (chosen >> 4) {
                    case 0, 1 -> channel.peerEnded = true;
                    case 2 -> resetNow(script.flag(), script.size());
                    case 3 -> act(() -> close(null, Place.TOP, false));
                    case 4 -> act(() -> remove(Place.TOP));
                    case 5, 6 -> act(() -> replace(Place.TOP));
                    default -> {}
                }
            }
            case 13 -> {
                send(script.size(), 0);
                poll(3, script.size(), 0);
            }
            case 14 -> act(() -> {
                mayFeed = true;
                feed();
            });
            default -> {}
        }
    }

    private void send(int payload, int choice) {
        if (!channel.peerEnded && wire.sent + payload < MOST_SENT) {
            chosen.send(wire, payload, choice, modeNext);
            if (chosen.kind == Format.Kind.CODEC) {
                modeSent();
            }
        }
    }

    /** The codec's mode changes with the last byte of a frame: a peer that keeps to the protocol follows. */
    private void modeSent() {
        if ((wire.bytes[wire.sent - 1] & 0xff) % 16 == 3) {
            modeNext = 1 - modeNext;
        }
    }

    private void sendRaw(int count) {
        for (int i = 0; i < count && !channel.peerEnded; i++) {
            wire.send(script.next());
        }
    }

    void poll(int buffers, int size, int kind) {
        boolean halfCloses = (kind & 1) != 0;
        boolean polls = channel.interest && channel.isOpen() && !channel.endRead && wire.unread() > 0;
        if (polls) {
            readAsked = false;
            messages = 0;
        }
        act(() -> channel.poll(buffers, size, kind, halfCloses));
        if (polls && channel.isOpen() && !channel.isAutoRead() && !removed && !model.ended) {
            check(!channel.interest || readAsked || messages == 0 || demand, "reads on, though it gave a message");
        }
    }

    private void resetNow(boolean drains, int size) {
        if (channel.isOpen() && !channel.endRead) {
            act(() -> channel.reset(drains, size));
        }
    }

    void act(Runnable action) {
        if (channel.isOpen()) {
            channel.run(() -> {
                action.run();
                while (fed && channel.isOpen()) {
                    fed = false;
                    channel.pipeline().fireChannelReadComplete();
                }
            });
            assertQuiet();
        }
    }

    /** All is done that can be done: so it must have been. */
    void assertQuiet() {
        Kind next = model.next();
        if (!removed) {
            boolean open = channel.isOpen();
            if (next == Kind.MESSAGE) {
                check(onDemand && open && !channel.isAutoRead() && !demand, "a message has not come");
            }
            check(next != Kind.FAULT && next != Kind.OVERSIZED, "a fault was not told: ", next);
            check(next != Kind.PART || !model.endTold && open, "a premature close was not told");
            check(!model.closing || open || !lossKnown || !lossExpected, "the loss of our own close was not told");
            if (open && !channel.endRead && !model.ended && !model.closing) {
                check(bufferedBytes() == model.buffered(),
                        "bufferedBytes, should be ", bufferedBytes(), model.buffered());
                check(channel.interest || !channel.isAutoRead(), "auto-read is on, and nothing is read");
                check(channel.interest || !demand, "a read() came to nothing");
                check(next != Kind.MESSAGE || !channel.interest || !onDemand || readAsked, "reads on while a message waits");
                assertMemory(next);
            }
            if (!model.closing) {
                boolean over = model.ended || model.endTold && next == Kind.NOTHING;
                check(hasEnded() == over, "hasEnded, should be ", hasEnded(), over);
            }
        } else {
            check(rawFrom == wire.read || !channel.isOpen(), "of the rest went on, of ", rawFrom, wire.read);
            check(!abortExpected, "not told that a frame was cut off");
        }
        check(!codecFails && codecGives == 0, "what the codec decided did not happen");
        check(thrown == thrownSeen, "thrown, told of ", thrown, thrownSeen);
        check(!anyMessage || model.closing || removed || !channel.isOpen(), "no channelReadComplete");
        throwFailure();
    }

    private void assertMemory(Kind next) {
        if (next == Kind.MESSAGE || !kept.isEmpty() || !channel.shared.isEmpty()) {
            return;
        }
        long most = (contiguous ? 3L : 2L) * model.buffered() + SLACK;
        check(channel.held() <= most, "bytes of memory, received ", channel.held(), model.buffered());
    }

    private void throwFailure() {
        if (failure != null) {
            throw new AssertionError(failure);
        }
    }

    int bufferedBytes() {
        return decoder instanceof FrameStreamDecoder stream
                ? stream.bufferedBytes()
                : ((ExactFrameDecoder) decoder).bufferedBytes();
    }

    boolean hasEnded() {
        return decoder instanceof FrameStreamDecoder stream ? stream.hasEnded() : ((ExactFrameDecoder) decoder).hasEnded();
    }

    /** The channel ends, if it has not; nothing is left. */
    void finish() {
        if (channel.isOpen()) {
            boolean peer = !channel.endRead;
            channel.run(() -> {
                if (peer) {
                    channel.endRead = true;
                    channel.unsafe().close(channel.newPromise());
                } else {
                    channel.unsafe().close(channel.newPromise());
                }
            });
            assertQuiet();
        }
        channel.runPendingTasks();
        check(inactive == 1, "channelInactive " + inactive + " times");
        check(eventsSeen == eventsSent, "events: " + eventsSeen + " of " + eventsSent);
        check(!channel.wasReset || resetsSeen == 1, "the socket's error was told " + resetsSeen + " times");
        throwFailure();
        for (Kept each : kept) {
            check(wire.isAt(each.from, each.buffer), "a frame that was kept has changed");
            check(each.buffer.refCnt() > 0, "a frame that was kept is released");
            each.buffer.release();
        }
        for (Object out; (out = channel.readOutbound()) != null; ) {
            ((ByteBuf) out).release();
        }
        for (ByteBuf each : channel.shared) {
            check(each.refCnt() == 1, "a shared read buffer has " + each.refCnt() + " references");
            each.release();
        }
        check(channel.held() == 0, channel.held() + " bytes of memory are not released");
        throwFailure();
    }

    static void live(byte[] input, boolean inParts) {
        Script script = new Script(input);
        DecoderLife life = new DecoderLife(script, inParts);
        while (!script.isUsedUp() && life.channel.isOpen()) {
            life.step();
        }
        life.finish();
    }
}
