package io.exactframe.netty;

import static io.exactframe.netty.testing.Probe.bytes;
import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import io.exactframe.netty.testing.Loopback;
import io.exactframe.netty.testing.Loopback.Transport;
import io.netty.bootstrap.Bootstrap;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.ChannelOutboundHandlerAdapter;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.channel.local.LocalAddress;
import io.netty.channel.local.LocalChannel;
import io.netty.channel.local.LocalIoHandler;
import io.netty.channel.local.LocalServerChannel;
import io.netty.channel.socket.SocketChannel;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * 19, 21, 27, 30, 31: the pipeline changes in the middle of a read, or a read() is answered at once. The smallest cases
 * of what MidReadFuzzTest has found, and what they do on a socket.
 */
class MidReadTest {
    private static final ReceiveOptions ON_DEMAND = ReceiveOptions.defaults().onDemand();

    private final List<String> seen = new ArrayList<>();
    private final EmbeddedChannel channel = new EmbeddedChannel();

    /** Writes down what comes; auto-read is off. */
    private class Application extends ChannelInboundHandlerAdapter {
        private final boolean readsAtComplete;

        Application(boolean readsAtComplete) {
            this.readsAtComplete = readsAtComplete;
        }

        void handle(ChannelHandlerContext ctx, String message) {}

        @Override
        public void channelRead(ChannelHandlerContext ctx, Object message) {
            ByteBuf frame = (ByteBuf) message;
            String text = frame.toString(ISO_8859_1);
            frame.release();
            seen.add(text);
            handle(ctx, text);
            if (!readsAtComplete) {
                ctx.read();
            }
        }

        @Override
        public void channelReadComplete(ChannelHandlerContext ctx) {
            seen.add("complete");
            if (readsAtComplete) {
                ctx.read();
            }
        }
    }

    private List<String> messages() {
        return seen.stream().filter(line -> !line.equals("complete")).toList();
    }

    private void read(String... buffers) {
        for (String each : buffers) {
            channel.pipeline().fireChannelRead(bytes(channel, each));
        }
        channel.pipeline().fireChannelReadComplete();
        channel.runPendingTasks();
    }

    private static FixedLengthExactDecoder fixed(int length, boolean onDemand) {
        return new FixedLengthExactDecoder(length, onDemand ? ON_DEMAND : ReceiveOptions.defaults());
    }

    /** 27: the newcomer has a part of a frame only; the message that it was added for has its channelReadComplete. */
    @ParameterizedTest
    @CsvSource({"false,false", "false,true", "true,false", "true,true"})
    void addedBehindAnotherForItsMessage(boolean onDemand, boolean readsAtComplete) {
        channel.config().setAutoRead(false);
        channel.pipeline().addLast(fixed(1, false), new Application(readsAtComplete) {
            @Override
            void handle(ChannelHandlerContext ctx, String message) {
                if (message.equals("A")) {
                    ctx.pipeline().addBefore(ctx.name(), null, fixed(3, onDemand));
                }
            }
        });
        channel.read();
        read("AB");
        assertThat(seen).containsExactly("A", "complete");
        read("CD");
        assertThat(messages()).containsExactly("A", "BCD");
        channel.finish();
    }

    /** 27, 31: the successor waits with the rest, for a read() that comes at channelReadComplete. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void replacedByOneThatWaitsForARead(boolean onDemand) {
        channel.config().setAutoRead(false);
        FixedLengthExactDecoder first = fixed(1, onDemand);
        channel.pipeline().addLast(first, new Application(true) {
            @Override
            void handle(ChannelHandlerContext ctx, String message) {
                if (message.equals("A")) {
                    ctx.pipeline().replace(first, null, fixed(1, true));
                }
            }
        });
        channel.read();
        read("ABC");
        assertThat(messages()).containsExactly("A", "B", "C");
        channel.finish();
    }

    /** 27, 53: the successor waits with the rest, for memory. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void replacedByOneThatWaitsForMemory(boolean onDemand) {
        ReceiveOptions options = timed(new ReceiveBudget(5000));
        EmbeddedChannel other = holder(options);
        channel.config().setAutoRead(false);
        FixedLengthExactDecoder first = fixed(1, onDemand);
        channel.pipeline().addLast(first, new Application(true) {
            @Override
            void handle(ChannelHandlerContext ctx, String message) {
                if (message.equals("A")) {
                    ctx.pipeline().replace(first, null, new FixedLengthExactDecoder(5000, options.onDemand()));
                }
            }
        });
        channel.read();
        read("AB");
        assertThat(seen).startsWith("A", "complete");
        release(other);
        read("C".repeat(4999));
        assertThat(messages()).containsExactly("A", "B" + "C".repeat(4999));
        channel.finish();
    }

    /** 30, 53: what was given on demand was too little, and had to wait for memory: then it reads on. */
    @Test
    void aReadGoesOnBehindAWaitForMemory() {
        ReceiveOptions options = timed(new ReceiveBudget(5000));
        EmbeddedChannel other = holder(options);
        channel.config().setAutoRead(false);
        channel.pipeline().addLast(fixed(2500, true), new Application(false) {
            @Override
            void handle(ChannelHandlerContext ctx, String message) {
                if (message.startsWith("A")) {
                    ctx.pipeline().addBefore(ctx.name(), null, new FixedLengthExactDecoder(5000, options.onDemand()));
                }
            }
        });
        channel.read();
        read("A".repeat(2500) + "B".repeat(5000));
        release(other);
        assertThat(messages()).containsExactly("A".repeat(2500), "B".repeat(5000));
        channel.finish();
    }

    /** 19, 21: what is re-entered when the message is complete comes behind the rest that the successor waits with. */
    @Test
    void reenteredAtTheCompletionOfAMessageForWhichItsDecoderIsReplaced() {
        channel.config().setAutoRead(false);
        FixedLengthExactDecoder first = fixed(1, true);
        channel.pipeline().addLast(first, new Application(true) {
            @Override
            void handle(ChannelHandlerContext ctx, String message) {
                if (message.equals("A")) {
                    ctx.pipeline().replace(first, null, fixed(1, true));
                }
            }

            @Override
            public void channelReadComplete(ChannelHandlerContext ctx) {
                if (seen.equals(List.of("A"))) {
                    ctx.pipeline().fireChannelRead(bytes(channel, "D"));
                }
                super.channelReadComplete(ctx);
            }
        });
        channel.read();
        read("ABC");
        assertThat(messages()).containsExactly("A", "B", "C", "D");
        channel.finish();
    }

    /** 27, 21: it was replaced by its own decode(), and the frame that this returned is what the successor has. */
    @Test
    void replacedByItselfBehindAMessage() {
        channel.config().setAutoRead(false);
        channel.pipeline().addLast(
                new ExactFrameDecoder(0, 1) {
                    @Override
                    protected long frameLength(ByteBuf header) {
                        return 1;
                    }

                    @Override
                    protected Object decode(ChannelHandlerContext ctx, ByteBuf frame) {
                        if (frame.getByte(0) == 'B') {
                            ctx.pipeline().replace(this, null, fixed(3, false));
                        }
                        return frame;
                    }
                },
                new Application(true));
        channel.read();
        read("AB", "C");
        assertThat(seen).startsWith("A", "complete").containsOnly("A", "complete");
        read("D");
        assertThat(messages()).containsExactly("A", "BCD");
        channel.finish();
    }

    /** 31: a read() that was asked for before the decoder came. A handler may ask again when the read is complete. */
    @Test
    void addedOnDemandBehindARead() {
        channel.config().setAutoRead(false);
        channel.pipeline().addLast(new Application(true));
        channel.read();
        channel.pipeline().addFirst(fixed(1, true));
        read("AB");
        assertThat(messages()).containsExactly("A", "B");
        channel.finish();
    }

    /** 30, 31: a message on demand, of which the next decoder makes none, is no answer to the read() from behind. */
    @ParameterizedTest
    @ValueSource(strings = {"234", "2-34"})
    void whatADecoderInFrontGivesOnDemandMayBeTooLittle(String rest) {
        channel.config().setAutoRead(false);
        channel.pipeline().addLast(
                fixed(1, true),
                new ExactFrameDecoder(1, 2) {
                    @Override
                    protected long frameLength(ByteBuf header) {
                        return header.getByte(0) == '-' ? 1 : 2;
                    }

                    @Override
                    protected Object decode(ChannelHandlerContext ctx, ByteBuf frame) {
                        return frame.readableBytes() == 1 ? null : frame;
                    }
                },
                new Application(false));
        channel.read();
        read("1");
        read(rest);
        assertThat(messages()).containsExactly("12", "34");
        channel.finish();
    }

    /** 30: what answers a read() in the same read may be too little for the decoder that was added meanwhile. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aReadBeforeADecoderIsAddedMayBringItTooLittle(boolean onDemand) {
        channel.config().setAutoRead(false);
        channel.pipeline().addLast(reads(onDemand ? 0 : 1, "B"), fixed(1, onDemand), new Application(true) {
            @Override
            void handle(ChannelHandlerContext ctx, String message) {
                if (message.equals("A")) {
                    ctx.read();
                    ctx.pipeline().addBefore(ctx.name(), null, fixed(2, false));
                }
            }

            @Override
            public void channelReadComplete(ChannelHandlerContext ctx) {}
        });
        channel.read();
        read(onDemand ? "AB" : "A");
        assertThat(reads).isGreaterThan(onDemand ? 1 : 2);
        read("C");
        assertThat(messages()).containsExactly("A", "BC");
        channel.finish();
    }

    /** 30, 53: the same if the decoder waits for memory first. */
    @Test
    void aReadBeforeADecoderIsAddedMayBringItTooLittleInAWaitForMemory() {
        ReceiveOptions options = timed(new ReceiveBudget(5000));
        EmbeddedChannel other = holder(options);
        channel.config().setAutoRead(false);
        channel.pipeline().addLast(reads(0, ""), fixed(1, true), new Application(true) {
            @Override
            void handle(ChannelHandlerContext ctx, String message) {
                if (message.equals("A")) {
                    ctx.read();
                    ctx.pipeline().addBefore(ctx.name(), null, new FixedLengthExactDecoder(5000, options));
                }
            }

            @Override
            public void channelReadComplete(ChannelHandlerContext ctx) {}
        });
        channel.read();
        read("AB");
        int before = reads;
        release(other);
        assertThat(reads).isGreaterThan(before);
        channel.pipeline().removeFirst();
        channel.config().setAutoRead(true);
        read("C".repeat(4999));
        assertThat(messages()).containsExactly("A", "B" + "C".repeat(4999));
        channel.finish();
    }

    /** Counts what is asked for, and answers the n-th within itself. */
    private ChannelOutboundHandlerAdapter reads(int answered, String with) {
        return new ChannelOutboundHandlerAdapter() {
            @Override
            public void read(ChannelHandlerContext ctx) {
                if (reads++ == answered && answered > 0) {
                    ctx.fireChannelRead(bytes(channel, with));
                    ctx.fireChannelReadComplete();
                }
            }
        };
    }

    private int reads;

    /** 30: of two decoders in front of a new one the second has given nothing yet, and keeps the read's end to itself. */
    @Test
    void addedBehindADecoderThatHasGivenNothing() {
        channel.config().setAutoRead(false);
        channel.pipeline().addLast(reads(0, ""), fixed(1, false), new ChannelInboundHandlerAdapter() {
            @Override
            public void channelRead(ChannelHandlerContext ctx, Object message) {
                if (((ByteBuf) message).getByte(0) == 'A') {
                    ctx.pipeline().addAfter("second", null, fixed(4, false));
                }
                ctx.fireChannelRead(message);
            }
        });
        channel.pipeline().addLast("second", fixed(2, false)).addLast(new Application(false));
        channel.read();
        for (String each : List.of("A", "B", "C", "D")) {
            int before = reads;
            read(each);
            assertThat(reads).isGreaterThan(before);
        }
        assertThat(messages()).containsExactly("ABCD");
        channel.finish();
    }

    /** 30: whoever reads in channelRead asks once; nothing came that would have to be followed by another. */
    @Test
    void aReadInChannelReadIsOne() {
        channel.config().setAutoRead(false);
        channel.pipeline().addLast(reads(0, ""), fixed(1, false), new Application(false));
        channel.read();
        read("A");
        assertThat(reads).isEqualTo(2);
        channel.finish();
    }

    /** 30, 53: neither if the frame behind the message waits for memory. */
    @Test
    void aReadInChannelReadIsOneAlsoInFrontOfAWaitForMemory() {
        ReceiveOptions options = timed(new ReceiveBudget(5000));
        EmbeddedChannel other = holder(options);
        channel.config().setAutoRead(false);
        channel.pipeline().addLast(reads(0, ""), new LengthPrefixedExactDecoder(5000, LengthPrefix.uint16(), options),
                new Application(false));
        channel.read();
        read("\0\1A\23\0BB");
        release(other);
        assertThat(reads).isEqualTo(2);
        channel.pipeline().removeFirst();
        channel.pipeline().removeFirst();
        channel.finish();
    }

    /** 27, 53: bytes that waited behind a message which had waited for memory make it no less complete. */
    @Test
    void aMessageThatWaitedForMemoryIsCompleteAlsoIfMoreWaited() {
        ReceiveOptions options = timed(new ReceiveBudget(5000));
        EmbeddedChannel other = holder(options);
        channel.config().setAutoRead(false);
        channel.pipeline().addLast(new FixedLengthExactDecoder(5000, options), new Application(false));
        channel.read();
        read("A".repeat(5000), "B".repeat(2500), "B".repeat(2500), "C");
        release(other);
        assertThat(seen).containsExactly("A".repeat(5000), "complete", "B".repeat(5000), "complete");
        channel.config().setAutoRead(true);
        read("C".repeat(4999));
        channel.finish();
    }

    /** 30, 53: a read() that was answered by too little while the decoder waited for memory is asked again. */
    @Test
    void aReadThatIsAnsweredBeforeAWaitForMemoryMayBringTooLittle() {
        ReceiveOptions options = timed(new ReceiveBudget(5000));
        EmbeddedChannel other = holder(options);
        channel.config().setAutoRead(false);
        ChannelOutboundHandlerAdapter answering = new ChannelOutboundHandlerAdapter() {
            @Override
            public void read(ChannelHandlerContext ctx) {
                if (++reads == 2) {
                    ctx.fireChannelRead(bytes(channel, "CC")); // of the read that is under way
                }
            }
        };
        channel.pipeline().addLast(answering, new FixedLengthExactDecoder(5000, options), new Application(false));
        channel.read();
        read("A".repeat(5000) + "B");
        release(other);
        assertThat(reads).isGreaterThan(2);
        channel.pipeline().remove(answering);
        channel.config().setAutoRead(true);
        read("D".repeat(4997));
        assertThat(messages()).containsExactly("A".repeat(5000), "BCC" + "D".repeat(4997));
        channel.finish();
    }

    private static ReceiveOptions timed(ReceiveBudget budget) {
        return ReceiveOptions.defaults().frameDeadline(Duration.ofDays(1)).budget(budget);
    }

    /** Has all of a budget of 5,000 bytes. */
    private static EmbeddedChannel holder(ReceiveOptions options) {
        EmbeddedChannel holder = new EmbeddedChannel(new FixedLengthExactDecoder(5000, options));
        holder.writeInbound(bytes(holder, "x"));
        return holder;
    }

    private void release(EmbeddedChannel holder) {
        holder.writeInbound(holder.alloc().buffer(4999).writeZero(4999));
        holder.finishAndReleaseAll();
        channel.runPendingTasks();
    }

    /** 21, 31, 53: a read() that was held in a wait for memory is the successor's, and one. */
    @Test
    void aReadThatWasHeldIsOneOfTheSuccessors() {
        ReceiveOptions options = timed(new ReceiveBudget(5000));
        EmbeddedChannel other = holder(options);
        FixedLengthExactDecoder first = new FixedLengthExactDecoder(5000, options);
        channel.config().setAutoRead(false);
        channel.pipeline().addLast(first, new ChannelInboundHandlerAdapter() {
            @Override
            public void channelRead(ChannelHandlerContext ctx, Object message) {
                seen.add(((ByteBuf) message).toString(ISO_8859_1));
                ((ByteBuf) message).release();
            }
        });
        channel.read();
        read("BCDE");
        channel.read();
        channel.pipeline().replace(first, null, fixed(1, true));
        channel.runPendingTasks();
        assertThat(seen).containsExactly("B");
        release(other);
        channel.finish();
    }

    private Channel peer; // on the same event loop

    /** A connection inside the JVM: a read() is answered at once, within it, by what the peer has sent meanwhile. */
    private List<String> overALocalChannel(String first, FixedLengthExactDecoder decoder, Application application)
            throws Exception {
        EventLoopGroup group = new MultiThreadIoEventLoopGroup(1, LocalIoHandler.newFactory());
        BlockingQueue<Channel> accepted = new LinkedBlockingQueue<>();
        try {
            Channel server = new ServerBootstrap()
                    .group(group)
                    .channel(LocalServerChannel.class)
                    .childOption(ChannelOption.AUTO_READ, false)
                    .childHandler(new ChannelInitializer<>() {
                        @Override
                        protected void initChannel(Channel child) {
                            child.pipeline().addLast(decoder, application);
                            accepted.add(child);
                        }
                    })
                    .bind(LocalAddress.ANY)
                    .sync()
                    .channel();
            peer = new Bootstrap()
                    .group(group)
                    .channel(LocalChannel.class)
                    .handler(new ChannelInboundHandlerAdapter())
                    .connect(server.localAddress())
                    .sync()
                    .channel();
            peer.writeAndFlush(bytes(peer, first)).sync();
            Channel child = accepted.poll(Loopback.SECONDS, TimeUnit.SECONDS);
            child.eventLoop().submit(() -> child.read()).sync();
            List<String> all = child.eventLoop().submit(this::messages).sync().getNow();
            child.close().sync();
            server.close().sync();
            return all;
        } finally {
            group.shutdownGracefully(0, Loopback.SECONDS, TimeUnit.SECONDS).sync();
        }
    }

    /** 31: the read() at channelReadComplete brings a read of two messages, the second of which has to wait. */
    @Test
    void aReadThatIsAnsweredAtOnceIsComplete() throws Exception {
        assertThat(overALocalChannel("A", fixed(1, true), new Application(true) {
            @Override
            void handle(ChannelHandlerContext ctx, String message) {
                if (message.equals("A")) {
                    peer.writeAndFlush(bytes(peer, "BC"));
                }
            }
        })).containsExactly("A", "B", "C");
    }

    /** 21, 31: the read() passes to the successor, and what it brings comes behind the rest. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aReadThatIsAnsweredAtOnceBringsWhatIsBehindTheRest(boolean onDemand) throws Exception {
        FixedLengthExactDecoder first = fixed(1, onDemand);
        assertThat(overALocalChannel("ABC", first, new Application(true) {
            @Override
            void handle(ChannelHandlerContext ctx, String message) {
                if (message.equals("A")) {
                    peer.writeAndFlush(bytes(peer, "D"));
                    peer.writeAndFlush(bytes(peer, "E"));
                    ctx.read();
                    ctx.pipeline().replace(first, null, fixed(2, onDemand));
                }
            }
        })).containsExactly("A", "BC", "DE");
    }

    /** Answers each message when the read is complete, and asks for the next. */
    private static class Echo extends ChannelInboundHandlerAdapter {
        void handle(ChannelHandlerContext ctx, String message) {}

        @Override
        public void channelActive(ChannelHandlerContext ctx) {
            ctx.read();
        }

        @Override
        public void channelRead(ChannelHandlerContext ctx, Object message) {
            handle(ctx, ((ByteBuf) message).toString(ISO_8859_1));
            ctx.write(message);
        }

        @Override
        public void channelReadComplete(ChannelHandlerContext ctx) {
            ctx.flush();
            ctx.read();
        }
    }

    /** A peer on a socket that waits for each answer before it sends more. */
    private static void talk(Loopback.Initializer initializer, String... sentAndAnswered) throws Exception {
        try (Loopback loopback = new Loopback(Transport.nio(), false, accepted -> {
            accepted.config().setAutoRead(false);
            initializer.initialize(accepted);
        })) {
            ((SocketChannel) loopback.channel).config().setTcpNoDelay(true);
            loopback.peer.socket().setSoTimeout((int) TimeUnit.SECONDS.toMillis(Loopback.SECONDS));
            for (int i = 0; i < sentAndAnswered.length; i += 2) {
                loopback.send(ByteBuffer.wrap(sentAndAnswered[i].getBytes(ISO_8859_1)));
                byte[] answer = new byte[sentAndAnswered[i + 1].length()];
                int got = loopback.peer.socket().getInputStream().readNBytes(answer, 0, answer.length);
                assertThat(new String(answer, 0, got, ISO_8859_1)).isEqualTo(sentAndAnswered[i + 1]);
            }
        }
    }

    @Test
    void onASocketTheAnswerToAMessageForWhichADecoderIsAddedIsFlushed() throws Exception {
        talk(accepted -> accepted.pipeline().addLast(fixed(1, false), new Echo() {
            @Override
            void handle(ChannelHandlerContext ctx, String message) {
                if (message.equals("A")) {
                    ctx.pipeline().addBefore(ctx.name(), null, fixed(3, false));
                }
            }
        }), "AB", "A", "CD", "BCD");
    }

    @Test
    void onASocketASuccessorThatWaitsForAReadIsAsked() throws Exception {
        FixedLengthExactDecoder first = fixed(1, false);
        talk(accepted -> accepted.pipeline().addLast(first, new Echo() {
            @Override
            void handle(ChannelHandlerContext ctx, String message) {
                if (message.equals("A")) {
                    ctx.pipeline().replace(first, null, fixed(1, true));
                }
            }
        }), "ABC", "ABC");
    }

    @Test
    void onASocketADecoderThatIsAddedOnDemandBehindAReadIsAsked() throws Exception {
        talk(accepted -> accepted.pipeline().addLast(new ChannelInboundHandlerAdapter() { // sees what is spoken
            @Override
            public void channelRead(ChannelHandlerContext ctx, Object message) {
                ctx.pipeline().addAfter(ctx.name(), null, fixed(1, true));
                ctx.fireChannelRead(message);
                ctx.pipeline().remove(this);
            }
        }, new Echo()), "ABC", "ABC");
    }
}
