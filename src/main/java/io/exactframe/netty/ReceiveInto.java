package io.exactframe.netty;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.ChannelConfig;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandler;
import io.netty.channel.RecvByteBufAllocator;
import io.netty.util.UncheckedBooleanSupplier;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Lets the transport receive into a contiguous frame: the kernel writes where the bytes will stay.
 *
 * <pre>
 *   received of a large frame     the transport reads into
 *   half, so its memory is there  the free end of that memory
 *   less than half                a buffer of its own, as large as what is received allows
 *   nothing, after another such   a buffer of its own, as large as its last read
 *   anything else                 what the channel's own allocator gives
 * </pre>
 *
 * This is a channel's receive handle, in front of the one that its RecvByteBufAllocator makes. A channel makes its
 * handle at the first read and keeps it, so one that has read already goes on as before. At each read the decoder must
 * be the first to see what comes, and the channel's allocator the one that was found; otherwise this only passes on.
 * What was lent is an ordinary buffer to anybody but the assembler, with a reference of its own: a transport may
 * release it unread, fire it late, or never.
 */
@SuppressWarnings("deprecation") // RecvByteBufAllocator.Handle is, and is what ExtendedHandle extends
final class ReceiveInto implements RecvByteBufAllocator, RecvByteBufAllocator.ExtendedHandle {
    /** The most that is received into frames in one go, a fair share: 16 reads of 64 KiB are Netty's own. */
    private static final int MOST = 1024 * 1024;

    /** The most that is read at once where a frame may begin: it may be followed by small ones, which pin it. */
    private static final int MOST_BETWEEN = 256 * 1024;

    /** A peer that sends so much at once may send more. For one that trickles no large buffers are made. */
    private static final int LARGE = 64 * 1024;

    private final ChannelHandlerContext ctx;
    private final FrameAssembler assembler;
    private final RecvByteBufAllocator found;
    private @Nullable Handle passOn;
    private boolean into; // whether the last read was one of a large frame's
    private int received; // by such reads, since the reset

    private ReceiveInto(ChannelHandlerContext ctx, FrameAssembler assembler, RecvByteBufAllocator found) {
        this.ctx = ctx;
        this.assembler = assembler;
        this.found = found;
    }

    /** Without effect if the channel has its handle. Its configuration is as before. */
    static void install(ChannelHandlerContext ctx, FrameAssembler assembler) {
        Channel channel = ctx.channel();
        if (!assembler.isContiguous() || !channel.eventLoop().inEventLoop()) {
            return;
        }
        ChannelConfig config = channel.config();
        RecvByteBufAllocator found = config.getRecvByteBufAllocator();
        RecvByteBufAllocator into = new ReceiveInto(ctx, assembler, found);
        config.setRecvByteBufAllocator(into);
        try {
            channel.unsafe().recvBufAllocHandle();
        } finally {
            if (config.getRecvByteBufAllocator() == into) {
                config.setRecvByteBufAllocator(found);
            }
        }
    }

    /** This, for the moment of its installation. */
    @Override
    public Handle newHandle() {
        return this;
    }

    @Override
    public ByteBuf allocate(ByteBufAllocator alloc) {
        boolean inFrame = assembler.isInLargePiece();
        boolean betweenFrames = into && !inFrame;
        into = inFrame && comesToUsFirst();
        int size = 0;
        if (into) {
            ByteBuf end = assembler.lend(MOST);
            if (end != null) {
                return end;
            }
            if (lastBytesRead() >= LARGE) {
                size = Math.min(assembler.worthReading(), MOST);
            }
        } else if (betweenFrames && comesToUsFirst()) {
            size = Math.min(lastBytesRead(), MOST_BETWEEN);
        }
        return size > guess() ? alloc.ioBuffer(size) : passOn().allocate(alloc);
    }

    private boolean comesToUsFirst() {
        if (!ctx.executor().inEventLoop() || ctx.channel().config().getRecvByteBufAllocator() != found) {
            return false;
        }
        if (ctx.pipeline().firstContext() == ctx) {
            return true;
        }
        for (Map.Entry<String, ChannelHandler> each : ctx.pipeline()) {
            if (each.getValue() == ctx.handler()) {
                return true;
            }
            if (each.getValue() instanceof ChannelInboundHandler) {
                return false;
            }
        }
        return false;
    }

    /** Made at the first read, as a channel does, from the allocator that is set by then. */
    private Handle passOn() {
        Handle handle = passOn;
        if (handle == null) {
            RecvByteBufAllocator set = ctx.channel().config().getRecvByteBufAllocator();
            passOn = handle = (set == this ? found : set).newHandle(); // some channels reset a handle that they make
        }
        return handle;
    }

    @Override
    public void reset(ChannelConfig config) {
        received = 0;
        passOn().reset(config);
    }

    @Override
    public void lastBytesRead(int bytes) {
        if (into && bytes > 0) {
            received += bytes;
        }
        passOn().lastBytesRead(bytes);
    }

    @Override
    public boolean continueReading() {
        return received < MOST && passOn().continueReading();
    }

    @Override
    public boolean continueReading(UncheckedBooleanSupplier maybeMoreData) {
        if (passOn() instanceof ExtendedHandle handle) {
            return received < MOST && handle.continueReading(maybeMoreData);
        }
        return continueReading();
    }

    @Override
    public int guess() {
        return passOn().guess();
    }

    @Override
    public void incMessagesRead(int messages) {
        passOn().incMessagesRead(messages);
    }

    @Override
    public int lastBytesRead() {
        return passOn().lastBytesRead();
    }

    @Override
    public void attemptedBytesRead(int bytes) {
        passOn().attemptedBytesRead(bytes);
    }

    @Override
    public int attemptedBytesRead() {
        return passOn().attemptedBytesRead();
    }

    @Override
    public void readComplete() {
        passOn().readComplete();
    }
}
