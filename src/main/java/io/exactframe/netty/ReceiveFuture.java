package io.exactframe.netty;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.util.concurrent.DefaultProgressivePromise;
import io.netty.util.concurrent.EventExecutor;
import io.netty.util.concurrent.GlobalEventExecutor;

/** One receive: what was asked, and the promise of it. */
final class ReceiveFuture extends DefaultProgressivePromise<ByteBuf> {
    private static final int PROGRESS_STEP = 64 * 1024;

    final FrameLengthRule rule;
    final int limit;

    /** Whether the end of the stream, before the first byte, is an answer. */
    final boolean orEnd;

    /** Whether it was asked after the end. */
    boolean late;

    private final ExactReceiver receiver;
    private long reported;

    ReceiveFuture(ExactReceiver receiver, FrameLengthRule rule, int limit, boolean orEnd) {
        this.receiver = receiver;
        this.rule = rule;
        this.limit = limit;
        this.orEnd = orEnd;
    }

    void progress(long received, long total) {
        if (received == total || received - reported >= PROGRESS_STEP) {
            reported = received;
            tryProgress(received, total);
        }
    }

    @Override
    public boolean cancel(boolean mayInterruptIfRunning) {
        boolean cancelled = super.cancel(mayInterruptIfRunning);
        if (cancelled) {
            receiver.cancelled();
        }
        return cancelled;
    }

    /** The channel's event loop as it is now: it may change, and at first and in the end there is none. */
    @Override
    protected EventExecutor executor() {
        ChannelHandlerContext ctx = receiver.context;
        return ctx == null || ctx.executor().isShutdown() ? GlobalEventExecutor.INSTANCE : ctx.executor();
    }
}
