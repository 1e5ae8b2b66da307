package io.exactframe.examples.dns;

import io.exactframe.netty.ReceiveOptions;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.ChannelPipeline;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.handler.codec.dns.DnsQuery;
import io.netty.handler.codec.dns.DnsResponse;
import io.netty.handler.codec.dns.TcpDnsResponseEncoder;
import io.netty.handler.timeout.IdleStateEvent;
import io.netty.handler.timeout.IdleStateHandler;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/**
 * The pipeline of a connection, whose channel has auto-read off: a query is read when there is room for its answer.
 *
 * @param receive deadline and budget for queries, on demand
 * @param idle how long nothing may come or go
 * @param maxDelay answers take a random time up to this, as a resolver's do, and so come in any order
 * @param log takes a line for each connection that ends in another way than it should
 */
record DnsServer(Answers answers, ReceiveOptions receive, Duration idle, Duration maxDelay, Consumer<String> log) {
    private static final int MOST_UNANSWERED = 100;

    Channel listen(EventLoopGroup group, InetSocketAddress address) throws IOException, InterruptedException {
        ChannelFuture bound = new ServerBootstrap()
                .group(group)
                .channel(NioServerSocketChannel.class)
                .childOption(ChannelOption.AUTO_READ, false)
                .childOption(ChannelOption.ALLOW_HALF_CLOSURE, true)
                .childHandler(new ChannelInitializer<>() {
                    @Override
                    protected void initChannel(Channel channel) {
                        initPipeline(channel.pipeline());
                    }
                })
                .bind(address).await();
        if (!bound.isSuccess()) {
            throw new IOException("cannot listen at " + address + ": " + bound.cause().getMessage(), bound.cause());
        }
        return bound.channel();
    }

    void initPipeline(ChannelPipeline pipeline) {
        pipeline.addLast(new IdleStateHandler(0, 0, idle.toMillis(), TimeUnit.MILLISECONDS))
                .addLast(new DnsQueryDecoder(receive))
                .addLast(new TcpDnsResponseEncoder(), new QueryHandler());
    }

    private final class QueryHandler extends SimpleChannelInboundHandler<DnsQuery> {
        private int unanswered;
        private boolean asked;
        private boolean ended;
        private String peer = "";

        @Override
        public void channelActive(ChannelHandlerContext ctx) {
            peer = String.valueOf(ctx.channel().remoteAddress()).replaceFirst("^/", ""); // while it is known
            askForNext(ctx);
        }

        @Override
        protected void channelRead0(ChannelHandlerContext ctx, DnsQuery query) throws IOException {
            asked = false;
            unanswered++;
            DnsResponse response = answers.to(query);
            if (maxDelay.isZero()) {
                send(ctx, response);
            } else {
                long delay = ThreadLocalRandom.current().nextLong(maxDelay.toNanos());
                ctx.executor().schedule(() -> send(ctx, response), delay, TimeUnit.NANOSECONDS);
            }
            askForNext(ctx);
        }

        private void send(ChannelHandlerContext ctx, DnsResponse response) {
            unanswered--;
            ctx.writeAndFlush(response).addListener(ChannelFutureListener.CLOSE_ON_FAILURE);
            askForNext(ctx);
        }

        private void askForNext(ChannelHandlerContext ctx) {
            if (ended) {
                if (unanswered == 0) {
                    ctx.writeAndFlush(ctx.alloc().buffer(0)).addListener(ChannelFutureListener.CLOSE);
                }
            } else if (!asked && unanswered < MOST_UNANSWERED && ctx.channel().isWritable()) {
                asked = true;
                ctx.read();
            }
        }

        @Override
        public void channelWritabilityChanged(ChannelHandlerContext ctx) {
            askForNext(ctx);
        }

        @Override
        public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
            if (event instanceof ChannelInputShutdownEvent) { // the last answers still go out
                ended = true;
                askForNext(ctx);
            } else if (event instanceof IdleStateEvent) {
                ctx.close(); // RFC 7766, 6.2.3; somebody who does not read is idle, too
            }
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
            log.accept(peer + ": " + cause.getMessage()); // how far a query had come, if it was cut off or too slow
            ctx.close();
        }
    }
}
