package io.exactframe.netty;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static io.exactframe.netty.testing.Probe.bytes;
import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.exactframe.netty.testing.ByteSink;
import io.exactframe.netty.testing.ByteSink.FailingSink;
import io.exactframe.netty.testing.ReceiverChannel;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOutboundHandlerAdapter;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.util.ReferenceCountUtil;
import io.netty.util.concurrent.ProgressiveFuture;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.RejectedExecutionException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The smallest cases of what the fuzz targets (src/fuzz) have found; the number of the behaviour is at each. */
class FuzzedFaultsTest {
    private static final ReceiveOptions ON_DEMAND = ReceiveOptions.defaults().onDemand();

    private final List<String> seen = new ArrayList<>();
    private final EmbeddedChannel channel = new EmbeddedChannel();
    private int reads;

    /** Asks for the next message when a read is complete, as handlers do that switched auto-read off. */
    private class ReadsAtComplete extends ChannelInboundHandlerAdapter {
        @Override
        public void channelRead(ChannelHandlerContext ctx, Object message) {
            ByteBuf frame = (ByteBuf) message;
            seen.add(frame.toString(ISO_8859_1));
            frame.release();
        }

        @Override
        public void channelReadComplete(ChannelHandlerContext ctx) {
            if (seen.size() < 10) { // of three
                ctx.read();
            }
        }
    }

    private void read(String... buffers) {
        for (String each : buffers) {
            channel.pipeline().fireChannelRead(bytes(channel, each));
        }
        channel.pipeline().fireChannelReadComplete();
        channel.runPendingTasks();
    }

    /** 27, 31: TLS gives several buffers for one read. What is given has its channelReadComplete, whatever waits. */
    @Test
    void aReadOfTwoBuffersCompletesForTheMessageItGave() {
        channel.config().setAutoRead(false);
        channel.pipeline().addLast(new FixedLengthExactDecoder(1, ON_DEMAND), new ReadsAtComplete());
        channel.read();
        read("AB", "C");
        assertThat(seen).containsExactly("A", "B", "C");
        channel.finishAndReleaseAll();
    }

    /** 21, 27: the successor has to wait with the rest of the read, the message in front of it is complete. */
    @Test
    void replacedForAMessageWhoseReadThenCompletes() {
        channel.config().setAutoRead(false);
        FixedLengthExactDecoder first = new FixedLengthExactDecoder(1, ON_DEMAND);
        channel.pipeline().addLast(first, new ReadsAtComplete() {
            @Override
            public void channelRead(ChannelHandlerContext ctx, Object message) {
                super.channelRead(ctx, message);
                if (seen.size() == 1) {
                    ctx.pipeline().replace(first, null, new FixedLengthExactDecoder(1, ON_DEMAND));
                }
            }
        });
        channel.read();
        read("ABC");
        assertThat(seen).containsExactly("A", "B", "C");
        channel.finishAndReleaseAll();
    }

    /** 21, 27: the successor has a part of a frame only, and keeps the read's end to itself: not for what was given before. */
    @ParameterizedTest
    @CsvSource({
        "A,B, false,false", "A,B, false,true", "A,B, true,false", "A,B, true,true",
        "AB,C, false,false", "AB,C, false,true", "AB,C, true,false", "AB,C, true,true"
    })
    void replacedForAMessageInAReadThatEndsInsideAFrame(String one, String two, boolean onDemand, boolean byItself) {
        channel.config().setAutoRead(false);
        ExactFrameDecoder first = new ExactFrameDecoder(0, 0, 1, onDemand ? ON_DEMAND : ReceiveOptions.defaults()) {
            @Override
            protected long frameLength(ByteBuf header) {
                return 1;
            }

            @Override
            protected Object decode(ChannelHandlerContext ctx, ByteBuf frame) {
                if (!byItself) {
                    return frame;
                }
                ctx.fireChannelRead(frame.retainedSlice());
                ctx.pipeline().replace(this, null, new FixedLengthExactDecoder(3));
                return null;
            }
        };
        channel.pipeline().addLast(first, new ReadsAtComplete() {
            @Override
            public void channelRead(ChannelHandlerContext ctx, Object message) {
                super.channelRead(ctx, message);
                if (seen.equals(List.of("A")) && !byItself) {
                    ctx.pipeline().replace(first, null, new FixedLengthExactDecoder(3));
                }
            }

            @Override
            public void channelReadComplete(ChannelHandlerContext ctx) {
                seen.add("complete");
                ctx.read();
            }
        });
        channel.read();
        read(one, two);
        assertThat(seen).startsWith("A", "complete").containsOnly("A", "complete"); // how many does not matter
        seen.clear();
        read("BCD".substring(one.length()));
        assertThat(seen).containsExactly("BCD", "complete");
        channel.finishAndReleaseAll();
    }

    /** 21, 27: the same if auto-read is switched off when the decoder has gone already. */
    @Test
    void replacedForAMessageInAReadInWhichAutoReadIsSwitchedOffLater() {
        FrameStreamDecoder first = new FrameStreamDecoder(10, LengthPrefix.uint8());
        channel.pipeline().addLast(first, new ChannelInboundHandlerAdapter() {
            @Override
            public void channelRead(ChannelHandlerContext ctx, Object message) {
                seen.add(message.getClass().getSimpleName());
                ReferenceCountUtil.release(message);
                if (seen.size() == 1) {
                    ctx.pipeline().replace(first, null, new FrameStreamDecoder(10, LengthPrefix.uint16()));
                }
            }

            @Override
            public void channelReadComplete(ChannelHandlerContext ctx) {
                seen.add("complete");
            }
        });
        channel.pipeline().fireChannelRead(bytes(channel, "\0"));
        channel.config().setAutoRead(false);
        read("\0");
        assertThat(seen).containsExactly("FrameStart", "complete");
        read("\0");
        assertThat(seen).containsExactly("FrameStart", "complete", "FrameStart", "FrameChunk", "complete");
        channel.finishAndReleaseAll();
    }

    /** 21, 30: a codec replaces itself for a frame that it gives nothing for. The read() asked for a message all the same. */
    @Test
    void aReadThatACodecUsedUpToReplaceItselfIsFollowedByAnother() {
        channel.config().setAutoRead(false);
        channel.pipeline().addLast(new ChannelOutboundHandlerAdapter() {
            @Override
            public void read(ChannelHandlerContext ctx) {
                reads++;
                ctx.read();
            }
        });
        channel.pipeline().addLast(new ExactFrameDecoder(0, 1) {
            @Override
            protected long frameLength(ByteBuf header) {
                return 1;
            }

            @Override
            protected Object decode(ChannelHandlerContext ctx, ByteBuf frame) {
                ctx.pipeline().replace(this, null, new FixedLengthExactDecoder(2));
                return null;
            }
        });
        channel.read();
        read("A");
        assertThat(reads).isEqualTo(2);
        read("B");
        assertThat(reads).as("half a frame").isEqualTo(3);
        read("C");
        assertThat(reads).as("a frame").isEqualTo(3);
        channel.finishAndReleaseAll();
    }

    /** 30, 58: between a close and channelInactive; epoll answers a read() of a closed socket with an exception. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void nobodyReadsAChannelThatIsClosed(boolean receives) {
        channel.config().setAutoRead(false);
        channel.pipeline().addLast(new ChannelOutboundHandlerAdapter() {
            @Override
            public void read(ChannelHandlerContext ctx) {
                reads += ctx.channel().isOpen() ? 0 : 1;
                ctx.read();
            }
        });
        ExactReceiver receiver = new ExactReceiver();
        if (receives) {
            channel.pipeline().addLast(receiver);
            read("A"); // the read in advance
        } else {
            channel.pipeline().addLast(new FixedLengthExactDecoder(2, ON_DEMAND), new ReadsAtComplete() {
                @Override
                public void channelRead(ChannelHandlerContext ctx, Object message) {
                    super.channelRead(ctx, message);
                    if (seen.size() == 2) {
                        ctx.read(); // in turn, in front of the read's end
                    }
                }

                @Override
                public void channelReadComplete(ChannelHandlerContext ctx) {}
            });
            channel.read();
            read("AABB");
            read("C");
        }
        channel.closeFuture().addListener(closed -> {
            if (receives) {
                receiver.receive(2);
            } else {
                channel.pipeline().lastContext().read(); // what waits
            }
        });
        channel.pipeline().firstContext().close(); // as the transport does when the peer has gone
        channel.runPendingTasks();
        assertThat(seen).containsExactlyElementsOf(receives ? List.of() : List.of("AA", "BB"));
        assertThat(reads).isZero();
        assertThatExceptionOfType(PrematureCloseException.class).isThrownBy(channel::checkException);
    }

    /** What a receive to a sink leaves to the next ones, when it ends without the stream being to blame. */
    private enum Unused {
        NO_THREAD,
        SINK_FAILS,
        SINK_FAILS_AT_ONCE,
        CANCELLED
    }

    private static void ends(ReceiverChannel it, boolean closes) {
        if (closes) {
            it.peerCloses();
        } else {
            it.halfClose();
        }
    }

    /** 36, 37: the others get all there is, so the end is on a boundary; and nobody is told of a loss that is none. */
    @ParameterizedTest(name = "{0}")
    @EnumSource(names = {"NO_THREAD", "SINK_FAILS_AT_ONCE"})
    void aSinkThatFailsAtOnceBehindTheEndLosesNothing(Unused how) {
        for (boolean closes : new boolean[] {true, false}) {
            ReceiverChannel it = new ReceiverChannel();
            ByteSink sink = new ByteSink();
            ByteSink failing = new FailingSink(FailingSink.Fault.IO, 0, false);
            ProgressiveFuture<Void> first = it.receiver.receiveTo(sink, 1, sink);
            ProgressiveFuture<Void> failed = it.receiver.receiveTo(failing, 4, task -> {
                if (how == Unused.NO_THREAD) {
                    throw new RejectedExecutionException("on purpose");
                }
                task.run();
            });
            ProgressiveFuture<ByteBuf> rest = it.receiver.receive(3);
            ProgressiveFuture<ByteBuf> end = it.receiver.receiveOrEnd(1);
            it.arrive("ABCD");
            ends(it, closes);
            sink.run();
            assertThat(first.isSuccess()).isTrue();
            assertThat(failed.cause()).hasMessage("on purpose");
            assertThat(ReceiverChannel.text(rest)).isEqualTo("BCD");
            assertThat(end.cause()).isNull();
            assertThat(end.isSuccess()).isTrue();
            assertThat(end.getNow()).isNull();
            assertThat(it.exceptions).isEmpty();
            it.channel.finish();
        }
    }

    /** 36, 37: the pipeline was told of bytes that would be lost, as it seemed; then the others get them. */
    @ParameterizedTest(name = "{0}")
    @EnumSource(names = {"SINK_FAILS", "CANCELLED"})
    void aSinkThatTakesLessBehindTheEndLosesNothing(Unused how) {
        for (boolean closes : new boolean[] {true, false}) {
            ReceiverChannel it = new ReceiverChannel();
            ByteSink sink = new FailingSink(FailingSink.Fault.IO, how == Unused.CANCELLED ? 2 : 0, false);
            ProgressiveFuture<Void> receive = it.receiver.receiveTo(sink, 10, sink);
            it.arrive("AB");
            it.arrive("CDE");
            ends(it, closes);
            assertThat(it.exceptions).singleElement().asString().endsWith("stream ended after 5 of 10 bytes");
            ProgressiveFuture<ByteBuf> rest = it.receiver.receive(how == Unused.CANCELLED ? 3 : 5);
            ProgressiveFuture<ByteBuf> end = it.receiver.receiveOrEnd(1);
            if (how == Unused.CANCELLED) {
                receive.cancel(false);
            }
            sink.run();
            assertThat(ReceiverChannel.text(rest)).isEqualTo(how == Unused.CANCELLED ? "CDE" : "ABCDE");
            assertThat(end.cause()).isNull();
            assertThat(end.isSuccess()).isTrue();
            assertThat(end.getNow()).isNull();
            assertThat(it.exceptions).hasSize(1);
            it.channel.finish();
        }
    }

    /** 33, 34: it was told once, and it is another one that loses bytes; after that the end is on no boundary. */
    @Test
    void anotherReceiveLosesWhatASinkDidNotTake() {
        ReceiverChannel it = new ReceiverChannel();
        ByteSink sink = new FailingSink(FailingSink.Fault.IO, 0, false);
        ProgressiveFuture<Void> failed = it.receiver.receiveTo(sink, 10, sink);
        it.arrive("ABC");
        it.halfClose();
        assertThat(it.exceptions).singleElement().asString().endsWith("stream ended after 3 of 10 bytes");
        ProgressiveFuture<ByteBuf> cutOff = it.receiver.receive(4);
        ProgressiveFuture<ByteBuf> end = it.receiver.receiveOrEnd(1);
        sink.run();
        assertThat(failed.cause()).hasMessage("on purpose");
        assertThat(cutOff.cause()).hasMessage("stream ended after 3 of 4 bytes");
        assertThat(end.cause()).hasMessage("stream ended after 0 of 1 bytes");
        assertThat(it.exceptions).hasSize(1);
        it.channel.finish();
    }

    /** ReceiveOptions: frames up to 64 KiB are one piece, whatever is stripped of one behind. */
    @ParameterizedTest
    @ValueSource(ints = {1, 40_000, 65_535, 65_540, 65_541})
    void aTrailerMakesNoFrameOfTwoPieces(int firstRead) {
        EmbeddedChannel channel =
                new EmbeddedChannel(new LengthPrefixedExactDecoder(1 << 20, LengthPrefix.uint32().trailer(2)));
        int length = 64 * 1024;
        ByteBuf wire = channel.alloc().buffer().writeInt(length).writeZero(length + 2);
        channel.writeInbound(wire.readRetainedSlice(firstRead), wire);
        ByteBuf frame = channel.readInbound();
        assertThat(frame.readableBytes()).isEqualTo(length);
        assertThat(frame.isContiguous()).isTrue();
        frame.release();
        assertThat(channel.finish()).isFalse();
    }

    /** 17, 31: an event waits for its turn also while the messages in front of it are completed. */
    @Test
    void anEventThatIsFiredAtACompletionDoesNotOvertakeOneThatWaits() {
        List<Object> seen = new ArrayList<>();
        EmbeddedChannel channel = new EmbeddedChannel();
        channel.config().setAutoRead(false);
        channel.pipeline().addLast(new FixedLengthExactDecoder(1, ReceiveOptions.defaults().onDemand()));
        channel.pipeline().addLast(new ChannelInboundHandlerAdapter() {
            @Override
            public void channelRead(ChannelHandlerContext ctx, Object message) {
                seen.add(((ByteBuf) message).toString(US_ASCII));
                ReferenceCountUtil.release(message);
                if (seen.contains("B") && !seen.contains("C")) {
                    ctx.pipeline().fireUserEventTriggered("first");
                }
            }

            @Override
            public void channelReadComplete(ChannelHandlerContext ctx) {
                if (seen.get(seen.size() - 1).equals("C")) {
                    ctx.pipeline().fireUserEventTriggered("second");
                }
            }

            @Override
            public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
                seen.add(event);
            }
        });
        channel.read();
        for (String buffer : List.of("AB", "C")) {
            channel.pipeline().fireChannelRead(channel.alloc().buffer().writeBytes(buffer.getBytes(US_ASCII)));
        }
        channel.pipeline().fireChannelReadComplete();
        channel.read();
        channel.read();
        assertThat(seen).containsExactly("A", "B", "C", "first", "second");
        channel.finish();
    }
}
