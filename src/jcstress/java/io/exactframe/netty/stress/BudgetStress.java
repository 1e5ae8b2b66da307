package io.exactframe.netty.stress;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;

import io.exactframe.netty.ExactReceiver;
import io.exactframe.netty.FixedLengthExactDecoder;
import io.exactframe.netty.ReceiveBudget;
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
 * 53: channels of several event loops have one budget, which two of them touch at once. It is never above its bound, nothing
 * of it is lost, and nobody is forgotten: whoever waits is served when the others have given back, and reads on then.
 */
public class BudgetStress {
    /** Channels that receive frames of 5,000 bytes; one fits in the budget. */
    abstract static class Shared {
        final ReceiveBudget budget;
        final ReceiveOptions options;

        Shared(int capacity) {
            budget = new ReceiveBudget(capacity);
            options = ReceiveOptions.defaults().budget(budget).frameDeadline(Duration.ofMinutes(1));
        }

        Line line(int frame) {
            return new Line(new Loop(), new FixedLengthExactDecoder(frame, options));
        }

        /** One whose decoder has an executor of its own. */
        Line lineOn(Loop own, int frame) {
            Line line = new Line(new Loop());
            line.loop.run(() -> line.pipeline().addFirst(own, null, new FixedLengthExactDecoder(frame, options)));
            own.run();
            return line;
        }

        /** On its event loop: the first byte of a frame. It then has its share, or waits for it. */
        void begin(Line line) {
            line.loop.run(() -> line.arrives(1));
        }

        /** On its event loop: the others, which are read when there is memory. Then it gives back what it has. */
        void complete(Line line, int frame) {
            line.loop.run(() -> line.arrives(frame - 1));
        }

        /** "used/waiting". */
        String state() {
            return (budget.used() > budget.capacity() ? "OVER " : "") + budget.used() + "/" + budget.waiting();
        }

        /** When all is quiet: what came of these, in this order, and that nothing is left. */
        String all(Line... lines) {
            boolean any = true;
            while (any) {
                any = false;
                for (Line line : lines) {
                    any |= line.loop.run();
                }
            }
            StringBuilder all = new StringBuilder();
            for (Line line : lines) {
                all.append(line.behind()).append(", ").append(line.leaks());
            }
            return all + state();
        }
    }

    /** One asks for what another gives back: it is told that it is there, or finds it. */
    @JCStressTest
    @Outcome(id = "5000/0: 5000, 5000, 0/0", expect = ACCEPTABLE)
    @State
    public static class Wait extends Shared {
        private final Line a = line(5000);
        private final Line b = line(5000);

        public Wait() {
            super(8000);
            begin(a);
        }

        @Actor
        public void holder() {
            complete(a, 5000);
        }

        @Actor
        public void asks() {
            begin(b);
        }

        @Arbiter
        public void then(L_Result r) {
            String before = state();
            complete(b, 5000);
            r.r1 = before + ": " + all(a, b);
        }
    }

    /** Two ask for what is enough for one. */
    @JCStressTest
    @Outcome(id = "5000/1: 5000, 5000, 0/0", expect = ACCEPTABLE)
    @State
    public static class TwoAsk extends Shared {
        private final Line a = line(5000);
        private final Line b = line(5000);
        private String seen;

        public TwoAsk() {
            super(8000);
        }

        @Actor
        public void one() {
            begin(a);
        }

        @Actor
        public void another() {
            begin(b);
            seen = state();
        }

        @Arbiter
        public void then(L_Result r) {
            String before = seen.startsWith("OVER") ? seen : state();
            complete(a, 5000);
            complete(b, 5000);
            r.r1 = before + ": " + all(a, b);
        }
    }

    /** The first that waits is closed while it is granted what it waits for: the next gets it. */
    @JCStressTest
    @Outcome(id = "5000/0: 5000, PrematureClose1 inactive, 5000, 0/0", expect = ACCEPTABLE)
    @State
    public static class Close extends Shared {
        private final Line a = line(5000);
        private final Line b = line(8000);
        private final Line c = line(5000);

        public Close() {
            super(8000);
            begin(a);
            begin(b);
            begin(c);
        }

        @Actor
        public void holder() {
            complete(a, 5000);
        }

        @Actor
        public void first() {
            b.loop.run(b::closes);
        }

        @Arbiter
        public void then(L_Result r) {
            b.loop.run();
            String before = state();
            complete(c, 5000);
            r.r1 = before + ": " + all(a, b, c);
        }
    }

    /** The executor of the first that waits ends: it is told while somebody is there, or else the next gets it. */
    @JCStressTest
    @Outcome(id = {"told: 8000/1", "not told: 5000/0"}, expect = ACCEPTABLE)
    @State
    public static class EndOfExecutor extends Shared {
        private final Loop own = new Loop();
        private final Line a = line(5000);
        private final Line b = lineOn(own, 8000);
        private final Line c = line(5000);
        private boolean told;

        public EndOfExecutor() {
            super(8000);
            begin(a);
            begin(b);
            own.run();
            begin(c);
        }

        @Actor
        public void holder() {
            complete(a, 5000);
        }

        @Actor
        public void own() {
            own.refuse();
            told = own.run();
        }

        @Arbiter
        public void then(L_Result r) {
            r.r1 = (told ? "told: " : "not told: ") + state();
        }
    }

    /** The last thing an executor does is the end of a channel whose frame waits, and is whole: it needs nobody's grant. */
    @JCStressTest
    @Outcome(id = "5000, 5000 inactive, 5000, 0/0", expect = ACCEPTABLE)
    @State
    public static class LastTask extends Shared {
        private final Loop own = new Loop();
        private final Line a = line(5000);
        private final Line b = lineOn(own, 5000);
        private final Line c = line(5000);

        public LastTask() {
            super(8000);
            begin(a);
            b.loop.run(() -> b.reads(1, 4999)); // both in one read, as at a reset
            own.run();
            b.loop.run(b::closes);
            begin(c);
            own.refuse();
        }

        @Actor
        public void holder() {
            complete(a, 5000);
        }

        @Actor
        public void own() {
            own.run();
        }

        @Arbiter
        public void then(L_Result r) {
            complete(c, 5000);
            r.r1 = all(a, b, c);
        }
    }

    /** A receive that waits is cancelled: its bytes are the next one's, its place another's. */
    @JCStressTest
    @Outcome(id = "cancelled, 0/0, x: 5000, , 0/0", expect = ACCEPTABLE)
    @State
    public static class Cancel extends Shared {
        private final Line a = line(5000);
        private final ExactReceiver receiver = new ExactReceiver(options);
        private final Line b = new Line(new Loop(), receiver);
        private final Future<?> receive = receiver.receive(5000);

        public Cancel() {
            super(8000);
            begin(a);
            begin(b);
        }

        @Actor
        public void holder() {
            complete(a, 5000);
        }

        @Actor
        public void threadThenLoop() {
            receive.cancel(false);
            b.loop.run();
        }

        @Arbiter
        public void then(L_Result r) {
            b.loop.run();
            Future<?> next = receiver.receive(1);
            b.loop.run();
            r.r1 = Line.told(receive) + ", " + state() + ", " + Line.told(next) + ": " + all(a, b);
        }
    }
}
