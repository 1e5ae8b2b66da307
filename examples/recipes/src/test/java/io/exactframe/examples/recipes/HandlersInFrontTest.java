package io.exactframe.examples.recipes;

import static org.assertj.core.api.Assertions.assertThat;

import io.exactframe.netty.LengthPrefix;
import io.exactframe.netty.LengthPrefixedExactDecoder;
import io.exactframe.netty.ReceiveOptions;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPipeline;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.handler.codec.compression.JdkZlibDecoder;
import io.netty.handler.codec.compression.ZlibWrapper;
import io.netty.handler.codec.haproxy.HAProxyMessage;
import io.netty.handler.codec.haproxy.HAProxyMessageDecoder;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.util.InsecureTrustManagerFactory;
import io.netty.handler.timeout.IdleState;
import io.netty.handler.timeout.IdleStateEvent;
import io.netty.handler.timeout.IdleStateHandler;
import io.netty.pkitesting.CertificateBuilder;
import io.netty.pkitesting.X509Bundle;
import java.io.ByteArrayOutputStream;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.concurrent.TimeUnit;
import java.util.zip.DeflaterOutputStream;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Netty's handlers between the socket and the decoder. */
class HandlersInFrontTest {
    private static final LengthPrefix PREFIX = LengthPrefix.uint32();
    private final Notes notes = new Notes();

    @Test
    void tls() throws Exception {
        X509Bundle bundle = new CertificateBuilder().subject("CN=localhost").setIsCertificateAuthority(true).buildSelfSigned();
        SslContext tls = SslContextBuilder.forServer(bundle.toKeyManagerFactory()).build();
        SSLContext trusting = SSLContext.getInstance("TLS");
        trusting.init(null, InsecureTrustManagerFactory.INSTANCE.getTrustManagers(), null);
        try (Sockets sockets = new Sockets()) {
            int port = sockets.listen(channel -> {
                        ChannelPipeline pipeline = channel.pipeline();
                        // README: from here
                        pipeline.addLast(tls.newHandler(channel.alloc()), new LengthPrefixedExactDecoder(1 << 20, PREFIX));
                        // README: to here
                        pipeline.addLast(notes);
                    })
                    .getPort();
            try (Socket plain = Sockets.connect(port);
                    SSLSocket peer = (SSLSocket) trusting.getSocketFactory().createSocket(plain, "localhost", port, false)) {
                peer.getOutputStream().write(Sockets.messages("one", "two"));
                peer.getOutputStream().write(new byte[] {0, 0, 0, 100, 1, 2, 3});
                peer.shutdownOutput(); // close_notify, and no FIN
                assertThat(notes.next()).isEqualTo("one");
                assertThat(notes.next()).isEqualTo("two");
                assertThat(notes.next()).isEqualTo("PrematureCloseException: stream ended after 7 of 104 bytes");
                assertThat(notes.next()).isEqualTo("closed");
            }
        }
    }

    /** A note for the proxy's message, which passes the decoder unframed. */
    private final class Proxied extends SimpleChannelInboundHandler<HAProxyMessage> {
        @Override
        protected void channelRead0(ChannelHandlerContext ctx, HAProxyMessage message) {
            notes.note("from " + message.sourceAddress() + ":" + message.sourcePort());
        }
    }

    /** The proxy's header and the first messages may come in one read, or cut anywhere. */
    @ParameterizedTest(name = "cut at byte {0}")
    @ValueSource(ints = {1, 20, 43, 44, 45, 47, 48, 52, 1_000})
    void theProxyProtocol(int cut) throws Exception {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        all.writeBytes("PROXY TCP4 192.0.2.1 192.0.2.2 56324 443\r\n".getBytes(StandardCharsets.US_ASCII));
        all.writeBytes(Sockets.messages("one", "two"));
        all.writeBytes(new byte[] {0, 0, 0, 100, 1, 2, 3});
        byte[] bytes = all.toByteArray();
        int first = Math.min(cut, bytes.length);
        try (Sockets sockets = new Sockets()) {
            int port = sockets.listen(channel -> {
                        ChannelPipeline pipeline = channel.pipeline();
                        // README: from here
                        pipeline.addLast(new HAProxyMessageDecoder(), new LengthPrefixedExactDecoder(1 << 20, PREFIX));
                        // README: to here
                        pipeline.addLast(new Proxied(), notes);
                    })
                    .getPort();
            try (Socket peer = Sockets.connect(port)) {
                peer.setTcpNoDelay(true);
                peer.getOutputStream().write(bytes, 0, first);
                peer.getOutputStream().write(bytes, first, bytes.length - first);
            }
            assertThat(notes.next()).isEqualTo("from 192.0.2.1:56324");
            assertThat(notes.next()).isEqualTo("one");
            assertThat(notes.next()).isEqualTo("two");
            assertThat(notes.next()).isEqualTo("PrematureCloseException: stream ended after 7 of 104 bytes");
            assertThat(notes.next()).isEqualTo("closed");
        }
    }

    /** Half a megabyte of messages from a few kilobytes. */
    @ParameterizedTest(name = "on demand {0}")
    @ValueSource(booleans = {false, true})
    void aDecompressor(boolean onDemand) throws Exception {
        ByteArrayOutputStream compressed = new ByteArrayOutputStream();
        String[] texts = new String[100];
        Arrays.setAll(texts, i -> i + " " + "x".repeat(5_000));
        try (DeflaterOutputStream out = new DeflaterOutputStream(compressed)) {
            out.write(Sockets.messages(texts));
            out.write(new byte[] {0, 0, 0, 100, 1, 2, 3});
        }
        ReceiveOptions options = onDemand ? ReceiveOptions.defaults().onDemand() : ReceiveOptions.defaults();
        try (Sockets sockets = new Sockets()) {
            int port = sockets.listen(channel -> {
                        ChannelPipeline pipeline = channel.pipeline();
                        int most = 1 << 20; // bytes that one read may give: more is an exception
                        // README: from here
                        pipeline.addLast(
                                new JdkZlibDecoder(ZlibWrapper.ZLIB, most),
                                new LengthPrefixedExactDecoder(1 << 20, PREFIX, options));
                        // README: to here
                        if (onDemand) {
                            channel.config().setAutoRead(false);
                            pipeline.addLast(new OneByOne());
                        }
                        pipeline.addLast(notes);
                    })
                    .getPort();
            try (Socket peer = Sockets.connect(port)) {
                peer.getOutputStream().write(compressed.toByteArray());
            }
            for (String text : texts) {
                assertThat(notes.next()).isEqualTo(text);
            }
            assertThat(notes.next()).isEqualTo("PrematureCloseException: stream ended after 7 of 104 bytes");
            assertThat(notes.next()).isEqualTo("closed");
        }
    }

    /** Asks for the next message at the end of a read. */
    private static final class OneByOne extends ChannelDuplexHandler {
        @Override
        public void channelActive(ChannelHandlerContext ctx) {
            ctx.read();
        }

        @Override
        public void channelReadComplete(ChannelHandlerContext ctx) {
            ctx.read();
        }
    }

    // README: from here
    static class CloseWhenIdle extends ChannelDuplexHandler {
        @Override
        public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
            if (event instanceof IdleStateEvent idle && idle.state() == IdleState.READER_IDLE) {
                ctx.close(); // between messages: within one, the deadline comes first
            } else {
                ctx.fireUserEventTriggered(event);
            }
        }
    }
    // README: to here

    @ParameterizedTest(name = "inside a message {0}")
    @ValueSource(booleans = {false, true})
    void idle(boolean inside) throws Exception {
        EmbeddedChannel channel = new EmbeddedChannel();
        channel.freezeTime();
        ChannelPipeline pipeline = channel.pipeline();
        // README: from here
        ReceiveOptions options = ReceiveOptions.defaults().frameDeadline(Duration.ofSeconds(10)); // within a message
        pipeline.addLast(
                new IdleStateHandler(60, 0, 0), // seconds without a byte, within messages and between them
                new LengthPrefixedExactDecoder(1 << 20, PREFIX, options),
                new CloseWhenIdle());
        // README: to here
        pipeline.addLast(notes);
        receive(channel, Sockets.messages("one"));
        channel.advanceTimeBy(50, TimeUnit.SECONDS);
        channel.runScheduledPendingTasks();
        receive(channel, inside ? new byte[] {0, 0, 0, 100, 1, 2, 3} : Sockets.messages("two"));
        int seconds = inside ? 10 : 60;
        channel.advanceTimeBy(seconds - 1, TimeUnit.SECONDS);
        channel.runScheduledPendingTasks();
        assertThat(notes.next()).isEqualTo("one");
        if (!inside) {
            assertThat(notes.next()).isEqualTo("two");
        }
        assertThat(channel.isOpen()).isTrue();
        channel.advanceTimeBy(1, TimeUnit.SECONDS);
        channel.runScheduledPendingTasks();
        if (inside) {
            assertThat(notes.next()).isEqualTo("FrameTimeoutException: 7 of 104 bytes within the deadline of 10000 ms");
        }
        assertThat(notes.next()).isEqualTo("closed");
        assertThat(channel.isOpen()).isFalse();
    }

    private static void receive(EmbeddedChannel channel, byte[] bytes) {
        ByteBuf read = channel.alloc().buffer().writeBytes(bytes);
        channel.writeInbound(read);
    }
}
