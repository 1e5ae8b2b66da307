package io.exactframe.netty.testing;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.handler.ssl.SslHandler;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;

/** A certificate of our own, for both ends. */
public final class Tls {
    private static SSLContext context;

    private Tls() {}

    public static synchronized SSLContext context() throws Exception {
        if (context == null) {
            Path dir = Files.createTempDirectory("tls");
            context = make(dir);
            try (var files = Files.list(dir)) {
                for (Path file : files.toList()) {
                    Files.delete(file);
                }
            }
            Files.delete(dir);
        }
        return context;
    }

    private static SSLContext make(Path dir) throws Exception {
        Path file = dir.resolve("keys.p12");
        int exit = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "keytool").toString(),
                        "-genkeypair",
                        "-keyalg", "EC",
                        "-dname", "CN=test",
                        "-storetype", "PKCS12",
                        "-storepass", "changeit",
                        "-keystore", file.toString())
                .redirectErrorStream(true)
                .redirectOutput(dir.resolve("log").toFile())
                .start()
                .waitFor();
        assertThat(exit).as("keytool").isZero();
        char[] password = "changeit".toCharArray();
        KeyStore keys = KeyStore.getInstance("PKCS12");
        try (InputStream in = Files.newInputStream(file)) {
            keys.load(in, password);
        }
        KeyManagerFactory ours = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        ours.init(keys, password);
        TrustManagerFactory theirs = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        theirs.init(keys);
        SSLContext tls = SSLContext.getInstance("TLS");
        tls.init(ours.getKeyManagers(), theirs.getTrustManagers(), null);
        return tls;
    }

    /** Netty's end. */
    public static SslHandler server() throws Exception {
        SSLEngine engine = context().createSSLEngine();
        engine.setUseClientMode(false);
        return new SslHandler(engine);
    }

    /** The peer's end; closing it leaves the socket open. */
    public static SSLSocket client(Loopback it) throws Exception {
        return (SSLSocket) context().getSocketFactory()
                .createSocket(it.peer.socket(), "localhost", it.address().getPort(), false);
    }
}
