package io.exactframe.netty;

import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;

import io.exactframe.netty.testing.Sink.Keeper;
import io.exactframe.netty.testing.Network;
import io.exactframe.netty.testing.Wire;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.IntPredicate;
import java.util.function.Supplier;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** 14: small frames that are kept pin at most 16 reads of their channel and the one being cut; beyond these, their own size. */
@Tag("slow")
class KeptFramesTest {
    private static final int MOST = 16;
    private static final int READ = 1 << 16;

    private Keeper keeper;
    private Network network;

    private void connect(Supplier<ExactFrameDecoder> decoders, IntPredicate keeps) {
        keeper = new Keeper(keeps);
        network = new Network(decoders.get(), keeper);
    }

    private void receiveReads(int count, int capacity) {
        byte[] bytes = new byte[capacity];
        for (int i = 0; i < count; i++) {
            network.receive(bytes, 0, capacity, capacity);
        }
    }

    private void assertAllGivenBack() {
        keeper.releaseAll();
        network.channel.finish();
        network.assertNothingHeld();
    }

    @ParameterizedTest(name = "frames of {0} bytes, every {1}th kept")
    @CsvSource({"4,1", "4,7", "4,1000", "64,1", "64,100", "1024,1", "1024,63", "1024,64", "2047,1", "2047,33"})
    void keptFramesPinSixteenReadsAndTheirOwnSize(int frameLength, int every) {
        connect(() -> new FixedLengthExactDecoder(frameLength), number -> number % every == 0);
        for (int i = 0; i < 40; i++) {
            receiveReads(1, READ / frameLength * frameLength);
            assertThat(network.pinnedReads()).isLessThanOrEqualTo(MOST);
            assertThat(network.handlers.live).isLessThanOrEqualTo((long) keeper.kept.size() * frameLength);
        }
        assertThat(keeper.kept).hasSizeGreaterThan(MOST);
        assertAllGivenBack();
    }

    @Test
    void keptReadsThatAreAFrameCountToo() {
        // A read of one frame, in a buffer many times as large, is passed on as it is.
        connect(() -> new FixedLengthExactDecoder(100), number -> true);
        for (int i = 0; i < 100; i++) {
            network.receive(new byte[100], 0, 100, READ);
        }
        assertThat(network.pinnedReads()).isEqualTo(MOST);
        assertThat(network.handlers.live).isEqualTo((100 - MOST) * 100);
        assertAllGivenBack();
    }

    @Test
    void emptyFramesPinNoMore() {
        connect(() -> new LengthPrefixedExactDecoder(10, LengthPrefix.uint8()), number -> number % READ == 0);
        receiveReads(40, READ);
        assertThat(keeper.kept).hasSize(40);
        assertThat(network.pinnedReads()).isEqualTo(MOST);
        assertAllGivenBack();
    }

    @Test
    void framesAreSharedAgainWhenTheKeptOnesWereReleased() {
        int inARead = READ / 64;
        connect(() -> new FixedLengthExactDecoder(64), number -> number < MOST * inARead && number % inARead < 3);
        receiveReads(MOST, READ);
        assertThat(network.handlers.calls).as("copies while fewer than %d are pinned", MOST).isZero();
        receiveReads(3, READ);
        assertThat(network.handlers.calls).as("copies while %d are pinned", MOST).isEqualTo(3 * inARead);
        keeper.kept.remove(0).release();
        keeper.kept.remove(0).release();
        receiveReads(1, READ);
        assertThat(network.handlers.calls).as("copies while one frame pins the first of them").isEqualTo(4 * inARead);
        keeper.kept.remove(0).release();
        assertThat(network.pinnedReads()).isEqualTo(MOST - 1);
        network.handlers.calls = 0;
        receiveReads(3, READ);
        assertThat(network.handlers.calls).as("copies while one less is pinned").isZero();
        assertAllGivenBack();
    }

    @ParameterizedTest(name = "frames of {0} bytes in reads of {1}")
    @CsvSource({"2048,65536", "4096,65536", "128,1024", "64,512"})
    void framesThatAreAFairPartOfTheirReadAreNeverCopied(int frameLength, int capacity) {
        connect(() -> new FixedLengthExactDecoder(frameLength), number -> true);
        receiveReads(50, capacity);
        assertThat(network.handlers.calls).isZero();
        assertThat(network.pinnedReads()).isEqualTo(50);
        assertAllGivenBack();
    }

    @Test
    void aFrameIsSmallBesideTheMemoryThatItsReadIsASliceOf() {
        connect(() -> new FixedLengthExactDecoder(1024), number -> true);
        for (int i = 0; i < 50; i++) {
            network.receiveInSlices(new byte[READ], 0, READ, 2048);
        }
        assertThat(network.pinnedReads()).isEqualTo(1);
        assertThat(network.handlers.calls).as("all but two a read").isEqualTo(50 * READ / 1024 - 2 * MOST);
        assertAllGivenBack();
    }

    @Test
    void framesAreSharedAgainFromTheNextReadOn() {
        int inARead = READ / 64;
        connect(() -> new FixedLengthExactDecoder(64), number -> {
            if (number == MOST * inARead + 500) { // which is a copy
                keeper.releaseAll();
            }
            return number < MOST * inARead;
        });
        receiveReads(MOST + 1, READ);
        assertThat(network.handlers.calls).as("all of the read in which they were released").isEqualTo(inARead);
        receiveReads(1, READ);
        assertThat(network.handlers.calls).as("none of the next").isEqualTo(inARead);
        assertAllGivenBack();
    }

    @Test
    void largerFramesAreSharedWhileTooManySmallOnesAreKept() {
        connect(() -> new LengthPrefixedExactDecoder(READ, LengthPrefix.uint16()), number -> true);
        byte[] small = Wire.concat(Wire.number(4, 2, false), new byte[4]);
        byte[] large = Wire.concat(Wire.number(2048, 2, false), new byte[2048]);
        for (int i = 0; i < MOST; i++) {
            network.receive(small, 0, small.length, READ);
        }
        byte[] stream = Wire.concat(small, large, small);
        network.receive(stream, 0, stream.length, READ);
        assertThat(network.handlers.calls).as("the two small ones").isEqualTo(2);
        assertThat(network.handlers.live).isEqualTo(2 * 4);
        assertAllGivenBack();
    }

    @Test
    void aSliceKeptOfAFrameCounts() {
        connect(
                () -> new FixedLengthExactDecoder(64) {
                    @Override
                    protected Object decode(ChannelHandlerContext ctx, ByteBuf frame) {
                        return frame.retainedSlice(60, 4);
                    }
                },
                number -> number % 1500 == 0);
        receiveReads(100, READ);
        assertThat(network.pinnedReads()).isEqualTo(MOST);
        assertAllGivenBack();
    }

    @ParameterizedTest(name = "{0} released at a time")
    @ValueSource(ints = {1, 5, 16})
    void releasingTheOldestAndKeepingTheNewestPinsNoMore(int released) {
        connect(() -> new FixedLengthExactDecoder(64), number -> number % 10 == 0);
        for (int i = 0; i < 200; i++) {
            receiveReads(1, READ);
            assertThat(network.pinnedReads()).isLessThanOrEqualTo(MOST);
            for (int n = 0; n < released; n++) {
                keeper.kept.remove(0).release();
            }
        }
        assertAllGivenBack();
    }

    @Test
    void framesThatWereAssembledPinNothing() {
        // In each read the end of a frame and a whole one; the assembled ones are kept.
        connect(() -> new FixedLengthExactDecoder(100), number -> number % 2 == 1);
        network.receive(new byte[150], 0, 150, READ);
        for (int i = 0; i < 100; i++) {
            network.receive(new byte[200], 0, 200, READ);
        }
        assertThat(keeper.kept).hasSize(100);
        assertThat(network.pinnedReads()).isZero();
        assertThat(network.handlers.calls).as("none but the assembled").isEqualTo(101);
        assertAllGivenBack();
    }

    @Test
    void framesReleasedInTheirDispatchPinNothingAndCostNothing() {
        connect(() -> new FixedLengthExactDecoder(64), number -> false);
        receiveReads(20, READ);
        assertThat(network.handlers.calls).isZero();
        assertThat(network.pinnedReads()).isZero();
        assertAllGivenBack();
    }

    @Test
    void aReadThatOthersHavePinsNothingMore() {
        // Behind another decoder a read is a frame of that one, whose memory lives as long as the others of its read.
        connect(() -> new FixedLengthExactDecoder(128), number -> false);
        network.channel.pipeline().addBefore(network.channel.pipeline().lastContext().name(), null, new FixedLengthExactDecoder(64));
        receiveReads(3, READ);
        assertThat(network.handlers.calls).as("copies of frames that were released in their dispatch").isZero();
        assertThat(network.pinnedReads()).isZero();
        assertAllGivenBack();
    }

    @ParameterizedTest(name = "retained there: {0}")
    @ValueSource(booleans = {false, true})
    void framesThatAnotherThreadHasPinNoMoreUntilItReleasesThem(boolean retained) throws Exception {
        ExecutorService other = Executors.newSingleThreadExecutor();
        try {
            connect(() -> new FixedLengthExactDecoder(64), number -> true);
            for (int i = 0; i < 60; i++) {
                int before = keeper.kept.size();
                receiveReads(1, READ);
                assertThat(network.pinnedReads()).isLessThanOrEqualTo(MOST);
                if (retained) {
                    List<ByteBuf> added = keeper.kept.subList(before, keeper.kept.size());
                    other.submit(() -> added.forEach(ByteBuf::retain)).get(10, SECONDS);
                    added.forEach(ByteBuf::release);
                }
                if (i % 20 == 19) {
                    network.handlers.calls = 0;
                    receiveReads(1, READ);
                    assertThat(network.handlers.calls).as("all copied").isEqualTo(READ / 64);
                    other.submit(keeper::releaseAll).get(10, SECONDS);
                    assertThat(network.pinnedReads()).isZero();
                    network.handlers.calls = 0;
                    receiveReads(1, READ);
                    assertThat(network.handlers.calls).as("shared again").isZero();
                    other.submit(keeper::releaseAll).get(10, SECONDS);
                }
            }
            assertAllGivenBack();
        } finally {
            other.shutdown();
        }
    }

    @Test
    void aReceiversFramesArePinnedTheSameWay() {
        ExactReceiver receiver = new ExactReceiver();
        keeper = Keeper.ofAll();
        network = new Network(receiver, keeper);
        for (int i = 0; i < 100; i++) {
            var kept = receiver.receive(4);
            var rest = receiver.receive(READ - 4);
            network.receive(new byte[READ], 0, READ, READ);
            keeper.kept.add(kept.getNow());
            rest.getNow().release();
        }
        assertThat(network.pinnedReads()).isEqualTo(MOST);
        assertAllGivenBack();
    }
}
