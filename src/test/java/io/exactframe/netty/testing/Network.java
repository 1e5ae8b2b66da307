package io.exactframe.netty.testing;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandler;
import io.netty.channel.embedded.EmbeddedChannel;
import java.util.ArrayList;
import java.util.List;

/** A channel whose memory is counted: that of its reads, which frames may pin, apart from that of the handler. */
public final class Network {
    public final CountingAllocator reads = new CountingAllocator();
    public final CountingAllocator handlers = new CountingAllocator();
    public final EmbeddedChannel channel;
    private final List<ByteBuf> roots = new ArrayList<>();

    public Network(ChannelHandler handler, Sink sink) {
        channel = Wire.channel(handler, sink);
        channel.config().setAllocator(handlers);
    }

    /** A read of so many zeros, or of these bytes, in a buffer of such a capacity. */
    public void receive(byte[] bytes, int from, int count, int capacity) {
        ByteBuf root = reads.buffer(capacity, capacity).writeBytes(bytes, from, count);
        if (roots.size() > 100) {
            roots.removeIf(read -> read.refCnt() == 0);
        }
        roots.add(root);
        Wire.receive(channel, root);
    }

    /** Reads that share a root. */
    public void receiveInSlices(byte[] bytes, int from, int count, int size) {
        ByteBuf root = reads.buffer(count, count).writeBytes(bytes, from, count);
        roots.add(root);
        while (root.isReadable()) {
            Wire.receive(channel, root.readRetainedSlice(Math.min(size, root.readableBytes())));
        }
        root.release();
    }

    public int pinnedReads() {
        return (int) roots.stream().filter(read -> read.refCnt() != 0).count();
    }

    /** What is kept alive between two reads. */
    public long held() {
        return reads.live + handlers.live;
    }

    public void assertNothingHeld() {
        assertThat(reads.live).isZero();
        assertThat(handlers.live).isZero();
    }
}
