package io.exactframe.netty;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.AdaptiveByteBufAllocator;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.PooledByteBufAllocator;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.handler.codec.LengthFieldBasedFrameDecoder;
import io.netty.util.concurrent.Future;
import io.netty.util.concurrent.FutureListener;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** 13, 14: whatever consumers do with frames, in any order, it goes as with the slices of Netty's pooled buffers. */
class FrameLifeTest {
    private static final int FRAMES = 300;
    private static final int LIMIT = 1 << 20;

    private final ExecutorService other = Executors.newSingleThreadExecutor();

    @AfterEach
    void shutDown() {
        other.shutdown();
    }

    private static ChannelHandler ours() {
        return new LengthPrefixedExactDecoder(LIMIT, LengthPrefix.uint32().keepHeader());
    }

    private static ChannelHandler nettys() {
        return new LengthFieldBasedFrameDecoder(LIMIT, 0, 4);
    }

    @ParameterizedTest(name = "seed {0}")
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12})
    void framesLiveLikeTheSlicesOfPooledBuffers(long seed) {
        PooledByteBufAllocator pool = PooledByteBufAllocator.DEFAULT;
        List<String> expected = live(seed, pool, FrameLifeTest::nettys);
        assertThat(expected).hasSizeGreaterThan(FRAMES).noneMatch(entry -> entry.contains("got"));
        assertSame(live(seed, pool, FrameLifeTest::ours), expected);
        assertSame(live(seed, pool, null), expected);
    }

    private static void assertSame(List<String> log, List<String> expected) {
        for (int i = 0; i < expected.size(); i++) {
            assertThat(log.get(i)).as("entry %d", i).isEqualTo(expected.get(i));
        }
        assertThat(log).hasSameSizeAs(expected);
    }

    @ParameterizedTest(name = "seed {0}")
    @ValueSource(longs = {21, 22, 23, 24, 25, 26})
    void framesLiveAlikeInAnyMemory(long seed) {
        List<String> expected = live(seed, PooledByteBufAllocator.DEFAULT, FrameLifeTest::ours);
        for (boolean direct : new boolean[] {false, true}) {
            live(seed, new AdaptiveByteBufAllocator(direct), FrameLifeTest::ours);
            live(seed, new UnpooledByteBufAllocator(direct), FrameLifeTest::ours);
        }
    }

    private List<String> live(long seed, ByteBufAllocator alloc, Supplier<ChannelHandler> decoders) {
        Random random = new Random(seed);
        List<byte[]> frames = new ArrayList<>();
        for (int i = 0; i < FRAMES; i++) {
            int kind = random.nextInt(20);
            int length = random.nextInt(kind == 0 ? 9000 : kind < 6 ? 600 : 40);
            frames.add(Wire.concat(Wire.number(length, 4, false), Wire.random(random, length)));
        }
        Supplier<ChannelHandler> nested = decoders == null ? FrameLifeTest::ours : decoders;
        FrameLife life = new FrameLife(seed, frames, alloc, other, nested);
        Sink consumer = new Sink() {
            @Override
            public void channelRead(ChannelHandlerContext ctx, Object message) {
                life.accept((ByteBuf) message);
            }
        };
        ExactReceiver receiver = new ExactReceiver();
        EmbeddedChannel channel = Wire.channel(decoders == null ? receiver : decoders.get(), consumer);
        channel.config().setAllocator(alloc);
        if (decoders == null) {
            receiveAll(receiver, life, consumer);
        }
        byte[] stream = Wire.concat(frames.toArray(byte[][]::new));
        List<ByteBuf> reads = new ArrayList<>();
        for (int at = 0; at < stream.length; ) {
            int count = Math.min(random.nextInt(random.nextInt(4) == 0 ? 4000 : 200) + 1, stream.length - at);
            ByteBuf read = alloc.buffer(random.nextBoolean() ? count : 1 << 16).writeBytes(stream, at, count);
            reads.add(read);
            at += count;
            Wire.receive(channel, read);
            assertThat(consumer.faults).isEmpty();
            life.readComplete();
        }
        channel.finish();
        life.giveUpAll();
        assertThat(consumer.faults).isEmpty();
        assertThat(reads).allMatch(read -> read.refCnt() == 0);
        return life.log;
    }

    private static void receiveAll(ExactReceiver receiver, FrameLife life, Sink faults) {
        receiver.receive(LengthPrefix.uint32().keepHeader(), LIMIT).addListener(new FutureListener<ByteBuf>() {
            @Override
            public void operationComplete(Future<ByteBuf> received) {
                if (received.isSuccess()) {
                    try {
                        life.accept(received.getNow());
                    } catch (Throwable t) {
                        faults.faults.add(t);
                    }
                    receiver.receive(LengthPrefix.uint32().keepHeader(), LIMIT).addListener(this);
                }
            }
        });
    }
}
