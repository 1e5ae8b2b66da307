package io.exactframe.netty;

import static io.exactframe.netty.testing.Probe.bytes;
import static org.assertj.core.api.Assertions.assertThat;

import io.exactframe.netty.ReceiveBudget.Share;
import io.exactframe.netty.testing.Probe;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelOutboundHandlerAdapter;
import io.netty.channel.embedded.EmbeddedChannel;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** 62: auto-read switched off, as Netty has it: from then on nothing is read that nobody asks for. */
class AutoReadInAPauseTest {
    private final ReceiveBudget budget = new ReceiveBudget(10_000);
    private final Share holder = new Share(budget, () -> true);
    private EmbeddedChannel channel;
    private int reads;

    @BeforeEach
    void aFrameWaitsForMemoryInsideARead() {
        holder.reserve(9000, 9000);
        channel = new EmbeddedChannel(
                new ChannelOutboundHandlerAdapter() {
                    @Override
                    public void read(ChannelHandlerContext ctx) {
                        reads++;
                        ctx.read();
                    }
                },
                new FixedLengthExactDecoder(
                        8000, ReceiveOptions.defaults().budget(budget).frameDeadline(Duration.ofMinutes(1))),
                new Probe());
        channel.pipeline().fireChannelRead(bytes(channel, "x"));
        assertThat(budget.waiting()).isOne();
        reads = 0;
    }

    private void grant() {
        holder.giveBack();
        channel.runPendingTasks();
    }

    @AfterEach
    void end() {
        holder.giveBack();
        channel.finishAndReleaseAll();
    }

    @Test
    void autoReadsOwnReadThatWasHeldIsDroppedWithIt() {
        channel.pipeline().fireChannelReadComplete();
        channel.read(); // as the transport does for auto-read
        channel.config().setAutoRead(false);
        grant();
        assertThat(reads).isZero();
    }
}
