package io.exactframe.netty;

import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.util.concurrent.Future;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * 13, 19, 45, 46: listeners that receive again, send frames through the pipeline once more, end the input or remove the
 * receiver, and release frames in any order and on any thread: every frame has its bytes, every read its references.
 */
class ReceiverReferencesTest {
    private static final ExecutorService OTHER = Executors.newSingleThreadExecutor();
    private static final int READ = 100;

    private final ExactReceiver receiver = new ExactReceiver();
    private final Sink sink = new Sink();
    private final EmbeddedChannel channel = new EmbeddedChannel(receiver, sink);
    private final List<ByteBuf> reads = new ArrayList<>(); // the test has one reference to each
    private final List<Held> held = new ArrayList<>();

    private Random random;
    private int depth;
    private int made;

    private record Held(ByteBuf frame, String bytes) {}

    @AfterAll
    static void shutDown() {
        OTHER.shutdown();
    }

    static LongStream seeds() {
        return LongStream.rangeClosed(1, 200);
    }

    @ParameterizedTest(name = "seed {0}")
    @MethodSource("seeds")
    void everyReadHasExactlyItsReferences(long seed) throws Exception {
        random = new Random(seed * 0x9E3779B97F4A7C15L); // the first booleans of small seeds are all alike
        for (int i = 0; i < 40; i++) {
            receive();
        }
        for (int i = 0; i < 8; i++) {
            if (random.nextInt(4) == 0 && !reads.isEmpty()) {
                ByteBuf same = reads.get(random.nextInt(reads.size()));
                channel.pipeline().fireChannelRead(same.retain().setIndex(0, READ));
            } else {
                ByteBuf read = channel.alloc().buffer(READ).writeBytes(Wire.random(random, READ));
                reads.add(read);
                channel.pipeline().fireChannelRead(read.retain());
            }
            channel.pipeline().fireChannelReadComplete();
            giveUp(random.nextInt(held.size() + 1));
        }
        channel.finishAndReleaseAll();
        giveUp(0);
        for (ByteBuf read : reads) {
            assertThat(read.refCnt()).isEqualTo(1);
            read.release();
        }
    }

    private void receive() {
        if (made++ < 300) {
            Future<ByteBuf> frame = random.nextInt(5) == 0
                    ? receiver.receive(LengthPrefix.uint8(), READ)
                    : receiver.receive(1 + random.nextInt(random.nextInt(10) == 0 ? 2 * READ : 8));
            frame.addListener(done -> {
                if (done.isSuccess()) {
                    received((ByteBuf) done.getNow());
                }
            });
        }
    }

    private void received(ByteBuf frame) throws Exception {
        Held it = new Held(frame, ByteBufUtil.hexDump(frame));
        depth++;
        boolean first = random.nextBoolean();
        boolean given = first && give(it);
        if (depth < 6) {
            happen(random.nextInt(60));
        }
        if (!first) {
            given = give(it);
        }
        depth--;
        if (!given) {
            held.add(it);
        }
    }

    /** Gives the frame up, perhaps; keeps a part of it or sends it through the pipeline. */
    private boolean give(Held it) throws Exception {
        ByteBuf frame = it.frame;
        switch (random.nextInt(8)) {
            case 0, 1, 2 -> release(it);
            case 3 -> {
                held.add(new Held(frame.retainedSlice(), it.bytes));
                release(it);
            }
            case 4 -> channel.pipeline().fireChannelRead(frame);
            default -> {
                return false;
            }
        }
        return true;
    }

    private void happen(int what) {
        switch (what) {
            case 0 -> channel.pipeline().fireUserEventTriggered(ChannelInputShutdownEvent.INSTANCE);
            case 1 -> channel.pipeline().fireExceptionCaught(new IOException());
            case 2 -> {
                if (channel.pipeline().context(receiver) != null) {
                    channel.pipeline().remove(receiver);
                }
            }
            case 3 -> channel.close();
            case 4 -> giveUp(held.size() / 2);
            default -> {
                if (what < 40) {
                    receive();
                    receive();
                }
            }
        }
    }

    private void giveUp(int left) {
        while (held.size() > left) {
            release(held.remove(random.nextInt(held.size())));
        }
    }

    private void release(Held it) {
        assertThat(ByteBufUtil.hexDump(it.frame)).isEqualTo(it.bytes);
        try {
            if (random.nextInt(3) > 0) {
                it.frame.release();
            } else {
                OTHER.submit(() -> it.frame.release()).get(10, SECONDS);
            }
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }
}
