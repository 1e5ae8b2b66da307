package io.exactframe.netty.stress;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;

import io.exactframe.netty.FixedLengthExactDecoder;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.L_Result;

/** What goes on from the event loop to others while it is at work. */
public class FrameStress {
    /** 13, 14: another thread reads and releases frames while more are cut, of the same read and of the next. */
    @JCStressTest
    @Outcome(id = "60 frames", expect = ACCEPTABLE)
    @State
    public static class Release {
        private static final int READS = 20; // more than may be pinned

        private final Queue<ByteBuf> frames = new ConcurrentLinkedQueue<>();
        private final Loop loop = new Loop();
        private final Line line =
                new Line(loop, new FixedLengthExactDecoder(2), new ChannelInboundHandlerAdapter() {
                    @Override
                    public void channelRead(ChannelHandlerContext ctx, Object frame) {
                        frames.add((ByteBuf) frame);
                    }
                });
        private int right; // the thread's, and the arbiter's

        private void release() {
            for (ByteBuf frame; (frame = frames.poll()) != null; ) {
                right += frame.toString(ISO_8859_1).equals("" + (char) ('A' + right / 3) + right % 3) ? 1 : 0;
                frame.release();
            }
        }

        @Actor
        public void loop() {
            for (int i = 0; i < READS; i++) {
                char name = (char) ('A' + i);
                loop.run(() -> line.arrives(name + "0" + name + "1" + name + "2"));
            }
        }

        @Actor
        public void thread() {
            for (int i = 0; i < 2000 && right < 3 * READS; i++) { // not for ever: the other may not run at all
                release();
                Thread.onSpinWait();
            }
        }

        @Arbiter
        public void then(L_Result r) {
            release();
            r.r1 = right + " frames" + line.leaks();
        }
    }
}
