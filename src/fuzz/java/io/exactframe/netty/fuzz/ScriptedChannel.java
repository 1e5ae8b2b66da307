package io.exactframe.netty.fuzz;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.CompositeByteBuf;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.netty.channel.ChannelConfig;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.DefaultChannelConfig;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * A channel that reads as NIO does: what the peer sent waits until there is interest in it, which read() and auto-read
 * make, and the end is found by a read. All that is done to it is done inside one read of an embedded channel, whose
 * tasks wait until that is over, as on a real event loop.
 */
final class ScriptedChannel extends EmbeddedChannel {
    /** The peer resets the connection. */
    static final class Reset extends IOException {
        private static final long serialVersionUID = 1;

        Reset() {
            super("Connection reset");
        }
    }

    final Wire wire = new Wire();
    final UnpooledByteBufAllocator reads = new UnpooledByteBufAllocator(false, true, true);
    final UnpooledByteBufAllocator handlers = new UnpooledByteBufAllocator(false, true, true);

    /** Read buffers that somebody else has a reference to as well, until the end of the life. */
    final List<ByteBuf> shared = new ArrayList<>();

    boolean interest;
    private boolean readPending;
    private ChannelConfig config; // made when it is asked for first, which is before this constructor
    boolean peerEnded;
    boolean endRead;
    boolean wasReset;
    Throwable unexpected;

    ScriptedChannel() {
        config().setAllocator(handlers);
        pipeline().addLast(new ChannelInboundHandlerAdapter() {
            @Override
            public void channelRead(ChannelHandlerContext ctx, Object message) {
                if (message instanceof Runnable action) {
                    try {
                        action.run();
                    } catch (Throwable t) {
                        unexpected = unexpected == null ? t : unexpected;
                    }
                } else {
                    ctx.fireChannelRead(message);
                }
            }
        });
    }

    @Override
    public ChannelConfig config() {
        if (config == null) {
            config = new DefaultChannelConfig(this) {
                @Override
                protected void autoReadCleared() {
                    interest = false;
                    readPending = false;
                }
            };
        }
        return config;
    }

    @Override
    protected void doBeginRead() {
        interest = true;
        readPending = true;
    }

    boolean isAutoRead() {
        return config().isAutoRead();
    }

    /** Does something on the event loop, then what follows from it. */
    void run(Runnable action) {
        if (isOpen()) {
            writeOneInbound(action);
        } else {
            action.run();
        }
        runPendingTasks();
        if (unexpected != null) {
            throw new AssertionError("thrown by an action: " + unexpected, unexpected);
        }
    }

    /** A read of at most so many buffers of at most so many bytes; without auto-read it is one. */
    void poll(int buffers, int size, int kind, boolean halfCloses) {
        if (!interest || !isOpen() || endRead) {
            return;
        }
        if (wire.unread() > 0) {
            for (int i = 0; i < buffers && wire.unread() > 0 && isOpen(); i++) {
                readPending = false;
                pipeline().fireChannelRead(nextBuffer(size, kind));
                if (!isAutoRead()) {
                    break;
                }
            }
            pipeline().fireChannelReadComplete();
            if (!readPending && !isAutoRead()) {
                interest = false;
            }
        } else if (peerEnded) {
            end(halfCloses);
        }
    }

    private void end(boolean halfCloses) {
        endRead = true;
        interest = false;
        if (halfCloses) {
            pipeline().fireUserEventTriggered(ChannelInputShutdownEvent.INSTANCE);
        } else {
            unsafe().close(newPromise());
        }
    }

    /**
     * The peer resets; what had come before is read first, if a transport does so, whatever auto-read is. Not in a hundred
     * thousand buffers, which takes seconds and says no more than a thousand.
     */
    void reset(boolean drains, int size) {
        if (!isOpen() || endRead) {
            return;
        }
        if (drains) {
            int most = Math.max(size, wire.unread() / 1000);
            while (wire.unread() > 0 && isOpen()) {
                pipeline().fireChannelRead(nextBuffer(most, 0));
            }
        }
        if (isOpen()) {
            endRead = true;
            interest = false;
            pipeline().fireChannelReadComplete();
            if (isOpen()) {
                wasReset = true;
                pipeline().fireExceptionCaught(new Reset());
                unsafe().close(newPromise());
            }
        }
    }

    /** The next bytes from the kernel, in a buffer of a kind. */
    ByteBuf nextBuffer(int size, int kind) {
        int count = Math.min(Math.max(size, 1), wire.unread());
        int from = wire.read;
        wire.read += count;
        switch (kind) {
            case 1: { // in a large buffer, not at its start
                return reads.heapBuffer(count + 5000).writeZero(3).skipBytes(3).writeBytes(wire.bytes, from, count);
            }
            case 2: {
                int half = count / 2;
                CompositeByteBuf both = reads.compositeHeapBuffer();
                both.addComponent(true, reads.heapBuffer(Math.max(half, 1)).writeBytes(wire.bytes, from, half));
                both.addComponent(true, reads.heapBuffer(count).writeBytes(wire.bytes, from + half, count - half));
                return both;
            }
            case 3: {
                ByteBuf whole = reads.heapBuffer(count + 9).writeZero(4).writeBytes(wire.bytes, from, count).writeZero(5);
                ByteBuf slice = whole.retainedSlice(4, count);
                whole.release();
                return slice;
            }
            case 4: {
                ByteBuf other = reads.heapBuffer(count).writeBytes(wire.bytes, from, count);
                shared.add(other.retain());
                return other;
            }
            case 5:
                return reads.directBuffer(count).writeBytes(wire.bytes, from, count);
            case 6:
                return reads.heapBuffer(count).writeBytes(wire.bytes, from, count).asReadOnly();
            default:
                return reads.heapBuffer(count).writeBytes(wire.bytes, from, count);
        }
    }

    /** Bytes of memory that the reads and the handlers hold. */
    long held() {
        return held(reads) + held(handlers);
    }

    private static long held(UnpooledByteBufAllocator allocator) {
        return allocator.metric().usedHeapMemory() + allocator.metric().usedDirectMemory();
    }
}
