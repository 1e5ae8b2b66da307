package io.exactframe.examples.postgresql;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.util.InsecureTrustManagerFactory;
import io.netty.pkitesting.CertificateBuilder;
import io.netty.pkitesting.X509Bundle;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import javax.net.ssl.SSLContext;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** With a key, TLS ends at the relay. */
class TlsTest {
    private static SslContext tls;
    private static Running relay;

    @BeforeAll
    static void start() throws Exception {
        X509Bundle bundle = new CertificateBuilder()
                .subject("CN=localhost")
                .setIsCertificateAuthority(true)
                .buildSelfSigned();
        tls = SslContextBuilder.forServer(bundle.toKeyManagerFactory()).build();
        relay = new Running(Programs.server().port(), tls, MessageDecoder.LARGE);
    }

    @Test
    void psqlSpeaksTlsToTheRelay() throws Exception {
        Programs.Result result = Programs.psql(
                Programs.url(relay.port(), "sslmode=require"),
                "\\conninfo\nselect 1;\nselect length(repeat('x', 3000000));\nselect repeat('x', 3000000);\n");
        assertThat(result.out()).contains("SSL connection (protocol: TLSv1.3").contains("\n1\n3000000\nxxxxxx").hasSizeGreaterThan(3_000_000);
        assertThat(result.err()).isEmpty();
        relay.awaitNoConnections();
        assertThat(relay.told).isEmpty();
    }

    @Test
    void psqlMayStillSpeakPlainly() throws Exception {
        Programs.Result result =
                Programs.psql(Programs.url(relay.port(), "sslmode=disable"), "\\conninfo\nselect 1;\n");
        assertThat(result.out()).endsWith("\n1\n").doesNotContain("SSL");
    }

    @Test
    void plainTextBehindTheRequestIsNotTakenForEncrypted() throws Exception {
        try (Socket client = relay.connect()) {
            DataOutputStream out = new DataOutputStream(new java.io.BufferedOutputStream(client.getOutputStream()));
            out.writeInt(8);
            out.writeInt(MessageDecoder.SSL_REQUEST);
            out.writeInt(9);
            out.writeInt(3 << 16);
            out.writeByte(0);
            out.flush(); // in one segment
            assertThat(client.getInputStream().read()).isEqualTo(-1);
        }
        assertThat(relay.told()).endsWith("the client does not begin: plain text behind the request for TLS");
        relay.awaitNoConnections();
    }

    /** One read of TLS's gives many: what goes out with the first must not wait for those behind it. */
    @ParameterizedTest(name = "messages of {0} bytes")
    @ValueSource(ints = {700_000, 1_500_000})
    void aMessageThatFillsTheRelayWithOthersBehindIt(int large) throws Exception {
        byte[] sent = messages(large, 900, 900, 900, large, 900, large, 20_000);
        try (ServerSocket listening = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
                Running own = new Running(listening.getLocalPort(), tls, MessageDecoder.LARGE);
                Socket plain = own.connect()) {
            DataOutputStream out = new DataOutputStream(plain.getOutputStream());
            out.writeInt(8);
            out.writeInt(MessageDecoder.SSL_REQUEST);
            assertThat(plain.getInputStream().read()).isEqualTo('S');
            SSLContext trusting = SSLContext.getInstance("TLS");
            trusting.init(null, InsecureTrustManagerFactory.INSTANCE.getTrustManagers(), null);
            try (Socket client = trusting.getSocketFactory().createSocket(plain, "localhost", own.port(), true)) {
                client.getOutputStream().write(new byte[] {0, 0, 0, 9, 0, 3, 0, 0, 0});
                try (Socket server = listening.accept()) {
                    server.setSoTimeout(10_000);
                    CompletableFuture<Void> writing = CompletableFuture.runAsync(() -> {
                        try {
                            client.getOutputStream().write(sent);
                        } catch (IOException e) {
                            throw new UncheckedIOException(e);
                        }
                    });
                    server.getInputStream().skipNBytes(9);
                    assertThat(server.getInputStream().readNBytes(sent.length)).isEqualTo(sent);
                    writing.get();
                }
            }
        }
    }

    private static byte[] messages(int... lengths) {
        ByteBuffer all = ByteBuffer.allocate(IntStream.of(lengths).sum());
        for (int length : lengths) {
            all.put((byte) 'd').putInt(length - 1).put(new byte[length - 5]);
        }
        return all.array();
    }

    @AfterAll
    static void stop() throws Exception {
        relay.close();
    }
}
