package io.exactframe.netty;

import static io.exactframe.netty.testing.Probe.bytes;
import static io.exactframe.netty.testing.TimedChannel.SECOND;
import static org.assertj.core.api.Assertions.assertThat;

import io.exactframe.netty.FrameTimeoutException.Limit;
import io.exactframe.netty.testing.ClockedEventLoop;
import io.exactframe.netty.testing.Probe;
import io.exactframe.netty.testing.Sink;
import io.exactframe.netty.testing.TimedChannel;
import io.exactframe.netty.testing.TimedChannel.TimedHandler;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelOutboundHandlerAdapter;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.channel.local.LocalChannel;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import java.time.Duration;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** 27, 48, 49, 53: frames that wait for memory, and their time. */
class ReceiveBudgetWaitTest {
    /** 27, 53: what is asked for while a frame waits for memory, and where it goes on. */
    @Nested
    class Paused {
        private static final String SMALL = "\0\1a";
        private static final String LARGE = "\37\100" + "x".repeat(8000);
        private static final String PART = LARGE.substring(0, 3000);
        private static final String REST = LARGE.substring(3000);

        private final ReceiveBudget budget = new ReceiveBudget(10_000);
        private final Probe probe = new Probe();
        private int reads;

        private class Decoder extends LengthPrefixedExactDecoder {
            Decoder() {
                super(
                        10_000,
                        LengthPrefix.uint16(),
                        ReceiveOptions.defaults().budget(budget).frameDeadline(Duration.ofSeconds(30)));
            }
        }

        /** Has nearly all of the budget. */
        private EmbeddedChannel holder() {
            EmbeddedChannel holder = new EmbeddedChannel(new Decoder(), new Sink());
            Probe.receive(holder, "\46\0");
            return holder;
        }

        private EmbeddedChannel waiter(Decoder decoder, boolean autoRead) {
            EmbeddedChannel waiter = new EmbeddedChannel(
                    new ChannelOutboundHandlerAdapter() {
                        @Override
                        public void read(ChannelHandlerContext ctx) {
                            reads++;
                            ctx.read();
                        }
                    },
                    decoder,
                    probe);
            waiter.config().setAutoRead(autoRead);
            reads = 0;
            return waiter;
        }

        /** One read that ends in a frame which waits for memory. */
        private void receiveAndWait(EmbeddedChannel waiter, String read) {
            Probe.receive(waiter, read);
            assertThat(budget.waiting()).isOne();
        }

        private void grant(EmbeddedChannel holder, EmbeddedChannel waiter) {
            holder.finish();
            waiter.runPendingTasks();
            assertThat(budget.waiting()).isZero();
        }

        private void finish(EmbeddedChannel waiter) {
            Probe.receive(waiter, REST);
            waiter.finish();
            assertThat(probe.exceptions).isEmpty();
            assertThat(budget.used()).isZero();
        }

        @Test
        void aReadThatIsAskedForInTheWaitIsAskedForAfterItAndOnlyOnce() {
            EmbeddedChannel holder = holder();
            EmbeddedChannel waiter = waiter(new Decoder(), false);
            receiveAndWait(waiter, SMALL + PART);
            assertThat(probe.drain()).containsExactly("a", "[complete]");
            waiter.read();
            assertThat(reads).as("it waits").isZero();
            grant(holder, waiter);
            assertThat(reads).isOne();

            Probe.receive(waiter, REST);
            holder = holder();
            receiveAndWait(waiter, SMALL + PART);
            reads = 0;
            grant(holder, waiter);
            assertThat(reads).as("in a wait in which nobody asked").isZero();
            finish(waiter);
        }

        @Test
        void aReadThatGaveNothingIsMadeUpForOnlyOnce() {
            EmbeddedChannel holder = holder();
            EmbeddedChannel waiter = waiter(new Decoder(), false);
            receiveAndWait(waiter, PART);
            assertThat(reads).as("it waits").isZero();
            grant(holder, waiter);
            assertThat(reads).isOne();
            assertThat(probe.drain()).isEmpty();

            Probe.receive(waiter, REST);
            holder = holder();
            receiveAndWait(waiter, SMALL + PART);
            assertThat(probe.drain()).endsWith("a", "[complete]");
            grant(holder, waiter);
            assertThat(reads).isOne();
            assertThat(probe.drain()).as("told already").isEmpty();
            finish(waiter);
        }

        @Test // not given, and so no answer to what was asked for
        void aReadWhoseFramesWereAllDroppedIsMadeUpForToo() {
            EmbeddedChannel holder = holder();
            EmbeddedChannel waiter = waiter(
                    new Decoder() {
                        @Override
                        protected Object decode(ChannelHandlerContext ctx, ByteBuf frame) {
                            return frame.readableBytes() == 1 ? null : frame;
                        }
                    },
                    false);
            receiveAndWait(waiter, SMALL + PART);
            assertThat(reads).as("it waits").isZero();
            grant(holder, waiter);
            assertThat(reads).isOne();
            finish(waiter);
        }

        @Test
        void withAutoReadAReadCompleteGoesOnAndAsksForNothing() {
            EmbeddedChannel holder = holder();
            EmbeddedChannel waiter = waiter(new Decoder(), true);
            receiveAndWait(waiter, PART);
            assertThat(probe.drain()).containsExactly("[complete]");
            assertThat(reads).as("it waits").isZero();
            grant(holder, waiter);
            assertThat(reads).isOne();
            assertThat(probe.drain()).isEmpty();
            finish(waiter);
        }

        @Test
        void theEndOfAWaitThatNeverWasAsksForNothing() {
            EmbeddedChannel channel = waiter(new Decoder(), true);
            channel.pipeline().fireUserEventTriggered(ChannelInputShutdownEvent.INSTANCE);
            assertThat(reads).isZero();
            channel.finish();
            assertThat(reads).isZero();
        }

        @Test
        void onAnotherEventLoopTheFrameThatWaitedGoesOnThere() throws Exception {
            ClockedEventLoop loop = new ClockedEventLoop(0);
            ClockedEventLoop other = new ClockedEventLoop(0);
            EmbeddedChannel holder = holder();
            LocalChannel waiter = new LocalChannel();
            boolean[] isThere = {false};
            Decoder decoder = new Decoder() {
                @Override
                protected Object decode(ChannelHandlerContext ctx, ByteBuf frame) {
                    isThere[0] = other.inEventLoop(); // Netty sees to it for the next handler in any case
                    return frame;
                }
            };
            loop.register(waiter).sync();
            loop.run(() -> {
                waiter.pipeline().addLast(decoder, probe);
                waiter.pipeline().fireChannelRead(bytes(waiter, PART));
                waiter.pipeline().fireChannelRead(bytes(waiter, REST)); // was under way
            });
            assertThat(budget.waiting()).isOne();
            waiter.deregister().sync();
            loop.run(() -> {
                holder.finish(); // told to the old event loop, which is busy
                other.register(waiter).syncUninterruptibly();
            });
            loop.run(() -> {});
            other.run(() -> {});
            assertThat(probe.log()).hasSize(2).endsWith("[complete]");
            assertThat(isThere[0]).isTrue();
            waiter.close().sync();
            loop.end();
            other.end();
            assertThat(budget.used()).isZero();
            assertThat(probe.exceptions).isEmpty();
        }
    }

    /** 48, 49, 53: the time of a frame that waits for memory, and of one that others wait for. */
    @Nested
    class Deadline {
        private static final int FRAME = 10_000;
        private static final String WIRE = TimedHandler.wire(FRAME);

        private final ReceiveBudget budget = new ReceiveBudget(15_000);
        private final ReceiveOptions options =
                ReceiveOptions.defaults().budget(budget).frameDeadline(SECOND).stallTimeout(Duration.ofMillis(900));

        @ParameterizedTest
        @EnumSource(names = {"FIXED", "PREFIXED", "OWN_CODEC", "RECEIVE", "RECEIVE_OR_END", "RECEIVE_PREFIXED"})
        void whoeverWaitsForMemoryIsNotTimed(TimedHandler kind) {
            // A length in one read, in two, and with some of what follows.
            for (String first : new String[] {WIRE.substring(0, 2), WIRE.substring(0, 1), WIRE.substring(0, 100)}) {
                TimedChannel holder = new TimedChannel(kind, FRAME, options); // no time goes by for it
                holder.receive(WIRE.substring(0, 100));
                TimedChannel it = new TimedChannel(kind, FRAME, options);
                it.receive(first);
                if (budget.waiting() == 0) {
                    it.receive(WIRE.substring(first.length(), 2));
                }
                assertThat(budget.waiting()).isOne();
                it.pass(Duration.ofHours(1));
                it.assertInTime();
                holder.receive(WIRE.substring(100));
                assertThat(holder.given).isOne();
                it.channel.runPendingTasks();
                assertThat(budget.waiting()).isZero();
                it.passMillis(780);
                it.assertInTime();
                it.passMillis(240);
                assertThat(it.timeout().limit()).isEqualTo(Limit.STALL);
                assertThat(budget.used()).isZero();
                it.assertEnded();
                it.channel.finish();
                holder.channel.finish();
            }
        }

        @ParameterizedTest
        @EnumSource(names = {"PREFIXED", "OWN_CODEC"})
        void whatItTookBeforeTheWaitCounts(TimedHandler kind) {
            TimedChannel holder = new TimedChannel(kind, FRAME, options);
            holder.receive(WIRE.substring(0, 100));
            TimedChannel it = new TimedChannel(kind, FRAME, options);
            it.receive(WIRE.substring(0, 1));
            it.passMillis(500);
            it.receive(WIRE.substring(1, 100));
            assertThat(budget.waiting()).isOne();
            it.pass(Duration.ofHours(1));
            holder.receive(WIRE.substring(100));
            it.channel.runPendingTasks();
            assertThat(budget.waiting()).isZero();
            it.passMillis(380);
            it.assertInTime();
            it.passMillis(240); // a tick is 112 ms
            assertThat(it.timeout().limit()).isEqualTo(Limit.DEADLINE);
            it.channel.finish();
            holder.channel.finish();
        }

        @ParameterizedTest
        @EnumSource(names = {"PREFIXED", "OWN_CODEC"})
        void neitherIfItsApplicationAskedForAReadBefore(TimedHandler kind) {
            TimedChannel holder = new TimedChannel(kind, FRAME, options);
            holder.receive(WIRE.substring(0, 100));
            TimedChannel it = new TimedChannel(kind, FRAME, options);
            it.channel.config().setAutoRead(false);
            it.onMessage = it.channel::read;
            it.receive("\0\1x" + WIRE.substring(0, 2));
            assertThat(it.given).isOne();
            assertThat(budget.waiting()).isOne();
            it.pass(Duration.ofHours(1));
            holder.receive(WIRE.substring(100));
            it.channel.runPendingTasks();
            assertThat(budget.waiting()).isZero();
            it.assertInTime();
            it.passMillis(1020);
            it.timeout();
            it.channel.finish();
            holder.channel.finish();
        }

        @ParameterizedTest
        @EnumSource(names = {"PREFIXED", "OWN_CODEC"})
        void aReadThatWasHeldBackCountsAsReadingUnlessAutoReadDoes(TimedHandler kind) {
            for (boolean autoRead : new boolean[] {false, true}) {
                TimedChannel holder = new TimedChannel(kind, FRAME, options);
                holder.receive(WIRE.substring(0, 100));
                TimedChannel it = new TimedChannel(kind, FRAME, options);
                it.channel.config().setAutoRead(autoRead);
                it.receive("\0\1x" + WIRE.substring(0, 2));
                assertThat(budget.waiting()).isOne();
                if (autoRead) {
                    it.channel.config().setAutoRead(true);
                } else {
                    it.channel.read();
                }
                holder.receive(WIRE.substring(100));
                it.channel.runPendingTasks();
                assertThat(budget.waiting()).isZero();
                it.channel.config().setAutoRead(false);
                it.passMillis(1020);
                // Whoever does not read stalls nothing, but holds memory.
                assertThat(it.timeout().limit()).isEqualTo(autoRead ? Limit.DEADLINE : Limit.STALL);
                it.channel.finish();
                holder.channel.finish();
            }
        }

        @ParameterizedTest
        @EnumSource(names = {"FIXED", "PREFIXED", "OWN_CODEC"})
        void whoeverHoldsMemoryIsHeldToItsDeadlineEvenIfItsApplicationPauses(TimedHandler kind) {
            TimedChannel holder = new TimedChannel(kind, FRAME, options);
            holder.receive(WIRE.substring(0, 100));
            holder.channel.config().setAutoRead(false);
            TimedChannel it = new TimedChannel(kind, FRAME, options);
            it.receive(WIRE.substring(0, 100));
            holder.passMillis(999);
            holder.assertInTime();
            assertThat(budget.waiting()).isOne();
            holder.passMillis(1);
            assertThat(holder.timeout().limit()).isEqualTo(Limit.DEADLINE);
            it.channel.runPendingTasks();
            assertThat(budget.waiting()).isZero();
            it.receive(WIRE.substring(100));
            assertThat(it.given).isOne();
            assertThat(budget.used()).isZero();
            it.channel.finish();
            holder.channel.finish();
        }
    }
}
