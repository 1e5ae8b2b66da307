package io.exactframe.netty.benchmark;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;

/**
 * The consumer: looks at one byte of each frame, or reads all of them, counts and releases. The compiler is told not to
 * inline its channelRead: seeing both ends of a frame's life it would remove the frame, which no real pipeline lets it
 * do.
 */
final class Sink extends ChannelInboundHandlerAdapter {
    static final String DONT_INLINE =
            "-XX:CompileCommand=dontinline,io.exactframe.netty.benchmark.Sink::channelRead";

    long messages;
    long bytes;
    boolean readThrough;
    private long sum;

    // While the contents are checked.
    private FrameStream expected;
    private int stripped;
    private long position;

    private long mark = Long.MAX_VALUE;
    private Runnable atMark;

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
        if (readThrough) {
            while (frame.isReadable()) {
                sum += frame.readByte();
            }
        } else {
            sum += frame.getByte(frame.readerIndex());
        }
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
