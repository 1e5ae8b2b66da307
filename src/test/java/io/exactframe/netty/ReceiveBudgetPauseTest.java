package io.exactframe.netty;

import static io.exactframe.netty.PipelineProbe.bytes;
import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelOutboundHandlerAdapter;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.channel.local.LocalChannel;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/** 27, 53: what is asked for while a frame waits for memory, and where it goes on. */
class ReceiveBudgetPauseTest {
    private static final String SMALL = "\0\1a";
    private static final String LARGE = "\37\100" + "x".repeat(8000);
    private static final String PART = LARGE.substring(0, 3000);
    private static final String REST = LARGE.substring(3000);

    private final ReceiveBudget budget = new ReceiveBudget(10_000);
    private final PipelineProbe probe = new PipelineProbe();
    private int reads;

    private class Decoder extends LengthPrefixedExactDecoder {
        Decoder() {
            super(
                    10_000,
                    LengthPrefix.uint16(),
                    ReceiveOptions.defaults().budget(budget).frameDeadline(Duration.ofSeconds(30)));
        }
    }

    /** Has nearly all of the budget. */
    private EmbeddedChannel holder() {
        EmbeddedChannel holder = new EmbeddedChannel(new Decoder(), new Sink());
        PipelineProbe.receive(holder, "\46\0");
        return holder;
    }

    private EmbeddedChannel waiter(Decoder decoder, boolean autoRead) {
        EmbeddedChannel waiter = new EmbeddedChannel(
                new ChannelOutboundHandlerAdapter() {
                    @Override
                    public void read(ChannelHandlerContext ctx) {
                        reads++;
                        ctx.read();
                    }
                },
                decoder,
                probe);
        waiter.config().setAutoRead(autoRead);
        reads = 0;
        return waiter;
    }

    /** One read that ends in a frame which waits for memory. */
    private void receiveAndWait(EmbeddedChannel waiter, String read) {
        PipelineProbe.receive(waiter, read);
        assertThat(budget.waiting()).isOne();
    }

    private void grant(EmbeddedChannel holder, EmbeddedChannel waiter) {
        holder.finish();
        waiter.runPendingTasks();
        assertThat(budget.waiting()).isZero();
    }

    private void finish(EmbeddedChannel waiter) {
        PipelineProbe.receive(waiter, REST);
        waiter.finish();
        assertThat(probe.exceptions).isEmpty();
        assertThat(budget.used()).isZero();
    }

    @Test
    void aReadThatIsAskedForInTheWaitIsAskedForAfterItAndOnlyOnce() {
        EmbeddedChannel holder = holder();
        EmbeddedChannel waiter = waiter(new Decoder(), false);
        receiveAndWait(waiter, SMALL + PART);
        assertThat(probe.drain()).containsExactly("a", "[complete]");
        waiter.read();
        assertThat(reads).as("it waits").isZero();
        grant(holder, waiter);
        assertThat(reads).isOne();

        PipelineProbe.receive(waiter, REST);
        holder = holder();
        receiveAndWait(waiter, SMALL + PART);
        reads = 0;
        grant(holder, waiter);
        assertThat(reads).as("in a wait in which nobody asked").isZero();
        finish(waiter);
    }

    @Test
    void aReadThatGaveNothingIsMadeUpForOnlyOnce() {
        EmbeddedChannel holder = holder();
        EmbeddedChannel waiter = waiter(new Decoder(), false);
        receiveAndWait(waiter, PART);
        assertThat(reads).as("it waits").isZero();
        grant(holder, waiter);
        assertThat(reads).isOne();
        assertThat(probe.drain()).isEmpty();

        PipelineProbe.receive(waiter, REST);
        holder = holder();
        receiveAndWait(waiter, SMALL + PART);
        assertThat(probe.drain()).endsWith("a", "[complete]");
        grant(holder, waiter);
        assertThat(reads).isOne();
        assertThat(probe.drain()).as("told already").isEmpty();
        finish(waiter);
    }

    @Test // not given, and so no answer to what was asked for
    void aReadWhoseFramesWereAllDroppedIsMadeUpForToo() {
        EmbeddedChannel holder = holder();
        EmbeddedChannel waiter = waiter(
                new Decoder() {
                    @Override
                    protected Object decode(ChannelHandlerContext ctx, ByteBuf frame) {
                        return frame.readableBytes() == 1 ? null : frame;
                    }
                },
                false);
        receiveAndWait(waiter, SMALL + PART);
        assertThat(reads).as("it waits").isZero();
        grant(holder, waiter);
        assertThat(reads).isOne();
        finish(waiter);
    }

    @Test
    void withAutoReadAReadCompleteGoesOnAndAsksForNothing() {
        EmbeddedChannel holder = holder();
        EmbeddedChannel waiter = waiter(new Decoder(), true);
        receiveAndWait(waiter, PART);
        assertThat(probe.drain()).containsExactly("[complete]");
        assertThat(reads).as("it waits").isZero();
        grant(holder, waiter);
        assertThat(reads).isOne();
        assertThat(probe.drain()).isEmpty();
        finish(waiter);
    }

    @Test
    void theEndOfAWaitThatNeverWasAsksForNothing() {
        EmbeddedChannel channel = waiter(new Decoder(), true);
        channel.pipeline().fireUserEventTriggered(ChannelInputShutdownEvent.INSTANCE);
        assertThat(reads).isZero();
        channel.finish();
        assertThat(reads).isZero();
    }

    @Test
    void onAnotherEventLoopTheFrameThatWaitedGoesOnThere() throws Exception {
        CountingExecutor loop = new CountingExecutor(0);
        CountingExecutor other = new CountingExecutor(0);
        EmbeddedChannel holder = holder();
        LocalChannel waiter = new LocalChannel();
        boolean[] isThere = {false};
        Decoder decoder = new Decoder() {
            @Override
            protected Object decode(ChannelHandlerContext ctx, ByteBuf frame) {
                isThere[0] = other.inEventLoop(); // Netty sees to it for the next handler in any case
                return frame;
            }
        };
        loop.register(waiter).sync();
        loop.run(() -> {
            waiter.pipeline().addLast(decoder, probe);
            waiter.pipeline().fireChannelRead(bytes(waiter, PART));
            waiter.pipeline().fireChannelRead(bytes(waiter, REST)); // was under way
        });
        assertThat(budget.waiting()).isOne();
        waiter.deregister().sync();
        loop.run(() -> {
            holder.finish(); // told to the old event loop, which is busy
            other.register(waiter).syncUninterruptibly();
        });
        loop.run(() -> {});
        other.run(() -> {});
        assertThat(probe.log()).hasSize(2).endsWith("[complete]");
        assertThat(isThere[0]).isTrue();
        waiter.close().sync();
        loop.end();
        other.end();
        assertThat(budget.used()).isZero();
        assertThat(probe.exceptions).isEmpty();
    }
}
