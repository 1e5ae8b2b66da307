package io.exactframe.examples.postgresql;

import io.exactframe.examples.postgresql.MessageDecoder.Mode;
import io.netty.bootstrap.Bootstrap;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.handler.codec.LengthFieldBasedFrameDecoder;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What the relay costs, as ratios of one run: beside a relay that copies bytes, and beside the same relay on Netty's
 * decoder. Each in a JVM of its own; all three take turns. See {@code src/test/scripts/cost}.
 */
final class Cost {
    private static final List<String> RELAYS = List.of("exact", "netty", "bare");

    private Cost() {}

    public static void main(String... args) throws Exception {
        if (args[0].equals("serve")) {
            serve(args[1], Integer.parseInt(args[2]));
            return;
        }
        int rounds = Integer.parseInt(args[0]);
        String seconds = args[1];
        try (LocalPostgres server = LocalPostgres.start()) {
            String pgbench = server.program("pgbench").toString();
            Programs.run(List.of(pgbench, "-i", "-q", Programs.url(server.port())), "");
            Map<String, Process> processes = new LinkedHashMap<>();
            Map<String, Integer> ports = new LinkedHashMap<>();
            for (String relay : RELAYS) {
                Process process = new ProcessBuilder(
                                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                                "-Xmx256m",
                                "-cp",
                                System.getProperty("java.class.path"),
                                Cost.class.getName(),
                                "serve",
                                relay,
                                "" + server.port())
                        .redirectError(ProcessBuilder.Redirect.INHERIT)
                        .start();
                processes.put(relay, process);
                BufferedReader out = process.inputReader();
                ports.put(relay, Integer.parseInt(out.readLine()));
            }
            try {
                for (String mode : List.of("simple", "extended", "prepared")) {
                    compare("pgbench -c 8 -S -M " + mode + ", transactions", rounds, ports, port -> {
                        List<String> command = List.of(
                                pgbench, "-c", "8", "-j", "2", "-S", "-T", seconds, "-M", mode, Programs.url(port));
                        Matcher tps = Pattern.compile("tps = ([\\d.]+)").matcher(Programs.run(command, "").out());
                        return tps.find() ? Double.parseDouble(tps.group(1)) : Double.NaN;
                    });
                }
                compare("COPY of 1,000,000 small rows to the client, rows", rounds, ports, port -> copy(
                        port, "copy (select n, 'twenty bytes of text' from generate_series(1, 1000000) n) to stdout"));
                compare("COPY of 64 rows of 4 MiB to the client, rows", rounds, ports, port -> copy(
                        port, "copy (select repeat('x', 4194304) from generate_series(1, 64)) to stdout"));
            } finally {
                processes.values().forEach(Process::destroy);
            }
        }
    }

    private interface Work {
        double perSecond(int port) throws Exception;
    }

    private static double copy(int port, String command) throws IOException, InterruptedException {
        long began = System.nanoTime();
        Path file = Files.createTempFile("cost", ".copy");
        try {
            Programs.psql(port, "\\o " + file + "\n" + command + ";\n");
            return 1e9 / (System.nanoTime() - began);
        } finally {
            Files.delete(file);
        }
    }

    private static void compare(String what, int rounds, Map<String, Integer> ports, Work work) throws Exception {
        double[] ofBare = new double[rounds];
        double[] ofNetty = new double[rounds];
        for (int warm = 0; warm < 4; warm++) { // what takes a second is compiled in the first few
            for (String relay : RELAYS) {
                work.perSecond(ports.get(relay));
            }
        }
        for (int round = 0; round < rounds; round++) {
            Map<String, Double> speed = new LinkedHashMap<>();
            List<String> order = new ArrayList<>(RELAYS);
            java.util.Collections.rotate(order, round);
            for (String relay : order) {
                speed.put(relay, work.perSecond(ports.get(relay)));
            }
            ofBare[round] = speed.get("exact") / speed.get("bare");
            ofNetty[round] = speed.get("exact") / speed.get("netty");
        }
        System.out.printf(Locale.ROOT, "%s: %s of a bare relay's, %s of that on Netty's decoder%n", what, median(ofBare), median(ofNetty));
    }

    private static String median(double[] ratios) {
        Arrays.sort(ratios);
        return String.format(
                Locale.ROOT, "%.2f (%.2f to %.2f)", ratios[ratios.length / 2], ratios[0], ratios[ratios.length - 1]);
    }

    private static void serve(String relay, int server) throws Exception {
        EventLoopGroup group = new MultiThreadIoEventLoopGroup(2, NioIoHandler.newFactory());
        InetSocketAddress to = new InetSocketAddress(InetAddress.getLoopbackAddress(), server);
        InetSocketAddress any = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
        Traffic traffic = new Traffic(new PrintStream(OutputStream.nullOutputStream()), System.err, false);
        Channel listening =
                switch (relay) {
                    case "exact" -> new Relay(to, null, MessageDecoder::new, traffic).listen(group, any);
                    case "netty" -> new Relay(to, null, Cost::nettys, traffic).listen(group, any);
                    default -> new ServerBootstrap()
                            .group(group)
                            .channel(NioServerSocketChannel.class)
                            .childOption(ChannelOption.AUTO_READ, false)
                            .childHandler(new ChannelInitializer<>() {
                                @Override
                                protected void initChannel(Channel client) {
                                    client.pipeline().addLast(new Bare(to));
                                }
                            })
                            .bind(any)
                            .sync()
                            .channel();
                };
        System.out.println(((InetSocketAddress) listening.localAddress()).getPort());
        listening.closeFuture().sync();
    }

    private static ChannelHandler nettys(Mode mode) {
        if (mode == Mode.TYPED) {
            return new LengthFieldBasedFrameDecoder(Integer.MAX_VALUE, 1, 4, -4, 0);
        }
        return new LengthFieldBasedFrameDecoder(10_004, 0, 4, -4, 0) {
            @Override
            protected Object decode(ChannelHandlerContext ctx, ByteBuf in) throws Exception {
                ByteBuf packet = (ByteBuf) super.decode(ctx, in);
                if (packet != null && packet.getInt(4) >> 16 == 3) {
                    ctx.executor().execute(() -> ctx.pipeline().replace(this, null, nettys(Mode.TYPED)));
                }
                return packet;
            }
        };
    }

    /** Copies bytes: the least that a relay can do. */
    private static final class Bare extends ChannelInboundHandlerAdapter {
        private final InetSocketAddress server;
        private Channel to;

        Bare(InetSocketAddress server) {
            this.server = server;
        }

        Bare(Channel to) {
            this.server = null;
            this.to = to;
        }

        @Override
        public void channelActive(ChannelHandlerContext ctx) {
            if (to != null) {
                return;
            }
            new Bootstrap()
                    .group(ctx.channel().eventLoop())
                    .channel(NioSocketChannel.class)
                    .option(ChannelOption.AUTO_READ, false)
                    .handler(new Bare(ctx.channel()))
                    .connect(server)
                    .addListener((ChannelFuture connected) -> {
                        to = connected.channel();
                        ctx.read();
                        to.read();
                    });
        }

        @Override
        public void channelRead(ChannelHandlerContext ctx, Object bytes) {
            to.write(bytes);
        }

        @Override
        public void channelReadComplete(ChannelHandlerContext ctx) {
            to.writeAndFlush(ctx.alloc().buffer(0)).addListener((ChannelFuture written) -> {
                if (written.isSuccess()) {
                    ctx.read();
                }
            });
        }

        @Override
        public void channelInactive(ChannelHandlerContext ctx) {
            to.writeAndFlush(ctx.alloc().buffer(0)).addListener(ChannelFutureListener.CLOSE);
        }
    }
}
