package io.exactframe.examples.postgresql;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Who does not take what comes stops whoever sends it. */
class BackPressureTest {
    private static final long SOCKETS = 80 << 20; // what the buffers of two connections may hold in the kernel, and more

    private static void awaitStandstill(AtomicLong bytes) {
        long[] last = {-1, System.nanoTime()};
        Running.await(() -> {
            long now = bytes.get();
            if (now != last[0]) {
                last[0] = now;
                last[1] = System.nanoTime();
            }
            return now > 0 && System.nanoTime() - last[1] > 500_000_000L;
        });
    }

    @ParameterizedTest(name = "rows of {0} bytes")
    @ValueSource(ints = {1_000, 50_000_000})
    void aSlowClientStopsTheServer(int row) throws Exception {
        int rows = 200_000_000 / row;
        try (Tap behind = new Tap(Programs.server().port());
                Running relay = new Running(behind.port());
                Socket client = relay.connect()) {
            DataOutputStream out = new DataOutputStream(client.getOutputStream());
            DataInputStream in = new DataInputStream(client.getInputStream());
            byte[] parameters = "user\0demo\0database\0postgres\0\0".getBytes(StandardCharsets.US_ASCII);
            out.writeInt(8 + parameters.length);
            out.writeInt(3 << 16);
            out.write(parameters);
            awaitReady(in);
            byte[] query = ("select repeat('x', " + row + ") from generate_series(1, " + rows + ")\0")
                    .getBytes(StandardCharsets.US_ASCII);
            out.writeByte('Q');
            out.writeInt(4 + query.length);
            out.write(query);

            awaitStandstill(behind.bytesToClient);
            assertThat(behind.bytesToClient.get()).isLessThan(SOCKETS);
            assertThat(awaitReady(in)).isEqualTo(rows);
            assertThat(behind.bytesToClient.get()).isGreaterThan(200_000_000);
        }
    }

    /** Reads to the next ReadyForQuery, and counts rows. */
    private static int awaitReady(DataInputStream in) throws Exception {
        int rows = 0;
        while (true) {
            int type = in.readUnsignedByte();
            in.skipNBytes(in.readInt() - 4);
            if (type == 'Z') {
                return rows;
            }
            rows += type == 'D' ? 1 : 0;
        }
    }

    @Test
    void aServerThatDoesNotReadStopsTheClient() throws Exception {
        try (var listening = new java.net.ServerSocket(0, 1, java.net.InetAddress.getLoopbackAddress());
                Running relay = new Running(listening.getLocalPort());
                Tap before = new Tap(relay.port());
                Socket client = new Socket("127.0.0.1", before.port())) {
            byte[] startup = {0, 0, 0, 9, 0, 3, 0, 0, 0};
            client.getOutputStream().write(startup);
            try (Socket server = listening.accept()) {
                byte[] message = new byte[100_000];
                message[0] = 'd';
                message[2] = 1;
                message[3] = (byte) (99_999 - 65_536 >> 8);
                message[4] = (byte) 99_999;
                Thread writer = new Thread(() -> {
                    try {
                        for (int i = 0; i < 2_000; i++) {
                            client.getOutputStream().write(message);
                        }
                        client.shutdownOutput();
                    } catch (java.io.IOException e) {
                        throw new java.io.UncheckedIOException(e);
                    }
                });
                writer.start();
                awaitStandstill(before.bytesToServer);
                assertThat(before.bytesToServer.get()).isLessThan(SOCKETS);
                assertThat(server.getInputStream().readAllBytes()).hasSize(startup.length + 200_000_000);
                writer.join();
            }
        }
    }
}
