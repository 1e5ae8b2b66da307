package io.exactframe.examples.postgresql;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.netty.channel.Channel;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.util.LeakPresenceDetector;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
class PostgresServerTest {
    private EventLoopGroup group;
    private Channel server;
    private int port;

    @BeforeEach
    void listen() throws InterruptedException {
        group = new MultiThreadIoEventLoopGroup(2, NioIoHandler.newFactory());
        server = PostgresServer.listen(group, 0);
        port = ((InetSocketAddress) server.localAddress()).getPort();
    }

    @Test
    void theTinyClientIsAnswered() throws InterruptedException {
        try (TinyClient client = new TinyClient(group, server.localAddress(), "ada")) {
            assertThat(client.query("select 1")).containsExactly("1");
            assertThat(client.query("select 'Zoë'")).containsExactly("Zoë");
            assertThat(client.query("drop table students"))
                    .containsExactly("error: only select 1 and select 'text' are answered here");
            assertThat(client.query("select 2")).containsExactly("2");
        }
    }

    @ParameterizedTest(name = "{0} bytes at a time")
    @ValueSource(ints = {1, 7, 1000})
    void aWholeSessionIsAnsweredHoweverItIsWritten(int size) throws IOException {
        byte[] session = Wire.bytes(Wire.SSL_REQUEST, Wire.STARTUP, Wire.SELECT_1, Wire.TERMINATE);
        try (Socket socket = connect()) {
            for (int i = 0; i < session.length; i += size) {
                socket.getOutputStream().write(session, i, Math.min(size, session.length - i));
            }
            String answers = new String(socket.getInputStream().readAllBytes(), US_ASCII);
            assertThat(answers).startsWith("NR\0\0\0").contains("SELECT 1\0").endsWith("Z\0\0\0\5I");
        }
    }

    @Test
    void aCorruptLengthIsAnsweredAndTheConnectionClosed() throws IOException {
        try (Socket socket = connect()) {
            socket.getOutputStream().write(Wire.bytes(Wire.STARTUP, "51 00000003"));
            String answers = new String(socket.getInputStream().readAllBytes(), US_ASCII);
            assertThat(answers).contains("SFATAL").contains("C08P01").endsWith("\0\0");
        }
    }

    private Socket connect() throws IOException {
        Socket socket = new Socket("127.0.0.1", port);
        socket.setTcpNoDelay(true);
        socket.setSoTimeout(10_000);
        return socket;
    }

    @ParameterizedTest
    @ValueSource(strings = {"disable", "prefer"}) // the latter begins with an SSLRequest
    void psqlIsAnswered(String sslmode) throws Exception {
        String target = "host=127.0.0.1 port=" + port + " user=ada dbname=math connect_timeout=10 sslmode=" + sslmode;
        ProcessBuilder psql = new ProcessBuilder(
                "psql", "-X", "-A", "-t", "-w", "-d", target, "-c", "select 1", "-c", "select 'two words'");
        Process process = null;
        try {
            process = psql.redirectErrorStream(true).start();
        } catch (IOException notInstalled) {
            assumeTrue(false, "no psql on this machine");
        }
        try {
            assertThat(process.waitFor(20, SECONDS)).isTrue();
            assertThat(new String(process.getInputStream().readAllBytes(), UTF_8))
                    .isEqualTo("1\ntwo words\n");
            assertThat(process.exitValue()).isZero();
        } finally {
            process.destroyForcibly();
        }
    }

    @Test
    void theDemoEndsByItselfAndShowsWhatItGot() throws InterruptedException {
        ByteArrayOutputStream printed = new ByteArrayOutputStream();
        PrintStream before = System.out;
        try (PrintStream out = new PrintStream(printed, true, UTF_8)) {
            System.setOut(out);
            PostgresDemo.main(new String[0]);
        } finally {
            System.setOut(before);
        }
        assertThat(printed.toString(UTF_8)).contains("select 1: [1]").contains("select 'exactly this': [exactly this]");
    }

    @AfterEach
    void nothingLeaks() throws InterruptedException {
        server.close().sync(); // its loop first: it may be still busy with a client that is gone already
        group.shutdownGracefully(0, 5, SECONDS).sync();
        LeakPresenceDetector.check();
    }
}
