package io.exactframe.netty.stress;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;

import io.exactframe.netty.ExactReceiver;
import io.netty.channel.ChannelPromise;
import io.netty.util.concurrent.Future;
import java.time.Duration;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.L_Result;

/**
 * 41, 43, 46: threads receive while the event loop does what it does. Each gets bytes that nobody else gets, in the order
 * in which it asked, and every future ends.
 */
public class ReceiveStress {
    /** One thread and another: they take turns somehow. */
    @JCStressTest
    @Outcome(id = {"A B C D", "A C B D", "A D B C", "B C A D", "B D A C", "C D A B"}, expect = ACCEPTABLE)
    @State
    public static class TwoThreads extends Receiving {
        private Future<?> a, b, c, d;

        @Actor
        public void one() {
            a = receiver.receive(1);
            b = receiver.receive(1);
        }

        @Actor
        public void another() {
            c = receiver.receive(1);
            d = receiver.receive(1);
        }

        @Arbiter
        public void then(L_Result r) {
            loop.run(() -> line.arrives("ABCD"));
            r.r1 = String.join(" ", Line.told(a), Line.told(b), Line.told(c), Line.told(d)) + ending();
        }
    }

    /** A thread and the event loop, which serves meanwhile. */
    @JCStressTest
    @Outcome(id = {"A BC D", "B CD A", "A CD B"}, expect = ACCEPTABLE)
    @State
    public static class ThreadAndLoop extends Receiving {
        private Future<?> a, b, c;

        public ThreadAndLoop() {
            loop.run(() -> line.arrives("AB"));
        }

        @Actor
        public void thread() {
            a = receiver.receive(1);
            b = receiver.receive(2);
        }

        @Actor
        public void loop() {
            loop.run(() -> c = receiver.receive(1));
            loop.run(() -> line.arrives("CD"));
        }

        @Arbiter
        public void then(L_Result r) {
            loop.run();
            r.r1 = String.join(" ", Line.told(a), Line.told(b), Line.told(c)) + ending();
        }
    }

    /** The channel is closed: what came is received all the same, and what did not fails. */
    @JCStressTest
    @Outcome(id = {"A PrematureClose0; inactive", "A ClosedChannel; inactive"}, expect = ACCEPTABLE)
    @State
    public static class Close extends Receiving {
        private Future<?> a, b;

        public Close() {
            loop.run(() -> line.arrives("A"));
        }

        @Actor
        public void thread() {
            a = receiver.receive(1);
            b = receiver.receive(1);
        }

        @Actor
        public void loop() {
            loop.run(line::closes);
        }

        @Arbiter
        public void then(L_Result r) {
            loop.run();
            r.r1 = Line.told(a) + " " + Line.told(b) + ending();
        }
    }

    /** The receiver is added: it is in no pipeline yet, or tells that the channel is not connected. */
    @JCStressTest
    @Outcome(id = {"ChannelPipeline", "NotYetConnected"}, expect = ACCEPTABLE)
    @State
    public static class Adding {
        private final ExactReceiver receiver = new ExactReceiver();
        private final Loop loop = new Loop();
        private final Line line = Line.inactive(loop);
        private Future<?> receive;

        @Actor
        public void thread() {
            receive = receiver.receive(1);
        }

        @Actor
        public void loop() {
            loop.run(() -> line.pipeline().addFirst(receiver));
        }

        @Arbiter
        public void then(L_Result r) {
            loop.run();
            r.r1 = Line.told(receive) + line.leaks();
        }
    }

    /** The receiver is removed: the bytes go to one or the other. */
    @JCStressTest
    @Outcome(id = {"ChannelPipeline; AB", "AB"}, expect = ACCEPTABLE)
    @State
    public static class Removal extends Receiving {
        private Future<?> receive;

        public Removal() {
            loop.run(() -> line.arrives("AB"));
        }

        @Actor
        public void thread() {
            receive = receiver.receive(2);
        }

        @Actor
        public void loop() {
            loop.run();
            loop.run(() -> line.pipeline().remove(receiver));
        }

        @Arbiter
        public void then(L_Result r) {
            loop.run();
            r.r1 = Line.told(receive) + ending();
        }
    }

    /** The event loop ends, and the channel with it. */
    @JCStressTest
    @Outcome(id = "(PrematureClose0|ClosedChannel) (PrematureClose0|ClosedChannel); inactive", expect = ACCEPTABLE)
    @State
    public static class EndOfLoop extends Receiving {
        private Future<?> a, b;

        @Actor
        public void thread() {
            a = receiver.receive(1);
            b = receiver.receive(1);
        }

        @Actor
        public void loop() {
            loop.end(line);
        }

        @Arbiter
        public void then(L_Result r) {
            global.run();
            r.r1 = Line.told(a) + " " + Line.told(b) + ending();
        }
    }

    /** The receive's time goes by on the event loop that the channel had. */
    @JCStressTest
    @Outcome(id = {"ABCD", "FrameTimeout; FrameTimeout"}, expect = ACCEPTABLE)
    @State
    public static class TimeOutElsewhere extends Receiving {
        private final Loop other = new Loop();
        private final Future<?> receive = receiver.receive(4, Duration.ofSeconds(1));

        public TimeOutElsewhere() {
            loop.run(() -> line.arrives("AB"));
            loop.run(this::move);
            quiet();
        }

        private void move() {
            ChannelPromise away = line.newPromise();
            line.deregister(away);
            away.addListener(done -> other.register(line));
        }

        private void quiet() {
            while (loop.run() | other.run()) {}
        }

        @Actor
        public void before() {
            loop.run(() -> loop.advance(Duration.ofSeconds(1)));
        }

        @Actor
        public void now() {
            other.run(() -> line.arrives("CD"));
        }

        @Arbiter
        public void then(L_Result r) {
            quiet();
            r.r1 = Line.told(receive) + ending();
        }
    }

    /** The receiver has an executor of its own, and the channel its event loop. */
    @JCStressTest
    @Outcome(id = {"ABCD PrematureClose0; inactive", "ABCD ClosedChannel; inactive"}, expect = ACCEPTABLE)
    @State
    public static class ExecutorOfItsOwn {
        private final Loop own = new Loop();
        private final Loop loop = new Loop();
        private final Line line = new Line(loop);
        private final ExactReceiver receiver = new ExactReceiver();
        private Future<?> a, b;

        public ExecutorOfItsOwn() {
            loop.run(() -> line.pipeline().addFirst(own, null, receiver));
            quiet();
        }

        private void quiet() {
            while (loop.run() | own.run()) {}
        }

        @Actor
        public void own() {
            own.run(() -> a = receiver.receive(4));
            b = receiver.receive(1);
            own.run();
        }

        @Actor
        public void loop() {
            loop.run(() -> line.arrives("AB"));
            loop.run(() -> line.arrives("CD"));
        }

        @Arbiter
        public void then(L_Result r) {
            quiet();
            loop.run(line::closes);
            quiet();
            r.r1 = Line.told(a) + " " + Line.told(b) + "; " + line.behind() + line.leaks();
        }
    }
}
