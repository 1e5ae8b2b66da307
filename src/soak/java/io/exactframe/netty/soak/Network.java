package io.exactframe.netty.soak;

import static io.exactframe.netty.soak.Verdict.check;
import static io.exactframe.netty.soak.Verdict.wrong;

import io.exactframe.netty.ReceiveBudget;
import io.netty.bootstrap.Bootstrap;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.ServerChannel;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import java.net.InetSocketAddress;
import java.util.HashSet;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.function.BiConsumer;
import java.util.function.Consumer;

/**
 * Connections over a bad link ({@link Link}): packets are lost, late, out of order and doubled, the link goes and comes back,
 * windows are tiny, and the peer ends in each place in each way. {@code src/soak/network.sh} runs it.
 */
public final class Network {
    private static final long HANGS = TimeUnit.SECONDS.toNanos(180);

    private final long seed;
    private final Link link;
    private final Tally tally = new Tally();
    private final ReceiveBudget budget = new ReceiveBudget(1 << 20);
    private final Map<Integer, Journey> byPort = new ConcurrentHashMap<>(); // the client's, as the reader or the proxy sees it
    private final Map<Journey, Channel> readersOf = new ConcurrentHashMap<>();
    private final Set<Journey> underWay = new HashSet<>();
    private final EventLoopGroup peers = new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
    private final EventLoopGroup readers;
    private final ExecutorService disks = Executors.newCachedThreadPool();
    private final int port;
    private final int tinyPort;
    private final int proxyPort;
    private long next;

    private Network(String transportName, long seed) throws Exception {
        this.seed = seed;
        link = new Link(seed); // before Netty looks for the loopback device, which is switched on with it
        Transport transport = Transport.of(transportName);
        readers = new MultiThreadIoEventLoopGroup(2, transport.io());
        Consumer<Channel> reader = channel -> {
            Journey journey = byPort.remove(portOf(channel));
            if (journey == null) { // given up before it was accepted
                channel.close();
                return;
            }
            readersOf.put(journey, channel);
            JourneyReader.add(channel, journey, tally, disks);
        };
        port = listen(server(transport.type(), readers), reader);
        tinyPort = listen(server(transport.type(), readers).option(ChannelOption.SO_RCVBUF, 1024), reader);
        ServerBootstrap proxies = server(NioServerSocketChannel.class, peers)
                .childOption(ChannelOption.AUTO_READ, false)
                .childOption(ChannelOption.ALLOW_HALF_CLOSURE, true);
        proxyPort = listen(proxies, this::goOn);
    }

    private static int portOf(Channel accepted) {
        return ((InetSocketAddress) accepted.remoteAddress()).getPort();
    }

    private static ServerBootstrap server(Class<? extends ServerChannel> type, EventLoopGroup group) {
        return new ServerBootstrap().group(group).channel(type).option(ChannelOption.SO_BACKLOG, 4096);
    }

    private static ChannelHandler initializer(Consumer<Channel> initialize) {
        return new ChannelInitializer<Channel>() {
            @Override
            protected void initChannel(Channel channel) {
                initialize.accept(channel);
            }

            @Override
            public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
                cause.printStackTrace(System.out);
                wrong("a channel that cannot be initialized: " + cause);
                ctx.close();
            }
        };
    }

    private static int listen(ServerBootstrap server, Consumer<Channel> initialize) throws InterruptedException {
        Channel channel = server.childHandler(initializer(initialize)).bind(Link.near()).sync().channel();
        return ((InetSocketAddress) channel.localAddress()).getPort();
    }

    /** Connects from a port that is known before the other side sees it. */
    private void connect(Journey journey, int to, boolean isProxy, ChannelHandler handler, BiConsumer<Boolean, Channel> then) {
        Bootstrap client = new Bootstrap()
                .group(peers)
                .channel(NioSocketChannel.class)
                .option(ChannelOption.TCP_NODELAY, true)
                .option(ChannelOption.AUTO_READ, !isProxy)
                .option(ChannelOption.ALLOW_HALF_CLOSURE, isProxy)
                .handler(handler);
        if (journey.tiny) {
            client.option(ChannelOption.SO_SNDBUF, 1024);
        }
        client.bind(Link.near()).addListener((ChannelFuture bound) -> {
            Channel channel = bound.channel();
            int from = ((InetSocketAddress) channel.localAddress()).getPort();
            byPort.put(from, journey);
            journey.port = from;
            channel.connect(Link.far(to)).addListener(connected -> {
                if (!connected.isSuccess()) {
                    byPort.remove(from);
                    channel.close();
                }
                then.accept(connected.isSuccess(), channel);
            });
        });
    }

    private void start() {
        Journey journey = new Journey(next++, seed, budget);
        underWay.add(journey);
        start(journey);
    }

    private void start(Journey journey) {
        int to = journey.proxied ? proxyPort : readerPort(journey);
        connect(journey, to, false, new JourneySender(journey, link, () -> again(journey)), (connected, channel) -> {
            if (!connected) { // the link is off just now
                peers.schedule(() -> start(journey), 300, TimeUnit.MILLISECONDS);
            }
        });
    }

    private void again(Journey journey) {
        byPort.values().remove(journey);
        start(journey);
    }

    private int readerPort(Journey journey) {
        return journey.tiny ? tinyPort : port;
    }

    /** The proxy: a connection was accepted, and goes on to the reader. */
    private void goOn(Channel accepted) {
        Journey journey = byPort.remove(portOf(accepted));
        if (journey == null) {
            accepted.close();
        } else {
            goOn(accepted, journey);
        }
    }

    private void goOn(Channel accepted, Journey journey) {
        connect(journey, readerPort(journey), true, initializer(channel -> {}), (connected, channel) -> {
            if (connected) {
                channel.pipeline().addLast(new DelayProxy(journey, accepted));
                accepted.pipeline().addLast(new DelayProxy(journey, channel));
            } else {
                peers.schedule(() -> goOn(accepted, journey), 300, TimeUnit.MILLISECONDS);
            }
        });
    }

    /** As many journeys at a time, for so long; then those that are under way come to their end. */
    private void run(int connections, double seconds) throws Exception {
        Random random = new Random(seed);
        long start = System.nanoTime();
        long total = (long) (seconds * 1e9);
        long[] first = null;
        int tenths = 0;
        String weather = link.change(random);
        for (int tick = 1; tenths < 10 || !underWay.isEmpty(); tick++) {
            TimeUnit.MILLISECONDS.sleep(50);
            long now = System.nanoTime();
            underWay.removeIf(journey -> isOver(journey, now));
            while (tenths < 10 && underWay.size() < connections) {
                start();
            }
            if (tick % 100 == 0) {
                weather = link.change(random);
            }
            if (tick % 400 == 0) { // all of it is gone, for a while
                link.off();
                TimeUnit.MILLISECONDS.sleep(300 + random.nextInt(1200));
                link.on();
            }
            if (tenths < 10 && now - start >= total / 10 * (tenths + 1)) {
                long[] memory = Verdict.memory();
                first = ++tenths == 5 ? memory : first; // by then all has been as large as it gets
                System.out.println(tenths * 10 + " %: " + tally + ", " + Verdict.figures(memory) + ", " + weather);
                if (tenths == 10) {
                    Verdict.checkGrowth(first, memory);
                }
            }
        }
        check(budget.used() == 0 && budget.waiting() == 0, "something is left", budget);
    }

    private boolean isOver(Journey journey, long now) {
        boolean over = journey.readerDone && journey.senderDone;
        if (!over && now - journey.begun > HANGS) {
            Channel reader = readersOf.get(journey);
            Object where = journey.readerDone ? "the sender" : reader == null ? "no reader" : reader.pipeline().toMap().values();
            wrong("hangs: " + journey + ", " + where);
            if (reader != null) {
                reader.close();
            }
            over = true;
        }
        if (over) {
            readersOf.remove(journey);
            if (journey.starved) {
                check(journey.budget.used() == 0 && journey.budget.waiting() == 0, journey.budget + " is left", journey);
            }
        }
        return over;
    }

    private void end() throws Exception {
        peers.shutdownGracefully(0, 5, TimeUnit.SECONDS).sync();
        readers.shutdownGracefully(0, 5, TimeUnit.SECONDS).sync();
        disks.shutdown();
        String figures = link.figures();
        link.close();
        check(figures.matches(".* lost=[1-9].* twice=[1-9].* overtaken=[1-9].* withheld=[1-9].*"), "a good link", figures);
        System.out.println("the link: " + figures + ", repeated by the kernel " + Link.repeated());
        tally.check();
        System.out.println(tally.details());
        System.out.println("end: " + tally + ", " + Verdict.figures(Verdict.memory()));
    }

    /** Arguments: nio, epoll or io_uring; seconds (200); connections at a time (150); seed. */
    public static void main(String[] args) throws Exception {
        String transport = args.length > 0 ? args[0] : "nio";
        double seconds = args.length > 1 ? Double.parseDouble(args[1]) : 200;
        int connections = args.length > 2 ? Integer.parseInt(args[2]) : 150;
        long seed = args.length > 3 ? Long.parseLong(args[3]) : System.nanoTime();
        System.out.println(transport + ", " + seconds + " seconds, " + connections + " connections at a time, seed " + seed);
        System.setProperty("io.netty.machineId", "02:00:00:00:00:00"); // or it warns that no device has an address
        Verdict.countLeaks();
        Network network = new Network(transport, seed);
        network.run(connections, seconds);
        network.end();
        Verdict.pronounce(network.tally.done() > 0);
    }
}
