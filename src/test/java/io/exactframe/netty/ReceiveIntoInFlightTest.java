package io.exactframe.netty;

import static io.exactframe.netty.ReceiveIntoTest.CONTIGUOUS;
import static io.exactframe.netty.ReceiveIntoTest.MIB;
import static io.exactframe.netty.ReceiveIntoTest.PREFIX;
import static io.exactframe.netty.ReceiveIntoTest.decoder;
import static io.exactframe.netty.ReceiveIntoTest.receivedMoreThanHalf;
import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.PooledByteBufAllocator;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.util.LeakPresenceDetector;
import io.netty.util.concurrent.FastThreadLocalThread;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.FutureTask;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Reads into a frame that end otherwise than filled, and what may happen before they end, as it may with io_uring. */
class ReceiveIntoInFlightTest {
    @Test
    void aReadThatBringsNothingIsRepeated() {
        PrefixedFrames frames = new PrefixedFrames(MIB);
        FakeTransport transport = receivedMoreThanHalf(frames, decoder());
        for (int i = 0; i < 3; i++) {
            transport.submit();
            transport.completeEmpty(0);
            assertThat(transport.isLent()).isTrue();
        }
        transport.readAll(transport.left());
        frames.assertAllReceived(transport);
    }

    @Test
    void aBufferThatWasGivenBackMayComeAsAnother() throws Exception {
        FutureTask<Boolean> run = new FutureTask<>(() -> Untracked.CONTENT_IS_RIGHT);
        new FastThreadLocalThread(run).start();
        assertThat(run.get()).isTrue();
    }

    /**
     * On its own threads Netty reuses the objects of pooled slices, unless a leak detector puts others around them.
     * Static initializers are not tracked.
     */
    private static final class Untracked {
        static final boolean CONTENT_IS_RIGHT = LeakPresenceDetector.staticInitializer(Untracked::run);

        private static boolean run() {
            PrefixedFrames frames = new PrefixedFrames(MIB);
            FakeTransport transport = new FakeTransport(frames.stream, decoder(), frames);
            transport.channel.config().setAllocator(new PooledByteBufAllocator(true));
            transport.readAll(MIB * 5 / 8);
            ByteBuf other = transport.next(10_000);
            ByteBuf lent;
            ByteBuf slice = null;
            do {
                if (slice != null) {
                    slice.release();
                }
                lent = transport.submit();
                transport.completeEmpty(0);
                slice = other.retainedSlice();
            } while (slice != lent && transport.asked.size() < 100);
            other.release();
            transport.channel.pipeline().fireChannelRead(slice);
            transport.readAll(transport.left());
            frames.assertAllReceived(transport);
            return true;
        }
    }

    @Test
    void twoReadsAtATimeGetDifferentMemory() {
        PrefixedFrames frames = new PrefixedFrames(MIB);
        FakeTransport transport = receivedMoreThanHalf(frames, decoder());
        transport.submit();
        assertThat(transport.isLent()).isFalse();
        transport.complete(100_000);
        transport.readAll(transport.left());
        frames.assertAllReceived(transport);
    }

    @Test
    void theEndOfTheStreamComesWhileItsBufferIsLent() {
        PrefixedFrames frames = new PrefixedFrames(MIB);
        FakeTransport transport = receivedMoreThanHalf(frames, decoder());
        transport.submit();
        transport.completeEmpty(-1);
        transport.channel.finish();
        assertThat(frames.faults).singleElement().isInstanceOfSatisfying(PrematureCloseException.class, close -> {
            assertThat(close.receivedBytes()).isEqualTo(MIB * 5 / 8);
            assertThat(close.expectedBytes()).isEqualTo(MIB + 4);
        });
    }

    @ParameterizedTest
    @MethodSource("beforeFailure")
    void aReadFailsAfterAPartOfIt(int count) {
        PrefixedFrames frames = new PrefixedFrames(MIB);
        FakeTransport transport = receivedMoreThanHalf(frames, decoder());
        transport.fail(count);
        transport.channel.finish();
        assertThat(frames.faults).hasSize(2);
        assertThat(((PrematureCloseException) frames.faults.get(1)).receivedBytes()).isEqualTo(MIB * 5 / 8 + count);
    }

    static IntStream beforeFailure() {
        return IntStream.of(0, 1, 100_000);
    }

    @Test
    void bytesThatComeFromElsewhereMeanwhileGoFirst() {
        PrefixedFrames frames = new PrefixedFrames(MIB);
        FakeTransport transport = receivedMoreThanHalf(frames, decoder());
        transport.submit();
        transport.channel.pipeline().fireChannelRead(transport.next(1000));
        transport.complete(MIB / 8);
        transport.readAll(transport.left());
        frames.assertAllReceived(transport);
    }

    @Test
    void aHandlerAddedMeanwhileKeepsTheBytes() {
        PrefixedFrames frames = new PrefixedFrames(MIB);
        FakeTransport transport = receivedMoreThanHalf(frames, decoder());
        List<ByteBuf> kept = new ArrayList<>();
        transport.submit();
        transport.channel.pipeline().addFirst(new ChannelInboundHandlerAdapter() {
            @Override
            public void channelRead(ChannelHandlerContext ctx, Object message) {
                ByteBuf read = (ByteBuf) message;
                kept.add(read);
                ctx.fireChannelRead(ctx.alloc().buffer().writeBytes(read, read.readerIndex(), read.readableBytes()));
            }
        });
        int at = frames.stream.length - transport.left();
        transport.complete(100_000);
        transport.channel.pipeline().remove(transport.channel.pipeline().first());
        transport.readAll(transport.left());
        assertThat(kept.get(0).equals(Unpooled.wrappedBuffer(frames.stream, at, 100_000)))
                .as("what was kept")
                .isTrue();
        kept.get(0).release();
        frames.assertAllReceived(transport);
    }

    @Test
    void aHandlerAddedMeanwhileTakesAPart() {
        PrefixedFrames frames = new PrefixedFrames(MIB - 10);
        byte[] stream = Wire.concat(
                Arrays.copyOf(frames.stream, MIB * 5 / 8),
                new byte[10],
                Arrays.copyOfRange(frames.stream, MIB * 5 / 8, frames.stream.length));
        FakeTransport transport = new FakeTransport(stream, decoder(), frames);
        transport.readAll(MIB * 5 / 8);
        transport.submit();
        transport.channel.pipeline().addFirst(new ChannelInboundHandlerAdapter() {
            @Override
            public void channelRead(ChannelHandlerContext ctx, Object message) {
                ctx.fireChannelRead(((ByteBuf) message).skipBytes(10));
            }
        });
        transport.complete(100_000);
        transport.channel.pipeline().removeFirst();
        transport.readAll(transport.left());
        frames.assertAllReceived(transport);
    }

    @Test
    void theDecoderIsRemovedMeanwhile() {
        PrefixedFrames frames = new PrefixedFrames(MIB);
        FakeTransport transport = new FakeTransport(
                frames.stream, new LengthPrefixedExactDecoder(2 * MIB, PREFIX.keepHeader(), CONTIGUOUS));
        transport.readAll(MIB * 5 / 8);
        transport.submit();
        List<ByteBuf> passed = new ArrayList<>();
        transport.channel.pipeline().addLast(new ChannelInboundHandlerAdapter() {
            @Override
            public void channelRead(ChannelHandlerContext ctx, Object message) {
                passed.add((ByteBuf) message);
            }
        });
        transport.channel.pipeline().removeFirst();
        // Netty's ByteToMessageDecoder would go on writing in what it got first.
        assertThat(passed.get(0).maxWritableBytes()).as("room behind the bytes").isZero();
        transport.complete(100_000);
        assertThat(transport.isLent()).isFalse();
        transport.readAll(transport.left());
        ByteBuf all = Unpooled.wrappedBuffer(passed.toArray(new ByteBuf[0]));
        assertThat(all.equals(Unpooled.wrappedBuffer(frames.stream))).isTrue();
        all.release();
        transport.channel.finish();
    }

    @Test
    void theDecoderIsReplacedMeanwhile() {
        PrefixedFrames frames = new PrefixedFrames(MIB, MIB);
        FakeTransport transport = receivedMoreThanHalf(frames, decoder());
        transport.submit();
        transport.channel.pipeline().replace(LengthPrefixedExactDecoder.class, "second", decoder());
        transport.complete(100_000);
        transport.readAll(transport.left());
        frames.assertAllReceived(transport);
    }

    @Test
    void theDecoderEndsMeanwhile() {
        PrefixedFrames frames = new PrefixedFrames(MIB);
        FakeTransport transport = receivedMoreThanHalf(frames, decoder());
        transport.submit();
        transport.channel.pipeline().fireUserEventTriggered(
                ChannelInputShutdownEvent.INSTANCE);
        assertThat(frames.faults).hasSize(1);
        transport.complete(100_000);
        transport.readAll(transport.left());
        transport.channel.finish();
        assertThat(frames.count).isZero();
        assertThat(frames.faults).hasSize(1);
    }

    @ParameterizedTest(name = "seed {0}")
    @MethodSource("seeds")
    @Tag("slow")
    void anyReadsGiveTheSameFrames(int seed) {
        Random random = new Random(seed);
        PrefixedFrames frames = new PrefixedFrames(random.ints(6, 0, 1 << 20).toArray());
        FakeTransport transport = new FakeTransport(frames.stream, decoder(), frames);
        ChannelHandler ahead = new ChannelInboundHandlerAdapter();
        while (transport.left() > 0) {
            int count = Math.min(transport.left(), 1 + random.nextInt(1 << random.nextInt(20)));
            switch (random.nextInt(6)) {
                case 0 -> {
                    transport.submit();
                    if (random.nextBoolean()) {
                        ByteBuf injected = transport.next(Math.min(count, 20_000));
                        transport.channel.pipeline().fireChannelRead(injected);
                    }
                    if (transport.left() == 0 || random.nextBoolean()) {
                        transport.completeEmpty(0);
                    } else {
                        transport.complete(count);
                    }
                }
                case 1 -> {
                    transport.submit();
                    if (transport.channel.pipeline().first() == ahead) {
                        transport.channel.pipeline().removeFirst();
                    } else {
                        transport.channel.pipeline().addFirst(ahead = new ChannelInboundHandlerAdapter());
                    }
                    transport.complete(count);
                }
                default -> transport.read(count);
            }
        }
        frames.assertAllReceived(transport);
    }

    static IntStream seeds() {
        return IntStream.range(0, 100);
    }
}
