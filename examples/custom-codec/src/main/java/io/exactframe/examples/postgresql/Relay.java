package io.exactframe.examples.postgresql;

import io.exactframe.examples.postgresql.MessageDecoder.Mode;
import io.netty.bootstrap.Bootstrap;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.handler.ssl.SslContext;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.function.Function;
import java.util.function.Supplier;

/**
 * Both ends of the relay. A client's channel and its server's are on one event loop.
 *
 * @param to where the server is
 * @param tls for clients that ask for it, or null: the server's side is never encrypted
 * @param decoders gives the decoder for a client's channel, and for a server's
 */
record Relay(InetSocketAddress to, SslContext tls, Function<Mode, ChannelHandler> decoders, Traffic traffic) {
    private static final WriteBufferWaterMark ROOM = new WriteBufferWaterMark(128 << 10, 512 << 10); // with 96 B a message

    Channel listen(EventLoopGroup group, InetSocketAddress address) throws IOException, InterruptedException {
        ChannelFuture bound = new ServerBootstrap()
                .group(group)
                .channel(NioServerSocketChannel.class)
                .childOption(ChannelOption.AUTO_READ, false)
                .childOption(ChannelOption.SO_KEEPALIVE, true) // so that a peer that is cut off is told in the end
                .childOption(ChannelOption.WRITE_BUFFER_WATER_MARK, ROOM)
                .childHandler(pipeline(Mode.STARTUP, () -> new Startup(this)))
                .bind(address)
                .await();
        if (!bound.isSuccess()) {
            throw new IOException("cannot listen at " + address + ": " + bound.cause().getMessage(), bound.cause());
        }
        return bound.channel();
    }

    /** A connection to the server, on which nothing is read yet. */
    ChannelFuture connect(EventLoop loop, ChannelHandler pipe) {
        return new Bootstrap()
                .group(loop)
                .channel(NioSocketChannel.class)
                .option(ChannelOption.AUTO_READ, false)
                .option(ChannelOption.ALLOW_HALF_CLOSURE, true)
                .option(ChannelOption.AUTO_CLOSE, false)
                .option(ChannelOption.SO_KEEPALIVE, true)
                .option(ChannelOption.WRITE_BUFFER_WATER_MARK, ROOM)
                .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, 10_000)
                .handler(pipeline(Mode.TYPED, () -> pipe))
                .connect(to);
    }

    private ChannelHandler pipeline(Mode mode, Supplier<ChannelHandler> behind) {
        return new ChannelInitializer<>() {
            @Override
            protected void initChannel(Channel channel) {
                channel.pipeline().addLast(decoders.apply(mode), behind.get());
            }
        };
    }
}
