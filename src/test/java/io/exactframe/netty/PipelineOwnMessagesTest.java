package io.exactframe.netty;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.embedded.EmbeddedChannel;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** 27: a codec that fires its messages itself, and returns none. */
class PipelineOwnMessagesTest {
    private final List<String> events = new ArrayList<>();

    private final class Halves extends ExactFrameDecoder {
        Halves() {
            super(0, 2);
        }

        @Override
        protected long frameLength(ByteBuf header) {
            return 2;
        }

        @Override
        protected Object decode(ChannelHandlerContext ctx, ByteBuf frame) {
            ctx.fireChannelRead(frame.readRetainedSlice(1));
            ctx.fireChannelRead(frame.readRetainedSlice(1));
            return null;
        }
    }

    private final class Recorder extends ChannelInboundHandlerAdapter {
        @Override
        public void channelRead(ChannelHandlerContext ctx, Object message) {
            ByteBuf bytes = (ByteBuf) message;
            events.add(bytes.toString(US_ASCII));
            bytes.release();
        }

        @Override
        public void channelReadComplete(ChannelHandlerContext ctx) {
            events.add("complete");
        }
    }

    @Test
    void theReadTheyCameWithIsStillCompleted() {
        EmbeddedChannel channel = new EmbeddedChannel(new Halves(), new Recorder());
        channel.config().setAutoRead(false);
        channel.writeInbound(channel.alloc().buffer().writeBytes("ABC".getBytes(US_ASCII)));
        assertThat(events).containsExactly("A", "B", "complete");
        events.clear();
        channel.writeInbound(channel.alloc().buffer().writeBytes("D".getBytes(US_ASCII)));
        assertThat(events).containsExactly("C", "D", "complete");
        channel.finish();
    }
}
