package io.exactframe.netty.stress;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;

import io.netty.util.concurrent.Future;
import java.nio.ByteBuffer;
import java.nio.channels.WritableByteChannel;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.L_Result;

/** 44, 46, 47: receiveTo, whose bytes are the event loop's, then the executor's, then the event loop's. */
public class SinkStress {
    /** An executor whose thread is the actor that runs it, and what it writes to. */
    static final class Disk implements Executor, WritableByteChannel {
        private final Queue<Runnable> tasks = new ConcurrentLinkedQueue<>();
        private final StringBuilder written = new StringBuilder();
        volatile int handed;

        @Override
        public void execute(Runnable task) {
            handed++; // by the event loop only
            tasks.add(task);
        }

        boolean run() {
            Runnable task = tasks.poll();
            if (task != null) {
                task.run();
            }
            return task != null;
        }

        @Override
        public int write(ByteBuffer from) {
            int count = from.remaining();
            written.append(ISO_8859_1.decode(from));
            return count;
        }

        @Override
        public boolean isOpen() {
            return true;
        }

        @Override
        public void close() {}
    }

    abstract static class Writing extends Receiving {
        final Disk disk = new Disk();
        Future<?> receive;

        /** Some bytes are handed over already. */
        void begin(int size, String here) {
            receive = receiver.receiveTo(disk, size, disk);
            loop.run(() -> line.arrives(here));
        }

        void quiet() {
            while (loop.run() | disk.run() | global.run()) {}
        }

        /** What became of it, what is in the sink, what is not, and what came behind the receiver. */
        String all() {
            quiet();
            return Line.told(receive) + ", " + disk.written + ", " + rest() + ending();
        }
    }

    /** Bytes arrive while others are written. */
    @JCStressTest
    @Outcome(id = "done, ABCDE, F", expect = ACCEPTABLE)
    @State
    public static class Arrival extends Writing {
        public Arrival() {
            begin(4, "AB");
            receiver.receiveTo(disk, 1, disk);
        }

        @Actor
        public void loop() {
            loop.run(() -> line.arrives("CD"));
            loop.run(() -> line.arrives("EF"));
        }

        @Actor
        public void disk() {
            disk.run();
            disk.run();
        }

        @Arbiter
        public void then(L_Result r) {
            r.r1 = all();
        }
    }

    /** It is cancelled. Nothing is handed over when that has returned; what was before is in the sink. */
    @JCStressTest
    @Outcome(
            id = {"cancelled, , ABCDEF", "cancelled, AB, CDEF", "cancelled, ABCD, EF", "done, ABCD, EF"},
            expect = ACCEPTABLE)
    @State
    public static class Cancel extends Writing {
        private boolean cancelled;
        private int handed;

        public Cancel() {
            receive = receiver.receiveTo(disk, 4, disk);
            loop.run();
        }

        @Actor
        public void loopAndDisk() {
            loop.run(() -> line.arrives("AB"));
            disk.run();
            loop.run(() -> line.arrives("CDEF"));
            disk.run();
            loop.run();
        }

        @Actor
        public void thread() {
            cancelled = receive.cancel(false);
            handed = disk.handed;
        }

        @Arbiter
        public void then(L_Result r) {
            r.r1 = all()
                    + (cancelled && disk.handed != handed ? " LATE" : "")
                    + (cancelled == receive.isCancelled() ? "" : " LIE");
        }
    }

    /** The stream ends: that is told, with what is in the sink, and the receive ends when the sink is at rest. */
    @JCStressTest
    @Outcome(id = "PrematureClose2, AB, -; PrematureClose2 inactive", expect = ACCEPTABLE)
    @State
    public static class Close extends Writing {
        public Close() {
            begin(4, "AB");
        }

        @Actor
        public void loop() {
            loop.run(line::closes);
        }

        @Actor
        public void disk() {
            disk.run();
        }

        @Arbiter
        public void then(L_Result r) {
            r.r1 = all();
        }
    }

    /** The event loop ends before the sink is at rest, or behind it: the receive ends all the same. */
    @JCStressTest
    @Outcome(id = "PrematureClose2, AB, -; PrematureClose2 inactive", expect = ACCEPTABLE)
    @State
    public static class EndOfLoop extends Writing {
        public EndOfLoop() {
            begin(4, "AB");
        }

        @Actor
        public void loop() {
            loop.end(line);
        }

        @Actor
        public void disk() {
            disk.run();
        }

        @Arbiter
        public void then(L_Result r) {
            r.r1 = all();
        }
    }

    /** An executor that throws, and has a thread that runs the task all the same: one of both counts. */
    @JCStressTest
    @Outcome(id = {"done, AB, C", "RejectedExecution, , ABC"}, expect = ACCEPTABLE)
    @State
    public static class Rejection extends Writing {
        private volatile Runnable taken;

        public Rejection() {
            receive = receiver.receiveTo(disk, 2, this::takeAndThrow);
            loop.run();
        }

        private void takeAndThrow(Runnable task) {
            taken = task;
            throw new RejectedExecutionException();
        }

        @Actor
        public void loop() {
            loop.run(() -> line.arrives("ABC"));
        }

        @Actor
        public void thread() {
            for (int i = 0; i < 1000 && taken == null; i++) {
                Thread.onSpinWait();
            }
            if (taken != null) {
                taken.run();
            }
        }

        @Arbiter
        public void then(L_Result r) {
            r.r1 = all();
        }
    }
}
