package io.exactframe.netty;

import static io.exactframe.netty.PipelineProbe.bytes;
import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOutboundHandlerAdapter;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.handler.codec.CorruptedFrameException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** 19, 27, 30: what comes in turn when it is not a frame that is being delivered, and when something was thrown. */
class PipelineTurnTest {
    private final PipelineProbe probe = new PipelineProbe();

    @Test
    void bytesFromAnotherMessageOrAReadCompleteWaitUntilThatIsHandled() {
        List<String> log = new ArrayList<>();
        EmbeddedChannel channel = new EmbeddedChannel(
                new FixedLengthExactDecoder(4), new ChannelInboundHandlerAdapter() {
                    @Override
                    public void channelRead(ChannelHandlerContext ctx, Object message) {
                        if (message instanceof ByteBuf frame) {
                            log.add(frame.toString(ISO_8859_1));
                            frame.release();
                        } else {
                            reenter(ctx, "message", "aaaa");
                        }
                    }

                    @Override
                    public void channelReadComplete(ChannelHandlerContext ctx) {
                        reenter(ctx, "complete", "bbbb");
                    }

                    private void reenter(ChannelHandlerContext ctx, String what, String frame) {
                        log.add(what);
                        ctx.pipeline().fireChannelRead(bytes(ctx.channel(), frame));
                        log.add(what + " is handled");
                    }
                });
        channel.pipeline().fireChannelRead("message");
        channel.pipeline().fireChannelReadComplete();
        assertThat(log)
                .containsExactly("message", "message is handled", "aaaa", "complete", "complete is handled", "bbbb");
        channel.finish();
    }

    @Test
    void whatAThrowLeftWaitingComesInFrontOfAReadComplete() {
        boolean[] done = {false};
        probe.onException(ctx -> {
            if (!done[0]) {
                done[0] = true;
                ByteBuf released = bytes(ctx.channel(), "bbbb");
                released.release();
                ctx.pipeline().fireChannelRead(released);
                ctx.pipeline().fireChannelRead("left");
            }
        });
        EmbeddedChannel channel = new EmbeddedChannel(
                new FixedLengthExactDecoder(4) {
                    @Override
                    protected Object decode(ChannelHandlerContext ctx, ByteBuf frame) {
                        throw new CorruptedFrameException();
                    }
                },
                probe);
        channel.pipeline().fireChannelRead(bytes(channel, "aaaa"));
        channel.pipeline().fireChannelReadComplete();
        assertThat(probe.exceptions).hasSize(2);
        assertThat(probe.log().stream().filter(line -> !line.contains("Exception")))
                .containsExactly("[message left]", "[complete]");
        channel.finish();
    }

    @Test
    void aReadThatGaveAFrameAsksForNoOtherAlsoIfItEndedWithAThrow() {
        int[] reads = {0};
        EmbeddedChannel channel = new EmbeddedChannel(
                new ChannelOutboundHandlerAdapter() {
                    @Override
                    public void read(ChannelHandlerContext ctx) {
                        reads[0]++;
                        ctx.read();
                    }
                },
                new FixedLengthExactDecoder(4) {
                    @Override
                    protected Object decode(ChannelHandlerContext ctx, ByteBuf frame) {
                        if (frame.getByte(0) == 'b') {
                            frame.release(); // not its own: it throws when it is released again
                            return null;
                        }
                        return frame;
                    }
                },
                probe);
        channel.config().setAutoRead(false);
        reads[0] = 0;
        channel.pipeline().fireChannelRead(bytes(channel, "aaaabbbb"));
        channel.pipeline().fireChannelReadComplete();
        assertThat(probe.exceptions).hasSize(1);
        assertThat(reads[0]).isZero();
        assertThat(probe.log()).contains("aaaa", "[complete]");
        channel.finish();
    }

    private final ReceiveBudget budget = new ReceiveBudget(10_000);
    private final ReceiveOptions options =
            ReceiveOptions.defaults().budget(budget).frameDeadline(Duration.ofSeconds(30));
    private final byte[] small = Wire.bytes("00 01 61");
    private final byte[] large = Wire.concat(Wire.bytes("1f 40"), Wire.bytes("20".repeat(8000)));

    private LengthPrefixedExactDecoder limited() {
        return new LengthPrefixedExactDecoder(10_000, LengthPrefix.uint16(), options);
    }

    /** Has nearly all of the budget. */
    private EmbeddedChannel holder() {
        EmbeddedChannel holder = new EmbeddedChannel(limited(), new Sink());
        Wire.receive(holder, Wire.bytes("26 00"));
        return holder;
    }

    private ByteBuf begun(EmbeddedChannel channel) {
        return channel.alloc().buffer().writeBytes(small).writeBytes(large, 0, 3000);
    }

    private ByteBuf rest(EmbeddedChannel channel) {
        return channel.alloc().buffer().writeBytes(large, 3000, large.length - 3000).writeBytes(small);
    }

    @Test
    void aReadCompleteGoesOnWhileAFrameWaitsForMemoryUnlessBytesAreInFrontOfIt() {
        EmbeddedChannel holder = holder();
        EmbeddedChannel waiter = new EmbeddedChannel(limited(), probe);
        waiter.pipeline().fireChannelRead(begun(waiter));
        assertThat(budget.waiting()).isEqualTo(1);
        assertThat(probe.drain()).containsExactly("a");
        waiter.pipeline().fireChannelReadComplete();
        assertThat(probe.drain()).containsExactly("[complete]");

        waiter.pipeline().fireChannelRead(rest(waiter));
        waiter.pipeline().fireChannelReadComplete();
        assertThat(probe.drain()).isEmpty();
        holder.finish();
        waiter.runPendingTasks();
        assertThat(probe.drain()).hasSize(3).endsWith("a", "[complete]");
        waiter.finish();
        assertThat(probe.exceptions).isEmpty();
    }

    @Test
    void bytesFromADeliveryWaitWithTheFrameThatWaitsForMemory() {
        EmbeddedChannel holder = holder();
        EmbeddedChannel waiter = new EmbeddedChannel(limited(), probe);
        probe.onRead(1, ctx -> ctx.pipeline().fireChannelRead(rest(waiter)));
        waiter.pipeline().fireChannelRead(begun(waiter));
        assertThat(budget.waiting()).isEqualTo(1);
        assertThat(probe.drain()).containsExactly("a");
        holder.finish();
        waiter.runPendingTasks();
        assertThat(probe.drain()).hasSize(3).endsWith("a", "[complete]");
        waiter.finish();
        assertThat(probe.exceptions).isEmpty();
    }

    @Test
    void nothingIsReadWhileAFrameWaitsForMemoryWhateverIsAskedFor() {
        EmbeddedChannel holder = holder();
        EmbeddedChannel waiter = new EmbeddedChannel(limited(), probe);
        waiter.pipeline().fireChannelRead(begun(waiter));
        assertThat(waiter.config().isAutoRead()).isFalse();
        waiter.config().setAutoRead(true);
        assertThat(waiter.config().isAutoRead()).isFalse();
        holder.finish();
        waiter.runPendingTasks();
        assertThat(waiter.config().isAutoRead()).isTrue();
        Wire.receive(waiter, rest(waiter));
        waiter.finish();
        assertThat(probe.exceptions).isEmpty();
    }
}
