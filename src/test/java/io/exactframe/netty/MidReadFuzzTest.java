package io.exactframe.netty;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelConfig;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelPipelineException;
import io.netty.channel.DefaultChannelConfig;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * 19 to 22, 27, 30, 31, 33, 36: decoders come and go in the middle of a read and while frames wait. Every decoder gives
 * the whole frame, header included, so what comes out is what went in, whoever cuts it.
 */
@Tag("slow")
class MidReadFuzzTest {
    private static final int LIVES = 3_000; // for each seed

    /** Reads as NIO does: what was sent waits until there is interest in it. */
    private static final class Transport extends EmbeddedChannel {
        private boolean interest;
        private boolean readPending;
        private ChannelConfig config; // asked for before this constructor

        Transport() {
            pipeline().addLast(new ChannelInboundHandlerAdapter() {
                @Override
                public void channelRead(ChannelHandlerContext ctx, Object message) {
                    if (message instanceof Runnable action) {
                        action.run();
                    } else {
                        ctx.fireChannelRead(message);
                    }
                }
            });
        }

        @Override
        public ChannelConfig config() {
            if (config == null) {
                config = new DefaultChannelConfig(this) {
                    @Override
                    protected void autoReadCleared() {
                        interest = false;
                        readPending = false;
                    }
                };
            }
            return config;
        }

        @Override
        protected void doBeginRead() {
            interest = true;
            readPending = true;
        }
    }

    private enum Does { READ, AUTO_READ, ADD, REPLACE, REMOVE, REENTER, REENTER_READ, CLOSE }

    /** When the application asks for the next message. */
    private enum Asks { IN_READ, IN_COMPLETE, OUTSIDE }

    private enum Ends { REMOVED, CLOSED, HALF_CLOSED }

    /** One random life of a channel. */
    private static final class Life {
        final Random random;
        final Transport channel = new Transport();
        final List<ChannelHandler> decoders = new ArrayList<>(); // in the pipeline, in order
        final Set<Does> allowed = EnumSet.noneOf(Does.class);
        final boolean inCodecs;
        final boolean inMessages;
        final boolean inCompletes;
        final int onDemand; // of four
        final boolean streams;
        final boolean drops; // codecs do, now and then
        final int budgets; // of eight decoders so many wait for memory
        final int scale; // so often each byte is sent: only large frames wait
        final List<EmbeddedChannel> hogs = new ArrayList<>(); // have it
        final Asks asks;

        final StringBuilder in = new StringBuilder();
        final StringBuilder out = new StringBuilder();
        final List<ByteBuf> fragments = new ArrayList<>();
        final List<String> trace = new ArrayList<>();
        int unsent; // bytes that the peer has still to send

        boolean again; // asked, but not a decoder that was added since
        boolean asked; // a read() that no message has answered; auto-read is off
        int messages;
        int uncompleted; // messages since the last channelReadComplete
        boolean bare; // re-entered, and no channelReadComplete of their own
        boolean fed; // bytes since the last channelReadComplete that the transport told
        int depth; // of calls into handlers of the test
        boolean changed; // in this call a decoder left: what it has to hand on is still to come
        boolean removed;
        boolean left; // a decoder did, since all was quiet
        final Set<ChannelHandler> demands = new HashSet<>(); // with messages on demand
        int most; // decoders, when that one left
        boolean closed;
        boolean ended;
        int inactive;
        int shut;
        long lost;
        boolean lostInStream;
        String violation;

        Life(long seed) {
            random = new Random(seed);
            for (Does each : Does.values()) {
                if (each == Does.CLOSE ? random.nextInt(8) == 0 : random.nextBoolean()) {
                    allowed.add(each);
                }
            }
            inCodecs = random.nextBoolean();
            inMessages = random.nextInt(4) != 0;
            inCompletes = random.nextBoolean();
            onDemand = random.nextInt(5);
            drops = random.nextInt(4) == 0;
            budgets = random.nextInt(4) == 0 ? 1 + random.nextInt(4) : 0;
            scale = budgets > 0 ? 2000 : 1;
            streams = random.nextInt(3) == 0 && scale == 1;
            asks = Asks.values()[random.nextInt(3)];
            unsent = 1 + random.nextInt(random.nextBoolean() ? 10 : 60);
            channel.config().setAutoRead(random.nextInt(4) == 0);
            for (int i = random.nextInt(5) == 0 ? 2 : 1; i > 0; i--) {
                decoders.add(newDecoder(i == 1));
            }
            trace("auto-read " + autoRead() + ", asks " + asks);
            channel.pipeline().addLast(decoders.toArray(ChannelHandler[]::new));
            channel.pipeline().addLast("application", new Application());
        }

        boolean autoRead() {
            return channel.config().isAutoRead();
        }

        void trace(String what) {
            trace.add("  ".repeat(depth) + what);
        }

        void check(boolean holds, String what) {
            if (!holds && violation == null) {
                violation = what;
                trace("!!! " + what);
            }
        }

        ChannelHandler newDecoder(boolean last) {
            ReceiveOptions options = ReceiveOptions.defaults();
            boolean isOnDemand = random.nextInt(4) < onDemand;
            options = isOnDemand ? options.onDemand() : options;
            boolean waits = random.nextInt(8) < budgets;
            options = waits ? options.budget(hogged()).frameDeadline(Duration.ofDays(1)) : options;
            String name;
            ChannelHandler decoder;
            switch (scale == 1 ? random.nextInt(last && streams ? 4 : 3) : 2 * random.nextInt(2)) {
                case 0 -> {
                    int length = 1 + random.nextInt(4);
                    name = "fixed " + length;
                    decoder = new FixedLengthExactDecoder(length * scale, options);
                }
                case 1 -> {
                    name = "prefixed";
                    decoder = new LengthPrefixedExactDecoder(16, LengthPrefix.uint8().keepHeader(), options);
                }
                case 2 -> {
                    name = "codec";
                    decoder = new Codec(options);
                }
                default -> {
                    name = "stream";
                    decoder = new FrameStreamDecoder(16, LengthPrefix.uint8(), options);
                }
            }
            if (isOnDemand) {
                demands.add(decoder);
            }
            trace("new " + name + (isOnDemand ? " onDemand" : "") + (waits ? " budget " : " ") + name(decoder));
            return decoder;
        }

        /** A budget that somebody else has used up. */
        private ReceiveBudget hogged() {
            ReceiveBudget budget = new ReceiveBudget(16 * scale);
            ReceiveOptions options = ReceiveOptions.defaults().budget(budget).frameDeadline(Duration.ofDays(1));
            EmbeddedChannel hog = new EmbeddedChannel(new FixedLengthExactDecoder(16 * scale, options));
            hog.writeInbound(hog.alloc().buffer(1).writeByte(1));
            hogs.add(hog);
            return budget;
        }

        void freeOne() {
            if (!hogs.isEmpty()) {
                trace("memory");
                hogs.remove(random.nextInt(hogs.size())).close();
                act(() -> {});
            }
        }

        /** As many bytes behind the first as that says; it may change the pipeline. */
        private final class Codec extends ExactFrameDecoder {
            Codec(ReceiveOptions options) {
                super(1, 2, 16 * scale, options);
            }

            @Override
            protected long frameLength(ByteBuf header) {
                int first = header.getByte(0);
                return header.readableBytes() == 1 && first > 0 && (first & 1) == 0 ? -2 : (1 + first) * scale;
            }

            @Override
            protected Object decode(ChannelHandlerContext ctx, ByteBuf frame) {
                if (!inCodecs) {
                    return frame;
                }
                trace("decode " + text(frame) + " by " + name(this));
                int does = random.nextInt(12);
                int at = decoders.indexOf(this);
                boolean fires = does == 0 && scale == 1 && !changed && (at == 0 || at == decoders.size() - 1);
                enter();
                if (fires) {
                    ctx.fireChannelRead(frame.retainedSlice());
                    if (decoders.contains(this)) { // else a handler behind has done so
                        leave(this, decoders.indexOf(this));
                    }
                } else if (does < 4) {
                    anything(ctx, this);
                } else if (does < 7 && drops && at == decoders.size() - 1) {
                    trace("drops " + text(frame));
                    out.append(text(frame));
                    fires = true;
                }
                leave();
                return fires ? null : frame;
            }
        }

        @Nullable ChannelHandler last() {
            return decoders.isEmpty() ? null : decoders.get(decoders.size() - 1);
        }

        String name(ChannelHandler decoder) {
            return Integer.toHexString(decoder.hashCode());
        }

        private String text(ByteBuf bytes) {
            StringBuilder all = new StringBuilder();
            for (int i = bytes.readerIndex(); i < bytes.writerIndex(); i += scale) {
                all.append((char) ('0' + bytes.getByte(i)));
            }
            return all.toString();
        }

        ByteBuf next(int most) {
            int count = Math.min(unsent, 1 + random.nextInt(most));
            unsent -= count;
            ByteBuf bytes = channel.alloc().buffer(count * scale);
            for (int i = 0; i < count; i++) {
                byte[] all = new byte[scale];
                Arrays.fill(all, (byte) random.nextInt(5));
                bytes.writeBytes(all);
            }
            in.append(text(bytes));
            fragments.add(bytes);
            fed = true;
            trace("in " + text(bytes));
            return bytes;
        }

        // ---- the application

        private final List<Boolean> changes = new ArrayList<>(); // of the calls outside this one

        void enter() {
            changes.add(changed);
            depth++;
        }

        void leave() {
            depth--;
            changed = changes.remove(depth);
        }

        private final class Application extends ChannelInboundHandlerAdapter {
            private int given; // of the frame that comes in parts

            @Override
            public void channelRead(ChannelHandlerContext ctx, Object message) {
                String bytes;
                if (message instanceof FrameStart start) {
                    bytes = text(start.header());
                    given = bytes.length();
                } else if (message instanceof FrameChunk chunk) {
                    bytes = text(chunk.content());
                    given += bytes.length();
                    chunk.release();
                } else {
                    bytes = text((ByteBuf) message);
                    ((ByteBuf) message).release();
                }
                trace("message " + bytes);
                check(out.append(bytes).length() <= in.length() && in.indexOf(out.toString()) == 0, "other bytes");
                boolean waits = onDemand == 4 && !inCodecs && !left && channel.isOpen() && demands.contains(last());
                check(!waits || asked || autoRead(), "a message that no read() asked for");
                asked = false;
                messages++;
                uncompleted++;
                enter();
                if (asks == Asks.IN_READ) {
                    demand(ctx);
                }
                if (inMessages && random.nextInt(3) == 0) {
                    anything(ctx, null);
                }
                if (asks == Asks.IN_READ && random.nextBoolean()) {
                    demand(ctx);
                }
                leave();
            }

            @Override
            public void channelReadComplete(ChannelHandlerContext ctx) {
                trace("complete");
                uncompleted = 0;
                enter();
                if (inCompletes && random.nextInt(3) == 0) {
                    anything(ctx, null);
                }
                if (asks == Asks.IN_COMPLETE) {
                    demand(ctx);
                }
                leave();
            }

            @Override
            public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
                trace("event " + event);
                check(++shut == 1, "the end is told twice");
            }

            @Override
            public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
                trace("fault " + cause);
                if (cause instanceof PrematureCloseException close) {
                    check(ended || closed, "a premature close without a close");
                    lost += close.receivedBytes() / scale;
                } else if (!(cause instanceof ChannelPipelineException)) {
                    check(false, cause.toString());
                    cause.printStackTrace();
                }
            }

            @Override
            public void channelInactive(ChannelHandlerContext ctx) {
                trace("inactive");
                inactive++;
            }
        }

        /** A decoder in front may answer a read() at once, and another has still to hand on what it left. */
        boolean wouldOvertake() {
            return changed && decoders.size() + most > 2;
        }

        void demand(ChannelHandlerContext ctx) {
            if (!autoRead() && (!asked || again) && !wouldOvertake() && channel.isOpen()) {
                again = false;
                trace("read()");
                asked = true;
                enter();
                ctx.read();
                leave();
            }
        }

        void anything(ChannelHandlerContext ctx, ChannelHandler codec) {
            Does what = Does.values()[random.nextInt(Does.values().length)];
            if (!allowed.contains(what) || !channel.isOpen()) {
                return;
            }
            switch (what) {
                case READ -> {
                    if (codec == null) {
                        demand(ctx);
                    }
                }
                case AUTO_READ -> {
                    boolean on = random.nextInt(3) == 0;
                    if (on != autoRead() && !(on && wouldOvertake())) {
                        asked = false;
                        trace("auto-read " + on);
                        enter();
                        channel.config().setAutoRead(on);
                        leave();
                        if (!on && codec == null) {
                            demand(ctx);
                        }
                    }
                }
                case REENTER, REENTER_READ -> {
                    if (!changed && unsent > 0 && !ended) {
                        trace("re-enters");
                        enter();
                        boolean before = fed;
                        bare |= what == Does.REENTER;
                        channel.pipeline().fireChannelRead(next(4));
                        if (what == Does.REENTER_READ) {
                            fed = before;
                            trace("re-enters complete");
                            channel.pipeline().fireChannelReadComplete();
                        }
                        leave();
                    }
                }
                case CLOSE -> {
                    if (!closed) {
                        closed = true;
                        trace("close");
                        channel.pipeline().close();
                    }
                }
                default -> change(what, codec);
            }
        }

        void change(Does what, ChannelHandler codec) {
            int size = decoders.size();
            int at = codec != null && decoders.contains(codec) ? decoders.indexOf(codec) : random.nextInt(size + 1);
            boolean byOthers = size == 0 && uncompleted > 0; // given in this read, of which a new decoder cannot know
            if (what == Does.ADD && size < 3 && !byOthers) {
                int behind = at < 0 ? size : at;
                if (bare && behind == 0) {
                    return; // it would have the end of what went by in front of it
                }
                if (behind == size && size > 0 && decoders.get(size - 1) instanceof FrameStreamDecoder) {
                    return; // its messages are no bytes
                }
                ChannelHandler decoder = newDecoder(behind == size);
                trace("add at " + behind);
                String before =
                        behind == size ? "application" : channel.pipeline().context(decoders.get(behind)).name();
                decoders.add(behind, decoder);
                channel.pipeline().addBefore(before, null, decoder);
                again = asked; // it does not know of that
                demand(application());
            } else if (what != Does.ADD && at >= 0 && at < size) {
                // From inside a call only where nobody is in front of whom one behind could ask at once.
                if (depth == 0 || !changed && (at == 0 || at == size - 1)) {
                    leave(decoders.get(at), what == Does.REMOVE ? -1 : at);
                }
            }
        }

        void leave(ChannelHandler old, int successor) {
            int size = decoders.size();
            left = true;
            most = changed ? Math.max(most, size) : size;
            changed = true;
            changes.replaceAll(any -> true);
            enter();
            if (successor < 0) {
                removed = true;
                trace("remove " + name(old));
                decoders.remove(old);
                channel.pipeline().remove(old);
            } else {
                trace("replace " + name(old));
                ChannelHandler next = newDecoder(successor == size - 1);
                decoders.set(successor, next);
                if (random.nextBoolean()) {
                    channel.pipeline().replace(old, null, next);
                } else {
                    channel.pipeline().addAfter(channel.pipeline().context(old).name(), null, next);
                    channel.pipeline().remove(old);
                }
            }
            leave();
        }

        // ---- from outside

        ChannelHandlerContext application() {
            return channel.pipeline().context("application");
        }

        /** Does something on the event loop, then looks whether all is well. */
        void act(Runnable action) {
            if (!channel.isOpen()) {
                return;
            }
            changed = false;
            fed = false;
            bare = false;
            left = removed; // its reader had a message too many: what it handed on
            channel.writeOneInbound((Runnable) () -> {
                action.run();
                while (fed && channel.isOpen()) {
                    fed = false;
                    bare = false;
                    trace("completes");
                    channel.pipeline().fireChannelReadComplete();
                }
            });
            channel.runPendingTasks();
            quiet();
        }

        void quiet() {
            if (channel.isOpen() && !ended) {
                check(uncompleted == 0, "messages without channelReadComplete");
                check(!autoRead() && (!asked || again) || channel.interest || !hogs.isEmpty(), "nothing is read");
            }
        }

        void poll() {
            if (channel.interest && unsent > 0 && !ended) {
                trace("reads");
                act(() -> {
                    channel.readPending = false; // and as TLS does, several buffers for one read
                    for (int i = 1 + random.nextInt(3); i > 0 && unsent > 0 && channel.isOpen(); i--) {
                        channel.pipeline().fireChannelRead(next(8));
                    }
                    fed = false;
                    trace("read completes");
                    channel.pipeline().fireChannelReadComplete();
                    if (!channel.readPending && !autoRead()) {
                        channel.interest = false;
                    }
                });
            }
        }

        void step() {
            switch (random.nextInt(7)) {
                case 0 -> act(() -> {
                    trace("outside");
                    anything(application(), null);
                });
                case 1 -> act(() -> demand(application()));
                case 2 -> freeOne();
                default -> poll();
            }
        }

        void live() {
            for (int i = 0; i < 200 && unsent > 0 && channel.isOpen() && violation == null; i++) {
                step();
            }
            while (!hogs.isEmpty()) {
                freeOne();
            }
            boolean settled = false;
            while (!settled && channel.isOpen() && violation == null) {
                List<Integer> had = List.of(in.length(), messages, hogs.size());
                act(() -> demand(application()));
                poll();
                freeOne();
                settled = had.equals(List.of(in.length(), messages, hogs.size())) && (asked && !again || autoRead());
            }
            if (channel.isOpen() && violation == null && unsent == 0 && !autoRead()) {
                check(asked, "not asked");
                int had = messages;
                act(() -> {
                    trace("auto-read true");
                    channel.config().setAutoRead(true);
                });
                check(had == messages, "a message waited that was asked for");
            }
            if (channel.isOpen() && violation == null) {
                end(Ends.values()[random.nextInt(3)]);
            }
            hogs.forEach(EmbeddedChannel::close);
            channel.finishAndReleaseAll();
            if (violation == null) {
                check(inactive == 1, "channelInactive");
                check(fragments.stream().allMatch(each -> each.refCnt() == 0), "leaks");
            }
        }

        void end(Ends how) {
            trace("end " + how);
            switch (how) {
                case REMOVED -> {
                    removed = true;
                    while (!decoders.isEmpty()) {
                        ChannelHandler decoder = decoders.remove(random.nextInt(decoders.size()));
                        act(() -> channel.pipeline().remove(decoder));
                    }
                    check(closed || out.toString().equals(in.toString()), "bytes are missing");
                }
                case CLOSED -> {
                    ended = true;
                    channel.writeOneInbound((Runnable) () -> channel.unsafe().close(channel.newPromise()));
                    channel.runPendingTasks();
                }
                case HALF_CLOSED -> {
                    ended = true;
                    act(() -> channel.pipeline().fireUserEventTriggered(ChannelInputShutdownEvent.INSTANCE));
                    check(shut == 1, "half-closure");
                }
            }
            if (how != Ends.REMOVED && !closed) {
                int missing = in.length() - out.length();
                check(streams ? missing <= lost : missing == lost, missing + " bytes are missing, told were " + lost);
            }
        }
    }

    static String run(long seed) {
        Life life = new Life(seed);
        try {
            life.live();
        } catch (Throwable t) {
            life.check(false, "thrown: " + t);
            t.printStackTrace();
        }
        return life.violation == null
                ? null
                : "seed " + seed + ": " + life.violation + "\n" + String.join("\n", life.trace);
    }

    @ParameterizedTest(name = "seeds from {0}")
    @ValueSource(longs = {0, 1_000_000, 2_000_000})
    void whateverChangesInThePipelineBytesGoOnInOrderAndNothingStandsStill(long first) {
        for (long seed = first; seed < first + LIVES; seed++) {
            assertThat(run(seed)).isNull();
        }
    }
}
