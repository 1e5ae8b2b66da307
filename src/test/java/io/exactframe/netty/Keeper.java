package io.exactframe.netty;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntPredicate;

/** A sink that keeps some of its frames, as they are, and releases the others. */
final class Keeper extends Sink {
    final List<ByteBuf> kept = new ArrayList<>();
    private final IntPredicate keeps; // the frame's number
    int count;

    Keeper(IntPredicate keeps) {
        this.keeps = keeps;
    }

    static Keeper ofAll() {
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

    void releaseAll() {
        kept.forEach(ByteBuf::release);
        kept.clear();
    }
}
