package io.exactframe.netty;

import static io.exactframe.netty.testing.Loopback.SECONDS;
import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import io.exactframe.netty.testing.Loopback;
import io.exactframe.netty.testing.Loopback.Transport;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.socket.DuplexChannel;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class EpollOnDemandSocketTest extends OnDemandSocketTest {
    @Override
    Transport transport() {
        return Natives.epoll();
    }

    /** Passes frames on, and asks for the next while the second is delivered. */
    private static final class AsksInTurn extends ChannelInboundHandlerAdapter {
        private int frames;

        @Override
        public void channelRead(ChannelHandlerContext ctx, Object message) {
            assertThat(((ByteBuf) message).toString(ISO_8859_1)).hasSize(2);
            ctx.fireChannelRead(message);
            if (++frames == 2) {
                ctx.read();
            }
        }
    }

    /** 58: epoll drains the socket at a FIN. What waits includes the end of the input, so the handler behind cannot know of it. */
    @Test
    void nobodyReadsAnInputThatIsShut() throws Exception {
        ReceiveOptions options = ReceiveOptions.defaults().onDemand();
        try (Loopback it = new Loopback(transport(), true, channel -> {
            channel.config().setAutoRead(false);
            channel.pipeline().addLast(new FixedLengthExactDecoder(2, options), new AsksInTurn());
        })) {
            it.send("AABB");
            it.channel.read();
            assertThat(it.nextPassed()).isEqualTo("AA");
            it.send("C");
            it.peer.shutdownOutput();
            long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(SECONDS);
            while (!((DuplexChannel) it.channel).isInputShutdown() && System.nanoTime() < end) {
                Thread.onSpinWait();
            }
            it.channel.read();
            assertThat(it.nextPassed()).isEqualTo("BB");
            assertThat(it.nextPassed()).isEqualTo("PrematureCloseException");
            assertThat(it.nextPassed()).isEqualTo("ChannelInputShutdownEvent");
            it.closeChannel();
            assertThat(it.passed).contains("inactive").doesNotContain("UncheckedIOException");
        }
    }
}
