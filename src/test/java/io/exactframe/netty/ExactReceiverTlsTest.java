package io.exactframe.netty;

import static io.exactframe.netty.testing.Loopback.done;
import static io.exactframe.netty.testing.Loopback.text;
import static org.assertj.core.api.Assertions.assertThat;

import io.exactframe.netty.testing.Loopback;
import io.exactframe.netty.testing.Loopback.Transport;
import io.exactframe.netty.testing.Tls;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.ssl.SslHandler;
import io.netty.util.concurrent.ProgressiveFuture;
import java.io.DataOutputStream;
import java.util.concurrent.CompletableFuture;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLSocket;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A receiver, and a decoder, behind an {@link SslHandler}, which reads more often than it gives, and gives more than one reads. */
class ExactReceiverTlsTest {
    private static SSLContext tls;

    @BeforeAll
    static void makeCertificate() throws Exception {
        tls = Tls.context();
    }

    private static SslHandler server() {
        SSLEngine engine = tls.createSSLEngine();
        engine.setUseClientMode(false);
        return new SslHandler(engine);
    }

    private static SSLSocket client(Loopback it) throws Exception {
        return (SSLSocket) tls.getSocketFactory()
                .createSocket(it.peer.socket(), "localhost", it.address().getPort(), true);
    }

    @Test // 32, 41
    void theHandshakeNeedsNobodyWhoAsks() throws Exception {
        ExactReceiver receiver = new ExactReceiver();
        try (Loopback it = new Loopback(Transport.nio(), server(), receiver);
                SSLSocket client = client(it)) {
            client.startHandshake();
            DataOutputStream out = new DataOutputStream(client.getOutputStream());
            out.writeBytes("ABCDE");
            out.flush();
            assertThat(text(receiver.receive(2))).isEqualTo("AB");
            assertThat(text(receiver.receive(3))).isEqualTo("CDE");
            byte[] large = new byte[1 << 20];
            ProgressiveFuture<ByteBuf> frame = receiver.receive(LengthPrefix.uint32(), 2 << 20);
            out.writeInt(large.length);
            out.write(large);
            out.flush();
            assertThat(done(frame).getNow().readableBytes()).isEqualTo(large.length);
            frame.getNow().release();
        }
    }

    @Test // 33, 34
    void theEndInsideAFrame() throws Exception {
        ExactReceiver receiver = new ExactReceiver();
        try (Loopback it = new Loopback(Transport.nio(), server(), receiver);
                SSLSocket client = client(it)) {
            ProgressiveFuture<ByteBuf> first = receiver.receive(4);
            ProgressiveFuture<ByteBuf> second = receiver.receive(4);
            client.getOutputStream().write("ABCDE".getBytes());
            assertThat(text(first)).isEqualTo("ABCD");
            client.close();
            assertThat(done(second).cause()).hasMessage("stream ended after 1 of 4 bytes");
            it.closeChannel();
            assertThat(it.passed).containsSubsequence("PrematureCloseException", "inactive");
        }
    }

    @ParameterizedTest(name = "closed as well: {0}") // 33, 34, 57, 60: for a decoder too
    @ValueSource(booleans = {false, true})
    void aCloseNotifyIsTheEndOfInput(boolean closes) throws Exception {
        LengthPrefixedExactDecoder decoder = new LengthPrefixedExactDecoder(100, LengthPrefix.uint16());
        CompletableFuture<Throwable> fault = new CompletableFuture<>();
        ChannelInboundHandlerAdapter faults = new ChannelInboundHandlerAdapter() {
            @Override
            public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
                fault.complete(cause);
                ctx.fireExceptionCaught(cause);
            }
        };
        try (Loopback it = new Loopback(Transport.nio(), server(), decoder, faults);
                SSLSocket client = client(it)) {
            client.getOutputStream().write("\0\3ABC\0\4D".getBytes());
            assertThat(it.nextPassed()).isEqualTo("SslHandshakeCompletionEvent");
            assertThat(it.nextPassed()).isEqualTo("ABC");
            if (closes) {
                client.close();
            } else {
                client.shutdownOutput();
            }
            assertThat(it.nextPassed()).isEqualTo("PrematureCloseException");
            assertThat(fault.get()).hasMessage("stream ended after 3 of 6 bytes");
            assertThat(it.nextPassed()).isEqualTo("SslCloseCompletionEvent");
            it.closeChannel();
            assertThat(it.nextPassed()).isEqualTo("inactive");
            assertThat(it.passed).isEmpty();
        }
    }
}
