package io.exactframe.examples.postgresql;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelOption;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.handler.codec.CorruptedFrameException;
import io.netty.handler.ssl.SslHandler;
import io.netty.util.concurrent.Future;
import io.netty.util.concurrent.ImmediateEventExecutor;
import java.util.concurrent.TimeUnit;

/**
 * A client until it said what it wants, and there is a server that it can say it to.
 *
 * <pre>
 *   SSLRequest, GSSENCRequest ──► answered here, 'N'; or 'S', and TLS ends here
 *   StartupMessage, CancelRequest ──► a connection to the server, and a {@link Pipe} each way
 * </pre>
 */
final class Startup extends SimpleChannelInboundHandler<ByteBuf> {
    private static final int PATIENCE_SECONDS = 60; // as PostgreSQL's authentication_timeout

    private final Relay relay;
    private Session session;
    private Future<?> patience = ImmediateEventExecutor.INSTANCE.newSucceededFuture(null); // until it is active

    Startup(Relay relay) {
        super(false);
        this.relay = relay;
    }

    @Override
    public void channelActive(ChannelHandlerContext ctx) {
        session = new Session(relay.traffic(), ctx.channel());
        Runnable refuse = () -> session.fail("the client did not begin in time");
        patience = ctx.executor().schedule(refuse, PATIENCE_SECONDS, TimeUnit.SECONDS);
        ctx.read();
    }

    @Override
    protected void channelRead0(ChannelHandlerContext ctx, ByteBuf packet) {
        int code = packet.getInt(4);
        if (code == MessageDecoder.SSL_REQUEST || code == MessageDecoder.GSS_REQUEST) {
            packet.release();
            answer(ctx, code == MessageDecoder.SSL_REQUEST);
            return;
        }
        Pipe toClient = new Pipe(session, Pipe.From.SERVER);
        relay.connect(ctx.channel().eventLoop(), toClient).addListener((ChannelFuture connected) -> {
            if (connected.isSuccess() && ctx.channel().isActive()) {
                pipe(ctx, connected.channel(), toClient, packet);
                return;
            }
            packet.release();
            connected.channel().close();
            if (!connected.isSuccess()) {
                tellClient(ctx, "no server at " + relay.to() + ": " + connected.cause().getMessage());
            }
        });
    }

    private void answer(ChannelHandlerContext ctx, boolean ssl) {
        boolean encrypt = ssl && relay.tls() != null && ctx.pipeline().get(SslHandler.class) == null;
        if (encrypt && ctx.pipeline().get(MessageDecoder.class).bufferedBytes() > 0) {
            throw new CorruptedFrameException("plain text behind the request for TLS");
        }
        ctx.writeAndFlush(Unpooled.wrappedBuffer(new byte[] {(byte) (encrypt ? 'S' : 'N')}));
        if (encrypt) {
            ctx.pipeline().addFirst(relay.tls().newHandler(ctx.alloc()));
        }
        ctx.read();
    }

    private void pipe(ChannelHandlerContext ctx, Channel server, Pipe toClient, ByteBuf packet) {
        Pipe toServer = new Pipe(session, Pipe.From.CLIENT);
        session.connected(toServer, toClient, server, packet.getInt(4) == MessageDecoder.CANCEL_REQUEST);
        server.writeAndFlush(packet);
        ctx.channel().config().setOption(ChannelOption.ALLOW_HALF_CLOSURE, true); // from here on an end is no close,
        ctx.channel().config().setOption(ChannelOption.AUTO_CLOSE, false); // nor is a write that fails: see Session
        ctx.pipeline().replace(this, null, toServer);
        toServer.goOn();
        toClient.goOn();
    }

    /** An ErrorResponse, so that the user reads it: severity, code "connection failure", message. */
    private void tellClient(ChannelHandlerContext ctx, String message) {
        byte[] fields = ("SFATAL\0VFATAL\0C08006\0M" + message + "\0\0").getBytes(UTF_8);
        ctx.write(ctx.alloc().buffer().writeByte('E').writeInt(4 + fields.length).writeBytes(fields));
        session.fail(message);
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
        session.fail("the client left");
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        session.fail("the client does not begin: " + cause.getMessage());
    }

    @Override
    public void handlerRemoved(ChannelHandlerContext ctx) {
        patience.cancel(false);
    }
}
