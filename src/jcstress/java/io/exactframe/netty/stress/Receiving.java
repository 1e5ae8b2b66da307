package io.exactframe.netty.stress;

import io.exactframe.netty.ExactReceiver;
import io.exactframe.netty.FixedLengthExactDecoder;
import io.exactframe.netty.ReceiveOptions;
import io.netty.util.concurrent.Future;

/** What a test of a receiver has. */
abstract class Receiving {
    static {
        // The first fault loads Flight Recorder, which must not be taken for a state's memory.
        Line first = new Line(new Loop(), new FixedLengthExactDecoder(2));
        first.loop.run(() -> first.arrives("A"));
        first.loop.run(first::closes);
    }

    final Loop global = new Loop();
    final Loop loop = new Loop(global);
    final ExactReceiver receiver;
    final Line line;

    Receiving() {
        this(ReceiveOptions.defaults());
    }

    Receiving(ReceiveOptions options) {
        receiver = new ExactReceiver(options);
        line = new Line(loop, receiver);
    }

    /** Receives all that the peer has sent, as long as there is any; "-" if there is none. */
    String rest() {
        StringBuilder rest = new StringBuilder();
        while (true) {
            Future<?> one = receiver.receive(1);
            loop.run();
            if (!one.isSuccess()) {
                one.cancel(false);
                return rest.isEmpty() ? "-" : rest.toString();
            }
            rest.append(Line.told(one));
        }
    }

    /** What came behind the receiver, if anything, and whether anything is still held when all has ended. */
    String ending() {
        String behind = line.behind();
        return (behind.isEmpty() ? "" : "; " + behind) + line.leaks();
    }
}
