package io.exactframe.netty.benchmark;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.embedded.EmbeddedChannel;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.openjdk.jol.info.ClassLayout;
import org.openjdk.jol.info.GraphLayout;

/**
 * Part {@code idle}: what a decoder holds while nothing comes, in front of frames of 1 KiB.
 *
 * <p>Columns: bytes of heap that a channel with the decoder has more than one without, all that it refers to included
 * (JOL); bytes of buffers that it holds, which are beside the heap in an application.
 */
final class IdleMemory {
    private static final int FRAME = 1024;
    private static final int READ_CAPACITY = 2048; // what a transport begins with
    private static final int SMALL_READ_CAPACITY = 64; // what it gets down to

    private static final List<String> DECODERS =
            List.of("exactFixed", "nettyFixed", "exactPrefixed", "nettyPrefixed", "nettyPrefixedComposite");

    static {
        // JOL would ask for an agent, and give up at lambdas.
        System.setProperty("jol.skipDynamicAttach", "true");
        System.setProperty("jol.magicFieldOffset", "true");
    }

    private final FrameStream stream = new FrameStream(FRAME, 64 * FRAME);

    private IdleMemory() {}

    static void run(Settings settings, Results results) {
        IdleMemory idle = new IdleMemory();
        Table table = new Table(
                "Memory of an idle decoder, bytes", "state", -36, "decoder", -22, "heap", 7, "buffers", 7);
        idle.states().forEach((state, reads) -> {
            for (String name : settings.parameter("decoder", DECODERS)) {
                DecoderKind decoder = DecoderKind.valueOf(name);
                if (settings.isWanted(state)) {
                    idle.measure(state, reads, decoder, table, results);
                }
            }
        });
    }

    /** What has been received, by name. */
    private Map<String, Consumer<EmbeddedChannel>> states() {
        Map<String, Consumer<EmbeddedChannel>> states = new LinkedHashMap<>();
        states.put("new", channel -> {});
        states.put("after 64 frames in one read", channel -> receive(channel, 0, 64 * FRAME, 64 * FRAME));
        states.put("after a frame in three reads", channel -> {
            receive(channel, 0, 500, READ_CAPACITY);
            receive(channel, 500, 500, READ_CAPACITY);
            receive(channel, 1000, 24, READ_CAPACITY);
        });
        states.put("after a frame byte by byte", channel -> receiveSingly(channel, FRAME));
        states.put("2 bytes of a frame", channel -> receive(channel, 0, 2, READ_CAPACITY));
        states.put("1,023 bytes of a frame, one by one", channel -> receiveSingly(channel, FRAME - 1));
        return states;
    }

    private void receiveSingly(EmbeddedChannel channel, int count) {
        for (int i = 0; i < count; i++) {
            receive(channel, i, 1, SMALL_READ_CAPACITY);
        }
    }

    private void receive(EmbeddedChannel channel, int offset, int length, int capacity) {
        ByteBuf read = channel.alloc().ioBuffer(capacity);
        stream.read(offset, read, length);
        channel.pipeline().fireChannelRead(read).fireChannelReadComplete();
    }

    private static final class Nothing extends ChannelInboundHandlerAdapter {}

    private void measure(
            String state, Consumer<EmbeddedChannel> reads, DecoderKind decoder, Table table, Results results) {
        long nothing = ClassLayout.parseClass(Nothing.class).instanceSize();
        long without = sizeWith(Nothing::new, reads)[0] - nothing;
        long[] with = sizeWith(() -> decoder.create(FRAME, Workload.options(false))[0], reads);
        long heap = with[0] - without;
        table.row(state, decoder, heap, with[1]);

        Map<String, Object> row = results.row("idle");
        row.put("state", state);
        row.put("decoder", decoder.name());
        row.put("heapBytes", heap);
        row.put("bufferBytes", with[1]);
        results.put(row);
    }

    /** Bytes of heap that a channel refers to and another like it does not, without the bytes in buffers; and these. */
    private static long[] sizeWith(Supplier<ChannelHandler> handler, Consumer<EmbeddedChannel> reads) {
        CountingAllocator alloc = new CountingAllocator();
        EmbeddedChannel other = channel(new CountingAllocator(), handler.get(), reads);
        EmbeddedChannel channel = channel(alloc, handler.get(), reads);
        long buffers = alloc.live;
        long heap = GraphLayout.parseInstance(other, channel).totalSize()
                - GraphLayout.parseInstance(other).totalSize() - buffers;
        for (EmbeddedChannel each : List.of(other, channel)) {
            each.pipeline().remove("decoder");
            each.finishAndReleaseAll();
        }
        return new long[] {heap, buffers};
    }

    private static EmbeddedChannel channel(
            CountingAllocator alloc, ChannelHandler handler, Consumer<EmbeddedChannel> reads) {
        EmbeddedChannel channel = new EmbeddedChannel();
        channel.config().setAllocator(alloc);
        channel.pipeline().addLast("decoder", handler).addLast("sink", new Sink(FrameConsumer.peek));
        reads.accept(channel);
        channel.checkException();
        return channel;
    }
}
