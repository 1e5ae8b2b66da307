package io.exactframe.netty;

import static io.exactframe.netty.testing.Probe.bytes;
import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import io.exactframe.netty.ReceiveBudget.Share;
import io.exactframe.netty.testing.Loopback;
import io.exactframe.netty.testing.Loopback.Transport;
import io.exactframe.netty.testing.Wire;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOutboundHandlerAdapter;
import io.netty.channel.embedded.EmbeddedChannel;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** 62: what the application sets in a pause for memory is in force after it, and nothing is read in the pause. */
class ApplicationAutoReadTest {
    private static final int FRAME = 8004;
    private static final String WIRE = "\0\0\37\100" + "x".repeat(FRAME - 4);
    private static final int BEGUN = 3000;

    private final ReceiveBudget budget = new ReceiveBudget(10_000);
    private final Share holder = new Share(budget, () -> true);
    private final AtomicInteger frames = new AtomicInteger();

    Transport transport() {
        return Transport.nio();
    }

    @AfterEach
    void nothingIsLeftInTheBudget() {
        assertThat(budget.used()).isZero();
        assertThat(budget.waiting()).isZero();
    }

    private LengthPrefixedExactDecoder decoder() {
        holder.reserve(9000, 9000);
        return new LengthPrefixedExactDecoder(
                FRAME,
                LengthPrefix.uint32(),
                ReceiveOptions.defaults().budget(budget).frameDeadline(Duration.ofMinutes(1)));
    }

    private final class Counter extends ChannelInboundHandlerAdapter {
        @Override
        public void channelRead(ChannelHandlerContext ctx, Object message) {
            assertThat(((ByteBuf) message).readableBytes()).isEqualTo(FRAME - 4);
            ((ByteBuf) message).release();
            frames.incrementAndGet();
        }
    }

    private enum Moment {
        AT_READ_COMPLETE,
        IN_THE_PAUSE
    }

    private static final List<List<Boolean>> SETTINGS = List.of(
            List.of(), List.of(false), List.of(true), List.of(false, true), List.of(true, false));

    @ParameterizedTest
    @EnumSource
    void theLastSettingIsInForce(Moment moment) {
        for (boolean before : new boolean[] {true, false}) {
            for (List<Boolean> settings : SETTINGS) {
                set(moment, before, settings);
            }
        }
    }

    private void set(Moment moment, boolean before, List<Boolean> settings) {
        String what = before + ", then " + settings;
        boolean last = settings.isEmpty() ? before : settings.get(settings.size() - 1);
        int[] reads = {0};
        EmbeddedChannel channel = new EmbeddedChannel(
                new ChannelOutboundHandlerAdapter() {
                    @Override
                    public void read(ChannelHandlerContext ctx) {
                        reads[0]++;
                        ctx.read();
                    }
                },
                decoder(),
                new Counter(),
                new ChannelInboundHandlerAdapter() {
                    @Override
                    public void channelReadComplete(ChannelHandlerContext ctx) {
                        if (moment == Moment.AT_READ_COMPLETE) {
                            settings.forEach(ctx.channel().config()::setAutoRead);
                        }
                    }
                });
        frames.set(0);
        channel.config().setAutoRead(before);
        channel.pipeline().fireChannelRead(bytes(channel, WIRE + WIRE.substring(0, BEGUN)));
        assertThat(budget.waiting()).isOne();
        reads[0] = 0;
        channel.pipeline().fireChannelReadComplete();
        if (moment == Moment.IN_THE_PAUSE) {
            assertThat(channel.config().isAutoRead()).as(what).isEqualTo(before);
            settings.forEach(channel.config()::setAutoRead);
        }
        assertThat(channel.config().isAutoRead()).as(what).isEqualTo(last);
        assertThat(reads[0]).as("reads in the pause: " + what).isZero();
        holder.giveBack();
        channel.runPendingTasks();
        assertThat(channel.config().isAutoRead()).as("after the pause: " + what).isEqualTo(last);
        if (last) {
            assertThat(reads[0]).as("reads after it: " + what).isOne();
        }
        Wire.receive(channel, bytes(channel, WIRE.substring(BEGUN)));
        assertThat(frames).hasValue(2);
        assertThat(channel.config().isAutoRead()).as("at the end: " + what).isEqualTo(last);
        channel.finish();
    }

    private static void await(BooleanCondition condition) {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(Loopback.SECONDS);
        while (!condition.isTrue() && System.nanoTime() - deadline < 0) {
            Thread.onSpinWait();
        }
        assertThat(condition.isTrue()).isTrue();
    }

    private interface BooleanCondition {
        boolean isTrue();
    }

    /** Long enough for whatever is read at all. */
    private static void assertReadsNothing(Loopback it) throws InterruptedException {
        it.channel.eventLoop().schedule(() -> {}, 20, TimeUnit.MILLISECONDS).sync(); // what was under way
        long read = it.bytesRead.get();
        it.channel.eventLoop().schedule(() -> {}, 40, TimeUnit.MILLISECONDS).sync();
        assertThat(it.bytesRead).hasValue(read);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "off", "off on", "on off", "off on off", "on"})
    void onASocketNothingIsReadInThePauseWhateverIsSet(String settings) throws Exception {
        int count = 400;
        try (Loopback it = new Loopback(transport(), decoder(), new Counter())) {
            it.send(WIRE.substring(0, BEGUN));
            await(() -> budget.waiting() == 1);
            it.send(WIRE.substring(BEGUN));
            boolean last = true;
            for (String setting : settings.split(" ")) {
                assertReadsNothing(it);
                assertThat(it.channel.config().isAutoRead()).isEqualTo(last);
                if (!setting.isEmpty()) {
                    last = setting.equals("on");
                    it.channel.config().setAutoRead(last);
                }
            }
            assertReadsNothing(it);
            assertThat(it.channel.config().isAutoRead()).isEqualTo(last);
            assertThat(it.bytesRead.get()).isLessThan(FRAME);
            holder.giveBack();
            Thread sender = new Thread(() -> {
                try {
                    it.send(ByteBuffer.wrap(WIRE.repeat(count).getBytes(ISO_8859_1)));
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
            });
            if (!last) {
                assertReadsNothing(it);
                sender.start();
                assertReadsNothing(it);
                assertThat(it.channel.config().isAutoRead()).isFalse();
                it.channel.config().setAutoRead(true);
            } else {
                sender.start();
            }
            await(() -> frames.get() == count + 1);
            sender.join();
            assertThat(it.channel.config().isAutoRead()).isTrue();
        }
    }
}
