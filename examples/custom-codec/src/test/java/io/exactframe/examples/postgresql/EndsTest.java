package io.exactframe.examples.postgresql;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Semaphore;
import java.util.regex.Pattern;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.SSLSocketFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Peers that vanish, lie, or speak something else: both sides end, and one line says whose end it was. */
class EndsTest {
    private static final byte[] STARTUP = startup();
    private ServerSocket server;
    private Running relay;

    @BeforeEach
    void start() throws Exception {
        server = new ServerSocket(0, 10, InetAddress.getLoopbackAddress());
        relay = new Running(server.getLocalPort());
    }

    private static byte[] startup() {
        byte[] parameters = "user\0demo\0\0".getBytes(US_ASCII);
        return bytes(out -> {
            out.writeInt(8 + parameters.length);
            out.writeInt(3 << 16);
            out.write(parameters);
        });
    }

    private interface Writing {
        void to(DataOutputStream out) throws IOException;
    }

    private static byte[] bytes(Writing writing) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try {
            writing.to(new DataOutputStream(bytes));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return bytes.toByteArray();
    }

    /** A message of this type and content length, as much of it as that. */
    private static byte[] message(char type, int content, int sent) {
        byte[] whole = bytes(out -> {
            out.writeByte(type);
            out.writeInt(4 + content);
            out.write(new byte[content]);
        });
        return java.util.Arrays.copyOf(whole, sent);
    }

    private record Pair(Socket client, Socket server) implements AutoCloseable {
        @Override
        public void close() throws IOException {
            client.close();
            server.close();
        }
    }

    /** A client and its server, the start-up packet gone through. */
    private Pair connected() throws IOException {
        Socket client = relay.connect();
        client.getOutputStream().write(STARTUP);
        Socket accepted = server.accept();
        accepted.setSoTimeout(10_000);
        client.setTcpNoDelay(true); // what is written has gone when the socket is reset
        accepted.setTcpNoDelay(true);
        assertThat(accepted.getInputStream().readNBytes(STARTUP.length)).isEqualTo(STARTUP);
        return new Pair(client, accepted);
    }

    private static void assertEnded(Socket socket) throws IOException {
        try {
            socket.getInputStream().readAllBytes();
        } catch (SocketException e) {
            assertThat(e).hasMessageContaining("reset");
        }
    }

    private static void reset(Socket socket) throws IOException {
        socket.setSoLinger(true, 0);
        socket.close();
    }

    @ParameterizedTest(name = "{1} of {0} bytes, reset {2}")
    @CsvSource({
        "100, 3, false, in a message's header",
        "100, 40, false, after 40 of 105 bytes of DataRow",
        "100, 40, true, after 40 of 105 bytes of DataRow",
        "2000000, 40, false, after 40 of 2000005 bytes of DataRow",
        "2000000, 1500000, false, after 1500000 of 2000005 bytes of DataRow",
    })
    void aServerThatIsKilledInsideAMessage(int content, int sent, boolean reset, String progress) throws Exception {
        try (Pair pair = connected()) {
            byte[] whole = message('Z', 1, 6);
            pair.server().getOutputStream().write(whole);
            assertThat(pair.client().getInputStream().readNBytes(6)).isEqualTo(whole);
            CompletableFuture<byte[]> rest = CompletableFuture.supplyAsync(() -> {
                try {
                    return pair.client().getInputStream().readAllBytes();
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
            });
            pair.server().getOutputStream().write(message('D', content, sent));
            if (reset) {
                Running.await(() -> relay.traffic.table().size() > 2);
                reset(pair.server());
            } else {
                pair.server().close();
            }
            String line = relay.told();
            if (!reset || !line.equals("connection 1: the server is gone")) { // the bytes may be lost with a reset
                assertThat(line).isEqualTo("connection 1: the server left " + progress);
            }
            // Nothing of a small message that is not whole, what came of a large one.
            assertThat(rest.get(10, SECONDS)).hasSize(sent < 100 && content < 1_000 ? 0 : sent);
            relay.awaitNoConnections();
        }
        assertThat(relay.told).isEmpty();
    }

    @ParameterizedTest(name = "{1} of {0} bytes, reset {2}")
    @CsvSource({
        "100, 40, false, after 40 of 105 bytes of Query",
        "2000000, 1500000, false, after 1500000 of 2000005 bytes of Query",
    })
    void aClientThatIsKilledInsideAMessage(int content, int sent, boolean reset, String progress) throws Exception {
        try (Pair pair = connected()) {
            CompletableFuture<Void> reading = CompletableFuture.runAsync(() -> {
                try {
                    assertEnded(pair.server());
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
            });
            pair.client().getOutputStream().write(message('Q', content, sent));
            pair.client().close();
            assertThat(relay.told()).isEqualTo("connection 1: the client left " + progress);
            reading.get(10, SECONDS);
            relay.awaitNoConnections();
        }
        assertThat(relay.told).isEmpty();
    }

    @Test
    void aClientThatIsKilledWhileALargeMessageComesToIt() throws Exception {
        try (Pair pair = connected()) {
            pair.server().getOutputStream().write(message('D', 100_000_000, 2_000_000));
            pair.client().getInputStream().readNBytes(2_000_000);
            reset(pair.client());
            assertThat(relay.told())
                    .matches("connection 1: the client (is gone|left), when 2000000 of 100000005 bytes of DataRow had come"
                            + " from the server");
            assertEnded(pair.server());
            relay.awaitNoConnections();
        }
        assertThat(relay.told).isEmpty();
    }

    @Test
    void anEndOfInputGoesThroughAndTheOtherDirectionGoesOn() throws Exception {
        try (Pair pair = connected()) {
            pair.client().shutdownOutput();
            assertThat(pair.server().getInputStream().read()).isEqualTo(-1);
            byte[] row = message('D', 5_000, 5_005);
            pair.server().getOutputStream().write(row);
            pair.server().close();
            assertThat(pair.client().getInputStream().readAllBytes()).isEqualTo(row);
            relay.awaitNoConnections();
        }
        assertThat(relay.told()).isEqualTo("connection 1: the client left");
        assertThat(relay.told).isEmpty();
    }

    @Test
    void aGoodbyeIsNoNews() throws Exception {
        try (Pair pair = connected()) {
            pair.client().getOutputStream().write(message('X', 0, 5));
            pair.client().close();
            assertThat(pair.server().getInputStream().readAllBytes()).isEqualTo(message('X', 0, 5));
            pair.server().close();
            relay.awaitNoConnections();
        }
        assertThat(relay.told).isEmpty();
    }

    /** Holds the relay's event loop at the end of each query, before its last message goes on. */
    private final class Held implements Runnable {
        private final Semaphore at = new Semaphore(0);
        private final Semaphore goesOn = new Semaphore(0);

        Held(Pair pair) throws IOException {
            pair.server().getOutputStream().write(message('Z', 1, 6)); // the log-in's
            pair.client().getInputStream().readNBytes(6);
            relay.atQuery = this;
        }

        @Override
        public void run() {
            at.release();
            acquire(goesOn);
        }

        void await() {
            acquire(at);
        }

        void goOn() {
            goesOn.release();
        }

        private static void acquire(Semaphore semaphore) {
            try {
                assertThat(semaphore.tryAcquire(10, SECONDS)).isTrue();
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        }
    }

    /** That the client has reset is found out by a write; what it had said before is to be read all the same. */
    @ParameterizedTest(name = "goodbye {0}")
    @ValueSource(booleans = {true, false})
    void aClientThatIsFoundGoneByAWriteWasHeard(boolean goodbye) throws Exception {
        byte[] bye = message('X', 0, goodbye ? 5 : 0);
        try (Pair pair = connected()) {
            Held held = new Held(pair);
            pair.client().getOutputStream().write(message('Q', 1, 6));
            pair.server().getInputStream().readNBytes(6);
            pair.server().getOutputStream().write(message('Z', 1, 6));
            held.await();
            pair.client().getOutputStream().write(bye);
            reset(pair.client());
            held.goOn();
            assertThat(pair.server().getInputStream().readAllBytes()).isEqualTo(bye);
            relay.awaitNoConnections();
        }
        assertThat(relay.told).containsExactlyElementsOf(goodbye ? List.of() : List.of("connection 1: the client is gone"));
    }

    /** The same the other way round: a server says why it ends. */
    @Test
    void aServerThatIsFoundGoneByAWriteWasHeard() throws Exception {
        byte[] why = message('N', 20, 25);
        try (Pair pair = connected()) {
            Held held = new Held(pair);
            pair.client().getOutputStream().write(message('Q', 1, 6));
            pair.client().getOutputStream().write(message('Q', 1, 6));
            pair.server().getInputStream().readNBytes(12);
            pair.server().getOutputStream().write(message('Z', 1, 6));
            held.await();
            pair.server().getOutputStream().write(message('Z', 1, 6)); // is read first,
            pair.client().getOutputStream().write(message('Q', 1, 6)); // and this in the same round
            held.goOn();
            held.await();
            pair.server().getOutputStream().write(why);
            reset(pair.server());
            held.goOn();
            assertThat(pair.client().getInputStream().readAllBytes()).endsWith(why).hasSize(12 + why.length);
            relay.awaitNoConnections();
        }
        assertThat(relay.told()).isEqualTo("connection 1: the server is gone");
        assertThat(relay.told).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"GET / HTTP/1.1\r\nHost: here\r\n\r\n", "\u0016\u0003\u0001\u0002\u0000\u0001", "\0\0\0\5\0\0\0"})
    void aClientThatSpeaksSomethingElse(String bytes) throws Exception {
        try (Socket client = relay.connect()) {
            client.getOutputStream().write(bytes.getBytes(java.nio.charset.StandardCharsets.ISO_8859_1));
            assertEnded(client);
        }
        assertThat(relay.told())
                .isEqualTo("connection 1: the client does not begin: this is not how a PostgreSQL connection begins");
        relay.awaitNoConnections();
        assertThat(relay.told).isEmpty();
    }

    @Test
    void aTlsClientThatDoesNotAskFirst() throws Exception {
        try (Socket client = SSLSocketFactory.getDefault().createSocket("127.0.0.1", relay.port())) {
            assertThatExceptionOfType(IOException.class).isThrownBy(((SSLSocket) client)::startHandshake);
        }
        assertThat(relay.told()).endsWith("this is not how a PostgreSQL connection begins");
    }

    @ParameterizedTest(name = "seed {0}")
    @ValueSource(longs = {1, 2, 3})
    void randomBytes(long seed) throws Exception {
        Random random = new Random(seed);
        int told = 0;
        for (int i = 0; i < 50; i++) {
            byte[] bytes = new byte[8 + random.nextInt(1000)];
            random.nextBytes(bytes);
            try (Socket client = relay.connect()) {
                client.getOutputStream().write(bytes);
                client.shutdownOutput();
                assertEnded(client);
                told++;
            }
            assertThat(relay.told()).startsWith("connection " + told + ": the client ");
        }
        relay.awaitNoConnections();
        assertThat(relay.told).isEmpty();
    }

    @Test
    void aServerThatSpeaksSomethingElse() throws Exception {
        try (Pair pair = connected()) {
            pair.server().getOutputStream().write("HTTP/1.1 400 Bad Request\r\n\r\n".getBytes(US_ASCII));
            assertEnded(pair.client());
            assertEnded(pair.server());
        }
        assertThat(relay.told())
                .isEqualTo("connection 1: the server broke the protocol: this is no PostgreSQL message: type 72,"
                        + " length 1414811695");
        relay.awaitNoConnections();
        assertThat(relay.told).isEmpty();
    }

    @Test
    void aLengthThatIsALie() throws Exception {
        try (Pair pair = connected()) {
            pair.client().getOutputStream().write(new byte[] {'Q', 0, 0, 0, 3, 'x'});
            assertEnded(pair.client());
            assertEnded(pair.server());
        }
        assertThat(relay.told()).endsWith("the client broke the protocol: this is no PostgreSQL message: type 81, length 3");
    }

    @Test
    void whoLeavesBeforeAnythingIsSaid() throws Exception {
        relay.connect().close();
        assertThat(relay.told()).isEqualTo("connection 1: the client left");
        relay.awaitNoConnections();
        assertThat(relay.told).isEmpty();
    }

    /** Who is cut off says nothing: the kernels of both sides are to ask now and then. */
    @Test
    @EnabledOnOs(OS.LINUX)
    void bothSidesAreKeptAlive() throws Exception {
        try (Pair pair = connected()) {
            Running.await(() -> keepAliveTimers(":%04X [0-9A-F]+:", relay.port()) == 1);
            Running.await(() -> keepAliveTimers(" [0-9A-F]+:%04X ", server.getLocalPort()) == 1);
        }
    }

    /** Connections whose timer is that of keep-alive (02), in what the kernel tells of each: addresses, state, queues, timer. */
    private static long keepAliveTimers(String addresses, int port) {
        Pattern timed = Pattern.compile(String.format(addresses, port) + ".* ?01 [0-9A-F]+:[0-9A-F]+ 02:");
        long count = 0;
        for (String file : List.of("/proc/net/tcp", "/proc/net/tcp6")) {
            try {
                count += Files.readAllLines(Path.of(file)).stream().filter(line -> timed.matcher(line).find()).count();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
        return count;
    }

    @Test
    void noServer() throws Exception {
        server.close();
        Programs.Result psql = Programs.psql(relay.port(), "select 1;");
        assertThat(psql.exitCode()).isEqualTo(2);
        assertThat(psql.err()).contains("FATAL:  no server at ").contains("Connection refused");
        assertThat(relay.told()).startsWith("connection 1: no server at ").contains("Connection refused");
        relay.awaitNoConnections();
        assertThat(relay.told).isEmpty();
    }

    @Test
    void aRealServerThatIsKilledInTheMiddle() throws Exception {
        Programs.server();
        try (LocalPostgres victim = LocalPostgres.start();
                Running own = new Running(victim.port())) {
            CompletableFuture<Programs.Result> copying = CompletableFuture.supplyAsync(() -> {
                try {
                    return Programs.psql(own.port(), "copy (select repeat('x', 1000), generate_series(1, 100000000)) to stdout");
                } catch (Exception e) {
                    throw new AssertionError(e);
                }
            });
            Running.await(() -> own.traffic.table().stream().anyMatch(line -> line.matches(" +CopyData +[1-9].*")));
            victim.close();
            assertThat(copying.get(30, SECONDS).err()).contains("server closed the connection unexpectedly");
            assertThat(own.told()).startsWith("connection 1: the server ");
            own.awaitNoConnections();
            assertThat(own.told).isEmpty();
        }
    }

    @Test
    void aRealClientThatIsKilledInTheMiddle() throws Exception {
        LocalPostgres real = Programs.server();
        try (Running own = new Running(real.port())) {
            Process psql = new ProcessBuilder(List.of(
                            real.program("psql").toString(), "-X", Programs.url(own.port()), "-c",
                            "copy (select repeat('x', 3000000) from generate_series(1, 1000)) to stdout"))
                    .redirectOutput(ProcessBuilder.Redirect.to(Path.of("/dev/null").toFile()))
                    .start();
            Running.await(() -> own.traffic.table().stream().anyMatch(line -> line.matches(" +CopyData +[1-9].*")));
            psql.destroyForcibly().waitFor();
            assertThat(own.told()).matches("connection 1: the client (left|is gone)(, when \\d+ of 3000006 bytes of CopyData had"
                    + " come from the server)?");
            own.awaitNoConnections();
            assertThat(own.told).isEmpty();
            Running.await(() -> activeCopies(real) == 0);
        }
    }

    private static int activeCopies(LocalPostgres real) {
        try {
            String query = "select count(*) from pg_stat_activity where query like 'copy (select repeat%';";
            return Integer.parseInt(Programs.psql(real.port(), query).out().strip());
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }

    @AfterEach
    void stop() throws Exception {
        server.close();
        relay.close();
    }
}
