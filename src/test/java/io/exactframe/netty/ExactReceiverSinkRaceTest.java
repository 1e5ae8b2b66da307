package io.exactframe.netty;

import static io.exactframe.netty.Loopback.done;
import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.util.concurrent.ProgressiveFuture;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.WritableByteChannel;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Receives into a sink that are cancelled, by another thread, while a third one writes. */
@Tag("slow")
class ExactReceiverSinkRaceTest {
    private final ExactReceiver receiver = new ExactReceiver();
    private final ExecutorService io = Executors.newSingleThreadExecutor();

    @ParameterizedTest(name = "seed {0}") // 44: each byte is in a sink or in the next receive, in order, once
    @ValueSource(longs = {1, 2, 3, 4, 5, 6})
    void aCancelThatRacesTheWritesConservesTheBytes(long seed) throws Exception {
        Random random = new Random(seed);
        byte[] stream = Wire.random(random, 6 << 20);
        int largest = 1 << 8 + 2 * (int) seed;
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        WritableByteChannel sink = Channels.newChannel(all);
        try (Loopback it = new Loopback(Transport.nio(), receiver)) {
            Thread sender = new Thread(() -> {
                try {
                    it.send(ByteBuffer.wrap(stream));
                } catch (Exception e) {
                    e.printStackTrace(); // the receives then fail
                }
            });
            sender.start();
            int cancelled = 0;
            int whole = 0;
            for (int round = 0; all.size() < stream.length && round < 4000; round++) {
                int size = 1 + random.nextInt(Math.min(largest, stream.length - all.size()));
                ProgressiveFuture<Void> receive = receiver.receiveTo(sink, size, io);
                for (int i = random.nextInt(2000); i > 0; i--) {
                    Thread.onSpinWait();
                }
                int before = all.size();
                if (receive.cancel(true)) {
                    cancelled++;
                    io.submit(() -> {}).get(); // behind whatever was handed over
                    assertThat(all.size() - before).isLessThanOrEqualTo(size);
                } else {
                    whole++;
                    assertThat(done(receive).cause()).isNull();
                }
                if (all.size() < stream.length && random.nextBoolean()) {
                    ByteBuf next = done(receiver.receive(1)).getNow();
                    all.write(next.readByte());
                    next.release();
                }
            }
            assertThat(cancelled).as("cancelled").isPositive();
            assertThat(whole).as("not cancelled").isPositive();
            if (all.size() < stream.length) {
                assertThat(done(receiver.receiveTo(sink, stream.length - all.size(), io)).cause()).isNull();
            }
            assertThat(all.toByteArray()).isEqualTo(stream);
            sender.join();
        } finally {
            io.shutdown();
            assertThat(io.awaitTermination(Loopback.SECONDS, TimeUnit.SECONDS)).isTrue();
        }
    }
}
