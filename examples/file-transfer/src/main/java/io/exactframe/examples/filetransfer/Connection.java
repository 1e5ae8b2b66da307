package io.exactframe.examples.filetransfer;

import io.exactframe.netty.ExactReceiver;
import io.exactframe.netty.LengthPrefix;
import io.exactframe.netty.PrematureCloseException;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.codec.CorruptedFrameException;
import io.netty.handler.codec.TooLongFrameException;
import io.netty.handler.timeout.IdleStateEvent;
import io.netty.handler.timeout.IdleStateHandler;
import io.netty.util.ReferenceCountUtil;
import io.netty.util.concurrent.Future;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.time.Duration;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/**
 * One TCP connection: frames and pieces of files go out, exactly what is asked for comes in.
 *
 * <pre>
 *   socket --&gt; ExactReceiver --&gt; ReadAhead --&gt; receive, receiveTo, skip
 *   socket &lt;-- a batch &lt;-- send, sendPiece
 * </pre>
 *
 * The event loop moves bytes and nothing else. Whoever calls waits in a thread of his own, which is where files are
 * read and written; a receive that is not made keeps the peer waiting, and a peer that does not read keeps the thread
 * waiting, so that nothing piles up at either end. Since to wake the other thread costs more than a small file, what is
 * small crosses over in batches, both ways. Nobody waits for ever: see {@link Limits}.
 */
final class Connection implements AutoCloseable {
    private static final LengthPrefix PREFIX = LengthPrefix.uint16();

    /** KiB of pieces that may wait for the socket; more would only take memory. */
    private static final int WRITES_AHEAD = 4096;

    /** Bytes of frames and small pieces that go out together. */
    private static final int BATCH = 128 * 1024;

    private final ExactReceiver receiver = new ExactReceiver();
    private final ReadAhead ahead = new ReadAhead(receiver, PREFIX);
    private ReadAhead.Received last;
    private ByteBuf batch; // guarded by this, as is its cost
    private int batchCost;
    private final Semaphore room = new Semaphore(WRITES_AHEAD);
    private final AtomicInteger writes = new AtomicInteger();
    private final Channel channel;
    private final Duration patience;
    private final Future<?> greeting;
    private Future<?> busy;
    private volatile boolean stalled;
    private final AtomicLong activity = new AtomicLong();

    /** Equips a channel that has just been made; if it is to be encrypted, that is done already. */
    Connection(Channel channel, Duration patience) {
        this.channel = channel;
        this.patience = patience;
        channel.pipeline().addLast(new IdleStateHandler(true, 0, patience.toMillis(), 0, TimeUnit.MILLISECONDS));
        channel.pipeline().addLast(receiver, new Watch());
        greeting = channel.eventLoop().schedule(() -> channel.close(), Limits.GREETING.toMillis(), TimeUnit.MILLISECONDS);
    }

    /** Closes if what was written is not taken. What else fails is told by the futures. */
    private final class Watch extends ChannelInboundHandlerAdapter {
        @Override
        public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
            if (event instanceof IdleStateEvent && writes.get() > 0) {
                stalled = true;
                ctx.close();
            }
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {}
    }

    /** The other end has greeted: the time for that counts no longer. */
    void greeted() {
        greeting.cancel(false);
    }

    /** Grows with everything but {@code BUSY} that is received, and with every piece that is taken. */
    long activity() {
        return activity.get();
    }

    /** The next frame; waits no longer than patience allows. {@code BUSY} frames start that anew. */
    Message receive() throws TransferException {
        for (; ; ) {
            Message message = take(patience.toMillis());
            if (message == null) {
                throw tooSlow();
            } else if (!(message instanceof Message.Busy)) {
                return message;
            }
        }
    }

    /** The next frame if it is here already, else null. */
    Message poll() throws TransferException {
        Message message = take(0);
        return message instanceof Message.Busy ? null : message;
    }

    private Message take(long millis) throws TransferException {
        try {
            ReadAhead.Received next = ahead.take(millis);
            if (next == null) {
                return null;
            } else if (next.failure() != null) {
                throw ended(next.failure());
            }
            last = next;
        } catch (InterruptedException e) {
            throw interrupted();
        }
        if (last.message() instanceof Message.Refused refused) {
            throw TransferException.failed(refused.reason().text);
        } else if (!(last.message() instanceof Message.Busy)) {
            activity.incrementAndGet();
        }
        return last.message();
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
     * The bytes of the piece that was received last into a file; this thread writes them while it waits. What the file
     * cannot write it drops, so that the next frame is found.
     */
    void receiveTo(PartFile file, int size) throws TransferException {
        if (last.content() != null) {
            ByteBuf piece = await(last.content());
            last = null;
            for (ByteBuffer bytes = piece.nioBuffer(); bytes.hasRemaining(); ) {
                file.write(bytes);
            }
            piece.release();
            return;
        }
        BlockingQueue<Runnable> tasks = new LinkedBlockingQueue<>();
        Future<Void> written = receiver.receiveTo(file, size, tasks::add);
        written.addListener(done -> tasks.add(() -> {}));
        try {
            while (!written.isDone()) {
                Runnable write = tasks.poll(patience.toMillis(), TimeUnit.MILLISECONDS);
                if (write != null) {
                    write.run();
                } else if (written.cancel(false)) {
                    throw tooSlow();
                }
            }
        } catch (InterruptedException e) {
            written.cancel(false);
            throw interrupted();
        } finally {
            tasks.forEach(Runnable::run); // handed over and not written, if it was cancelled
        }
        if (!written.isSuccess()) {
            throw ended(written.cause());
        }
        ahead.goOn();
    }

    /** Drops the bytes of the piece that was received last. */
    void skip(int size) throws TransferException {
        if (last.content() != null) {
            await(last.content()).release();
            last = null;
        } else {
            await(receiver.skip(size));
            ahead.goOn();
        }
    }

    /** Sends a frame, with what comes next; {@link #flush} if nothing does. If it cannot, the next receive fails too. */
    synchronized void send(Message message) {
        ByteBuf out = batch();
        int start = out.writerIndex();
        PREFIX.writeLength(out, 0);
        Message.encode(message, out);
        out.setShort(start, out.writerIndex() - start - Short.BYTES);
        if (out.readableBytes() >= BATCH) {
            flush();
        }
    }

    private ByteBuf batch() {
        if (batch == null) {
            batch = channel.alloc().buffer(BATCH / 8);
        }
        return batch;
    }

    synchronized void flush() {
        if (batch != null) {
            write(batch, batchCost);
            batch = null;
            batchCost = 0;
        }
    }

    private void write(ByteBuf bytes, int cost) {
        writes.incrementAndGet();
        channel.writeAndFlush(bytes).addListener(taken -> {
            writes.decrementAndGet();
            activity.addAndGet(cost);
            room.release(cost);
        });
    }

    /** Sends bytes that are in no frame. */
    synchronized void sendBytes(byte[] bytes) {
        batch().writeBytes(bytes);
    }

    /** A buffer for a piece to send. */
    ByteBuf allocate(int capacity) {
        return channel.alloc().directBuffer(capacity);
    }

    /** Sends a piece of a file. Waits for room, as long as the peer takes something now and then. */
    void sendPiece(ByteBuf bytes) throws TransferException {
        int length = bytes.readableBytes();
        int cost = 1 + length / 1024;
        try {
            if (!room.tryAcquire(cost)) {
                flush();
                room.acquire(cost);
            }
        } catch (InterruptedException e) {
            bytes.release();
            throw interrupted();
        }
        synchronized (this) {
            send(new Message.Piece(length));
            if (length <= Limits.SMALL_PIECE_LENGTH) {
                batch().writeBytes(bytes);
                bytes.release();
                batchCost += cost;
            } else {
                flush();
                write(bytes, cost);
            }
        }
        if (!channel.isActive()) {
            throw ended(new ClosedChannelException());
        }
    }

    /** From now on the peer is told every few seconds that somebody is here. */
    void startBusy() {
        long interval = Math.min(Limits.BUSY_INTERVAL.toMillis(), patience.toMillis() / 3);
        Runnable tell = () -> {
            send(new Message.Busy());
            flush();
        };
        busy = channel.eventLoop().scheduleAtFixedRate(tell, interval, interval, TimeUnit.MILLISECONDS);
    }

    void stopBusy() {
        if (busy != null) {
            busy.cancel(false);
        }
    }

    /**
     * Says why the transfer ends here, so that it is heard: a close while bytes come in would be a reset, which may
     * overtake what was said. So they are dropped until the peer, who has heard, closes.
     */
    void refuse(Reason reason) {
        send(new Message.Refused(reason));
        flush();
        goodbye();
    }

    /** Waits a little for the peer to close. */
    void goodbye() {
        receiver.skip(Long.MAX_VALUE).awaitUninterruptibly(Limits.GOODBYE.toMillis());
    }

    <T extends ChannelHandler> T handler(Class<T> type) {
        return channel.pipeline().get(type);
    }

    /** Whether there is nothing more to receive, but why. */
    boolean isOver() {
        return ahead.isOver();
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
        ahead.close();
        if (last != null) {
            last.release();
        }
        synchronized (this) {
            ReferenceCountUtil.release(batch);
            batch = null;
        }
    }

    <V> V await(Future<V> future) throws TransferException {
        try {
            if (!future.await(patience.toMillis()) && future.cancel(false)) {
                throw tooSlow();
            }
        } catch (InterruptedException e) {
            throw interrupted();
        }
        future.awaitUninterruptibly(); // done, or about to be: what could not be cancelled is ours
        if (!future.isSuccess()) {
            throw ended(future.cause());
        }
        return future.getNow();
    }

    private TransferException ended(Throwable cause) {
        if (cause instanceof TransferException e) {
            return e;
        } else if (stalled) {
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
