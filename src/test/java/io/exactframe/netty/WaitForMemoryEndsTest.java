package io.exactframe.netty;

import static io.exactframe.netty.testing.Probe.bytes;
import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import io.exactframe.netty.ReceiveBudget.Share;
import io.exactframe.netty.testing.Loopback;
import io.exactframe.netty.testing.Probe;
import io.exactframe.netty.testing.Receiving;
import io.exactframe.netty.testing.Wire;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelOutboundHandlerAdapter;
import io.netty.channel.ChannelPromise;
import io.netty.channel.DefaultChannelId;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.util.concurrent.DefaultEventExecutor;
import io.netty.util.concurrent.Future;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** 46, 48, 50, 53: ends that come while a frame waits for memory, or while that is on its way. */
class WaitForMemoryEndsTest {
    private static final int FRAME = 20_004;
    private static final String WIRE = "\0\0\116\40" + "x".repeat(FRAME - 4);
    private static final int BEGUN = 2003;

    private final ReceiveBudget budget = new ReceiveBudget(40_000);
    private final ReceiveOptions options = ReceiveOptions.defaults().budget(budget).frameDeadline(Duration.ofMinutes(1));
    private final Share holder = new Share(budget, () -> true);
    private final Probe probe = new Probe();

    @AfterEach
    void nothingIsLeftInTheBudget() {
        holder.giveBack();
        assertThat(budget.used()).isZero();
        assertThat(budget.waiting()).isZero();
    }

    private enum Kind {
        FIXED,
        PREFIXED,
        CONTIGUOUS,
        OWN_CODEC,
        RECEIVER;

        ChannelHandler create(ReceiveOptions options) {
            LengthPrefix prefix = LengthPrefix.uint32();
            return switch (this) {
                case FIXED -> new FixedLengthExactDecoder(FRAME, options);
                case PREFIXED -> new LengthPrefixedExactDecoder(FRAME, prefix, options);
                case CONTIGUOUS -> new LengthPrefixedExactDecoder(FRAME, prefix, options.contiguous());
                case OWN_CODEC -> new ExactFrameDecoder(4, 4, FRAME, options) {
                    @Override
                    protected long frameLength(ByteBuf header) {
                        return 4 + header.readInt();
                    }
                };
                case RECEIVER -> new Receiving(new ExactReceiver(options), receiver -> receiver.receive(FRAME));
            };
        }
    }

    private EmbeddedChannel waiting(ChannelHandler handler) {
        holder.reserve(39_000, 39_000);
        EmbeddedChannel channel = new EmbeddedChannel(handler, probe);
        Wire.receive(channel, bytes(channel, WIRE.substring(0, BEGUN)));
        assertThat(budget.waiting()).isOne();
        probe.drain();
        return channel;
    }

    private void assertEndedAfter(int received) {
        assertThat(probe.exceptions).singleElement().isInstanceOfSatisfying(PrematureCloseException.class, close -> {
            assertThat(close.receivedBytes()).isEqualTo(received);
            assertThat(close.expectedBytes()).isEqualTo(FRAME);
        });
        assertThat(probe.log()).filteredOn(line -> !line.equals("[complete]")).hasSize(2).endsWith("[inactive]");
    }

    @ParameterizedTest
    @EnumSource
    void closedOnThisSideWhileItWaitsAllThatArrivedIsCounted(Kind kind) {
        EmbeddedChannel channel = waiting(kind.create(options));
        channel.close();
        assertEndedAfter(BEGUN);
        assertThat(((PrematureCloseException) probe.exceptions.get(0)).closedLocally()).isTrue();
    }

    @ParameterizedTest
    @EnumSource
    void closedByThePeerWhileItWaitsAllThatArrivedIsCounted(Kind kind) {
        EmbeddedChannel channel = waiting(kind.create(options));
        channel.pipeline().fireChannelRead(bytes(channel, "x".repeat(1000))); // was under way
        channel.unsafe().close(channel.voidPromise());
        assertEndedAfter(BEGUN + 1000);
    }

    @ParameterizedTest
    @EnumSource
    void closedByThePeerWithAllOfItHereItIsGiven(Kind kind) {
        EmbeddedChannel channel = waiting(kind.create(options));
        channel.pipeline().fireChannelRead(bytes(channel, WIRE.substring(BEGUN))); // was under way
        channel.pipeline().fireChannelInactive();
        assertThat(budget.waiting()).as("nobody waits for it any more").isZero();
        assertThat(probe.exceptions).isEmpty();
        assertThat(probe.drain()).filteredOn(line -> !line.equals("[complete]")).hasSize(2).endsWith("[inactive]");
        channel.close();
    }

    @ParameterizedTest
    @EnumSource
    void closedOnThisSideWhileTheGrantIsOnItsWay(Kind kind) {
        EmbeddedChannel channel = waiting(kind.create(options));
        holder.giveBack(); // told to the event loop, which comes to it later
        channel.pipeline().close();
        channel.runPendingTasks();
        assertEndedAfter(BEGUN);
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aTimeoutThatLosesBytesIsFiredThoughTheFirstReceiveWaits(boolean first) {
        ExactReceiver receiver = new ExactReceiver(options);
        holder.reserve(39_000, 39_000);
        EmbeddedChannel channel = new EmbeddedChannel(receiver, probe);
        channel.freezeTime();
        Duration limit = Duration.ofSeconds(1);
        Future<ByteBuf> one = first ? receiver.receive(FRAME, limit) : receiver.receive(FRAME);
        Future<ByteBuf> two = first ? receiver.receive(5) : receiver.receive(5, limit);
        Wire.receive(channel, bytes(channel, WIRE.substring(0, BEGUN)));
        assertThat(budget.waiting()).isOne();
        channel.advanceTimeBy(1100, TimeUnit.MILLISECONDS);
        channel.runScheduledPendingTasks();
        assertThat(one.cause()).isInstanceOf(FrameTimeoutException.class);
        assertThat(two.cause()).isInstanceOf(FrameTimeoutException.class);
        assertThat(probe.exceptions).containsExactly((first ? one : two).cause());
        assertThat(budget.waiting()).isZero();
        channel.finish();
        assertThat(probe.exceptions).hasSize(1);
    }

    @Test
    void soIsOneThatLosesWhatWasSkippedAlready() {
        ExactReceiver receiver = new ExactReceiver(options);
        EmbeddedChannel channel = new EmbeddedChannel(receiver, probe);
        channel.freezeTime();
        Future<Void> skip = receiver.skip(10);
        Future<ByteBuf> late = receiver.receive(5, Duration.ofSeconds(1));
        Wire.receive(channel, bytes(channel, "xxx"));
        channel.advanceTimeBy(1100, TimeUnit.MILLISECONDS);
        channel.runScheduledPendingTasks();
        assertThat(skip.cause()).isSameAs(late.cause()).isInstanceOf(FrameTimeoutException.class);
        assertThat(probe.exceptions).containsExactly(late.cause());
        channel.finish();
    }

    @ParameterizedTest
    @EnumSource
    void aShareIsReservedOnceHoweverManyReadsBringTheFrame(Kind kind) {
        EmbeddedChannel channel = new EmbeddedChannel(kind.create(options), probe);
        int peak = kind == Kind.CONTIGUOUS ? FRAME + FRAME / 2 : FRAME;
        for (int at = 0; at < FRAME; at += 1000) {
            assertThat(budget.used()).isEqualTo(at == 0 ? 0 : peak);
            assertThat(budget.waiting()).isZero();
            Wire.receive(channel, bytes(channel, WIRE.substring(at, Math.min(at + 1000, FRAME))));
        }
        assertThat(probe.log()).filteredOn(line -> line.endsWith("xxx")).hasSize(1);
        assertThat(budget.used()).isZero();
        channel.finish();
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aFrameThatNobodyWantsAnyMoreIsNotTimed(boolean close) {
        for (Kind kind : Kind.values()) {
            if (kind == Kind.RECEIVER) {
                continue; // it gives what was asked for to the end
            }
            EmbeddedChannel channel = new EmbeddedChannel(
                    DefaultChannelId.newInstance(),
                    true,
                    new ChannelOutboundHandlerAdapter() {
                        @Override
                        public void close(ChannelHandlerContext ctx, ChannelPromise promise) {} // takes its time

                        @Override
                        public void disconnect(ChannelHandlerContext ctx, ChannelPromise promise) {}
                    },
                    kind.create(options),
                    probe);
            channel.freezeTime();
            Wire.receive(channel, bytes(channel, WIRE.substring(0, BEGUN)));
            if (close) {
                channel.pipeline().close();
            } else {
                channel.pipeline().disconnect();
            }
            assertThat(channel.runScheduledPendingTasks()).as("a timer").isEqualTo(-1);
            channel.advanceTimeBy(2, TimeUnit.MINUTES);
            channel.runScheduledPendingTasks();
            assertThat(probe.exceptions).isEmpty();
            channel.unsafe().close(channel.voidPromise());
            assertThat(probe.exceptions).hasSize(1);
            assertThat(budget.used()).isZero();
            probe.exceptions.clear();
        }
    }

    @Test
    @SuppressWarnings("deprecation") // an executor of its own
    void aGrantThatFindsNobodyIsTheNextOnes() throws Exception {
        DefaultEventExecutor gone = new DefaultEventExecutor();
        holder.reserve(39_000, 39_000);
        EmbeddedChannel first = new EmbeddedChannel();
        first.pipeline().addLast(gone, Kind.FIXED.create(options));
        gone.submit(() -> {}).sync();
        ByteBuf begun = Unpooled.wrappedBuffer(WIRE.substring(0, BEGUN).getBytes(ISO_8859_1));
        first.pipeline().fireChannelRead(begun);
        gone.submit(() -> {}).sync();
        assertThat(budget.waiting()).isOne();
        gone.shutdownGracefully(0, Loopback.SECONDS, TimeUnit.SECONDS);
        assertThat(gone.awaitTermination(Loopback.SECONDS, TimeUnit.SECONDS)).isTrue();

        EmbeddedChannel second = new EmbeddedChannel(Kind.FIXED.create(options), probe);
        Wire.receive(second, bytes(second, WIRE.substring(0, BEGUN)));
        assertThat(budget.waiting()).isEqualTo(2);
        Share third = new Share(budget, () -> true);
        assertThat(third.reserve(30_000, 30_000)).isFalse();
        holder.giveBack();
        second.runPendingTasks();
        assertThat(budget.used()).as("the second's").isEqualTo(FRAME);
        Wire.receive(second, bytes(second, WIRE.substring(BEGUN)));
        assertThat(probe.log()).filteredOn(line -> line.endsWith("xxx")).hasSize(1);
        assertThat(third.isHeld()).isTrue();
        third.giveBack();
        second.finish();
    }
}
