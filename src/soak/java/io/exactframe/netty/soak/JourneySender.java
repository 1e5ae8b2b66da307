package io.exactframe.netty.soak;

import static io.exactframe.netty.soak.Verdict.check;

import io.exactframe.netty.soak.Journey.End;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOption;
import io.netty.channel.socket.DuplexChannel;
import io.netty.util.concurrent.Future;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/** Sends what a journey sends, in pieces, and ends as it ends. */
final class JourneySender extends ChannelInboundHandlerAdapter {
    private static final int DRIPS = 22;
    private static final int PATIENCE = 20; // seconds

    private final Journey journey;
    private final Link link;
    private final Runnable again;
    private final Random random;
    private int at;
    private ByteBuf answer;
    private boolean givenUp;
    private Future<?> patience;

    JourneySender(Journey journey, Link link, Runnable again) {
        this.journey = journey;
        this.link = link;
        this.again = again;
        this.random = new Random(~journey.seed);
    }

    static void reset(Channel channel) {
        if (channel.isOpen()) {
            channel.config().setOption(ChannelOption.SO_LINGER, 0);
        }
        channel.close();
    }

    @Override
    public void channelActive(ChannelHandlerContext ctx) {
        answer = ctx.alloc().buffer(8);
        patience = ctx.executor().schedule(() -> startAgain(ctx), PATIENCE, TimeUnit.SECONDS);
        if (journey.end == End.LINK_BACK) {
            int cut = random.nextInt(journey.sent);
            when(ctx, () -> journey.arrived > cut, () -> {
                link.down(journey.port);
                ctx.executor().schedule(() -> link.up(journey.port), 300 + random.nextInt(1700), TimeUnit.MILLISECONDS);
            });
        }
        send(ctx);
    }

    /** If its device is off when it would repeat its SYN-ACK, the reader's kernel forgets the connection. */
    private void startAgain(ChannelHandlerContext ctx) {
        if (!journey.accepted && !givenUp) {
            givenUp = true;
            ctx.close();
            again.run();
        }
    }

    private void send(ChannelHandlerContext ctx) {
        if (givenUp) {
            return;
        }
        int left = journey.sent - at;
        if (left == 0) {
            when(ctx, () -> journey.accepted, () -> end(ctx));
            return;
        }
        int last = journey.start(journey.units.length - 1);
        boolean dripping = journey.end == End.DRIP || journey.end == End.DRIP_PAST_DEADLINE;
        boolean drips = dripping && at >= last;
        int size = drips ? Math.min(left, Math.max(1, (journey.sent - last) / DRIPS))
                : Math.min(dripping ? last - at : left, 1 + random.nextInt(random.nextInt(4) == 0 ? 10 : 20_000));
        int from = at;
        at += size;
        ctx.writeAndFlush(Unpooled.wrappedBuffer(journey.wire, from, size)).addListener(written -> {
            if (!written.isSuccess()) {
                ctx.close();
            } else if (drips) {
                ctx.executor().schedule(() -> send(ctx), 500, TimeUnit.MILLISECONDS);
            } else if (random.nextInt(10) == 0) {
                ctx.executor().schedule(() -> send(ctx), random.nextInt(100), TimeUnit.MILLISECONDS);
            } else {
                send(ctx);
            }
        });
    }

    /** Goes on when something is so, or when the reader has ended. */
    private void when(ChannelHandlerContext ctx, BooleanSupplier holds, Runnable then) {
        if (givenUp) {
            return;
        }
        if (holds.getAsBoolean() || journey.readerDone) {
            then.run();
        } else {
            ctx.executor().schedule(() -> when(ctx, holds, then), 10, TimeUnit.MILLISECONDS);
        }
    }

    private void end(ChannelHandlerContext ctx) {
        BooleanSupplier hasArrived = () -> journey.arrived == journey.sent;
        Channel channel = ctx.channel();
        switch (journey.end) {
            case CLOSE, LINK_BACK, DRIP -> over(channel::close);
            case DRIP_PAST_DEADLINE -> when(ctx, () -> false, () -> over(channel::close));
            case READER_CLOSES -> {
                over(() -> {});
                // It closed on unread bytes, so the kernel has sent a reset, once; it may have been lost.
                when(ctx, () -> false, () -> ctx.executor().schedule(() -> channel.close(), 3, TimeUnit.SECONDS));
            }
            case HALF_CLOSE -> over(((DuplexChannel) channel)::shutdownOutput);
            case RESET_AT_ONCE -> ctx.executor().schedule(
                    () -> over(() -> reset(channel)), random.nextInt(200), TimeUnit.MILLISECONDS);
            case RESET_WHEN_READ -> when(ctx, hasArrived, () -> over(() -> reset(channel)));
            case HALF_THEN_RESET -> {
                over(((DuplexChannel) channel)::shutdownOutput);
                when(ctx, () -> journey.inputEnded, () -> reset(channel));
            }
            case LINK_LOST -> when(ctx, hasArrived, () -> {
                link.down(journey.port);
                over(() -> {});
                when(ctx, () -> false, () -> { // the reader is done
                    reset(channel);
                    ctx.executor().schedule(() -> link.up(journey.port), 1, TimeUnit.SECONDS);
                });
            });
        }
    }

    private void over(Runnable end) {
        end.run();
        journey.sentAt = System.nanoTime();
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
        answer.writeBytes((ByteBuf) message);
        ((ByteBuf) message).release();
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
        startAgain(ctx);
        boolean isRight = journey.end == End.HALF_CLOSE
                ? answer.readableBytes() == 8 && answer.readLong() == journey.sent
                : !answer.isReadable();
        check(isRight || givenUp, "answer of " + answer.readableBytes() + " bytes", journey);
        answer.release();
        patience.cancel(false);
        journey.senderDone = !givenUp;
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        ctx.close();
    }
}
