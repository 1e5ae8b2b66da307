package io.exactframe.netty.benchmark;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;

/**
 * Where frames end: each is read as its {@link FrameConsumer} does, counted and released. The compiler is told not to inline
 * channelRead: seeing both ends of a frame's life it would remove the frame, which no real pipeline lets it do.
 */
final class Sink extends ChannelInboundHandlerAdapter {
    static final String DONT_INLINE =
            "-XX:CompileCommand=dontinline,io.exactframe.netty.benchmark.Sink::channelRead";

    long messages;
    long bytes;
    private final FrameConsumer consumer;
    private long sum;

    // While the contents are checked.
    private FrameStream expected;
    private int stripped;
    private long position;

    private long mark = Long.MAX_VALUE;
    private Runnable atMark;

    Sink(FrameConsumer consumer) {
        this.consumer = consumer;
    }

    /** Calls once, when so many bytes have come. */
    void callAt(long bytes, Runnable call) {
        mark = bytes;
        atMark = call;
    }

    /** Compares all that comes, until told otherwise with null. */
    void expect(FrameStream expected, int stripped) {
        this.expected = expected;
        this.stripped = stripped;
        position = 0;
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
        ByteBuf frame = (ByteBuf) message;
        if (expected != null) {
            expected.check(frame, position + stripped);
            position += stripped + frame.readableBytes();
        }
        messages++;
        bytes += frame.readableBytes();
        sum += consumer.read(frame);
        frame.release();
        if (bytes >= mark) {
            mark = Long.MAX_VALUE;
            atMark.run();
        }
    }

    long result() {
        return sum;
    }
}
