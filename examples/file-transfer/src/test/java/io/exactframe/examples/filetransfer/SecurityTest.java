package io.exactframe.examples.filetransfer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.netty.util.LeakPresenceDetector;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.cert.X509Certificate;
import java.util.Base64;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509TrustManager;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Who has not the code learns nothing and gives nothing. */
class SecurityTest {
    @TempDir
    Path temp;

    private Path file;
    private Path target;

    @BeforeEach
    void makeFiles() throws Exception {
        target = Files.createDirectory(temp.resolve("target"));
        file = Files.writeString(temp.resolve("telling-name"), "secret");
    }

    @AfterEach
    void nothingLeaks() {
        LeakPresenceDetector.check();
    }

    private Ends.Received receive(Ends.Sending sending, String code) throws Exception {
        return Ends.receive(sending.port, target, false, Security.forReceiver(code), new Ends.Lines());
    }

    private static String half(String code, int index) {
        return code.split("\\.")[index];
    }

    @Test
    void anotherCertificateIsNotTrusted() throws Exception {
        try (Ends.Sending sending = new Ends.Sending(Security.forSender(), file)) {
            String code = half(sending.security.code(), 0) + "." + half(Ends.otherCode(), 1);
            Ends.Received received = receive(sending, code);
            assertThat(received.exitCode()).isEqualTo(TransferException.NOT_TRUSTED);
            assertThat(received.said()).startsWith("no safe connection: the code is not that of this sender");
            assertThat(sending.waits()).isTrue();
        }
    }

    @Test
    void aReceiverWithoutTheSecretIsToldNoName() throws Exception {
        try (Ends.Sending sending = new Ends.Sending(Security.forSender(), file)) {
            String code = half(Ends.otherCode(), 0) + "." + half(sending.security.code(), 1);
            Ends.Received received = receive(sending, code);
            assertThat(received.exitCode()).isEqualTo(TransferException.NOT_TRUSTED);
            assertThat(received.said()).isEqualTo("the other end does not know the secret; copy the code again");
            assertThat(received.listed()).isEmpty();
            assertThat(receive(sending, sending.security.code()).exitCode()).isZero();
            sending.awaitReceipt();
        }
    }

    /** One that trusts every certificate, sends what it likes for a proof, and reads all there is. */
    @Test
    void aStrangerWhoSpeaksTlsGetsTheNonceAndTheProofAndNothingElse() throws Exception {
        try (Ends.Sending sending = new Ends.Sending(Security.forSender(), file)) {
            SSLContext context = SSLContext.getInstance("TLSv1.3");
            context.init(null, new TrustManager[] {new TrustsAll()}, null);
            ByteArrayOutputStream got = new ByteArrayOutputStream();
            try (SSLSocket stranger = (SSLSocket) context.getSocketFactory().createSocket("127.0.0.1", sending.port)) {
                stranger.setSoTimeout(20_000);
                stranger.getOutputStream().write(new byte[64]);
                stranger.getOutputStream().write(Raw.frame(Message.Hello.OURS));
                stranger.getInputStream().transferTo(got);
            } catch (IOException closed) {
                // as it should be
            }
            assertThat(got.size()).isLessThanOrEqualTo(64);
            assertThat(got.toString(StandardCharsets.ISO_8859_1)).doesNotContain("telling-name");
            assertThat(sending.waits()).isTrue();
        }
    }

    @Test
    void onlyTls13() throws Exception {
        try (Ends.Sending sending = new Ends.Sending(Security.forSender(), file)) {
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(null, new TrustManager[] {new TrustsAll()}, null);
            try (SSLSocket old = (SSLSocket) context.getSocketFactory().createSocket("127.0.0.1", sending.port)) {
                old.setEnabledProtocols(new String[] {"TLSv1.2"});
                old.setSoTimeout(20_000);
                assertThatExceptionOfType(IOException.class).isThrownBy(old::startHandshake);
            }
        }
    }

    @Test
    void theSecretHas128BitsAndEachRunAnother() throws Exception {
        String code = Ends.otherCode();
        assertThat(Base64.getUrlDecoder().decode(half(code, 0))).hasSize(16);
        assertThat(Base64.getUrlDecoder().decode(half(code, 1))).hasSize(32);
        assertThat(half(Ends.otherCode(), 0)).isNotEqualTo(half(code, 0));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "abc", "abc.def", ".", "not base64.at all", "AAAAAAAAAAAAAAAAAAAAAA"})
    void whatIsNoCodeIsSaidSo(String code) {
        assertThatExceptionOfType(TransferException.class)
                .isThrownBy(() -> Security.forReceiver(code))
                .withMessageStartingWith("this is not a code");
    }

    private static final class TrustsAll implements X509TrustManager {
        @Override
        public void checkClientTrusted(X509Certificate[] chain, String type) {}

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String type) {}

        @Override
        public X509Certificate[] getAcceptedIssuers() {
            return new X509Certificate[0];
        }
    }
}
