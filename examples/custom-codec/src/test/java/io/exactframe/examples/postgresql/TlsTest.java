package io.exactframe.examples.postgresql;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.pkitesting.CertificateBuilder;
import io.netty.pkitesting.X509Bundle;
import java.io.DataOutputStream;
import java.net.Socket;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** With a key, TLS ends at the relay. */
class TlsTest {
    private static Running relay;

    @BeforeAll
    static void start() throws Exception {
        X509Bundle bundle = new CertificateBuilder()
                .subject("CN=localhost")
                .setIsCertificateAuthority(true)
                .buildSelfSigned();
        SslContext tls = SslContextBuilder.forServer(bundle.toKeyManagerFactory()).build();
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

    @AfterAll
    static void stop() throws Exception {
        relay.close();
    }
}
