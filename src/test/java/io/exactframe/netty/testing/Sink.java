package io.exactframe.netty.testing;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntPredicate;

/**
 * The end of a test's pipeline. Keeps every exception (an EmbeddedChannel keeps the first only), and of each frame its
 * bytes in hex; the frame is released, once.
 */
public class Sink extends ChannelInboundHandlerAdapter {
    public final List<String> frames = new ArrayList<>();
    public final List<Throwable> faults = new ArrayList<>();
    public int inactive;

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) throws Exception {
        ByteBuf frame = (ByteBuf) message;
        if (frame.readerIndex() != 0) {
            faults.add(new AssertionError("frame begins at reader index " + frame.readerIndex()));
        }
        frames.add(Wire.hexAndRelease(frame));
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        faults.add(cause);
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
        inactive++;
    }

    /** A sink that keeps some of its frames, as they are, and releases the others. */
    public static final class Keeper extends Sink {
        public final List<ByteBuf> kept = new ArrayList<>();
        private final IntPredicate keeps; // the frame's number
        public int count;

        public Keeper(IntPredicate keeps) {
            this.keeps = keeps;
        }

        public static Keeper ofAll() {
            return new Keeper(number -> true);
        }

        @Override
        public void channelRead(ChannelHandlerContext ctx, Object message) {
            ByteBuf frame = (ByteBuf) message;
            if (keeps.test(count++)) {
                kept.add(frame);
            } else {
                frame.release();
            }
        }

        public void releaseAll() {
            kept.forEach(ByteBuf::release);
            kept.clear();
        }
    }
}
