package io.exactframe.examples.recipes;

import static org.assertj.core.api.Assertions.assertThat;

import io.exactframe.netty.LengthPrefix;
import io.exactframe.netty.LengthPrefixedExactDecoder;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelPipeline;
import io.netty.util.concurrent.DefaultEventExecutorGroup;
import io.netty.util.concurrent.DefaultThreadFactory;
import io.netty.util.concurrent.EventExecutorGroup;
import java.net.Socket;
import java.util.Arrays;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Handlers that block have threads of their own; the decoder may be with them, or stay on the event loop. */
class OwnExecutorTest {
    private static final LengthPrefix PREFIX = LengthPrefix.uint32();

    /** Notes the thread, and goes on. */
    private static final class WhichThread extends ChannelInboundHandlerAdapter {
        private volatile String thread;

        @Override
        public void channelRead(ChannelHandlerContext ctx, Object message) {
            thread = message instanceof ByteBuf ? Thread.currentThread().getName() : "none";
            ctx.fireChannelRead(message);
        }
    }

    @ParameterizedTest(name = "the decoder too {0}")
    @ValueSource(booleans = {false, true})
    void blockingHandlers(boolean decoderToo) throws Exception {
        EventExecutorGroup blocking = new DefaultEventExecutorGroup(2, new DefaultThreadFactory("blocking"));
        Notes notes = new Notes();
        WhichThread which = new WhichThread();
        String[] texts = new String[5_000];
        Arrays.setAll(texts, i -> i + "y".repeat(i % 700));
        try (Sockets sockets = new Sockets()) {
            int port = sockets.listen(channel -> {
                        ChannelPipeline pipeline = channel.pipeline();
                        if (decoderToo) {
                            pipeline.addLast(blocking, new LengthPrefixedExactDecoder(1 << 20, PREFIX), which, notes);
                            return;
                        }
                        // README: from here
                        pipeline.addLast(new LengthPrefixedExactDecoder(1 << 20, PREFIX)); // on the event loop
                        pipeline.addLast(blocking, which, notes); // order and ends as ever
                        // README: to here
                    })
                    .getPort();
            try (Socket peer = Sockets.connect(port)) {
                peer.getOutputStream().write(Sockets.messages(texts));
                peer.getOutputStream().write(new byte[] {0, 0, 0, 100, 1, 2, 3});
            }
            for (String text : texts) {
                assertThat(notes.next()).isEqualTo(text);
            }
            assertThat(which.thread).startsWith("blocking-");
            assertThat(notes.next()).isEqualTo("PrematureCloseException: stream ended after 7 of 104 bytes");
            assertThat(notes.next()).isEqualTo("closed");
        } finally {
            blocking.shutdownGracefully(0, 10, TimeUnit.SECONDS).sync();
        }
    }
}
