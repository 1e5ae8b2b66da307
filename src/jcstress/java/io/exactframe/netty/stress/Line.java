package io.exactframe.netty.stress;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import io.exactframe.netty.PrematureCloseException;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.netty.channel.AbstractChannel;
import io.netty.channel.ChannelConfig;
import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelId;
import io.netty.channel.ChannelMetadata;
import io.netty.channel.ChannelOutboundBuffer;
import io.netty.channel.ChannelPromise;
import io.netty.channel.DefaultChannelConfig;
import io.netty.channel.DefaultChannelId;
import io.netty.channel.EventLoop;
import io.netty.util.concurrent.Future;
import java.net.SocketAddress;
import java.util.Queue;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ConcurrentLinkedQueue;

/**
 * A channel on a {@link Loop}, which reads as NIO does: what the peer has sent waits until there is interest in it. All
 * buffers are counted; what comes out behind the handlers is noted, and frames are released there.
 */
final class Line extends AbstractChannel {
    private static final ChannelId ID = DefaultChannelId.newInstance(); // to make one takes longer than all the rest
    private static final byte[] SOME = "x".repeat(10_000).getBytes(ISO_8859_1);
    private static final ChannelMetadata METADATA = new ChannelMetadata(false);

    private final UnpooledByteBufAllocator alloc = new UnpooledByteBufAllocator(false, true, true);
    private final ChannelConfig config = new DefaultChannelConfig(this) {
        @Override
        protected void autoReadCleared() {
            interest = false;
        }
    };
    private final Queue<ByteBuf> wire = new ConcurrentLinkedQueue<>();
    private volatile boolean interest;
    private volatile boolean open = true;
    private final boolean active;
    private final StringBuilder behind = new StringBuilder();
    final Loop loop;

    /** What comes behind the handlers; of large frames their length. */
    private final class Notes extends ChannelDuplexHandler {
        @Override
        public void channelRead(ChannelHandlerContext ctx, Object message) {
            note(text((ByteBuf) message));
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
            note(name(cause));
        }

        @Override
        public void channelInactive(ChannelHandlerContext ctx) {
            note("inactive");
        }
    }

    /** An active channel with these handlers in its pipeline. */
    Line(Loop loop, ChannelHandler... handlers) {
        this(loop, true, handlers);
    }

    /** One that is not connected. */
    static Line inactive(Loop loop, ChannelHandler... handlers) {
        return new Line(loop, false, handlers);
    }

    private Line(Loop loop, boolean active, ChannelHandler... handlers) {
        super(null, ID);
        this.loop = loop;
        this.active = active;
        config.setAllocator(alloc);
        loop.run(() -> {
            loop.register(this);
            pipeline().addLast(handlers).addLast(new Notes());
        });
    }

    private void note(String what) {
        behind.append(behind.isEmpty() ? "" : " ").append(what);
    }

    /** What came out behind the handlers. */
    String behind() {
        return behind.toString();
    }

    /** On the loop: the peer sends this. */
    void arrives(String text) {
        arrives(alloc.heapBuffer(64).writeBytes(text.getBytes(ISO_8859_1)));
    }

    /** On the loop: the peer sends so many bytes. */
    void arrives(int count) {
        arrives(some(count));
    }

    /** On the loop: one read gives several buffers of so many bytes, whoever asks for it. */
    void reads(int... counts) {
        for (int count : counts) {
            pipeline().fireChannelRead(some(count));
        }
        pipeline().fireChannelReadComplete();
    }

    private ByteBuf some(int count) {
        return alloc.heapBuffer(count).writeBytes(SOME, 0, count);
    }

    private void arrives(ByteBuf bytes) {
        wire.add(bytes);
        poll();
    }

    private void poll() {
        while (interest && open && !wire.isEmpty()) {
            interest = config.isAutoRead();
            pipeline().fireChannelRead(wire.remove());
            pipeline().fireChannelReadComplete();
        }
    }

    @Override
    protected void doBeginRead() {
        interest = true;
        if (!wire.isEmpty()) {
            eventLoop().execute(this::poll);
        }
    }

    /** On the loop: the transport finds that the peer is gone. */
    void closes() {
        unsafe().close(unsafe().voidPromise());
    }

    /** When all is quiet: closes it, and tells of what is still held, "" if nothing is. */
    String leaks() {
        loop.run(this::closes);
        return alloc.metric().usedHeapMemory() == 0 ? "" : " LEAK";
    }

    /** What became of a future; what it gave is released. */
    static String told(Future<?> future) {
        if (!future.isDone()) {
            return "OPEN";
        }
        Object got = future.getNow();
        return future.cause() != null ? name(future.cause()) : got instanceof ByteBuf bytes ? text(bytes) : "done";
    }

    private static String text(ByteBuf bytes) {
        try {
            return bytes.readableBytes() > 100 ? bytes.readableBytes() + "" : bytes.toString(ISO_8859_1);
        } finally {
            bytes.release();
        }
    }

    private static String name(Throwable cause) {
        if (cause instanceof CancellationException) {
            return "cancelled";
        }
        String name = cause.getClass().getSimpleName().replace("Exception", "");
        return cause instanceof PrematureCloseException part ? name + part.receivedBytes() : name;
    }

    @Override
    protected AbstractUnsafe newUnsafe() {
        return new AbstractUnsafe() {
            @Override
            public void connect(SocketAddress remote, SocketAddress local, ChannelPromise promise) {
                throw new UnsupportedOperationException();
            }
        };
    }

    @Override
    protected boolean isCompatible(EventLoop loop) {
        return true;
    }

    @Override
    protected SocketAddress localAddress0() {
        return null;
    }

    @Override
    protected SocketAddress remoteAddress0() {
        return null;
    }

    @Override
    protected void doBind(SocketAddress localAddress) {}

    @Override
    protected void doDisconnect() {}

    @Override
    protected void doClose() {
        open = false;
        wire.forEach(ByteBuf::release);
        wire.clear();
    }

    @Override
    protected void doWrite(ChannelOutboundBuffer in) {}

    @Override
    public ChannelConfig config() {
        return config;
    }

    @Override
    public boolean isOpen() {
        return open;
    }

    @Override
    public boolean isActive() {
        return open && active;
    }

    @Override
    public ChannelMetadata metadata() {
        return METADATA;
    }
}
