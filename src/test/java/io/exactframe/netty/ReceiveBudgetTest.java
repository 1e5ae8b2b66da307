package io.exactframe.netty;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.exactframe.netty.testing.Sink;
import io.exactframe.netty.testing.Wire;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelOutboundHandlerAdapter;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.handler.codec.DecoderException;
import io.netty.handler.codec.TooLongFrameException;
import io.netty.handler.flow.FlowControlHandler;
import io.netty.util.concurrent.Future;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** BEHAVIOURS 53: the partial frames of all channels together hold no more than the budget. */
class ReceiveBudgetTest {
    private static final int FRAME = 10_000; // on the wire

    private final ReceiveBudget budget = new ReceiveBudget(15_000);
    private final ReceiveOptions options = options(budget);
    private final byte[] wire = frame(FRAME, 1);

    private static ReceiveOptions options(ReceiveBudget budget) {
        return ReceiveOptions.defaults().budget(budget).frameDeadline(Duration.ofSeconds(30));
    }

    private static byte[] frame(int length, int seed) {
        return Wire.concat(Wire.number(length - 4, 4, false), Wire.random(new Random(seed), length - 4));
    }

    private static EmbeddedChannel decoder(ReceiveOptions options) {
        return new EmbeddedChannel(new LengthPrefixedExactDecoder(1 << 24, LengthPrefix.uint32(), options));
    }

    private void receive(EmbeddedChannel channel, int from, int to) {
        Wire.receive(channel, wire, from, to);
    }

    /** Takes one frame, which is the one on the wire. */
    private void takeFrame(EmbeddedChannel channel) {
        ByteBuf frame = channel.readInbound();
        assertThat(frame).isNotNull();
        byte[] payload = new byte[frame.readableBytes()];
        frame.readBytes(payload);
        frame.release();
        assertThat(payload).isEqualTo(Arrays.copyOfRange(wire, 4, wire.length));
    }

    /** Closes, perhaps inside a frame. */
    private static void leave(EmbeddedChannel channel) {
        try {
            channel.finishAndReleaseAll();
        } catch (PrematureCloseException | DecoderException told) {
            // by the decoder, of what is not under test here
        }
    }

    @Test
    void aBudgetHasAtLeastOneByteAndNeedsADeadline() {
        assertThatIllegalArgumentException().isThrownBy(() -> new ReceiveBudget(0));
        ReceiveOptions without = ReceiveOptions.defaults().budget(budget);
        assertThatIllegalArgumentException().isThrownBy(() -> new FixedLengthExactDecoder(9, without));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new LengthPrefixedExactDecoder(9, LengthPrefix.uint8(), without));
        assertThatIllegalArgumentException().isThrownBy(() -> new ExactReceiver(without));
        assertThat(new FixedLengthExactDecoder(9, without.frameDeadline(Duration.ofSeconds(1)))).isNotNull();
        assertThat(budget.capacity()).isEqualTo(15_000);
    }

    @Test
    void aPartialFrameReservesItsLengthUntilItGoesOn() {
        EmbeddedChannel channel = decoder(options);
        receive(channel, 0, 3);
        assertThat(budget.used()).as("the length is not known").isZero();
        receive(channel, 3, 5000);
        assertThat(budget.used()).isEqualTo(FRAME);
        receive(channel, 5000, FRAME);
        assertThat(budget.used()).as("it went on").isZero();
        takeFrame(channel);
        receive(channel, 0, FRAME);
        assertThat(budget.used()).as("whole in one read").isZero();
        takeFrame(channel);
        leave(channel);
    }

    @Test
    void contiguousFramesReserveOneAndAHalfTimesTheirLength() {
        EmbeddedChannel channel = decoder(options.contiguous());
        receive(channel, 0, 9000);
        assertThat(budget.used()).isEqualTo(15_000);
        leave(channel);
        assertThat(budget.used()).isZero();
    }

    @ParameterizedTest
    @ValueSource(ints = {4096, 4097})
    void framesUpTo4KiBReserveNothing(int length) {
        EmbeddedChannel channel = decoder(options);
        Wire.receive(channel, frame(length, 2), 0, 4000);
        assertThat(budget.used()).isEqualTo(length > 4096 ? length : 0);
        leave(channel);
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aFrameThatDoesNotFitStopsReadingAndGoesOnWhenMemoryIsGivenBack(boolean autoRead) {
        EmbeddedChannel holder = decoder(options);
        receive(holder, 0, 5000);
        EmbeddedChannel waiter = decoder(options);
        int[] reads = {0};
        waiter.pipeline().addFirst(new ChannelOutboundHandlerAdapter() {
            @Override
            public void read(ChannelHandlerContext ctx) {
                reads[0]++;
                ctx.read();
            }
        });
        waiter.config().setAutoRead(autoRead);
        reads[0] = 0;
        waiter.pipeline().fireChannelRead(waiter.alloc().buffer().writeBytes(wire, 0, 5000));
        assertThat(budget.waiting()).isEqualTo(1);
        assertThat(budget.used()).as("who waits holds nothing").isEqualTo(FRAME);
        assertThat(waiter.config().isAutoRead()).as("inside the read").isFalse();
        waiter.pipeline().fireChannelReadComplete();
        assertThat(waiter.config().isAutoRead()).as("behind it, what the application set").isEqualTo(autoRead);
        receive(waiter, 5000, 7000); // was under way
        waiter.read();
        assertThat(budget.waiting()).isEqualTo(1);
        assertThat(reads[0]).as("held back").isZero();

        receive(holder, 5000, FRAME);
        assertThat(budget.waiting()).isZero();
        assertThat(budget.used()).isEqualTo(FRAME);
        waiter.runPendingTasks();
        assertThat(waiter.config().isAutoRead()).isEqualTo(autoRead);
        assertThat(reads[0]).as("goes on").isPositive();
        receive(waiter, 7000, FRAME);
        takeFrame(waiter);
        takeFrame(holder);
        assertThat(budget.used()).isZero();
        leave(waiter);
        leave(holder);
    }

    @Test // 62
    void whatTheApplicationSetWhileSeveralReadsWaitIsInForceAfterThem() {
        EmbeddedChannel holder = decoder(options);
        receive(holder, 0, 5000);
        EmbeddedChannel waiter = decoder(options);
        for (int from : new int[] {0, 1000}) { // one read, as a TLS handler gives it
            waiter.pipeline().fireChannelRead(waiter.alloc().buffer().writeBytes(wire, from, 1000));
        }
        waiter.pipeline().fireChannelReadComplete();
        assertThat(budget.waiting()).isEqualTo(1);
        assertThat(waiter.config().isAutoRead()).as("behind the read").isTrue();
        waiter.config().setAutoRead(false);
        leave(holder);
        waiter.runPendingTasks();
        assertThat(budget.waiting()).isZero();
        assertThat(waiter.config().isAutoRead()).as("what was set last").isFalse();
        leave(waiter);
    }

    @Test
    void firstComeFirstServed() {
        EmbeddedChannel holder = decoder(options);
        receive(holder, 0, 5000);
        EmbeddedChannel first = decoder(options);
        receive(first, 0, 5000);
        EmbeddedChannel small = decoder(options);
        byte[] fits = frame(5000, 3);
        Wire.receive(small, fits, 0, 4500);
        assertThat(budget.waiting()).as("nobody overtakes").isEqualTo(2);
        leave(first);
        assertThat(budget.waiting()).as("who leaves waits no longer, and holds nobody up").isZero();
        assertThat(budget.used()).isEqualTo(15_000);
        leave(holder);
        leave(small);
        assertThat(budget.used()).isZero();
    }

    @Test
    void whatAWaitingChannelHasInHandIsCopiedOutOfALargeRead() {
        EmbeddedChannel holder = decoder(options);
        receive(holder, 0, 5000);
        EmbeddedChannel waiter = decoder(options);
        ByteBuf small = waiter.alloc().buffer(64 * 1024).writeBytes(wire, 0, 8000);
        Wire.receive(waiter, small);
        assertThat(small.refCnt()).as("8,000 bytes of 64 KiB").isZero();
        leave(waiter);
        waiter = decoder(options);
        ByteBuf large = waiter.alloc().buffer(64 * 1024).writeBytes(wire, 0, 8200);
        Wire.receive(waiter, large);
        assertThat(large.refCnt()).as("8,200 bytes of 64 KiB").isOne();
        leave(waiter);
        leave(holder);
        assertThat(large.refCnt()).isZero();
    }

    @Test
    void aFrameThatNoBudgetHoldsFailsAtOnce() {
        Sink sink = new Sink();
        EmbeddedChannel channel = new EmbeddedChannel(
                new LengthPrefixedExactDecoder(1 << 24, LengthPrefix.uint32(), options), sink);
        Wire.receive(channel, frame(15_001, 4), 0, 100);
        assertThat(sink.faults).singleElement().isInstanceOf(TooLongFrameException.class);
        assertThat(sink.faults.get(0)).hasMessageContaining("15001").hasMessageContaining("budget");
        assertThat(budget.waiting()).isZero();
        leave(channel);
    }

    @ParameterizedTest
    @ValueSource(strings = {"close", "remove", "end", "violation"})
    void everyEndGivesBack(String how) {
        EmbeddedChannel holder = decoder(options);
        receive(holder, 0, 5000);
        EmbeddedChannel waiter = decoder(options);
        receive(waiter, 0, 5000);
        for (EmbeddedChannel channel : List.of(waiter, holder)) {
            switch (how) {
                case "close" -> channel.close();
                case "remove" -> channel.pipeline().removeFirst();
                case "end" -> channel.pipeline()
                        .fireUserEventTriggered(ChannelInputShutdownEvent.INSTANCE);
                default -> {
                    // A frame that is complete, and a length that makes no sense behind it.
                    channel.runPendingTasks();
                    Wire.receive(channel, Wire.concat(
                            Arrays.copyOfRange(wire, 5000, FRAME), Wire.number(-1, 4, false)));
                }
            }
        }
        waiter.runPendingTasks();
        assertThat(budget.used()).isZero();
        assertThat(budget.waiting()).isZero();
        assertThat(waiter.config().isAutoRead()).isTrue();
        leave(waiter);
        leave(holder);
    }

    @Test
    void whatWaitsAtTheEndOfTheStreamIsUsedWithoutMemory() {
        EmbeddedChannel holder = decoder(options);
        receive(holder, 0, 5000);
        EmbeddedChannel waiter = decoder(options);
        receive(waiter, 0, 5000);
        receive(waiter, 5000, FRAME);
        receive(waiter, 0, FRAME);
        assertThat((Object) waiter.readInbound()).isNull();
        waiter.pipeline().fireUserEventTriggered(ChannelInputShutdownEvent.INSTANCE);
        takeFrame(waiter);
        takeFrame(waiter);
        assertThat(budget.used()).isEqualTo(FRAME);
        leave(waiter);
        leave(holder);
    }

    @Test
    void aReceiverWaitsAtItsFirstByteAndReadsNoFurther() {
        EmbeddedChannel holder = decoder(options);
        receive(holder, 0, 5000);
        ExactReceiver receiver = new ExactReceiver(options);
        EmbeddedChannel channel = new EmbeddedChannel(receiver);
        Future<ByteBuf> frame = receiver.receive(FRAME);
        assertThat(budget.waiting()).isZero();
        receive(channel, 0, 1);
        assertThat(budget.waiting()).isEqualTo(1);
        receive(channel, 1, 6000); // was under way
        assertThat(frame.isDone()).isFalse();
        leave(holder);
        assertThat(budget.used()).isEqualTo(FRAME);
        channel.runPendingTasks();
        receive(channel, 6000, FRAME);
        assertThat(frame.isSuccess()).isTrue();
        frame.getNow().release();
        assertThat(budget.used()).isZero();
        leave(channel);
    }

    @Test
    void aCancelledReceiveWaitsNoLonger() {
        EmbeddedChannel holder = decoder(options);
        receive(holder, 0, 5000);
        ExactReceiver receiver = new ExactReceiver(options);
        EmbeddedChannel channel = new EmbeddedChannel(receiver);
        Future<ByteBuf> frame = receiver.receive(FRAME);
        receive(channel, 0, 700);
        assertThat(budget.waiting()).isEqualTo(1);
        frame.cancel(false);
        assertThat(budget.waiting()).isZero();
        Future<ByteBuf> small = receiver.receive(700);
        assertThat(small.isSuccess()).isTrue();
        small.getNow().release();
        leave(channel);
        leave(holder);
    }

    @Test
    void withFlowControlADemandIsNotLostInTheWait() {
        EmbeddedChannel holder = decoder(options);
        receive(holder, 0, 5000);
        int[] asked = new int[1];
        EmbeddedChannel waiter = new EmbeddedChannel(
                new ChannelOutboundHandlerAdapter() {
                    @Override
                    public void read(ChannelHandlerContext ctx) {
                        asked[0]++;
                    }
                },
                new LengthPrefixedExactDecoder(1 << 24, LengthPrefix.uint32(), options),
                new FlowControlHandler());
        waiter.config().setAutoRead(false);
        asked[0] = 0;
        waiter.read();
        assertThat(asked[0]).isEqualTo(1);
        receive(waiter, 0, 5000);
        assertThat(asked[0]).as("it waits").isEqualTo(1);
        leave(holder);
        waiter.runPendingTasks();
        assertThat(asked[0]).as("the frame is still not whole").isEqualTo(2);
        receive(waiter, 5000, FRAME);
        takeFrame(waiter);
        leave(waiter);
    }

    /** Each needs more than half of the budget, so at most one holds at a time. All on one event loop's thread. */
    @Test
    void aThousandChannelsUnderASmallBudgetAllFinish() {
        List<EmbeddedChannel> channels = new ArrayList<>();
        List<Integer> sent = new ArrayList<>();
        for (int i = 0; i < 1000; i++) {
            channels.add(decoder(options));
            sent.add(0);
        }
        long seed = System.nanoTime();
        System.out.println("ReceiveBudgetTest seed " + seed);
        Random random = new Random(seed);
        int done = 0;
        for (int round = 0; done < channels.size(); round++) {
            assertThat(round).as("rounds").isLessThan(10_000);
            assertThat(budget.used()).isLessThanOrEqualTo(budget.capacity());
            for (int i = 0; i < channels.size(); i++) {
                EmbeddedChannel channel = channels.get(i);
                channel.runPendingTasks();
                int from = sent.get(i);
                if (from < FRAME && channel.config().isAutoRead()) {
                    int to = Math.min(FRAME, from + 1 + random.nextInt(6000));
                    receive(channel, from, to);
                    sent.set(i, to);
                    if (to == FRAME) {
                        channel.runPendingTasks();
                    }
                }
                ByteBuf frame = channel.readInbound();
                if (frame != null) {
                    done++;
                    frame.release();
                }
            }
        }
        assertThat(budget.used()).isZero();
        assertThat(budget.waiting()).isZero();
        channels.forEach(ReceiveBudgetTest::leave);
    }
}
