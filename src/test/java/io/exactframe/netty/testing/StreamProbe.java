package io.exactframe.netty.testing;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import io.exactframe.netty.FrameChunk;
import io.exactframe.netty.FrameStart;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.channel.ChannelHandler.Sharable;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.util.ReferenceCountUtil;
import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;

/**
 * The handler behind a stream decoder: writes down what reaches it, does what the test wants done at the n-th message,
 * releases, puts whole frames together, and objects to whatever breaks the rules of a stream.
 *
 * <pre>
 *   start 6/4 "\0\4"    a frame of 6 bytes with 4 of payload, its header
 *   ab@0   cd@2 last    chunks
 *   raw xyz             bytes
 *   [complete]          everything else
 * </pre>
 */
@Sharable
public final class StreamProbe extends ChannelInboundHandlerAdapter {
    public final List<Throwable> faults = new ArrayList<>();

    /** Header and payload of each frame that came to its end. */
    public final List<byte[]> frames = new ArrayList<>();

    public final CountDownLatch inactive = new CountDownLatch(1);
    private final List<String> log = new ArrayList<>();
    private final Map<Object, Probe.Action> actions = new HashMap<>();
    private final ByteArrayOutputStream begun = new ByteArrayOutputStream();
    private FrameStart start; // of the frame that has no end yet
    private long at;
    private int messages;
    private int left; // of the read: what a chunk may have at most
    private boolean checksReads;

    /** The n-th message, from 1 on. */
    public StreamProbe on(int nth, Probe.Action action) {
        actions.put(nth, action);
        return this;
    }

    public StreamProbe on(String event, Probe.Action action) {
        actions.put(event, action);
        return this;
    }

    public List<String> log() {
        return List.copyOf(log);
    }

    /** What was written down since the last call. */
    public List<String> drain() {
        List<String> drained = log();
        log.clear();
        return drained;
    }

    public void note(String line) {
        log.add(line);
    }

    /** Whether a frame was begun that has come to no end, good or bad. */
    public boolean isInFrame() {
        return start != null;
    }

    private void run(Object key, ChannelHandlerContext ctx) throws Exception {
        Probe.Action action = actions.get(key);
        if (action != null) {
            action.run(ctx);
        }
    }

    private void rule(boolean kept, String rule, Object message) {
        if (!kept) {
            note("[broken: " + rule + ", by " + message + "]");
            faults.add(new AssertionError(rule));
        }
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) throws Exception {
        int number = ++messages;
        try {
            if (message instanceof FrameStart begins) {
                start(begins);
            } else if (message instanceof FrameChunk chunk) {
                chunk(chunk);
            } else if (message instanceof ByteBuf bytes) {
                note("raw " + bytes.toString(ISO_8859_1));
            } else {
                note("[message " + message + "]");
            }
            run(number, ctx);
        } finally {
            ReferenceCountUtil.release(message);
        }
    }

    private void start(FrameStart begins) {
        ByteBuf header = begins.header();
        note("start " + begins.frameLength() + "/" + begins.payloadLength() + " " + header.toString(ISO_8859_1));
        rule(start == null, "a frame is ended before the next begins", begins);
        rule(begins.frameLength() >= header.readableBytes() + begins.payloadLength(), "lengths add up", begins);
        start = begins;
        at = 0;
        begun.reset();
        begun.writeBytes(ByteBufUtil.getBytes(header));
    }

    private void chunk(FrameChunk chunk) {
        ByteBuf bytes = chunk.content();
        int length = bytes.readableBytes();
        note(bytes.toString(ISO_8859_1) + "@" + chunk.offset() + (chunk.isLast() ? " last" : ""));
        rule(start != null, "a chunk is part of a frame that was begun", chunk);
        rule(chunk.offset() == at, "chunks follow one another", chunk);
        rule(length > 0 || chunk.isLast(), "only the last chunk is empty", chunk);
        rule(bytes.readerIndex() == 0, "a chunk begins at reader index 0", chunk);
        rule(!checksReads || length <= left, "a chunk is no larger than its read", chunk);
        at += length;
        left -= length;
        begun.writeBytes(ByteBufUtil.getBytes(bytes));
        if (chunk.isLast() && start != null) {
            rule(at == start.payloadLength(), "the last chunk ends the payload", chunk);
            start = null;
            frames.add(begun.toByteArray());
        }
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext ctx) throws Exception {
        note("[complete]");
        run("complete", ctx);
    }

    @Override
    public void userEventTriggered(ChannelHandlerContext ctx, Object event) throws Exception {
        note("[event " + event.getClass().getSimpleName() + "]");
        run("event", ctx);
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
        note("[inactive]");
        rule(start == null, "a frame is ended, well or not, before the channel is inactive", start);
        inactive.countDown();
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) throws Exception {
        faults.add(cause);
        note("[" + cause.getClass().getSimpleName() + ": " + cause.getMessage() + "]");
        if (!(cause instanceof IllegalStateException)) { // what a test throws
            start = null;
        }
        run("exception", ctx);
    }

    /** One read of a channel. Not writeInbound, which throws what was fired. */
    public void receive(EmbeddedChannel channel, String text) {
        receive(channel, Probe.bytes(channel, text));
    }

    public void receive(EmbeddedChannel channel, ByteBuf read) {
        checksReads = true;
        left = read.readableBytes();
        Wire.receive(channel, read);
        checksReads = false;
    }

    public void receive(EmbeddedChannel channel, byte[] stream, int from, int to) {
        receive(channel, channel.alloc().buffer(Math.max(to - from, 1)).writeBytes(stream, from, to - from));
    }
}
