package io.exactframe.examples.dns;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.util.concurrent.TimeUnit.MILLISECONDS;
import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.io.DataInputStream;
import java.io.IOException;
import java.net.Socket;
import java.net.SocketException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLSocketFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Clients that stop, lie, drip, or speak something else, on real sockets. */
class HostileClientsTest {
    private static final Duration LONG = Duration.ofSeconds(30);

    private static void assertAnswered(Running server) throws IOException {
        try (Socket socket = server.connect()) {
            socket.getOutputStream().write(Running.query(7, "www.example.test"));
            assertThat(answer(socket)).endsWith(192, 0, 2, 80).startsWith(0, 7);
        }
    }

    private static byte[] answer(Socket socket) throws IOException {
        DataInputStream in = new DataInputStream(socket.getInputStream());
        return in.readNBytes(in.readUnsignedShort());
    }

    private static void assertClosed(Socket socket) throws IOException {
        try {
            assertThat(socket.getInputStream().read()).isEqualTo(-1);
        } catch (SocketException e) {
            assertThat(e).hasMessageContaining("reset");
        }
    }

    @Test
    void whoLeavesInsideAQueryIsTold() throws Exception {
        byte[] query = Running.query(1, "www.example.test");
        try (Running server = new Running(LONG, LONG, Duration.ZERO)) {
            for (int sent = 1; sent < query.length; sent++) {
                try (Socket socket = server.connect()) {
                    socket.getOutputStream().write(query, 0, sent);
                }
                String told = ": stream ended after " + (sent < 2 ? "1 of 2 header bytes" : sent + " of " + query.length + " bytes");
                assertThat(server.lines.poll(10, SECONDS)).endsWith(told);
            }
            try (Socket socket = server.connect()) {
                socket.getOutputStream().write(query);
                answer(socket);
            }
            assertAnswered(server);
            assertThat(server.lines).isEmpty();
        }
    }

    @Test
    void aByteNowAndThenIsCutAtTheDeadline() throws Exception {
        ScheduledExecutorService clock = Executors.newSingleThreadScheduledExecutor();
        byte[] query = Running.query(1, "a.name.that.takes.long.to.tell.example.test");
        try (Running server = new Running(Duration.ofSeconds(2), Duration.ofSeconds(1), Duration.ZERO);
                Socket socket = server.connect()) {
            int[] next = {0};
            long began = System.nanoTime();
            clock.scheduleAtFixedRate(
                    () -> {
                        try {
                            socket.getOutputStream().write(query[next[0]++]);
                        } catch (IOException e) {
                            throw new java.io.UncheckedIOException(e);
                        }
                    },
                    0,
                    200,
                    MILLISECONDS);
            assertClosed(socket);
            assertThat(Duration.ofNanos(System.nanoTime() - began)).isBetween(Duration.ofMillis(1_900), Duration.ofMillis(3_500));
            assertThat(server.lines.poll(10, SECONDS))
                    .matches("127.*: \\d+ of " + query.length + " bytes within the deadline of 2000 ms");
        } finally {
            clock.shutdownNow();
        }
    }

    @Test
    void whoIsSilentIsClosedWithoutAWord() throws Exception {
        try (Running server = new Running(LONG, Duration.ofMillis(500), Duration.ZERO);
                Socket socket = server.connect()) {
            socket.getOutputStream().write(Running.query(1, "www.example.test"));
            answer(socket);
            long began = System.nanoTime();
            assertClosed(socket);
            assertThat(Duration.ofNanos(System.nanoTime() - began)).isBetween(Duration.ofMillis(300), Duration.ofSeconds(5));
            assertThat(server.lines).isEmpty();
        }
    }

    @Test
    void aThousandThatDeclareMuchAndSendNothingHurtNobody() throws Exception {
        List<Socket> liars = new ArrayList<>();
        try (Running server = new Running(Duration.ofSeconds(3), Duration.ofSeconds(6), Duration.ZERO)) {
            for (int i = 0; i < 1_000; i++) {
                Socket liar = server.connect();
                liar.getOutputStream().write(new byte[] {-1, -1, 0});
                liars.add(liar);
            }
            long mostUsed = 0;
            for (int i = 0; i < 200; i++) { // they hold all of the budget, honest queries need none of it
                assertAnswered(server);
                mostUsed = Math.max(mostUsed, server.budget.used());
            }
            assertThat(mostUsed).isBetween(65_537L, server.budget.capacity());
            assertThat(server.budget.waiting()).isGreaterThan(900);
            for (Socket liar : liars) {
                assertClosed(liar);
            }
            for (long end = System.nanoTime() + SECONDS.toNanos(10); server.budget.used() > 0; Thread.onSpinWait()) {
                assertThat(System.nanoTime()).isLessThan(end);
            }
            assertThat(server.lines).allSatisfy(line -> assertThat(line).contains(" of 65537 bytes"));
            assertAnswered(server);
        } finally {
            for (Socket liar : liars) {
                liar.close();
            }
        }
    }

    @ParameterizedTest(name = "seed {0}")
    @ValueSource(longs = {1, 2, 3, 4})
    void randomBytesEndOrAreAnswered(long seed) throws Exception {
        Random random = new Random(seed);
        try (Running server = new Running(Duration.ofSeconds(1), Duration.ofSeconds(1), Duration.ZERO)) {
            for (int i = 0; i < 50; i++) {
                byte[] query = Running.query(i, "www.example.test");
                for (int flips = random.nextInt(4); flips >= 0; flips--) {
                    query[2 + random.nextInt(query.length - 2)] = (byte) random.nextInt();
                }
                try (Socket socket = server.connect()) {
                    socket.getOutputStream().write(query);
                    socket.shutdownOutput();
                    socket.getInputStream().readAllBytes();
                } catch (SocketException e) {
                    assertThat(e).hasMessageContaining("reset");
                }
            }
            assertAnswered(server);
            assertThat(server.lines).allSatisfy(line -> assertThat(line).contains("no DNS query"));
        }
    }

    @Test
    void anHttpRequestWaitsForTheDeadline() throws Exception {
        try (Running server = new Running(Duration.ofMillis(500), LONG, Duration.ZERO);
                Socket socket = server.connect()) {
            socket.getOutputStream().write("GET / HTTP/1.1\r\nHost: example.test\r\n\r\n".getBytes(US_ASCII));
            assertClosed(socket);
            assertThat(server.lines.poll(10, SECONDS)).endsWith("38 of 18247 bytes within the deadline of 500 ms");
        }
    }

    @Test
    void tlsIsNotSpokenHere() throws Exception {
        try (Running server = new Running(Duration.ofMillis(500), LONG, Duration.ZERO);
                Socket socket = SSLSocketFactory.getDefault().createSocket("127.0.0.1", server.port())) {
            assertThatExceptionOfType(IOException.class)
                    .isThrownBy(() -> ((javax.net.ssl.SSLSocket) socket).startHandshake())
                    .isInstanceOfAny(SSLException.class, SocketException.class);
            assertThat(server.lines.poll(10, SECONDS)).endsWith("of 5637 bytes within the deadline of 500 ms");
        }
    }

    @Test
    void aResponseIsNotAnswered() throws Exception {
        byte[] response = Running.query(1, "www.example.test");
        response[4] |= (byte) 0x80;
        try (Running server = new Running(LONG, LONG, Duration.ZERO);
                Socket socket = server.connect()) {
            socket.getOutputStream().write(response);
            assertClosed(socket);
            assertThat(server.lines.poll(10, SECONDS)).endsWith("a frame of 34 bytes that is no DNS query");
        }
    }

    @Test
    void allOfWhatWasAskedIsAnsweredBehindAHalfClose() throws Exception {
        try (Running server = new Running(LONG, LONG, Duration.ofMillis(20));
                Socket socket = server.connect()) {
            for (int id = 0; id < 1_000; id++) {
                socket.getOutputStream().write(Running.query(id, "www.example.test"));
            }
            socket.shutdownOutput();
            CountDownLatch answers = new CountDownLatch(1_000);
            boolean[] seen = new boolean[1_000];
            DataInputStream in = new DataInputStream(socket.getInputStream());
            while (answers.getCount() > 0) {
                byte[] answer = in.readNBytes(in.readUnsignedShort());
                int id = (answer[0] & 0xFF) << 8 | answer[1] & 0xFF;
                assertThat(seen[id]).isFalse();
                seen[id] = true;
                answers.countDown();
            }
            assertThat(in.read()).isEqualTo(-1);
            assertThat(server.lines).isEmpty();
        }
    }
}
