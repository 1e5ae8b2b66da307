package io.exactframe.netty;

import static io.exactframe.netty.testing.Probe.bytes;
import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import io.exactframe.netty.testing.FrameCodec;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandler.Sharable;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.handler.codec.DecoderException;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A handler behind, and a codec, that do the worst at any time, compared with a list of the frames that were sent. */
@Tag("slow")
class DecoderFuzzTest {
    private static final int SEEDS = 1_000;
    private static final Object GO = new Object();

    /** One random life of a channel. */
    @Sharable
    private static final class Life extends ChannelInboundHandlerAdapter {
        final FrameCodec codec;
        final Random random;
        final boolean mayClose;
        final boolean mayRemove;

        final String stream;
        final List<String> payloads = new ArrayList<>();
        int sent; // bytes of the stream
        final List<ByteBuf> fragments = new ArrayList<>();

        final EmbeddedChannel channel = new EmbeddedChannel();
        ExactFrameDecoder decoder;
        int decoded;
        final List<Integer> lost = new ArrayList<>(); // frames that decode threw for

        final List<String> frames = new ArrayList<>();
        final StringBuilder raw = new StringBuilder(); // what came after the removal
        final List<ByteBuf> kept = new ArrayList<>();
        final List<Throwable> exceptions = new ArrayList<>();
        int events;
        int eventsSent;
        int inactive;
        int throwsMade;
        boolean busy; // with a frame or another call from the decoder
        boolean nested;
        boolean removed;
        int decodedAtRemoval;
        boolean closed;
        boolean closedInAFrame;
        boolean deliveredAfterClose;

        Life(FrameCodec codec, long seed) {
            this.codec = codec;
            random = new Random(seed);
            mayClose = random.nextInt(3) == 0;
            mayRemove = random.nextInt(3) == 0;
            int count = random.nextInt(30);
            for (int i = 0; i < count; i++) {
                payloads.add(String.format("%04d", i));
            }
            String whole = codec.wire(payloads.toArray(String[]::new));
            stream = whole + codec.wire("tail").substring(0, random.nextInt(codec.frameLength));
            decoder = newDecoder();
            channel.pipeline().addLast(new Driver(), decoder, this);
        }

        private ExactFrameDecoder newDecoder() {
            return codec.decoder(ctx -> {
                int index = decoded++;
                if (random.nextInt(10) == 0) {
                    sendMore();
                }
                if (random.nextInt(20) == 0) {
                    lost.add(index);
                    throw new IllegalStateException("decode");
                }
            });
        }

        /** Runs all of it inside one read, so that the channel's own tasks wait, as on a real loop. */
        private final class Driver extends ChannelInboundHandlerAdapter {
            @Override
            public void channelRead(ChannelHandlerContext ctx, Object message) {
                if (message != GO) {
                    ctx.fireChannelRead(message);
                    return;
                }
                while (sent < stream.length() && !closed) {
                    sendMore();
                }
                if (!closed && random.nextBoolean()) {
                    eventsSent++;
                    ctx.pipeline().fireUserEventTriggered(ChannelInputShutdownEvent.INSTANCE);
                }
            }
        }

        void sendMore() {
            if (sent < stream.length()) {
                int count = Math.min(stream.length() - sent, 1 + random.nextInt(3 * codec.frameLength));
                ByteBuf fragment = bytes(channel, stream.substring(sent, sent + count));
                sent += count;
                fragments.add(fragment);
                channel.pipeline().fireChannelRead(fragment);
            }
            if (random.nextBoolean()) {
                channel.pipeline().fireChannelReadComplete();
            }
        }

        void anything(ChannelHandlerContext ctx, boolean inFrame) {
            switch (random.nextInt(14)) {
                case 0, 1 -> sendMore();
                case 2 -> {
                    sendMore();
                    fail();
                }
                case 3 -> fail();
                case 4 -> ctx.channel().config().setAutoRead(random.nextBoolean());
                case 5 -> ctx.writeAndFlush(bytes(channel, "reply")).addListener(written -> sendMore());
                case 6 -> {
                    eventsSent++;
                    ctx.pipeline().fireUserEventTriggered("event");
                }
                case 7 -> {
                    if (!removed && random.nextInt(4) == 0) {
                        ExactFrameDecoder successor = newDecoder();
                        ctx.pipeline().replace(decoder, null, successor);
                        decoder = successor;
                    }
                }
                case 8 -> {
                    if (mayRemove && !removed && random.nextInt(4) == 0) {
                        removed = true;
                        decodedAtRemoval = decoded;
                        ctx.pipeline().remove(decoder);
                    }
                }
                case 9 -> {
                    if (mayClose && !closed && random.nextInt(4) == 0) {
                        closed = true;
                        closedInAFrame = inFrame;
                        ctx.close();
                    }
                }
                default -> {}
            }
        }

        private void fail() {
            throwsMade++;
            throw new IllegalArgumentException("thrown behind");
        }

        @Override
        public void channelRead(ChannelHandlerContext ctx, Object message) {
            ByteBuf frame = (ByteBuf) message;
            nested |= busy && !removed;
            busy = true;
            if (closed && !removed) {
                deliveredAfterClose = true;
            }
            if (removed) {
                raw.append(frame.toString(ISO_8859_1));
            } else {
                frames.add(frame.toString(ISO_8859_1));
            }
            if (!removed && random.nextInt(8) == 0) {
                kept.add(frame.retain());
            }
            try {
                anything(ctx, true);
            } finally {
                busy = false;
                frame.release();
            }
        }

        @Override
        public void channelReadComplete(ChannelHandlerContext ctx) {
            if (random.nextInt(4) == 0) {
                anything(ctx, false);
            }
        }

        @Override
        public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
            events++;
            if (random.nextInt(4) == 0) {
                anything(ctx, false);
            }
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
            exceptions.add(cause);
            if (cause.getMessage().equals("thrown behind") || random.nextInt(4) != 0) {
                return; // a throw out of exceptionCaught is Netty's to log
            }
            sendMore();
        }

        @Override
        public void channelInactive(ChannelHandlerContext ctx) {
            inactive++;
        }
    }

    @ParameterizedTest
    @EnumSource // 19, 20, 21, 26, 28, 29, 31, 33, 34
    void whateverAHandlerBehindDoesTheFramesAreThoseThatWereSent(FrameCodec codec) {
        for (int seed = 0; seed < SEEDS; seed++) {
            Life life = new Life(codec, seed);
            life.channel.writeOneInbound(GO);
            life.channel.finishAndReleaseAll();
            assertLife(life, "seed " + seed);
        }
    }

    private static void assertLife(Life life, String seed) {
        assertThat(life.nested).as("%s: calls nest", seed).isFalse();
        assertThat(life.deliveredAfterClose && life.closedInAFrame)
                .as("%s: delivered after a close", seed)
                .isFalse();
        assertThat(life.inactive).as("%s: channelInactive", seed).isOne();
        assertThat(life.events).as("%s: events", seed).isEqualTo(life.eventsSent);

        List<String> expected = new ArrayList<>();
        for (int i = 0; i < life.payloads.size(); i++) {
            if (!life.lost.contains(i)) {
                expected.add(life.codec.delivered(life.payloads.get(i)));
            }
        }
        long premature = life.exceptions.stream()
                .filter(e -> e instanceof PrematureCloseException)
                .count();
        long decoding = life.exceptions.stream()
                .filter(e -> e.getClass() == DecoderException.class)
                .count();
        assertThat(decoding).as("%s: failed decodes", seed).isEqualTo(life.lost.size());
        assertThat(life.exceptions).as("%s: all exceptions", seed)
                .hasSize((int) (premature + decoding + life.throwsMade));
        if (life.removed) {
            assertThat(expected).as(seed).startsWith(life.frames.toArray(String[]::new));
            int given = life.decodedAtRemoval * life.codec.frameLength;
            if (!life.closed) {
                // Removed behind the end of input, it has reported and released the partial frame.
                assertThat(life.raw.toString())
                        .as("%s: the rest", seed)
                        .isEqualTo(premature > 0 ? "" : life.stream.substring(given));
            }
        } else if (life.closed) {
            assertThat(expected).as(seed).startsWith(life.frames.toArray(String[]::new));
            assertThat(premature).as(seed).isLessThanOrEqualTo(life.closedInAFrame ? 0 : 1);
        } else {
            assertThat(life.frames).as(seed).isEqualTo(expected);
            int partial = life.stream.length() % life.codec.frameLength;
            assertThat(premature).as("%s: %d bytes left", seed, partial).isEqualTo(partial == 0 ? 0 : 1);
        }
        life.kept.forEach(ByteBuf::release);
        assertThat(life.fragments).as("%s: fragments", seed).allMatch(fragment -> fragment.refCnt() == 0);
    }
}
