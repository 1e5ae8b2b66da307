package io.exactframe.netty;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.util.concurrent.ProgressiveFuture;
import java.nio.ByteOrder;
import org.junit.jupiter.api.Test;

/** What a receiver has when the stream ends and nobody asked for it, and what it tells whoever did. */
class ExactReceiverLeftoverTest {
    private final ReceiverChannel it = new ReceiverChannel();

    @Test // 10, 36: little-endian views among them
    @SuppressWarnings("deprecation") // order(): such views still exist
    void bytesOfBothOrdersOutliveTheChannel() {
        it.channel.pipeline().fireChannelRead(it.bytes("AB"));
        it.channel.pipeline().fireChannelRead(it.bytes("CD").order(ByteOrder.LITTLE_ENDIAN));
        it.channel.pipeline().fireChannelReadComplete();
        it.channel.finish();
        assertThat(it.exceptions).isEmpty();
        assertThat(ReceiverChannel.text(it.receiver.receive(3))).isEqualTo("ABC");
        assertThat(ReceiverChannel.text(it.receiver.receive(1))).isEqualTo("D");
    }

    @Test // 44, 46: the application cancels what it waits for when it hears of the fault
    void aReceiveThatLostItsBytesTellsSoAndIsNotCancelled() {
        ProgressiveFuture<ByteBuf> receive = it.receiver.receive(4);
        boolean[] cancelled = new boolean[1];
        it.channel.pipeline().addLast(new ChannelInboundHandlerAdapter() {
            @Override
            public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
                cancelled[0] = receive.cancel(false);
            }
        });
        it.arrive("AB");
        it.channel.finish();
        assertThat(cancelled[0]).isFalse();
        assertThat(receive.cause()).isInstanceOf(PrematureCloseException.class);
    }
}
