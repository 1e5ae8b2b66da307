package io.exactframe.netty;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import io.exactframe.netty.testing.Loopback;
import io.exactframe.netty.testing.Loopback.Transport;
import io.exactframe.netty.testing.Probe;
import io.exactframe.netty.testing.Tls;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.handler.ssl.NotSslRecordException;
import io.netty.handler.ssl.SslHandler;
import io.netty.util.ReferenceCountUtil;
import io.netty.util.concurrent.Future;
import java.io.DataInputStream;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLSocket;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** 61: what came before a change of security is seen by whoever asks, and never passes as if it had come after it. */
class UpgradeTest {
    private static final LengthPrefix PREFIX = LengthPrefix.uint16();
    private static final String STARTTLS = frame("STARTTLS");
    private static final String INJECTED = frame("INJECTED");

    private static String frame(String payload) {
        return "\0" + (char) payload.length() + payload;
    }

    private enum Kind {
        PREFIXED,
        ON_DEMAND,
        STREAM,
        RECEIVER;

        ChannelHandler framing() {
            return switch (this) {
                case PREFIXED -> new LengthPrefixedExactDecoder(100, PREFIX);
                case ON_DEMAND -> new LengthPrefixedExactDecoder(
                        100, PREFIX, ReceiveOptions.defaults().onDemand());
                case STREAM -> new FrameStreamDecoder(100, PREFIX);
                case RECEIVER -> new ExactReceiver();
            };
        }
    }

    private static int bufferedBytes(ChannelHandler framing) {
        return framing instanceof ExactFrameDecoder decoder
                ? decoder.bufferedBytes()
                : framing instanceof FrameStreamDecoder decoder
                        ? decoder.bufferedBytes()
                        : ((ExactReceiver) framing).bufferedBytes();
    }

    private enum Order {
        /** The new TLS handler behind the old framing, the new framing behind that, then the old one is removed. */
        RIGHT {
            @Override
            void upgrade(ChannelHandlerContext last, ChannelHandler old, ChannelHandler next) throws Exception {
                last.pipeline().addBefore(last.name(), "tls", Tls.server());
                last.pipeline().addBefore(last.name(), "next", next);
                last.pipeline().remove(old);
            }
        },

        /** The same, if nothing was sent before it. */
        CHECKED {
            @Override
            void upgrade(ChannelHandlerContext last, ChannelHandler old, ChannelHandler next) throws Exception {
                if (bufferedBytes(old) > 0) {
                    last.close();
                } else {
                    RIGHT.upgrade(last, old, next);
                }
            }
        };

        abstract void upgrade(ChannelHandlerContext last, ChannelHandler old, ChannelHandler next) throws Exception;
    }

    /** The last of the pipeline: upgrades at STARTTLS, and answers whatever came over TLS. */
    private static final class Server extends ChannelInboundHandlerAdapter {
        final BlockingQueue<String> log = new LinkedBlockingQueue<>();
        private final Kind kind;
        private final Order order;
        private ChannelHandler framing;
        private boolean upgraded;
        int buffered = -1; // at STARTTLS

        Server(Kind kind, Order order) {
            this.kind = kind;
            this.order = order;
        }

        @Override
        public void handlerAdded(ChannelHandlerContext ctx) {
            framing = kind.framing();
            ctx.pipeline().addBefore(ctx.name(), "framing", framing);
            ctx.channel().config().setAutoRead(kind != Kind.ON_DEMAND);
            receive(ctx);
        }

        @Override
        public void channelActive(ChannelHandlerContext ctx) {
            if (kind == Kind.ON_DEMAND) {
                ctx.read();
            }
        }

        /** The next, if it has to be asked for. */
        private void receive(ChannelHandlerContext ctx) {
            if (framing instanceof ExactReceiver receiver) {
                receiver.receive(PREFIX, 100).addListener((Future<ByteBuf> frame) -> {
                    if (frame.isSuccess()) {
                        handle(ctx, frame.getNow());
                    }
                });
            } else if (kind == Kind.ON_DEMAND && ctx.channel().isActive()) {
                ctx.read();
            }
        }

        @Override
        public void channelRead(ChannelHandlerContext ctx, Object message) throws Exception {
            if (message instanceof FrameStart) {
                ReferenceCountUtil.release(message);
            } else {
                handle(ctx, message instanceof FrameChunk chunk ? chunk.content() : (ByteBuf) message);
            }
        }

        private void handle(ChannelHandlerContext ctx, ByteBuf frame) throws Exception {
            String text = frame.toString(ISO_8859_1);
            frame.release();
            log.add((upgraded ? "tls " : "plain ") + text);
            if (text.equals("STARTTLS")) {
                buffered = bufferedBytes(framing);
                ctx.writeAndFlush(Probe.bytes(ctx.channel(), "GO"));
                ChannelHandler old = framing;
                framing = kind.framing();
                upgraded = true;
                order.upgrade(ctx, old, framing);
            } else {
                ctx.writeAndFlush(Probe.bytes(ctx.channel(), "OK"));
            }
            if (ctx.channel().isOpen()) {
                receive(ctx);
            }
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
            Throwable told = cause.getCause() instanceof NotSslRecordException ? cause.getCause() : cause;
            log.add(told.getClass().getSimpleName());
            ctx.close();
        }

        @Override
        public void channelInactive(ChannelHandlerContext ctx) {
            log.add("inactive");
        }

        String next() throws InterruptedException {
            return log.poll(Loopback.SECONDS, TimeUnit.SECONDS);
        }
    }

    @ParameterizedTest
    @EnumSource
    void anHonestClientIsUpgraded(Kind kind) throws Exception {
        for (Order order : Order.values()) {
            Server server = new Server(kind, order);
            try (Loopback it = new Loopback(Transport.nio(), server)) {
                it.send(STARTTLS);
                assertThat(new DataInputStream(it.peer.socket().getInputStream()).readNBytes(2)).asString().isEqualTo("GO");
                SSLSocket client = Tls.client(it);
                client.startHandshake();
                client.getOutputStream().write((frame("one") + frame("two")).getBytes(ISO_8859_1));
                assertThat(client.getInputStream().readNBytes(4)).asString().isEqualTo("OKOK");
                assertThat(server.log).containsExactly("plain STARTTLS", "tls one", "tls two");
                assertThat(server.buffered).isZero();
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void whatAHostileClientSentBeforeItDoesNotPassAsIfItHadComeAfterIt(Kind kind) throws Exception {
        for (Order order : Order.values()) {
            Server server = new Server(kind, order);
            try (Loopback it = new Loopback(Transport.nio(), server)) {
                it.send(STARTTLS + INJECTED);
                assertThat(server.next()).isEqualTo("plain STARTTLS");
                String next = server.next();
                if (order == Order.RIGHT) {
                    assertThat(next).isEqualTo("NotSslRecordException");
                    next = server.next();
                }
                it.peer.close();
                while (!next.equals("inactive")) {
                    assertThat(next).doesNotContain("INJECTED");
                    next = server.next();
                }
                it.closeChannel();
                assertThat(server.log).noneMatch(line -> line.contains("INJECTED"));
                assertThat(server.buffered).isEqualTo(INJECTED.length());
            }
        }
    }

    private static void move(EmbeddedChannel from, EmbeddedChannel to, String inFront) {
        ByteBuf all = Probe.bytes(to, inFront);
        for (ByteBuf part; (part = from.readOutbound()) != null; part.release()) {
            all.writeBytes(part);
        }
        to.pipeline().fireChannelRead(all);
        to.pipeline().fireChannelReadComplete();
        to.runPendingTasks();
    }

    @ParameterizedTest
    @EnumSource
    void inTheRightOrderAClientThatDoesNotWaitForTheAnswerLosesNothing(Kind kind) throws Exception {
        SSLEngine engine = Tls.context().createSSLEngine("localhost", 1);
        engine.setUseClientMode(true);
        EmbeddedChannel client = new EmbeddedChannel(new SslHandler(engine));
        Server server = new Server(kind, Order.RIGHT);
        EmbeddedChannel channel = new EmbeddedChannel(server);
        move(client, channel, STARTTLS); // and its first record
        assertThat(server.buffered).isPositive();
        ByteBuf go = channel.readOutbound();
        assertThat(go.toString(ISO_8859_1)).isEqualTo("GO");
        go.release();
        for (int i = 0; i < 5; i++) {
            move(channel, client, "");
            move(client, channel, "");
        }
        client.writeOutbound(Probe.bytes(client, frame("one")));
        move(client, channel, "");
        assertThat(server.log).containsExactly("plain STARTTLS", "tls one");
        client.finishAndReleaseAll();
        channel.finishAndReleaseAll();
    }
}
