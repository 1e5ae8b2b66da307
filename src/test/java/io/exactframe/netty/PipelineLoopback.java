package io.exactframe.netty;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.SocketChannel;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/** A NIO channel with handlers under test, and a plain socket at its other end. */
final class PipelineLoopback implements AutoCloseable {
    final EventLoopGroup loops = new MultiThreadIoEventLoopGroup(2, NioIoHandler.newFactory());
    final Socket peer;
    final Channel channel;
    private final Channel server;

    PipelineLoopback(boolean allowHalfClosure, Consumer<SocketChannel> initializer) throws Exception {
        BlockingQueue<Channel> accepted = new LinkedBlockingQueue<>();
        server = new ServerBootstrap()
                .group(loops)
                .channel(NioServerSocketChannel.class)
                .childOption(ChannelOption.ALLOW_HALF_CLOSURE, allowHalfClosure)
                .childHandler(new ChannelInitializer<SocketChannel>() {
                    @Override
                    protected void initChannel(SocketChannel channel) {
                        initializer.accept(channel);
                        accepted.add(channel);
                    }
                })
                .bind(InetAddress.getLoopbackAddress(), 0)
                .sync()
                .channel();
        peer = new Socket(InetAddress.getLoopbackAddress(), ((InetSocketAddress) server.localAddress()).getPort());
        peer.setTcpNoDelay(true);
        peer.setSoTimeout(30_000);
        channel = accepted.poll(30, TimeUnit.SECONDS);
        assertThat(channel).isNotNull();
    }

    void send(String text) throws IOException {
        peer.getOutputStream().write(text.getBytes(ISO_8859_1));
    }

    @Override
    public void close() throws Exception {
        peer.close();
        assertThat(channel.close().await(30, TimeUnit.SECONDS)).isTrue();
        assertThat(server.close().await(30, TimeUnit.SECONDS)).isTrue();
        assertThat(loops.shutdownGracefully(0, 10, TimeUnit.SECONDS).await(30, TimeUnit.SECONDS))
                .isTrue();
    }
}
