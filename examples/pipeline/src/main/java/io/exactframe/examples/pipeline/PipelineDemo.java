package io.exactframe.examples.pipeline;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.exactframe.netty.ExactReceiver;
import io.exactframe.netty.LengthPrefixedEncoder;
import io.netty.bootstrap.Bootstrap;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.SocketChannel;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Both servers and their clients, over loopback. */
public final class PipelineDemo {
    private PipelineDemo() {}

    /**
     * Runs, prints what happens, and ends.
     *
     * @param args none
     * @throws Exception if anything goes wrong
     */
    public static void main(String[] args) throws Exception {
        // What the servers log, in one line each.
        System.setProperty("java.util.logging.SimpleFormatter.format", "server logs: %5$s%6$s%n");
        EventLoopGroup group = new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
        try {
            SocketAddress telemetry = listen(group, new TelemetryServer());
            SocketAddress greeting = listen(group, new GreetingServer());
            System.out.println("telemetry at " + telemetry + ", greetings at " + greeting);
            sendReadings(group, telemetry);
            leaveInsideAReading(group, telemetry);
            sayName(group, greeting);
        } finally {
            group.shutdownGracefully(100, 5_000, TimeUnit.MILLISECONDS).sync();
        }
    }

    private static void sendReadings(EventLoopGroup group, SocketAddress server) throws Exception {
        TelemetryClient client = new TelemetryClient(List.of(
                new Reading(7, 1_000, 20.5f), new Reading(7, 2_000, 21.5f), new Reading(4_000_000_000L, 2_500, 3)));
        connect(group, server, client);
        for (String reply : client.replies().get(10, TimeUnit.SECONDS)) {
            System.out.println("reply: " + reply);
        }
    }

    private static void leaveInsideAReading(EventLoopGroup group, SocketAddress server) throws InterruptedException {
        System.out.println("now 10 bytes of a reading's 16, then the end");
        SocketChannel channel = connect(group, server, new ChannelInboundHandlerAdapter());
        channel.writeAndFlush(channel.alloc().buffer().writeZero(10)).sync();
        channel.shutdownOutput().sync();
        channel.closeFuture().sync(); // the server closes when it has logged what it missed
    }

    private static void sayName(EventLoopGroup group, SocketAddress server) throws InterruptedException {
        ExactReceiver receiver = new ExactReceiver();
        Channel channel = connect(group, server, new ChannelInitializer<>() {
            @Override
            protected void initChannel(Channel channel) {
                channel.pipeline().addLast(receiver, new LengthPrefixedEncoder(GreetingServer.TEXT));
            }
        });
        channel.writeAndFlush(channel.alloc().buffer().writeBytes("Ada".getBytes(UTF_8)))
                .sync();
        // tag::blocking[]
        ByteBuf greeting = receiver.receive(GreetingServer.TEXT, GreetingServer.MAX_TEXT)
                .sync() // not on an event loop
                .getNow();
        System.out.println("greeting: " + greeting.toString(UTF_8));
        greeting.release();
        // end::blocking[]
        channel.close().sync();
    }

    static SocketAddress listen(EventLoopGroup group, ChannelHandler child) throws InterruptedException {
        return new ServerBootstrap()
                .group(group)
                .channel(NioServerSocketChannel.class)
                .childHandler(child)
                .bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
                .sync()
                .channel()
                .localAddress();
    }

    static SocketChannel connect(EventLoopGroup group, SocketAddress server, ChannelHandler handler)
            throws InterruptedException {
        return (SocketChannel) new Bootstrap()
                .group(group)
                .channel(NioSocketChannel.class)
                .handler(handler)
                .connect(server)
                .sync()
                .channel();
    }
}
