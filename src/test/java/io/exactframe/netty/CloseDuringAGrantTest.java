package io.exactframe.netty;

import static io.exactframe.netty.testing.Probe.bytes;
import static org.assertj.core.api.Assertions.assertThat;

import io.exactframe.netty.ReceiveBudget.Share;
import io.exactframe.netty.testing.Probe;
import io.exactframe.netty.testing.Wire;
import io.netty.channel.embedded.EmbeddedChannel;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/** 33, 53: memory comes, auto-read's read() goes on, and in that an embedded channel runs the close it has to run. */
class CloseDuringAGrantTest {
    @Test
    void theEndIsTold() {
        ReceiveBudget budget = new ReceiveBudget(10_000);
        Share holder = new Share(budget, () -> true);
        holder.reserve(9000, 9000);
        Probe probe = new Probe();
        EmbeddedChannel channel = new EmbeddedChannel(
                new FixedLengthExactDecoder(
                        8000, ReceiveOptions.defaults().budget(budget).frameDeadline(Duration.ofMinutes(1))),
                probe);
        Wire.receive(channel, bytes(channel, "xxx"));
        assertThat(budget.waiting()).isOne();
        probe.drain();
        holder.giveBack();
        channel.unsafe().close(channel.voidPromise()); // as a transport closes; behind the grant
        assertThat(probe.log())
                .containsExactly("[PrematureCloseException: stream ended after 3 of 8000 bytes]", "[inactive]");
        assertThat(budget.used()).isZero();
    }
}
