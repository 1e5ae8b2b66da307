package consumer;

import static java.nio.charset.StandardCharsets.US_ASCII;

import io.exactframe.netty.ExactReceiver;
import io.exactframe.netty.LengthPrefix;
import io.exactframe.netty.LengthPrefixedEncoder;
import io.exactframe.netty.LengthPrefixedExactDecoder;
import io.netty.bootstrap.Bootstrap;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.channel.nio.NioEventLoopGroup;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import java.net.InetAddress;
import java.util.concurrent.TimeUnit;

/** One frame there and one back over a real socket, then a part of one and the end. */
public final class Main {
    private static final LengthPrefix PREFIX = LengthPrefix.uint16();

    private Main() {}

    /**
     * Prints what came.
     *
     * @param args not used
     * @throws InterruptedException if the thread is interrupted
     */
    public static void main(String[] args) throws InterruptedException {
        @SuppressWarnings("deprecation") // Netty 4.1 has no other
        EventLoopGroup loops = new NioEventLoopGroup(1);
        try {
            Channel server = new ServerBootstrap()
                    .group(loops)
                    .channel(NioServerSocketChannel.class)
                    .childHandler(pipeline())
                    .bind(InetAddress.getLoopbackAddress(), 0)
                    .sync()
                    .channel();
            ExactReceiver receiver = new ExactReceiver();
            Channel client = new Bootstrap()
                    .group(loops)
                    .channel(NioSocketChannel.class)
                    .handler(receiver)
                    .connect(server.localAddress())
                    .sync()
                    .channel();
            client.writeAndFlush(ByteBufUtil.writeAscii(client.alloc(), "\0\5hello"));
            System.out.println("frame: " + text(receiver.receive(PREFIX, 1024).sync().getNow()));
            System.out.println("end: " + receiver.receive(4).await().cause());
        } finally {
            loops.shutdownGracefully(0, 10, TimeUnit.SECONDS).sync();
        }
    }

    private static ChannelInitializer<Channel> pipeline() {
        return new ChannelInitializer<>() {
            @Override
            protected void initChannel(Channel channel) {
                channel.pipeline().addLast(new LengthPrefixedExactDecoder(1024, PREFIX), new Greeter());
            }
        };
    }

    private static final class Greeter extends SimpleChannelInboundHandler<ByteBuf> {
        @Override
        protected void channelRead0(ChannelHandlerContext ctx, ByteBuf frame) {
            ctx.pipeline().addFirst(new LengthPrefixedEncoder(PREFIX));
            ctx.writeAndFlush(ByteBufUtil.writeAscii(ctx.alloc(), frame.toString(US_ASCII) + " yourself"));
            ctx.pipeline().removeFirst();
            ctx.writeAndFlush(ByteBufUtil.writeAscii(ctx.alloc(), "par")).addListener(ChannelFutureListener.CLOSE);
        }
    }

    private static String text(ByteBuf frame) {
        try {
            return frame.toString(US_ASCII);
        } finally {
            frame.release();
        }
    }
}
