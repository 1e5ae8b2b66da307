package io.exactframe.netty;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.channel.ChannelHandler;
import io.netty.channel.DefaultMaxMessagesRecvByteBufAllocator;
import io.netty.channel.RecvByteBufAllocator;
import io.netty.channel.embedded.EmbeddedChannel;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * Reads into an embedded channel as Netty's transports do, through the channel's receive handle: at once, as NIO and
 * epoll, or with a buffer that is chosen some time before it is filled, as io_uring.
 */
final class FakeTransport {
    /** The channel's own allocator of receive buffers: each of 64 KiB, up to sixteen in a row. */
    static final class Own extends DefaultMaxMessagesRecvByteBufAllocator {
        static final int SIZE = 64 * 1024;

        int handles;
        int buffers;

        Own() {
            super(16);
        }

        @Override
        public Handle newHandle() {
            handles++;
            return new MaxMessageHandle() {
                @Override
                public int guess() {
                    return SIZE;
                }

                @Override
                public ByteBuf allocate(ByteBufAllocator alloc) {
                    buffers++;
                    return super.allocate(alloc);
                }
            };
        }
    }

    final Own own = new Own();
    final EmbeddedChannel channel;

    /** The bytes that each read asked for. */
    final List<Integer> asked = new ArrayList<>();

    /** Where the last read wrote to. */
    long address;

    private final byte[] stream;
    private int at;
    private ByteBuf inFlight;

    FakeTransport(byte[] stream, ChannelHandler... handlers) {
        this(new EmbeddedChannel(), stream, handlers);
    }

    FakeTransport(EmbeddedChannel channel, byte[] stream, ChannelHandler... handlers) {
        this.channel = channel;
        this.stream = stream;
        channel.config().setRecvByteBufAllocator(own);
        channel.pipeline().addLast(handlers);
    }

    @SuppressWarnings("deprecation")
    RecvByteBufAllocator.Handle handle() {
        return channel.unsafe().recvBufAllocHandle();
    }

    int left() {
        return stream.length - at;
    }

    /** Whether the next buffer comes from elsewhere than the channel's own allocator; it is released again. */
    boolean isLent() {
        int before = own.buffers;
        handle().allocate(channel.alloc()).release();
        return own.buffers == before;
    }

    /** The next bytes of the stream, which come from elsewhere. */
    ByteBuf next(int count) {
        at += count;
        return channel.alloc().buffer(count).writeBytes(stream, at - count, count);
    }

    /** All that is here, which is so much, in one go or several. */
    void readAll(int available) {
        int end = at + available;
        while (at < end) {
            read(end - at);
        }
    }

    /** A read loop, with so many bytes to be had. */
    void read(int available) {
        handle().reset(channel.config());
        int end = at + available;
        do {
            submit();
            if (at == end) {
                completeEmpty(0);
                break;
            }
            complete(end - at);
        } while (handle().continueReading());
        handle().readComplete();
        channel.pipeline().fireChannelReadComplete();
    }

    /** Chooses the buffer of a read. */
    ByteBuf submit() {
        inFlight = handle().allocate(channel.alloc());
        handle().attemptedBytesRead(inFlight.writableBytes());
        asked.add(inFlight.writableBytes());
        return inFlight;
    }

    /** Fills it. */
    void complete(int atMost) {
        ByteBuf read = fill(atMost);
        handle().lastBytesRead(read.readableBytes());
        handle().incMessagesRead(1);
        channel.pipeline().fireChannelRead(read);
    }

    private ByteBuf fill(int atMost) {
        ByteBuf read = inFlight;
        inFlight = null;
        int count = Math.min(Math.min(atMost, left()), read.writableBytes());
        address = read.hasMemoryAddress() ? read.memoryAddress() + read.writerIndex() : 0;
        read.writeBytes(stream, at, count);
        at += count;
        return read;
    }

    /** Nothing was to be had (0), or nothing will ever be (-1). */
    void completeEmpty(int result) {
        handle().lastBytesRead(result);
        inFlight.release();
        inFlight = null;
    }

    /** Fails after so many bytes, which go on. */
    void fail(int after) {
        submit();
        ByteBuf read = fill(after);
        if (read.isReadable()) {
            channel.pipeline().fireChannelRead(read);
        } else {
            read.release();
        }
        handle().readComplete();
        channel.pipeline().fireChannelReadComplete();
        channel.pipeline().fireExceptionCaught(new IOException("Connection reset"));
    }
}
