package io.exactframe.netty;

import static io.exactframe.netty.testing.Probe.bytes;
import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOutboundHandlerAdapter;
import io.netty.channel.embedded.EmbeddedChannel;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
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
}
