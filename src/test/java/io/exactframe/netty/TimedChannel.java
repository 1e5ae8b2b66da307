package io.exactframe.netty;

import static java.util.concurrent.TimeUnit.NANOSECONDS;
import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.util.ReferenceCountUtil;
import io.netty.util.concurrent.Future;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** A handler with limits in an embedded channel, where time stands still unless a test lets it go by. */
final class TimedChannel {
    static final Duration SECOND = Duration.ofSeconds(1);
    static final int FRAME = 10;
    static final String WIRE = TimedHandler.wire(FRAME);
    private static final long NO_TIMER = -1;
    private static final int RECEIVES = 50;

    final EmbeddedChannel channel = new EmbeddedChannel();
    final ChannelHandler handler;
    final TimedHandler kind;
    final List<Throwable> faults = new ArrayList<>();

    /** What was asked of a receiver; empty for a decoder. */
    final List<Future<?>> receives = new ArrayList<>();

    /** What a decoder gave, and what was received of what was asked. */
    int given;

    /** Done with each message. */
    Runnable onMessage = () -> {};

    Runnable onFault = () -> {};

    /** Nanoseconds that went by. */
    long now;

    /** When the last of the faults was fired. */
    long faultAt;

    TimedChannel(TimedHandler kind, ReceiveOptions options) {
        this(kind, FRAME, options);
    }

    TimedChannel(TimedHandler kind, int frameLength, ReceiveOptions options) {
        this(kind, frameLength, kind.create(frameLength, options));
    }

    TimedChannel(TimedHandler kind, int frameLength, ChannelHandler handler) {
        this.kind = kind;
        this.handler = handler;
        channel.freezeTime();
        channel.pipeline().addLast(handler, new Notes());
        if (handler instanceof ExactReceiver receiver) {
            for (int i = 0; i < RECEIVES; i++) {
                receives.add(kind.receive(receiver, frameLength).addListener(receive -> {
                    given += receive.isSuccess() ? 1 : 0;
                    TimedHandler.release(receive);
                    onMessage.run();
                }));
            }
        }
    }

    private final class Notes extends ChannelInboundHandlerAdapter {
        @Override
        public void channelRead(ChannelHandlerContext ctx, Object message) {
            ReferenceCountUtil.release(message);
            given++;
            onMessage.run();
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
            faults.add(cause);
            faultAt = now;
            onFault.run();
        }
    }

    boolean isReceiver() {
        return handler instanceof ExactReceiver;
    }

    /** One read. */
    void receive(String bytes) {
        Wire.receive(channel, PipelineProbe.bytes(channel, bytes));
    }

    /** Time goes by, and timers run when they are due. */
    void pass(Duration time) {
        long end = now + time.toNanos();
        for (; ; ) {
            long next = channel.runScheduledPendingTasks();
            if (next == NO_TIMER || next > end - now) {
                break;
            }
            advance(Math.max(next, 1));
        }
        advance(end - now);
        channel.runScheduledPendingTasks();
    }

    void passMillis(long millis) {
        pass(Duration.ofMillis(millis));
    }

    /** Time goes by at once, as for an event loop that was busy. */
    void jump(Duration time) {
        advance(time.toNanos());
        channel.runScheduledPendingTasks();
    }

    private void advance(long nanos) {
        channel.advanceTimeBy(nanos, NANOSECONDS);
        now += nanos;
    }

    boolean hasTimer() {
        return channel.runScheduledPendingTasks() != NO_TIMER;
    }

    FrameTimeoutException timeout() {
        assertThat(faults).singleElement().isExactlyInstanceOf(FrameTimeoutException.class);
        return (FrameTimeoutException) faults.get(0);
    }

    void assertInTime() {
        assertThat(faults).isEmpty();
    }

    /** It has ended: bytes are released, receives have failed, no timer is left. */
    void assertEnded() {
        ByteBuf late = PipelineProbe.bytes(channel, WIRE);
        int before = given;
        Wire.receive(channel, late);
        assertThat(late.refCnt()).isZero();
        assertThat(given).isEqualTo(before);
        if (handler instanceof ExactFrameDecoder decoder) {
            assertThat(decoder.hasEnded()).isTrue();
        } else if (handler instanceof FrameStreamDecoder decoder) {
            assertThat(decoder.hasEnded()).isTrue();
        } else {
            assertThat(receives).allMatch(Future::isDone);
        }
        assertThat(hasTimer()).isFalse();
    }
}
