package io.exactframe.netty.stress;

import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelPromise;
import io.netty.channel.DefaultChannelPromise;
import io.netty.channel.EventLoop;
import io.netty.channel.EventLoopGroup;
import io.netty.util.concurrent.AbstractScheduledEventExecutor;
import io.netty.util.concurrent.DefaultPromise;
import io.netty.util.concurrent.Future;
import io.netty.util.concurrent.MockTicker;
import io.netty.util.concurrent.Promise;
import io.netty.util.concurrent.Ticker;
import java.time.Duration;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;

/**
 * An event loop without a thread of its own: the actor that runs it is its thread for as long. So an actor is the event
 * loop itself and not somebody who wakes one up, which would take longer than all that is tested. What it is given by
 * others it runs before it returns, or the next time. Its clock stands still, except when it is advanced.
 */
final class Loop extends AbstractScheduledEventExecutor implements EventLoop {
    private final Queue<Runnable> tasks = new ConcurrentLinkedQueue<>();
    private volatile Thread thread;
    private final MockTicker time = Ticker.newMockTicker();
    private volatile boolean refuses;
    private final Promise<Void> terminated;

    Loop() {
        this(null);
    }

    /** One that may end. What waits for that is then told on the other, in GlobalEventExecutor's place. */
    Loop(Loop global) {
        terminated = global == null ? null : new DefaultPromise<>(global);
    }

    /** As the event loop: does something, and then what there is to do. Whether there was anything to do then. */
    boolean run(Runnable first) {
        thread = Thread.currentThread();
        first.run();
        boolean any = runTasks();
        thread = null;
        return any;
    }

    /** As the event loop: does what there is to do. Whether there was anything, which others may add until its end. */
    boolean run() {
        return run(() -> {});
    }

    private boolean runTasks() {
        boolean any = false;
        for (Runnable task; (task = tasks.poll()) != null; ) {
            any = true;
            try {
                task.run();
            } catch (RejectedExecutionException another) {
                // Netty's pipeline hands on to an executor that has ended; an event loop would log it.
            }
        }
        return any;
    }

    void advance(Duration by) {
        time.advance(by.toNanos(), TimeUnit.NANOSECONDS);
        fetchFromScheduledTaskQueue(tasks);
    }

    /** As the event loop: ends as Netty's do. Its channel is closed, what was accepted is run, and nothing more is. */
    void end(Line its) {
        run(its::closes);
        refuse();
        run();
        terminated.setSuccess(null);
    }

    /** Accepts nothing any more. */
    void refuse() {
        refuses = true;
    }

    @Override
    public void execute(Runnable task) {
        tasks.add(task);
        if (refuses && tasks.remove(task)) {
            throw new RejectedExecutionException("the event loop has ended");
        }
    }

    @Override
    public boolean inEventLoop(Thread thread) {
        return this.thread == thread;
    }

    @Override
    public Ticker ticker() {
        return time;
    }

    @Override
    public EventLoopGroup parent() {
        return this;
    }

    @Override
    public EventLoop next() {
        return this;
    }

    @Override
    public ChannelFuture register(Channel channel) {
        return register(new DefaultChannelPromise(channel, this));
    }

    @Override
    public ChannelFuture register(ChannelPromise promise) {
        promise.channel().unsafe().register(this, promise);
        return promise;
    }

    @Override
    @Deprecated
    public ChannelFuture register(Channel channel, ChannelPromise promise) {
        return register(promise);
    }

    @Override
    public boolean isShuttingDown() {
        return refuses;
    }

    @Override
    public boolean isShutdown() {
        return refuses;
    }

    @Override
    public boolean isTerminated() {
        return terminated != null && terminated.isDone();
    }

    @Override
    public boolean awaitTermination(long timeout, TimeUnit unit) {
        return isTerminated();
    }

    @Override
    public Future<?> shutdownGracefully(long quietPeriod, long timeout, TimeUnit unit) {
        throw new UnsupportedOperationException();
    }

    @Override
    public Future<?> terminationFuture() {
        return terminated;
    }

    @Override
    @Deprecated
    public void shutdown() {
        throw new UnsupportedOperationException();
    }
}
