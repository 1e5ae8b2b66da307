package io.exactframe.netty.testing;

import static java.util.concurrent.TimeUnit.NANOSECONDS;
import static org.assertj.core.api.Assertions.assertThat;

import io.exactframe.netty.ExactFrameDecoder;
import io.exactframe.netty.ExactReceiver;
import io.exactframe.netty.FixedLengthExactDecoder;
import io.exactframe.netty.FrameStreamDecoder;
import io.exactframe.netty.FrameTimeoutException;
import io.exactframe.netty.LengthPrefix;
import io.exactframe.netty.LengthPrefixedExactDecoder;
import io.exactframe.netty.ReceiveOptions;
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
public final class TimedChannel {
    public static final Duration SECOND = Duration.ofSeconds(1);
    public static final int FRAME = 10;
    public static final String WIRE = TimedHandler.wire(FRAME);
    private static final long NO_TIMER = -1;
    private static final int RECEIVES = 50;

    public final EmbeddedChannel channel = new EmbeddedChannel();
    public final ChannelHandler handler;
    public final TimedHandler kind;
    public final List<Throwable> faults = new ArrayList<>();

    /** What was asked of a receiver; empty for a decoder. */
    public final List<Future<?>> receives = new ArrayList<>();

    /** What a decoder gave, and what was received of what was asked. */
    public int given;

    /** Done with each message. */
    public Runnable onMessage = () -> {};

    public Runnable onFault = () -> {};

    /** Nanoseconds that went by. */
    public long now;

    /** When the last of the faults was fired. */
    public long faultAt;

    public TimedChannel(TimedHandler kind, ReceiveOptions options) {
        this(kind, FRAME, options);
    }

    public TimedChannel(TimedHandler kind, int frameLength, ReceiveOptions options) {
        this(kind, frameLength, kind.create(frameLength, options));
    }

    public TimedChannel(TimedHandler kind, int frameLength, ChannelHandler handler) {
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

    public boolean isReceiver() {
        return handler instanceof ExactReceiver;
    }

    /** One read. */
    public void receive(String bytes) {
        Wire.receive(channel, Probe.bytes(channel, bytes));
    }

    /** Time goes by, and timers run when they are due. */
    public void pass(Duration time) {
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

    public void passMillis(long millis) {
        pass(Duration.ofMillis(millis));
    }

    /** Time goes by at once, as for an event loop that was busy. */
    public void jump(Duration time) {
        advance(time.toNanos());
        channel.runScheduledPendingTasks();
    }

    private void advance(long nanos) {
        channel.advanceTimeBy(nanos, NANOSECONDS);
        now += nanos;
    }

    public boolean hasTimer() {
        return channel.runScheduledPendingTasks() != NO_TIMER;
    }

    public FrameTimeoutException timeout() {
        assertThat(faults).singleElement().isExactlyInstanceOf(FrameTimeoutException.class);
        return (FrameTimeoutException) faults.get(0);
    }

    public void assertInTime() {
        assertThat(faults).isEmpty();
    }

    /** It has ended: bytes are released, receives have failed, no timer is left. */
    public void assertEnded() {
        ByteBuf late = Probe.bytes(channel, WIRE);
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

    /** All that can be told how long a frame may take. Every frame is a length in two bytes, and so many bytes of payload. */
    public enum TimedHandler {
        FIXED(0) {
            @Override
            public ChannelHandler create(int frameLength, ReceiveOptions options) {
                return new FixedLengthExactDecoder(frameLength, options);
            }
        },

        PREFIXED(2) {
            @Override
            public ChannelHandler create(int frameLength, ReceiveOptions options) {
                return new LengthPrefixedExactDecoder(frameLength, LengthPrefix.uint16(), options);
            }
        },

        OWN_CODEC(2) {
            @Override
            public ChannelHandler create(int frameLength, ReceiveOptions options) {
                return new ExactFrameDecoder(2, 2, frameLength, options) {
                    @Override
                    protected long frameLength(ByteBuf header) {
                        return 2 + header.readUnsignedShort();
                    }
                };
            }
        },

        STREAM(2) {
            @Override
            public ChannelHandler create(int frameLength, ReceiveOptions options) {
                return new FrameStreamDecoder(frameLength, LengthPrefix.uint16(), options);
            }
        },

        RECEIVE(0) {
            @Override
            public Future<?> receive(ExactReceiver receiver, int frameLength) {
                return receiver.receive(frameLength);
            }
        },

        RECEIVE_OR_END(0) {
            @Override
            public Future<?> receive(ExactReceiver receiver, int frameLength) {
                return receiver.receiveOrEnd(frameLength);
            }
        },

        RECEIVE_PREFIXED(2) {
            @Override
            public Future<?> receive(ExactReceiver receiver, int frameLength) {
                return receiver.receive(LengthPrefix.uint16(), frameLength);
            }
        },

        RECEIVE_TO(0) {
            @Override
            public Future<?> receive(ExactReceiver receiver, int frameLength) {
                return receiver.receiveTo(new ByteSink(), frameLength, Runnable::run);
            }
        },

        SKIP(0) {
            @Override
            public Future<?> receive(ExactReceiver receiver, int frameLength) {
                return receiver.skip(frameLength);
            }
        };

        /** Bytes of the header that the exceptions tell of. */
        public final int headerLength;

        TimedHandler(int headerLength) {
            this.headerLength = headerLength;
        }

        /** A handler for frames of this length. */
        public ChannelHandler create(int frameLength, ReceiveOptions options) {
            return new ExactReceiver(options);
        }

        /** Asks a receiver for one more frame; null if this is a decoder. */
        public Future<?> receive(ExactReceiver receiver, int frameLength) {
            return null;
        }

        public static String wire(int frameLength) {
            int payload = frameLength - 2;
            return "" + (char) (payload >> 8) + (char) (payload & 0xff) + "x".repeat(payload);
        }

        public static void release(Future<?> received) {
            if (received.isSuccess()) {
                ReferenceCountUtil.release(received.getNow());
            }
        }
    }
}
