package io.exactframe.netty.testing;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandler.Sharable;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.util.ReferenceCountUtil;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;

/**
 * The handler behind a decoder: writes down what reaches it, does what the test wants done while the n-th message is
 * being handled, and releases the message only then. Bytes are written down as they are, all else in brackets.
 */
@Sharable
public final class Probe extends ChannelInboundHandlerAdapter {
    public interface Action {
        void run(ChannelHandlerContext ctx) throws Exception;
    }

    public final CountDownLatch inactive = new CountDownLatch(1);
    public final List<Throwable> exceptions = new CopyOnWriteArrayList<>();
    private final List<String> log = new ArrayList<>();
    private final Map<Object, Action> actions = new HashMap<>();
    private final Semaphore exceptionsCaught = new Semaphore(0);
    private int reads;

    /** The n-th message, from 1 on. */
    public Probe onRead(int nth, Action action) {
        actions.put(nth, action);
        return this;
    }

    public Probe onReadComplete(Action action) {
        actions.put("complete", action);
        return this;
    }

    public Probe onEvent(Action action) {
        actions.put("event", action);
        return this;
    }

    public Probe onException(Action action) {
        actions.put("exception", action);
        return this;
    }

    public synchronized List<String> log() {
        return List.copyOf(log);
    }

    /** What was written down since the last call. */
    public synchronized List<String> drain() {
        List<String> drained = List.copyOf(log);
        log.clear();
        return drained;
    }

    public void awaitException(int count) throws InterruptedException {
        assertThat(exceptionsCaught.tryAcquire(count, 30, TimeUnit.SECONDS)).isTrue();
    }

    public synchronized void note(String line) {
        log.add(line);
    }

    private void run(Object key, ChannelHandlerContext ctx) throws Exception {
        Action action = actions.get(key);
        if (action != null) {
            action.run(ctx);
        }
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) throws Exception {
        String text = message instanceof ByteBuf bytes ? bytes.toString(ISO_8859_1) : "[message " + message + "]";
        note(text);
        try {
            run(++reads, ctx);
            if (message instanceof ByteBuf bytes && !bytes.toString(ISO_8859_1).equals(text)) {
                note("[changed to " + bytes.toString(ISO_8859_1) + "]");
            }
        } finally {
            ReferenceCountUtil.release(message);
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
        inactive.countDown();
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) throws Exception {
        exceptions.add(cause);
        exceptionsCaught.release();
        note("[" + cause.getClass().getSimpleName() + ": " + cause.getMessage() + "]");
        run("exception", ctx);
    }

    public static ByteBuf bytes(Channel channel, String text) {
        return channel.alloc().buffer(Math.max(text.length(), 1)).writeBytes(text.getBytes(ISO_8859_1));
    }

    /** One read of a channel: the bytes and channelReadComplete. */
    public static void receive(EmbeddedChannel channel, String text) {
        channel.writeInbound(bytes(channel, text));
    }

    /** Bytes as if they came from the socket, in the middle of whatever goes on. */
    public static void reenter(ChannelHandlerContext ctx, String text) {
        ctx.pipeline().fireChannelRead(bytes(ctx.channel(), text));
    }
}
