package io.exactframe.netty.soak;

import static io.exactframe.netty.soak.Verdict.check;
import static io.exactframe.netty.soak.Verdict.memory;
import static io.exactframe.netty.soak.Verdict.wrong;

import io.exactframe.netty.ExactReceiver;
import io.exactframe.netty.FrameChunk;
import io.exactframe.netty.FrameStart;
import io.exactframe.netty.FrameStreamDecoder;
import io.exactframe.netty.LengthPrefix;
import io.exactframe.netty.LengthPrefixedExactDecoder;
import io.exactframe.netty.PrematureCloseException;
import io.exactframe.netty.ReceiveBudget;
import io.exactframe.netty.ReceiveOptions;
import io.netty.bootstrap.Bootstrap;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.channel.socket.DuplexChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.util.ReferenceCountUtil;
import io.netty.util.concurrent.Future;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Connections that come and go for as long as one likes: random frames in random pieces, pauses of both sides, ends at a
 * boundary and inside a frame, by FIN, half-closure, RST and by the reader. Each is planned from a seed, and when it is over
 * its reader must have seen what was planned: every frame, byte for byte, and how much came of the last. At the end no
 * memory is left over, and no more is used than at the beginning.
 */
public final class Soak {
    private enum End { BOUNDARY, INSIDE, HALF_CLOSED, RESET, READER_CLOSES }

    private static final LengthPrefix PREFIX = LengthPrefix.uint32();
    private static final int HEADER = 4;
    private static final int HELLO = 8; // the first frame's payload: which plan
    private static final int LARGEST = 300_000;

    private static final Map<Long, Plan> PLANS = new ConcurrentHashMap<>();
    private static final Map<End, AtomicLong> ENDS = new ConcurrentHashMap<>();
    private static final AtomicLong FRAMES = new AtomicLong();
    private static final AtomicLong BYTES = new AtomicLong();
    private static final AtomicLong DONE = new AtomicLong();
    private static final AtomicInteger OPEN = new AtomicInteger();
    private static final AtomicInteger CLIENTS = new AtomicInteger();
    private static final AtomicBoolean STOPPING = new AtomicBoolean();
    private static final AtomicLong NEXT = new AtomicLong();
    private static final Standstill STANDSTILL = new Standstill();
    private static volatile boolean resets = true;

    private Soak() {}

    /** What a connection does: from its number and the seed. */
    private record Plan(long number, int kind, int[] frames, int cut, End end, long seed) {
        static Plan of(long number, long seed) {
            Random random = new Random(seed * 1_000_003 + number);
            int[] frames = new int[1 + random.nextInt(12)];
            for (int i = 0; i < frames.length; i++) {
                int shape = random.nextInt(20);
                frames[i] = shape == 0 ? random.nextInt(LARGEST) : shape < 5 ? random.nextInt(20_000) : random.nextInt(600);
            }
            End drawn = End.values()[random.nextInt(End.values().length)];
            End end = drawn == End.RESET && !resets ? End.INSIDE : drawn;
            int last = HEADER + frames[frames.length - 1];
            boolean inside = end != End.BOUNDARY && end != End.READER_CLOSES;
            return new Plan(number, random.nextInt(4), frames, inside ? random.nextInt(last) : last, end, random.nextLong());
        }

        long whole() { // frames behind the first
            return cut == HEADER + frames[frames.length - 1] ? frames.length : frames.length - 1;
        }

        int partial() {
            return whole() == frames.length ? 0 : cut;
        }

        byte at(int frame, long offset) {
            return (byte) (number * 7 + frame * 31L + offset);
        }

        /** All that is sent of it: the hello, then the frames, the last up to its cut. */
        ByteBuf wire(Channel channel) {
            int size = HEADER + HELLO;
            for (int each : frames) {
                size += HEADER + each;
            }
            byte[] all = new byte[size];
            ByteBuffer out = ByteBuffer.wrap(all).putInt(HELLO).putLong(number);
            int last = 0;
            for (int i = 0; i < frames.length; i++) {
                last = out.position();
                out.putInt(frames[i]);
                for (int j = 0; j < frames[i]; j++) {
                    out.put(at(i, j));
                }
            }
            return channel.alloc().buffer(last + cut).writeBytes(all, 0, last + cut);
        }
    }

    /** Reads a connection, in one of four ways, and knows at its end whether all was as planned. */
    private static final class Reader extends ChannelInboundHandlerAdapter {
        private final int kind;
        private final Random random = new Random();
        private final ExactReceiver receiver;
        private Plan plan;
        private int seen = -1; // frames, the hello not counted
        private long offset; // in a frame that comes in chunks
        private long length;
        private ByteBuf hello;
        private PrematureCloseException premature;
        private boolean failed;
        private boolean closed;

        Reader(int kind, ExactReceiver receiver) {
            this.kind = kind;
            this.receiver = receiver;
        }

        @Override
        public void channelActive(ChannelHandlerContext ctx) {
            if (receiver != null) {
                receiveNext(ctx);
            } else if (!ctx.channel().config().isAutoRead()) {
                ctx.read();
            }
        }

        private void receiveNext(ChannelHandlerContext ctx) {
            receiver.receive(PREFIX, LARGEST + HEADER).addListener((Future<? super ByteBuf> future) -> {
                if (future.isSuccess()) {
                    frame(ctx, (ByteBuf) future.getNow());
                    if (random.nextInt(50) == 0) {
                        ctx.executor().schedule(() -> receiveNext(ctx), random.nextInt(20), TimeUnit.MILLISECONDS);
                    } else {
                        receiveNext(ctx);
                    }
                } else {
                    boolean isPart = future.cause() instanceof PrematureCloseException close && close.receivedBytes() > 0;
                    premature = isPart ? (PrematureCloseException) future.cause() : null;
                    failed |= future.cause() instanceof IOException;
                    finish(ctx);
                    ctx.close();
                }
            });
        }

        @Override
        public void channelRead(ChannelHandlerContext ctx, Object message) {
            check(!closed, "a message behind a close", plan);
            if (message instanceof FrameStart start) {
                length = start.payloadLength();
                offset = 0;
                hello = seen < 0 ? ctx.alloc().buffer(HELLO) : null;
            } else if (message instanceof FrameChunk chunk) {
                chunk(ctx, chunk);
            } else {
                frame(ctx, (ByteBuf) message);
            }
            if (kind == 0 && random.nextInt(50) == 0 && !closed) {
                ctx.channel().config().setAutoRead(false);
                ctx.executor().schedule(
                        () -> ctx.channel().config().setAutoRead(true), random.nextInt(20), TimeUnit.MILLISECONDS);
            } else if (!ctx.channel().config().isAutoRead() && kind != 0) {
                if (random.nextInt(50) == 0) {
                    ctx.executor().schedule(ctx::read, random.nextInt(20), TimeUnit.MILLISECONDS);
                } else {
                    ctx.read();
                }
            }
        }

        private void chunk(ChannelHandlerContext ctx, FrameChunk chunk) {
            STANDSTILL.moved(this);
            ByteBuf bytes = chunk.content();
            check(chunk.offset() == offset, "offset", plan);
            if (hello != null) {
                hello.writeBytes(bytes, bytes.readerIndex(), bytes.readableBytes());
            } else {
                compare(bytes, seen, offset);
            }
            offset += bytes.readableBytes();
            BYTES.addAndGet(bytes.readableBytes());
            chunk.release();
            if (chunk.isLast()) {
                check(offset == length, "length of a frame in chunks", plan);
                if (hello != null) {
                    plan = PLANS.get(hello.readLong());
                    hello.release();
                    hello = null;
                }
                next(ctx, (int) length);
            }
        }

        private void frame(ChannelHandlerContext ctx, ByteBuf frame) {
            STANDSTILL.moved(this);
            int size = frame.readableBytes();
            BYTES.addAndGet(size);
            if (seen < 0) {
                plan = PLANS.get(frame.getLong(0));
            } else {
                compare(frame, seen, 0);
            }
            frame.release();
            next(ctx, size);
        }

        private void next(ChannelHandlerContext ctx, int size) {
            if (seen >= 0) {
                check(seen < plan.frames.length && plan.frames[seen] == size, "another length", plan);
                FRAMES.incrementAndGet();
            }
            seen++;
            if (plan != null && plan.end == End.READER_CLOSES && seen == plan.frames.length) {
                closed = true;
                ctx.close();
            }
        }

        private void compare(ByteBuf bytes, int frame, long from) {
            byte[] copy = new byte[bytes.readableBytes()]; // the leak detector notes each access to the buffer
            bytes.getBytes(bytes.readerIndex(), copy);
            for (int i = 0; i < copy.length; i++) {
                if (copy[i] != plan.at(frame, from + i)) {
                    wrong("other bytes, " + plan);
                    return;
                }
            }
        }

        @Override
        public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
            if (event instanceof ChannelInputShutdownEvent) {
                ctx.close();
            }
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
            if (cause instanceof PrematureCloseException close) {
                check(premature == null || receiver != null, "told twice", plan);
                premature = close;
            } else if (cause instanceof IOException) {
                failed = true;
            } else {
                if (Verdict.isGood()) {
                    cause.printStackTrace(System.out);
                }
                wrong("reader " + kind + ", " + cause + ", " + plan);
            }
        }

        @Override
        public void channelInactive(ChannelHandlerContext ctx) {
            if (receiver == null) { // what a receiver has may be asked for after the end
                finish(ctx);
            }
        }

        private void finish(ChannelHandlerContext ctx) {
            ReferenceCountUtil.release(hello);
            OPEN.decrementAndGet();
            STANDSTILL.ends(this);
            if (plan == null) {
                check(failed, "ended without its first frame", ctx.channel());
                return;
            }
            PLANS.remove(plan.number);
            boolean mayLose = plan.end == End.RESET; // what the kernel had and nobody had read
            check(mayLose ? seen <= plan.whole() : seen == plan.whole(), "reader " + kind + ", frames " + seen, plan);
            long partial = premature == null ? 0 : premature.receivedBytes();
            check(mayLose || partial == plan.partial(), partial + " bytes of the last", plan);
            check(premature == null || !premature.closedLocally(), "the reader's own close", plan);
            ENDS.computeIfAbsent(plan.end, key -> new AtomicLong()).incrementAndGet();
            DONE.incrementAndGet();
        }
    }

    private static void addReader(Channel channel, ReceiveBudget budget) {
        OPEN.incrementAndGet();
        int kind = new Random().nextInt(5);
        ReceiveOptions timed = ReceiveOptions.defaults().frameDeadline(Duration.ofMinutes(5));
        ExactReceiver receiver = kind == 4 ? new ExactReceiver() : null;
        channel.pipeline().addLast(switch (kind) {
            case 0 -> new LengthPrefixedExactDecoder(LARGEST + HEADER, PREFIX, timed.budget(budget));
            case 1 -> new LengthPrefixedExactDecoder(LARGEST + HEADER, PREFIX, timed.onDemand().contiguous());
            case 2 -> new FrameStreamDecoder(LARGEST + HEADER, PREFIX, timed);
            case 3 -> new FrameStreamDecoder(LARGEST + HEADER, PREFIX, timed.onDemand());
            default -> receiver;
        });
        if (kind == 1 || kind == 3) {
            channel.config().setAutoRead(false);
        }
        Reader reader = new Reader(kind, receiver);
        STANDSTILL.begins(reader);
        channel.pipeline().addLast(reader);
    }

    /** Sends what is planned in pieces, and ends as is planned; then the next connection comes. */
    private static final class Sender extends ChannelInboundHandlerAdapter {
        private final Plan plan;
        private final Random random;
        private ByteBuf wire;

        Sender(Plan plan) {
            this.plan = plan;
            this.random = new Random(plan.seed);
        }

        @Override
        public void channelActive(ChannelHandlerContext ctx) {
            wire = plan.wire(ctx.channel());
            send(ctx);
        }

        private void send(ChannelHandlerContext ctx) {
            if (wire == null) {
                return;
            }
            if (!wire.isReadable()) {
                end(ctx);
                return;
            }
            int most = random.nextInt(4) == 0 ? 10 : 40_000;
            ByteBuf piece = wire.readRetainedSlice(Math.min(1 + random.nextInt(most), wire.readableBytes()));
            ctx.writeAndFlush(piece).addListener(written -> {
                if (random.nextInt(20) == 0) {
                    ctx.executor().schedule(() -> send(ctx), random.nextInt(30), TimeUnit.MILLISECONDS);
                } else {
                    send(ctx);
                }
            });
        }

        private void end(ChannelHandlerContext ctx) {
            switch (plan.end) {
                case HALF_CLOSED -> ((DuplexChannel) ctx.channel()).shutdownOutput();
                case RESET -> {
                    ctx.channel().config().setOption(ChannelOption.SO_LINGER, 0);
                    ctx.close();
                }
                case READER_CLOSES -> {}
                default -> ctx.close();
            }
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
            ctx.close();
        }

        @Override
        public void handlerRemoved(ChannelHandlerContext ctx) {
            ReferenceCountUtil.release(wire);
            wire = null;
        }
    }

    private static void connect(Bootstrap client, SocketAddress server, long seed) {
        if (STOPPING.get()) {
            return;
        }
        CLIENTS.incrementAndGet();
        Plan plan = Plan.of(NEXT.getAndIncrement(), seed);
        PLANS.put(plan.number, plan);
        client.clone().handler(new ChannelInitializer<Channel>() {
            @Override
            protected void initChannel(Channel channel) {
                channel.pipeline().addLast(new Sender(plan));
            }
        }).connect(server).addListener((io.netty.channel.ChannelFuture connected) -> {
            if (!connected.isSuccess()) {
                wrong("cannot connect: " + connected.cause());
            }
            connected.channel().closeFuture().addListener(over -> {
                CLIENTS.decrementAndGet();
                connect(client, server, seed);
            });
        });
    }

    private static void report(String when, long[] memory) {
        System.out.printf("%s: %d connections done, %d open, %d frames, %d MiB, ends %s, %s%n",
                when, DONE.get(), OPEN.get(), FRAMES.get(), BYTES.get() >> 20, ENDS, Verdict.figures(memory));
    }

    /** Arguments: nio, epoll or io_uring; minutes (60); connections at a time (1000); seed. */
    public static void main(String[] args) throws Exception {
        String transport = args.length > 0 ? args[0] : "nio";
        double minutes = args.length > 1 ? Double.parseDouble(args[1]) : 60;
        int connections = args.length > 2 ? Integer.parseInt(args[2]) : 1000;
        long seed = args.length > 3 ? Long.parseLong(args[3]) : System.nanoTime();
        System.out.println(transport + ", " + minutes + " minutes, " + connections + " connections at a time, seed " + seed);
        Verdict.countLeaks();
        Transport sockets = Transport.of(transport);
        resets = sockets.tellsOfResets();
        EventLoopGroup group = new MultiThreadIoEventLoopGroup(2, sockets.io());
        EventLoopGroup peers = new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
        ReceiveBudget budget = new ReceiveBudget(4L << 20);
        Channel server = new ServerBootstrap()
                .group(group)
                .channel(sockets.type())
                .option(ChannelOption.SO_BACKLOG, 4096)
                .childOption(ChannelOption.ALLOW_HALF_CLOSURE, true)
                .childHandler(new ChannelInitializer<Channel>() {
                    @Override
                    protected void initChannel(Channel channel) {
                        addReader(channel, budget);
                    }
                })
                .bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
                .sync()
                .channel();
        Bootstrap client = new Bootstrap().group(peers).channel(NioSocketChannel.class);
        SocketAddress address = server.localAddress();
        for (int i = 0; i < connections; i++) {
            connect(client, address, seed);
        }
        long start = System.nanoTime();
        long total = (long) (minutes * 60e9);
        long[] first = null;
        int port = ((InetSocketAddress) address).getPort();
        for (int tenth = 1; tenth <= 10; tenth++) {
            if (!STANDSTILL.sleepUntil(start + total * tenth / 10, port, budget)) {
                report("standstill", memory());
                Verdict.pronounce(false);
            }
            long[] now = memory();
            first = tenth == 5 ? now : first; // by then all has been as large as it gets
            report(tenth * 10 + " %", now);
        }
        long[] last = memory();
        STOPPING.set(true);
        for (int i = 0; i < 1200 && OPEN.get() + CLIENTS.get() > 0; i++) {
            TimeUnit.MILLISECONDS.sleep(100);
        }
        check(OPEN.get() == 0, "connections that never end", OPEN.get());
        check(budget.used() == 0 && budget.waiting() == 0, "something is left in the budget", budget);
        Verdict.checkGrowth(first, last);
        server.close().sync();
        peers.shutdownGracefully(0, 5, TimeUnit.SECONDS).sync();
        group.shutdownGracefully(0, 5, TimeUnit.SECONDS).sync();
        report("end", memory());
        Verdict.pronounce(DONE.get() > 0);
    }
}
