package io.exactframe.netty.stress;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;

import io.exactframe.netty.LengthPrefix;
import io.exactframe.netty.ReceiveOptions;
import io.netty.util.concurrent.Future;
import java.time.Duration;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.L_Result;

/**
 * 44: a thread cancels a receive while the event loop is about to end it in another way. One of them wins, the future
 * and cancel() agree about it, and the bytes are the caller's or the next receive's.
 */
public class CancelStress {
    /** A receive that has "AB" and is cancelled. */
    abstract static class Cancelled extends Receiving {
        Future<?> receive;
        boolean cancelled;

        Cancelled() {}

        Cancelled(ReceiveOptions options) {
            super(options);
        }

        void begin(Future<?> receive) {
            this.receive = receive;
            loop.run(() -> line.arrives("AB"));
        }

        void cancel() {
            cancelled = receive.cancel(false);
        }

        /** When all is quiet: what became of it, and what is left for the next. */
        String outcome() {
            loop.run();
            String lie = receive.isCancelled() == cancelled ? "" : " LIE";
            return Line.told(receive) + lie + ", then " + rest() + ending();
        }
    }

    /** It is complete. */
    @JCStressTest
    @Outcome(id = {"cancelled, then ABCDEF", "ABCD, then EF"}, expect = ACCEPTABLE)
    @State
    public static class Completion extends Cancelled {
        public Completion() {
            begin(receiver.receive(4));
        }

        @Actor
        public void loop() {
            loop.run(() -> line.arrives("CDEF"));
        }

        @Actor
        public void thread() {
            cancel();
        }

        @Arbiter
        public void then(L_Result r) {
            r.r1 = outcome();
        }
    }

    /** The same; what was skipped by then is gone. */
    @JCStressTest
    @Outcome(id = {"cancelled, then CDEF", "cancelled, then EF", "done, then EF"}, expect = ACCEPTABLE)
    @State
    public static class Skip extends Cancelled {
        public Skip() {
            begin(receiver.skip(4));
        }

        @Actor
        public void loop() {
            loop.run(() -> line.arrives("CDEF"));
        }

        @Actor
        public void thread() {
            cancel();
        }

        @Arbiter
        public void then(L_Result r) {
            r.r1 = outcome();
        }
    }

    /** The stream ends. What came is whole for a smaller receive, unless it was told that it is not. */
    @JCStressTest
    @Outcome(
            id = {"cancelled, then AB; inactive", "PrematureClose2, then -; PrematureClose2 inactive"},
            expect = ACCEPTABLE)
    @State
    public static class Close extends Cancelled {
        public Close() {
            begin(receiver.receive(4));
        }

        @Actor
        public void loop() {
            loop.run(line::closes);
        }

        @Actor
        public void thread() {
            cancel();
        }

        @Arbiter
        public void then(L_Result r) {
            r.r1 = outcome();
        }
    }

    /** Its time is over, and so is the stream's, unless nobody waits any more. */
    @JCStressTest
    @Outcome(id = {"cancelled, then AB", "FrameTimeout, then -; FrameTimeout"}, expect = ACCEPTABLE)
    @State
    public static class TimeOut extends Cancelled {
        public TimeOut() {
            begin(receiver.receive(4, Duration.ofSeconds(1)));
        }

        @Actor
        public void loop() {
            loop.run(() -> loop.advance(Duration.ofSeconds(1)));
        }

        @Actor
        public void thread() {
            cancel();
        }

        @Arbiter
        public void then(L_Result r) {
            r.r1 = outcome();
        }
    }

    /** It begins with a frame that is too long, which is skipped; cancelled, the next receive begins with that. */
    @JCStressTest
    @Outcome(id = {"cancelled, then AB0CDE", "TooLongFrame, then -; TooLongFrame"}, expect = ACCEPTABLE)
    @State
    public static class TooLong extends Cancelled {
        public TooLong() {
            super(ReceiveOptions.defaults().skipOversized(100));
            begin(receiver.receive(LengthPrefix.uint8().headerBefore(2), 4));
        }

        @Actor
        public void loop() {
            loop.run(() -> line.arrives("0CDE"));
        }

        @Actor
        public void thread() {
            cancel();
        }

        @Arbiter
        public void then(L_Result r) {
            r.r1 = outcome();
        }
    }
}
