package io.exactframe.examples.filetransfer;

import io.exactframe.netty.ExactReceiver;
import io.exactframe.netty.LengthPrefix;
import io.exactframe.netty.LengthPrefixedEncoder;
import io.exactframe.netty.PrematureCloseException;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.handler.codec.CorruptedFrameException;
import io.netty.handler.codec.TooLongFrameException;
import io.netty.handler.timeout.IdleStateEvent;
import io.netty.handler.timeout.IdleStateHandler;
import io.netty.util.concurrent.Future;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.WritableByteChannel;
import java.time.Duration;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/**
 * One TCP connection: frames and pieces of files go out, exactly what is asked for comes in.
 *
 * <pre>
 *   socket --&gt; ExactReceiver --&gt; receive, receiveBytes, receiveTo
 *   socket &lt;-- LengthPrefixedEncoder &lt;-- send
 *          ^-- sendBytes: what is in no frame
 * </pre>
 *
 * The event loop moves bytes and nothing else. Whoever calls waits in a thread of his own, which is where files are
 * read and written; a receive that is not made keeps the peer waiting, and a peer that does not read keeps the thread
 * waiting, so that nothing piles up at either end. Nobody waits for ever: see {@link Limits}.
 */
final class Connection implements AutoCloseable {
    private static final LengthPrefix PREFIX = LengthPrefix.uint16();
    private static final LengthPrefixedEncoder ENCODER = new LengthPrefixedEncoder(PREFIX);

    /** Bytes that may wait for the socket; more would only take memory. */
    private static final WriteBufferWaterMark WRITES_AHEAD = new WriteBufferWaterMark(1 << 20, 2 << 20);

    private final ExactReceiver receiver = new ExactReceiver();
    private final Object room = new Object(); // notified when there may be some, or never will
    private final AtomicInteger writes = new AtomicInteger();
    private final Channel channel;
    private final ChannelHandlerContext belowEncoder; // what is written here gets no length
    private final Duration patience;
    private final Future<?> greeting;
    private Future<ByteBuf> next; // the frame that has been asked for
    private Future<?> busy;
    private volatile boolean stalled;
    private final AtomicLong activity = new AtomicLong();

    /** Equips a channel that has just been made; if it is to be encrypted, that is done already. */
    Connection(Channel channel, Duration patience) {
        this.channel = channel;
        this.patience = patience;
        channel.config().setWriteBufferWaterMark(WRITES_AHEAD);
        channel.pipeline().addLast(new IdleStateHandler(true, 0, patience.toMillis(), 0, TimeUnit.MILLISECONDS));
        channel.pipeline().addLast(ENCODER, receiver, new Watch());
        belowEncoder = channel.pipeline().context(ENCODER);
        greeting = channel.eventLoop().schedule(() -> channel.close(), Limits.GREETING.toMillis(), TimeUnit.MILLISECONDS);
    }

    /** Closes if what was written is not taken; wakes who waits for room. What else fails is told by the futures. */
    private final class Watch extends ChannelInboundHandlerAdapter {
        @Override
        public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
            if (event instanceof IdleStateEvent && writes.get() > 0) {
                stalled = true;
                ctx.close();
            }
        }

        @Override
        public void channelWritabilityChanged(ChannelHandlerContext ctx) {
            synchronized (room) {
                room.notifyAll();
            }
        }

        @Override
        public void channelInactive(ChannelHandlerContext ctx) {
            channelWritabilityChanged(ctx);
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {}
    }

    /** The other end has greeted: the time for that counts no longer. */
    void greeted() {
        greeting.cancel(false);
    }

    /** Grows with everything but {@code BUSY} that is received, and with all that is taken. */
    long activity() {
        return activity.get();
    }

    /** The next frame; waits no longer than patience allows. {@code BUSY} frames start that anew. */
    Message receive() throws TransferException {
        Message message;
        do {
            message = decode(await(requested()));
        } while (message == null);
        return message;
    }

    /** The next frame if it is here already, else null. */
    Message poll() throws TransferException {
        Message message = null;
        while (message == null && requested().isDone()) {
            message = decode(await(next));
        }
        return message;
    }

    private Future<ByteBuf> requested() {
        if (next == null) {
            next = receiver.receive(PREFIX, Limits.MAX_FRAME_LENGTH);
        }
        return next;
    }

    /** Null for {@code BUSY}. The frame behind is asked for at once, so that it comes meanwhile. */
    private Message decode(ByteBuf frame) throws TransferException {
        next = null;
        Message message;
        try {
            message = Message.decode(frame);
        } finally {
            frame.release();
        }
        if (message instanceof Message.Refused refused) {
            throw TransferException.failed(refused.reason().text);
        } else if (!(message instanceof Message.Piece)) { // behind that come bytes
            requested();
        }
        if (message instanceof Message.Busy) {
            return null;
        }
        activity.incrementAndGet();
        return message;
    }

    /** Exactly so many bytes that are in no frame. */
    byte[] receiveBytes(int size) throws TransferException {
        ByteBuf received = await(receiver.receive(size));
        try {
            byte[] bytes = new byte[size];
            received.readBytes(bytes);
            return bytes;
        } finally {
            received.release();
        }
    }

    /**
     * Exactly so many bytes into a file; this thread writes them while it waits. The file is not to throw: what it
     * cannot write it drops, so that the next frame is found.
     */
    void receiveTo(WritableByteChannel file, int size) throws TransferException {
        BlockingQueue<Runnable> tasks = new LinkedBlockingQueue<>();
        Future<Void> content = receiver.receiveTo(file, size, tasks::add);
        content.addListener(done -> tasks.add(() -> {}));
        try {
            while (!content.isDone()) {
                Runnable write = tasks.poll(patience.toMillis(), TimeUnit.MILLISECONDS);
                if (write != null) {
                    write.run();
                } else if (content.cancel(false)) {
                    throw tooSlow();
                }
            }
        } catch (InterruptedException e) {
            content.cancel(false);
            throw interrupted();
        } finally {
            tasks.forEach(Runnable::run); // handed over and not written, if it was cancelled
        }
        if (!content.isSuccess()) {
            throw ended(content.cause());
        }
    }

    /** Drops so many bytes. */
    void skip(int size) throws TransferException {
        await(receiver.skip(size));
    }

    /** Sends a frame, with what comes next; {@link #flush} if nothing does. If it cannot, the next receive fails too. */
    void send(Message message) {
        ByteBuf frame = channel.alloc().buffer();
        Message.encode(message, frame);
        written(channel.write(frame));
    }

    /** Sends bytes that are in no frame. */
    void sendBytes(ByteBuf bytes) {
        written(belowEncoder.write(bytes));
    }

    void flush() {
        channel.flush();
    }

    /** A buffer for bytes to send. */
    ByteBuf allocate(int capacity) {
        return channel.alloc().directBuffer(capacity);
    }

    /** Waits for most of what was sent to be taken, if it is much; as long as the peer takes something now and then. */
    void awaitRoom() throws TransferException {
        if (channel.isWritable()) {
            return;
        }
        flush();
        synchronized (room) {
            try {
                while (!channel.isWritable() && channel.isActive()) {
                    room.wait();
                }
            } catch (InterruptedException e) {
                throw interrupted();
            }
        }
        if (!channel.isActive()) {
            throw ended(new ClosedChannelException());
        }
    }

    private void written(Future<?> write) {
        writes.incrementAndGet();
        write.addListener(taken -> {
            writes.decrementAndGet();
            activity.incrementAndGet();
        });
    }

    /** From now on the peer is told every few seconds that somebody is here. Not while pieces are sent. */
    void startBusy() {
        long interval = Math.min(Limits.BUSY_INTERVAL.toMillis(), patience.toMillis() / 3);
        busy = channel.eventLoop().scheduleAtFixedRate(
                () -> {
                    send(new Message.Busy());
                    flush();
                },
                interval,
                interval,
                TimeUnit.MILLISECONDS);
    }

    void stopBusy() {
        if (busy != null) {
            busy.cancel(false);
            channel.eventLoop().submit(() -> {}).awaitUninterruptibly(); // one that is being sent
            busy = null;
        }
    }

    /**
     * Says why the transfer ends here, so that it is heard: a close while bytes come in would be a reset, which may
     * overtake what was said. So they are dropped until the peer, who has heard, closes. Nothing is said if it is OK.
     */
    void refuse(Reason reason) {
        if (reason != Reason.OK) {
            send(new Message.Refused(reason));
            flush();
            goodbye();
        }
    }

    /** Waits a little for the peer to close. */
    void goodbye() {
        if (next != null) {
            next.cancel(false);
        }
        receiver.skip(Long.MAX_VALUE).awaitUninterruptibly(Limits.GOODBYE.toMillis());
    }

    <T extends ChannelHandler> T handler(Class<T> type) {
        return channel.pipeline().get(type);
    }

    /** Whether nothing more can be received. */
    boolean isOver() {
        return next != null && next.isDone() && !next.isSuccess();
    }

    /** From any thread: whoever waits here does so no longer. */
    void abort() {
        channel.close();
    }

    @Override
    public void close() {
        greeting.cancel(false);
        stopBusy();
        channel.close().awaitUninterruptibly();
        if (next != null && next.awaitUninterruptibly().isSuccess()) {
            next.getNow().release();
        }
    }

    <V> V await(Future<V> future) throws TransferException {
        try {
            if (!future.await(patience.toMillis()) && future.cancel(false)) {
                next = null;
                throw tooSlow();
            }
        } catch (InterruptedException e) {
            throw interrupted();
        }
        future.awaitUninterruptibly(); // done, or about to be: what could not be cancelled is ours
        if (!future.isSuccess()) {
            next = null;
            throw ended(future.cause());
        }
        return future.getNow();
    }

    private TransferException ended(Throwable cause) {
        if (stalled) {
            return TransferException.lost("the other end took nothing for " + patience.toSeconds() + " s");
        } else if (cause instanceof TooLongFrameException || cause instanceof CorruptedFrameException) {
            return TransferException.notUnderstood("a frame that is too long");
        } else if (cause instanceof PrematureCloseException e && e.receivedBytes() > 0) {
            return TransferException.lost("the connection ended in the middle of something");
        }
        return TransferException.lost("the other end has closed the connection");
    }

    private TransferException tooSlow() {
        return TransferException.lost("nothing came from the other end for " + patience.toSeconds() + " s");
    }

    private static TransferException interrupted() {
        Thread.currentThread().interrupt();
        return TransferException.failed(Reason.INTERRUPTED, "interrupted");
    }
}
