package io.exactframe.examples.filetransfer;

import static java.nio.charset.StandardCharsets.US_ASCII;

import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.ssl.util.FingerprintTrustManagerFactory;
import io.netty.util.ReferenceCountUtil;
import java.math.BigInteger;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.security.spec.ECGenParameterSpec;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.Base64;
import java.util.Date;
import java.util.HexFormat;
import java.util.List;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import javax.net.ssl.SSLException;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.cert.jcajce.JcaX509v3CertificateBuilder;
import org.bouncycastle.operator.OperatorCreationException;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;

/**
 * Who may take part and who can listen: TLS 1.3 with a certificate for this run, then both ends prove that they know
 * the secret. The frames know nothing of it: it is done before the first of them.
 *
 * <pre>
 *   receiver --&gt; nonce
 *   sender   --&gt; nonce, HMAC("sender", fingerprint, both nonces)
 *   receiver --&gt; HMAC("receiver", fingerprint, both nonces)
 * </pre>
 *
 * The fingerprint in the proofs is that of the certificate on this very connection: nobody can stand in between.
 */
final class Security {
    private static final String TLS = "TLSv1.3";
    private static final List<String> CIPHERS = List.of("TLS_AES_128_GCM_SHA256"); // the least work of them
    private static final int SECRET_LENGTH = 16;
    private static final int FINGERPRINT_LENGTH = 32;
    private static final int NONCE_LENGTH = 32;
    private static final int MAC_LENGTH = 32;
    private static final Duration CERTIFICATE_LIFE = Duration.ofDays(365);
    private static final SecureRandom RANDOM = new SecureRandom();

    private final SslContext context; // null: --plain
    private final byte[] secret;
    private final byte[] fingerprint;
    private final boolean sender;

    private Security(SslContext context, byte[] secret, byte[] fingerprint, boolean sender) {
        this.context = context;
        this.secret = secret;
        this.fingerprint = fingerprint;
        this.sender = sender;
    }

    /** Nothing is encrypted, and nobody proves anything. */
    static Security plain() {
        return new Security(null, null, null, false);
    }

    static Security forSender() {
        try {
            KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
            generator.initialize(new ECGenParameterSpec("secp256r1"));
            KeyPair keys = generator.generateKeyPair();
            X509Certificate certificate = certify(keys);
            SslContext context = SslContextBuilder.forServer(keys.getPrivate(), certificate)
                    .protocols(TLS)
                    .ciphers(CIPHERS)
                    .build();
            return new Security(context, random(SECRET_LENGTH), Digests.sha256(certificate.getEncoded()), true);
        } catch (GeneralSecurityException | OperatorCreationException | SSLException e) {
            throw new IllegalStateException(e); // every Java platform can do this
        }
    }

    private static X509Certificate certify(KeyPair keys) throws GeneralSecurityException, OperatorCreationException {
        X500Name name = new X500Name("CN=file-transfer");
        Instant now = Instant.now();
        return new JcaX509CertificateConverter()
                .getCertificate(new JcaX509v3CertificateBuilder(
                                name,
                                new BigInteger(64, RANDOM).setBit(64),
                                Date.from(now.minus(CERTIFICATE_LIFE)), // clocks differ
                                Date.from(now.plus(CERTIFICATE_LIFE)),
                                name,
                                keys.getPublic())
                        .build(new JcaContentSignerBuilder("SHA256withECDSA").build(keys.getPrivate())));
    }

    /** Takes what {@link #code} of the sender was. */
    static Security forReceiver(String code) throws TransferException {
        try {
            String[] halves = code.strip().split("\\.", -1);
            byte[] secret = Base64.getUrlDecoder().decode(halves[0]);
            byte[] fingerprint = Base64.getUrlDecoder().decode(halves[1]);
            if (halves.length != 2 || secret.length != SECRET_LENGTH || fingerprint.length != FINGERPRINT_LENGTH) {
                throw new IllegalArgumentException();
            }
            SslContext context = SslContextBuilder.forClient()
                    .protocols(TLS)
                    .ciphers(CIPHERS)
                    .trustManager(FingerprintTrustManagerFactory.builder("SHA-256")
                            .fingerprints(HexFormat.of().formatHex(fingerprint))
                            .build())
                    .endpointIdentificationAlgorithm(null) // the fingerprint says more than a name could
                    .build();
            return new Security(context, secret, fingerprint, false);
        } catch (IllegalArgumentException | ArrayIndexOutOfBoundsException e) {
            throw TransferException.notTrusted("this is not a code; copy the whole line that 'send' printed after"
                    + " \"code\"");
        } catch (SSLException e) {
            throw new IllegalStateException(e);
        }
    }

    /** What the receiver's user has to know, or null if nothing. */
    String code() {
        Base64.Encoder encoder = Base64.getUrlEncoder().withoutPadding();
        return context == null ? null : encoder.encodeToString(secret) + "." + encoder.encodeToString(fingerprint);
    }

    /** Encrypts a channel that has just been made. */
    void equip(Channel channel) {
        if (context != null) {
            SslHandler handler = context.newHandler(channel.alloc());
            handler.setHandshakeTimeoutMillis(Limits.GREETING.toMillis());
            channel.pipeline().addLast(handler);
        }
    }

    /** When no connection uses it any more: some of it is not the garbage collector's. */
    void close() {
        ReferenceCountUtil.release(context);
    }

    /** Returns if the other end knows the secret. */
    void prove(Connection connection) throws TransferException {
        if (context == null) {
            return;
        }
        SslHandler handler = connection.handler(SslHandler.class); // null if it is closed already
        if (handler == null || !handler.handshakeFuture().awaitUninterruptibly().isSuccess()) {
            throw TransferException.notTrusted("no safe connection: the code is not that of this sender (copy it again),"
                    + " or the sender runs with --plain (then say so here too)");
        }
        if (sender) {
            byte[] theirs = connection.receiveBytes(NONCE_LENGTH);
            byte[] ours = random(NONCE_LENGTH);
            connection.sendBytes(Unpooled.wrappedBuffer(ours));
            connection.sendBytes(Unpooled.wrappedBuffer(proof("sender", theirs, ours)));
            connection.flush();
            check(connection.receiveBytes(MAC_LENGTH), proof("receiver", theirs, ours));
        } else {
            byte[] ours = random(NONCE_LENGTH);
            connection.sendBytes(Unpooled.wrappedBuffer(ours));
            connection.flush();
            byte[] theirs = connection.receiveBytes(NONCE_LENGTH);
            check(connection.receiveBytes(MAC_LENGTH), proof("sender", ours, theirs));
            connection.sendBytes(Unpooled.wrappedBuffer(proof("receiver", ours, theirs)));
            connection.flush();
        }
    }

    private static void check(byte[] received, byte[] expected) throws TransferException {
        if (!MessageDigest.isEqual(received, expected)) {
            throw TransferException.notTrusted("the other end does not know the secret; copy the code again");
        }
    }

    private byte[] proof(String role, byte[] receivers, byte[] senders) {
        try {
            Mac mac = Mac.getInstance("HmacSHA256");
            mac.init(new SecretKeySpec(secret, "HmacSHA256"));
            for (byte[] part : Arrays.asList(role.getBytes(US_ASCII), fingerprint, receivers, senders)) {
                mac.update(part);
            }
            return mac.doFinal();
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e); // every Java platform has it
        }
    }

    private static byte[] random(int length) {
        byte[] bytes = new byte[length];
        RANDOM.nextBytes(bytes);
        return bytes;
    }
}
