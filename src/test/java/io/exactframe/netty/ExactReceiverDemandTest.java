package io.exactframe.netty;

import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;

import io.netty.bootstrap.Bootstrap;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.util.concurrent.GenericProgressiveFutureListener;
import io.netty.util.concurrent.ProgressiveFuture;
import io.netty.util.concurrent.Promise;
import java.net.InetAddress;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;

/** 41: a receive is answered, whatever else goes on in the channel. */
class ExactReceiverDemandTest {
    @Test
    void aReceiveSurvivesThatAutoReadIsSwitchedOnAndOff() throws Exception {
        EventLoopGroup group = new MultiThreadIoEventLoopGroup(2, NioIoHandler.newFactory());
        try {
            ExactReceiver receiver = new ExactReceiver();
            Promise<Channel> accepted = group.next().newPromise();
            Channel server = new ServerBootstrap()
                    .group(group)
                    .channel(NioServerSocketChannel.class)
                    .childHandler(new ChannelInitializer<Channel>() {
                        @Override
                        protected void initChannel(Channel channel) {
                            channel.pipeline().addLast(receiver, new ChannelInboundHandlerAdapter() {
                                @Override
                                public void channelActive(ChannelHandlerContext ctx) {
                                    accepted.setSuccess(ctx.channel());
                                }
                            });
                        }
                    })
                    .bind(InetAddress.getLoopbackAddress(), 0)
                    .sync()
                    .channel();
            Channel client = new Bootstrap()
                    .group(group)
                    .channel(NioSocketChannel.class)
                    .handler(new ChannelInboundHandlerAdapter())
                    .connect(server.localAddress())
                    .sync()
                    .channel();
            Channel channel = accepted.get(10, SECONDS);
            ProgressiveFuture<ByteBuf> receive = receiver.receive(4);
            // As a handler does that follows the channel's writability.
            channel.eventLoop()
                    .submit(() -> {
                        channel.config().setAutoRead(true);
                        channel.config().setAutoRead(false);
                    })
                    .sync();
            client.writeAndFlush(client.alloc().buffer().writeInt(1)).sync();
            assertThat(receive.await(10, SECONDS)).isTrue();
            receive.getNow().release();
            channel.close().sync();
            client.close().sync();
        } finally {
            group.shutdownGracefully(0, 10, SECONDS).sync();
        }
    }

    @Test
    void bytesThatComeWhileAProgressListenerRunsAreLookedAt() {
        ExactReceiver receiver = new ExactReceiver();
        EmbeddedChannel channel = new EmbeddedChannel(receiver);
        ProgressiveFuture<ByteBuf> receive = receiver.receive(100_000);
        receive.addListener(new GenericProgressiveFutureListener<ProgressiveFuture<ByteBuf>>() {
            @Override
            public void operationProgressed(ProgressiveFuture<ByteBuf> future, long progress, long total) {
                if (progress < total) {
                    channel.pipeline().fireChannelRead(channel.alloc().buffer().writeZero(30_000));
                }
            }

            @Override
            public void operationComplete(ProgressiveFuture<ByteBuf> future) {}
        });
        channel.pipeline().fireChannelRead(channel.alloc().buffer().writeZero(70_000));
        assertThat(receive.isSuccess()).isTrue();
        assertThat(receive.getNow().readableBytes()).isEqualTo(100_000);
        receive.getNow().release();
        channel.finish();
    }

    @Test
    void aReceiveAfterTheEventLoopIsGoneTellsItsListener() throws Exception {
        EventLoopGroup group = new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
        ExactReceiver receiver = new ExactReceiver();
        new Bootstrap()
                .group(group)
                .channel(NioSocketChannel.class)
                .handler(receiver)
                .register()
                .sync()
                .channel()
                .close()
                .sync();
        group.shutdownGracefully(0, 10, SECONDS).sync();
        CountDownLatch told = new CountDownLatch(1);
        receiver.receive(1).addListener(future -> told.countDown());
        assertThat(told.await(10, SECONDS)).isTrue();
    }
}
