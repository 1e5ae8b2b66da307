package io.exactframe.examples.postgresql;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import java.net.InetAddress;
import java.net.InetSocketAddress;

/** The pipeline of a server that {@code psql} can talk to. */
final class PostgresServer extends ChannelInitializer<Channel> {
    private static final BackendMessage.Encoder ENCODER = new BackendMessage.Encoder();

    @Override
    protected void initChannel(Channel channel) {
        channel.pipeline().addLast(new FrontendDecoder(), ENCODER, new Session());
    }

    /** Listens on loopback; port 0 is any. */
    static Channel listen(EventLoopGroup group, int port) throws InterruptedException {
        return new ServerBootstrap()
                .group(group)
                .channel(NioServerSocketChannel.class)
                .childHandler(new PostgresServer())
                .bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), port))
                .sync()
                .channel();
    }
}
