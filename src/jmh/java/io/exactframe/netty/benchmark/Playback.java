package io.exactframe.netty.benchmark;

import io.exactframe.netty.ReceiveOptions;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.channel.ChannelPipeline;
import io.netty.channel.embedded.EmbeddedChannel;

/**
 * Plays a workload to a decoder, without a socket: every read is a new buffer into which the bytes are copied, as a
 * transport does. The first invocation's contents are checked.
 */
final class Playback {
    final Sink sink;
    final EmbeddedChannel channel = new EmbeddedChannel();
    private final Workload workload;
    private final DecoderKind kind;
    private final ByteBufAllocator alloc;
    private final FrameStream stream;

    Playback(Workload workload, DecoderKind kind, ReceiveOptions options, ByteBufAllocator alloc, FrameConsumer consumer) {
        this.workload = workload;
        this.kind = kind;
        this.alloc = alloc;
        stream = new FrameStream(workload.frameLength(), workload.readLength());
        channel.config().setAllocator(alloc);
        sink = new Sink(consumer);
        channel.pipeline()
                .addLast(kind.create(workload.frameLength(), options))
                .addLast(sink);
        sink.expect(stream, kind.stripped());
        receive();
        sink.expect(null, 0);
        checkCounts();
    }

    /** All reads of the workload. */
    long receive() {
        ChannelPipeline pipeline = channel.pipeline();
        int frameLength = workload.frameLength();
        int length = workload.readLength();
        int capacity = workload.readCapacity();
        int readsPerComplete = workload.readsPerComplete();
        int offset = 0;
        int reads = 0;
        for (long left = workload.bytes(); left > 0; left -= length) {
            ByteBuf read = alloc.ioBuffer(capacity);
            stream.read(offset, read, length);
            offset += length;
            if (offset >= frameLength) {
                offset %= frameLength;
            }
            pipeline.fireChannelRead(read);
            if (++reads == readsPerComplete) {
                reads = 0;
                pipeline.fireChannelReadComplete();
            }
        }
        return sink.result();
    }

    /** Whatever was measured: so many frames of this length have come, and nothing is wrong. */
    void checkCounts() {
        channel.checkException();
        int length = kind.decodes() ? workload.frameLength() : workload.readLength();
        long perInvocation = workload.bytes() / length;
        if (sink.messages == 0
                || sink.messages % perInvocation != 0
                || sink.bytes != sink.messages * (length - kind.stripped())) {
            throw new IllegalStateException(sink.messages + " messages, " + sink.bytes + " bytes");
        }
    }

    void close() {
        channel.finishAndReleaseAll();
        stream.release();
    }
}
