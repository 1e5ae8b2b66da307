package io.exactframe.netty.benchmark;

import io.netty.bootstrap.Bootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOption;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.WriteBufferWaterMark;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;

/**
 * The other end: a socket that sends frames made beforehand until the receiver has enough and closes.
 *
 * <p>Where Netty's epoll is there, it sends with the congestion control reno, which every Linux has and allows to
 * everybody. A machine's own may be bbr: that paces by timers, on whichever processor, and on the loopback device
 * packets of two processors overtake each other. What is lost so in throughput, up to two thirds, is at random, and
 * says nothing about a receiver.
 */
final class SocketSender {
    private static final int AT_ONCE = 1 << 20; // bytes of a large frame
    private static final String RENO = "reno";
    private static final int IPPROTO_TCP = 6;
    private static final int TCP_CONGESTION = 13;

    private final SocketCase sent;
    private final FrameStream stream;
    private long bytes;
    private long cpuNanos;

    SocketSender(SocketCase sent) {
        this.sent = sent;
        stream = sent.stream();
    }

    static SocketTransport transport() {
        return SocketTransport.epoll.isAvailable() ? SocketTransport.epoll : SocketTransport.nio;
    }

    static String congestionControl() {
        try {
            return transport() == SocketTransport.epoll
                    ? RENO
                    : Files.readString(Path.of("/proc/sys/net/ipv4/tcp_congestion_control")).trim();
        } catch (IOException e) {
            return "unknown";
        }
    }

    void sendUntilClosed(int port) throws Exception {
        SocketTransport transport = transport();
        var group = new MultiThreadIoEventLoopGroup(1, transport.io());
        try {
            Bootstrap bootstrap = new Bootstrap()
                    .group(group)
                    .channel(transport.channel())
                    .option(ChannelOption.WRITE_BUFFER_WATER_MARK, new WriteBufferWaterMark(1, 2))
                    .handler(new Writing());
            if (transport == SocketTransport.epoll) {
                bootstrap.option(optionOfEpoll(), ByteBuffer.wrap(RENO.getBytes(StandardCharsets.US_ASCII)));
            }
            bootstrap.connect(InetAddress.getLoopbackAddress(), port).sync().channel().closeFuture().sync();
        } finally {
            group.shutdownGracefully(0, 1, TimeUnit.SECONDS).sync();
        }
    }

    @SuppressWarnings("unchecked")
    private static ChannelOption<ByteBuffer> optionOfEpoll() throws ReflectiveOperationException {
        return (ChannelOption<ByteBuffer>) Class.forName("io.netty.channel.unix.RawUnixChannelOption")
                .getConstructor(String.class, int.class, int.class, int.class)
                .newInstance("TCP_CONGESTION", IPPROTO_TCP, TCP_CONGESTION, RENO.length());
    }

    private final class Writing extends ChannelInboundHandlerAdapter {
        private int offset;
        private long cpuBefore;

        @Override
        public void channelActive(ChannelHandlerContext ctx) {
            cpuBefore = cpuNow();
            write(ctx);
        }

        @Override
        public void channelWritabilityChanged(ChannelHandlerContext ctx) {
            if (ctx.channel().isWritable()) {
                write(ctx);
            }
        }

        /** A large frame goes at once, or a part of it, as an application would send it. */
        private void write(ChannelHandlerContext ctx) {
            int wanted = AT_ONCE;
            do {
                ByteBuf next = next();
                wanted -= next.readableBytes();
                ctx.write(next);
            } while (offset != 0 && wanted > 0);
            ctx.flush();
        }

        private ByteBuf next() {
            int frameLength = sent.frameLength();
            int length = offset == 0 && frameLength < sent.writeLength()
                    ? sent.writeLength()
                    : Math.min(sent.writeLength(), frameLength - offset);
            ByteBuf next = Unpooled.wrappedBuffer(stream.view(offset, length));
            offset = (offset + length) % frameLength;
            bytes += length;
            return next;
        }

        @Override
        public void channelInactive(ChannelHandlerContext ctx) {
            cpuNanos += cpuNow() - cpuBefore;
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
            if (!(cause instanceof IOException)) { // the receiver closes while bytes are under way
                cause.printStackTrace();
            }
            ctx.close();
        }
    }

    private static long cpuNow() {
        return ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime();
    }

    double cpuNanosPerByte() {
        return (double) cpuNanos / bytes;
    }

    void release() {
        stream.release();
    }
}
