package io.exactframe.netty;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelConfig;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.DefaultChannelConfig;
import io.netty.channel.FixedRecvByteBufAllocator;
import io.netty.channel.RecvByteBufAllocator;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.util.concurrent.DefaultEventExecutor;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** With contiguous frames, a transport reads to where the frame will be; or as it always does, and nobody notices. */
class ReceiveIntoTest {
    static final int MIB = 1 << 20;
    static final LengthPrefix PREFIX = LengthPrefix.uint32();
    static final ReceiveOptions CONTIGUOUS = ReceiveOptions.defaults().contiguous();

    static LengthPrefixedExactDecoder decoder() {
        return new LengthPrefixedExactDecoder(64 * MIB, PREFIX, CONTIGUOUS);
    }

    /** A frame of 1 MiB of which so much was received, in reads of 64 KiB. */
    static FakeTransport received(PrefixedFrames frames, int count, ChannelHandler... handlers) {
        FakeTransport transport = new FakeTransport(frames.stream, handlers);
        transport.channel.pipeline().addLast(frames);
        for (int at = 0; at < count; at += FakeTransport.Own.SIZE) {
            transport.submit();
            transport.complete(Math.min(FakeTransport.Own.SIZE, count - at));
        }
        return transport;
    }

    /** More than half of it, so that the next reads are lent its free end. */
    static FakeTransport receivedMoreThanHalf(PrefixedFrames frames, ChannelHandler... handlers) {
        return received(frames, MIB * 5 / 8, handlers);
    }

    @Test
    void theTransportWritesWhereTheFrameWillBe() {
        PrefixedFrames frames = new PrefixedFrames(MIB);
        FakeTransport transport = receivedMoreThanHalf(frames, decoder());
        transport.submit();
        transport.complete(100_000);
        transport.submit();
        assertThat(transport.asked).endsWith(MIB + 4 - MIB * 5 / 8 - 100_000);
        transport.complete(MIB);
        frames.assertAllReceived(transport);
        assumeTrue(frames.address != 0, "no addresses here");
        assertThat(transport.address - frames.address).isEqualTo(MIB * 5 / 8 - 4 + 100_000);
    }

    @Test
    void aFullSocketIsReadInLargePieces() {
        PrefixedFrames frames = new PrefixedFrames(MIB, MIB, MIB);
        FakeTransport transport = new FakeTransport(frames.stream, decoder(), frames);
        transport.readAll(frames.stream.length);
        // 64 KiB from Netty; then twice what was received and 4 KiB, up to half; then the other half.
        // The read after a frame is up to 256 KiB.
        assertThat(transport.asked.subList(0, 4)).containsExactly(65_536, 135_156, 321_552, 526_336);
        assertThat(transport.asked).hasSize(4 + 3 + 3);
        frames.assertAllReceived(transport);
    }

    @Test
    void smallReadsAreFollowedByNettysOwn() {
        PrefixedFrames frames = new PrefixedFrames(MIB);
        FakeTransport transport = received(frames, 300, decoder());
        transport.submit();
        transport.complete(65_535);
        transport.submit();
        transport.completeEmpty(0);
        assertThat(transport.asked).containsOnly(FakeTransport.Own.SIZE);
        transport.channel.finish();
        assertThat(frames.faults).hasSize(1);
    }

    @Test
    void aReadLoopTakesAFairShare() {
        PrefixedFrames frames = new PrefixedFrames(10 * MIB, 100_000);
        FakeTransport transport = new FakeTransport(frames.stream, decoder(), frames);
        transport.readAll(5 * MIB);
        transport.asked.clear();
        while (transport.left() > 2 * MIB) {
            transport.read(transport.left());
            // One of 1 MiB, and that is it.
            assertThat(((RecvByteBufAllocator.ExtendedHandle) transport.handle()).continueReading(() -> true))
                    .isFalse();
        }
        assertThat(transport.asked).hasSize(4).containsOnly(MIB);
        transport.readAll(transport.left() - 150_000);
        int before = transport.asked.size();
        transport.read(150_000);
        assertThat(transport.asked.size() - before).as("reads of a loop").isGreaterThan(1);
        transport.readAll(transport.left());
        frames.assertAllReceived(transport);
    }

    @Test
    void readsOfSmallFramesAreAsManyAsEver() {
        PrefixedFrames frames = new PrefixedFrames(IntStream.generate(() -> 1000).limit(3000).toArray());
        FakeTransport transport = new FakeTransport(frames.stream, decoder(), frames);
        transport.own.maxMessagesPerRead(64);
        transport.read(frames.stream.length);
        assertThat(transport.left()).isZero();
        frames.assertAllReceived(transport);
    }

    @Test
    void onlyTheFirstReadAfterALargeFrameIsLarge() {
        PrefixedFrames frames = new PrefixedFrames(IntStream.concat(
                        IntStream.of(MIB), IntStream.generate(() -> 1000).limit(2000))
                .toArray());
        FakeTransport transport = new FakeTransport(frames.stream, decoder(), frames);
        transport.readAll(frames.stream.length);
        assertThat(transport.asked.subList(4, 7)).containsExactly(256 * 1024, 65_536, 65_536);
        frames.assertAllReceived(transport);
    }

    private enum Framing {
        STRIPPED(PREFIX),
        KEPT(PREFIX.keepHeader()),
        TRAILER(PREFIX.trailer(3));

        final LengthPrefix prefix;

        Framing(LengthPrefix prefix) {
            this.prefix = prefix;
        }
    }

    @ParameterizedTest
    @EnumSource
    void whateverGoesOnOfTheFrame(Framing framing) {
        byte[] payload = Wire.random(new Random(1), 300_000);
        byte[] length = Wire.number(payload.length, 4, false);
        byte[] end = framing == Framing.TRAILER ? new byte[3] : new byte[0];
        byte[] stream = Wire.repeat(Wire.concat(length, payload, end), 2);
        Sink sink = new Sink();
        FakeTransport transport = new FakeTransport(
                stream, new LengthPrefixedExactDecoder(MIB, framing.prefix, CONTIGUOUS), sink);
        transport.readAll(200_000);
        assertThat(transport.isLent()).isTrue();
        transport.readAll(transport.left());
        byte[] expected = framing == Framing.KEPT ? Wire.concat(length, payload) : payload;
        String hex = Wire.hex(expected, 0, expected.length);
        assertThat(sink.frames.equals(List.of(hex, hex))).isTrue();
        assertThat(transport.channel.finish()).isFalse();
        assertThat(sink.faults).isEmpty();
    }

    @Test
    void fixedLengthsAndReceiversToo() {
        byte[] bytes = Wire.random(new Random(1), MIB);
        String hex = Wire.hex(bytes, 0, MIB);
        Sink sink = new Sink();
        FakeTransport fixed = new FakeTransport(bytes, new FixedLengthExactDecoder(MIB, CONTIGUOUS), sink);
        ExactReceiver receiver = new ExactReceiver(CONTIGUOUS);
        FakeTransport onDemand = new FakeTransport(bytes, receiver);
        var receive = receiver.receive(MIB);
        for (FakeTransport each : List.of(fixed, onDemand)) {
            each.readAll(MIB * 5 / 8);
            assertThat(each.isLent()).isTrue();
            each.readAll(MIB * 3 / 8);
            each.channel.finish();
        }
        assertThat(sink.frames.equals(List.of(hex))).isTrue();
        assertThat(Wire.hexAndRelease(receive.getNow()).equals(hex)).isTrue();
    }

    @Test
    void nothingIsLentForFramesThatNeedNotBeOnePiece() {
        PrefixedFrames frames = new PrefixedFrames(MIB);
        FakeTransport transport = receivedMoreThanHalf(
                frames, new LengthPrefixedExactDecoder(MIB + 4, PREFIX), new ChannelInboundHandlerAdapter() {
                    @Override
                    public void channelRead(ChannelHandlerContext ctx, Object frame) {
                        ctx.fireChannelRead(Unpooled.copiedBuffer((ByteBuf) frame));
                        ((ByteBuf) frame).release();
                    }
                });
        assertThat(transport.isLent()).isFalse();
        assertThat(transport.handle()).isNotInstanceOf(ReceiveInto.class);
        transport.readAll(transport.left());
        frames.assertAllReceived(transport);
    }

    @Test
    void nothingIsLentForASmallFrameOrALittleRest() {
        PrefixedFrames frames = new PrefixedFrames(64 * 1024, 100_000, 1000);
        FakeTransport transport = new FakeTransport(frames.stream, decoder(), frames);
        transport.readAll(40_000);
        assertThat(transport.isLent()).isFalse();
        transport.readAll(4 + 64 * 1024 - 40_000 + 95_000);
        assertThat(transport.isLent()).isFalse();
        transport.readAll(transport.left());
        frames.assertAllReceived(transport);
    }

    @Test
    void nothingIsLentOfTheHeap() {
        // No native transport reads into the heap.
        PrefixedFrames frames = new PrefixedFrames(MIB);
        FakeTransport transport = new FakeTransport(frames.stream, decoder(), frames);
        CountingAllocator heap = new CountingAllocator();
        transport.channel.config().setAllocator(heap);
        transport.submit();
        transport.complete(65_536);
        transport.readAll(MIB * 5 / 8);
        transport.submit();
        assertThat(transport.asked).endsWith(FakeTransport.Own.SIZE);
        transport.complete(MIB);
        transport.readAll(transport.left());
        frames.assertAllReceived(transport);
        assertThat(heap.live).isZero();
    }

    @Test
    void anythingThatSeesTheBytesBeforeSwitchesItOffForThatTime() {
        PrefixedFrames frames = new PrefixedFrames(MIB, MIB);
        FakeTransport transport = receivedMoreThanHalf(frames, decoder());
        transport.asked.clear();
        transport.channel.pipeline().addFirst(new ChannelInboundHandlerAdapter());
        assertThat(transport.isLent()).isFalse();
        transport.channel.pipeline().addFirst(new LengthPrefixedEncoder(PREFIX)); // sees nothing
        assertThat(transport.isLent()).isFalse();
        transport.channel.pipeline().remove(ChannelInboundHandlerAdapter.class);
        assertThat(transport.isLent()).isTrue();
        transport.channel.pipeline().addFirst(new ChannelInboundHandlerAdapter());
        transport.readAll(transport.left());
        assertThat(transport.asked).containsOnly(FakeTransport.Own.SIZE);
        frames.assertAllReceived(transport);
    }

    @Test
    void aHandlerAddedAfterALargeReadSeesReadsOfNettysSize() {
        PrefixedFrames frames = new PrefixedFrames(MIB, 100_000);
        FakeTransport transport = receivedMoreThanHalf(frames, decoder());
        transport.submit();
        transport.complete(MIB);
        assertThat(frames.count).isEqualTo(1);
        transport.channel.pipeline().addFirst(new ChannelInboundHandlerAdapter());
        transport.submit();
        assertThat(transport.asked).endsWith(FakeTransport.Own.SIZE);
        transport.complete(MIB);
        transport.readAll(transport.left());
        frames.assertAllReceived(transport);
    }

    @Test
    void addedAfterTheFirstReadItChangesNothing() {
        PrefixedFrames frames = new PrefixedFrames(MIB);
        FakeTransport transport = new FakeTransport(frames.stream);
        RecvByteBufAllocator.Handle handle = transport.handle();
        assertThat(transport.own.handles).isEqualTo(1);
        transport.channel.pipeline().addLast(decoder(), frames);
        assertThat(transport.handle()).isSameAs(handle);
        transport.readAll(frames.stream.length);
        assertThat(transport.asked).containsOnly(FakeTransport.Own.SIZE);
        assertThat(transport.own.buffers).isEqualTo(transport.asked.size());
        frames.assertAllReceived(transport);
    }

    @Test
    void theConfigurationIsAsItWas() {
        PrefixedFrames frames = new PrefixedFrames(MIB);
        FakeTransport transport = new FakeTransport(frames.stream, decoder(), frames);
        assertThat((Object) transport.channel.config().getRecvByteBufAllocator()).isSameAs(transport.own);
        assertThat(transport.own.handles).as("handles before the first read").isZero();
        transport.own.maxMessagesPerRead(2);
        transport.read(300_000);
        assertThat(transport.asked).hasSize(2);
        transport.readAll(transport.left());
        assertThat(transport.own.handles).isEqualTo(1);
        frames.assertAllReceived(transport);
    }

    @Test
    void anAllocatorSetBeforeTheFirstReadIsTheOneThatIsUsed() {
        PrefixedFrames frames = new PrefixedFrames(MIB);
        FakeTransport transport = new FakeTransport(frames.stream, decoder(), frames);
        transport.channel.config().setRecvByteBufAllocator(new FixedRecvByteBufAllocator(5000));
        transport.readAll(frames.stream.length);
        assertThat(transport.asked).containsOnly(5000);
        assertThat(transport.own.handles).isZero();
        frames.assertAllReceived(transport);
    }

    @Test
    void anAllocatorSetLaterSwitchesItOff() {
        PrefixedFrames frames = new PrefixedFrames(MIB);
        FakeTransport transport = receivedMoreThanHalf(frames, decoder());
        transport.channel.config().setRecvByteBufAllocator(new FixedRecvByteBufAllocator(5000));
        assertThat(transport.isLent()).isFalse();
        transport.asked.clear();
        transport.readAll(transport.left());
        assertThat(transport.asked).containsOnly(FakeTransport.Own.SIZE); // Netty keeps the handle it has
        frames.assertAllReceived(transport);
    }

    @Test
    void nothingIsLentToADecoderOnAnExecutorOfItsOwn() throws Exception {
        PrefixedFrames frames = new PrefixedFrames(MIB);
        FakeTransport transport = new FakeTransport(frames.stream);
        DefaultEventExecutor executor = new DefaultEventExecutor();
        try {
            transport.channel.pipeline().addLast(executor, decoder(), frames);
            executor.submit(() -> {}).sync();
            while (transport.left() > 0) {
                transport.submit();
                transport.complete(transport.left());
                executor.submit(() -> {}).sync();
            }
            assertThat(transport.asked).containsOnly(FakeTransport.Own.SIZE);
            transport.channel.finish();
            executor.submit(() -> frames.assertAllReceived(transport)).sync();
        } finally {
            assertThat(executor.shutdownGracefully(0, 10, TimeUnit.SECONDS).await(30, TimeUnit.SECONDS))
                    .isTrue();
        }
    }

    /** A handle that tells less than Netty's own do. */
    @SuppressWarnings("deprecation")
    private static final class OldHandle implements RecvByteBufAllocator {
        @Override
        public Handle newHandle() {
            return new DelegatingHandle(new FakeTransport.Own().newHandle()) {};
        }
    }

    @Test
    void aHandleOfTheOldKindWillDo() {
        PrefixedFrames frames = new PrefixedFrames(MIB);
        FakeTransport transport = new FakeTransport(frames.stream);
        transport.channel.config().setRecvByteBufAllocator(new OldHandle());
        transport.channel.pipeline().addLast(decoder(), frames);
        transport.read(200_000);
        assertThat(((RecvByteBufAllocator.ExtendedHandle) transport.handle()).continueReading(() -> false))
                .isEqualTo(transport.handle().continueReading());
        transport.readAll(transport.left());
        assertThat(transport.asked).contains(526_336);
        frames.assertAllReceived(transport);
    }

    @Test
    void aChannelMayResetTheHandleThatItMakes() {
        // As HTTP/2's do for their streams.
        PrefixedFrames frames = new PrefixedFrames(MIB);
        EmbeddedChannel channel = new EmbeddedChannel() {
            private ChannelConfig config;

            @Override
            public ChannelConfig config() {
                if (config == null) {
                    config = new DefaultChannelConfig(this) {
                        @Override
                        public ChannelConfig setRecvByteBufAllocator(RecvByteBufAllocator allocator) {
                            super.setRecvByteBufAllocator(allocator);
                            allocator.newHandle().reset(this);
                            return this;
                        }
                    };
                }
                return config;
            }
        };
        FakeTransport transport = new FakeTransport(channel, frames.stream, decoder(), frames);
        transport.readAll(transport.left());
        assertThat(transport.asked).contains(526_336);
        frames.assertAllReceived(transport);
    }
}
