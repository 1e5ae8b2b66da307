package io.exactframe.netty;

import static io.exactframe.netty.testing.Probe.bytes;
import static org.assertj.core.api.Assertions.assertThat;

import io.exactframe.netty.ReceiveBudget.Share;
import io.exactframe.netty.testing.Probe;
import io.exactframe.netty.testing.Wire;
import io.netty.channel.ChannelHandler;
import io.netty.channel.embedded.EmbeddedChannel;
import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.junit.jupiter.api.Test;

/** In a run-time image that has no module jdk.jfr. */
class WithoutFlightRecorderTest {
    /** Loads the library once more, and finds no class of that module. */
    private static final class Loader extends ClassLoader {
        Loader() {
            super(WithoutFlightRecorderTest.class.getClassLoader());
        }

        @Override
        protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
            if (name.startsWith("jdk.jfr.")) {
                throw new ClassNotFoundException(name);
            }
            if (!name.startsWith("io.exactframe.netty.")) {
                return super.loadClass(name, resolve);
            }
            synchronized (getClassLoadingLock(name)) {
                Class<?> loaded = findLoadedClass(name);
                return loaded == null ? define(name) : loaded;
            }
        }

        private Class<?> define(String name) throws ClassNotFoundException {
            try (InputStream in = getResourceAsStream(name.replace('.', '/') + ".class")) {
                byte[] bytes = in.readAllBytes();
                return defineClass(name, bytes, 0, bytes.length);
            } catch (IOException e) {
                throw new ClassNotFoundException(name, e);
            }
        }
    }

    /** Faults of each kind of handler, and a wait for memory, in there. */
    public static final class Life implements Callable<List<String>> {
        @Override
        public List<String> call() {
            List<String> told = new ArrayList<>();
            ReceiveBudget budget = new ReceiveBudget(8_000);
            ReceiveOptions options = ReceiveOptions.defaults().budget(budget).frameDeadline(Duration.ofMinutes(1));
            Share holder = new Share(budget, () -> true);
            holder.reserve(6_000, 6_000);
            ExactReceiver receiver = new ExactReceiver(options);
            for (ChannelHandler each : List.of(
                    new FixedLengthExactDecoder(5_000, options),
                    new FrameStreamDecoder(5_000, LengthPrefix.uint16()),
                    receiver)) {
                Probe probe = new Probe();
                EmbeddedChannel channel = new EmbeddedChannel(each, probe);
                if (each == receiver) {
                    receiver.receive(5_000).addListener(done -> told.add("failed"));
                }
                Wire.receive(channel, bytes(channel, "\0\2x"));
                told.add(budget.waiting() + " waits");
                if (each == receiver) {
                    holder.giveBack();
                    channel.runPendingTasks();
                    told.add(budget.used() + " used");
                }
                Wire.finishByPeer(channel);
                probe.exceptions.forEach(fault -> told.add(fault.getMessage()));
            }
            return told;
        }
    }

    @Test
    void faultsAreToldAndMemoryIsWaitedFor() throws Exception {
        Callable<?> life = (Callable<?>) new Loader().loadClass(Life.class.getName()).getConstructor().newInstance();
        Object told = life.call();
        assertThat(told).isEqualTo(new Life().call()); // as with it
        assertThat(told)
                .isEqualTo(List.of(
                        "1 waits", "stream ended after 3 of 5000 bytes",
                        "0 waits", "stream ended after 3 of 4 bytes",
                        "1 waits", "5000 used", "failed", "stream ended after 3 of 5000 bytes"));
    }
}
