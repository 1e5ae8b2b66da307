package io.exactframe.netty;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.embedded.EmbeddedChannel;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** 19, 28: a codec that closes the channel when it is asked for a length; an embedded channel is inactive at once. */
class CloseWhileMeasuringTest {
    private static final int HEADER = 2;
    private static final int FRAME = 4;

    private static final class Closer extends ExactFrameDecoder {
        private ChannelHandlerContext context;

        Closer() {
            super(HEADER, 100);
        }

        @Override
        public void handlerAdded(ChannelHandlerContext ctx) {
            context = ctx;
        }

        @Override
        protected long frameLength(ByteBuf header) {
            context.channel().close();
            return FRAME;
        }
    }

    @ParameterizedTest(name = "{0} bytes, then {1}")
    @CsvSource({"0,2", "0,3", "0,4", "0,9", "1,1", "1,2", "1,3", "1,9"})
    void nothingIsDeliveredReportedOrTouchedAfterTheClose(int first, int second) {
        Sink sink = new Sink();
        EmbeddedChannel channel = Wire.channel(new Closer(), sink);
        byte[] stream = new byte[first + second];
        Wire.receive(channel, stream, 0, first);
        ByteBuf read = channel.alloc().buffer().writeBytes(stream, first, second);
        ByteBuf parts = channel.alloc().compositeBuffer().addComponent(true, read);
        Wire.receive(channel, parts);
        assertThat(parts.refCnt()).isZero();
        assertThat(sink.frames).isEmpty();
        assertThat(sink.inactive).isEqualTo(1);
        assertThat(sink.faults).isEmpty();
        channel.finish();
    }
}
