package io.exactframe.examples.postgresql;

import static org.assertj.core.api.Assertions.assertThat;

import io.exactframe.examples.postgresql.MessageDecoder.Mode;
import io.exactframe.netty.FrameChunk;
import io.exactframe.netty.FrameStart;
import io.exactframe.netty.PrematureCloseException;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.util.LeakPresenceDetector;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Both directions of a session of psql with PostgreSQL 15, recorded; cut at every byte, and ended at every byte. */
class EveryCutTest {
    /** Whole messages as hex digits, parts of large ones joined, and what was fired. */
    private static final class Collector extends ChannelInboundHandlerAdapter {
        final List<String> messages = new ArrayList<>();
        final List<Throwable> faults = new ArrayList<>();
        final StringBuilder part = new StringBuilder();
        private MessageDecoder decoder;
        int large;

        @Override
        public void handlerAdded(ChannelHandlerContext ctx) {
            decoder = ctx.pipeline().get(MessageDecoder.class);
        }

        @Override
        public void channelRead(ChannelHandlerContext ctx, Object message) {
            if (message instanceof FrameStart start) {
                part.append(ByteBufUtil.hexDump(start.header()));
            } else if (message instanceof FrameChunk chunk) {
                part.append(ByteBufUtil.hexDump(chunk.content()));
                chunk.release();
                if (chunk.isLast()) {
                    messages.add(part.toString());
                    part.setLength(0);
                    large++;
                    decoder = decoder.afterLarge(ctx.pipeline());
                }
            } else {
                messages.add(ByteBufUtil.hexDump((ByteBuf) message));
                ((ByteBuf) message).release();
            }
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
            faults.add(cause);
        }
    }

    private static byte[] recorded(String side) throws IOException {
        try (InputStream in = EveryCutTest.class.getResourceAsStream("session." + side)) {
            return in.readAllBytes();
        }
    }

    /** Where messages end, read from the recording by other code than the decoder's. */
    private static List<String> expected(Mode mode, byte[] session) {
        List<String> messages = new ArrayList<>();
        String hex = ByteBufUtil.hexDump(session);
        for (int at = 0; at < session.length; ) {
            int type = mode == Mode.STARTUP && messages.size() < 2 ? 0 : 1; // SSLRequest, StartupMessage
            int length = type + Integer.parseInt(hex.substring(2 * (at + type), 2 * (at + type) + 8), 16);
            messages.add(hex.substring(2 * at, 2 * (at + length)));
            at += length;
        }
        return messages;
    }

    private static Collector decode(Mode mode, int large, byte[] session, int cut, int end) {
        Collector collector = new Collector();
        EmbeddedChannel channel = new EmbeddedChannel(new MessageDecoder(mode, large), collector);
        channel.writeInbound(channel.alloc().buffer().writeBytes(session, 0, cut));
        channel.writeInbound(channel.alloc().buffer().writeBytes(session, cut, end - cut));
        channel.finish();
        return collector;
    }

    @ParameterizedTest(name = "{0}, large is over {2} bytes")
    @CsvSource({"client, STARTUP, 100000, 0", "server, TYPED, 100000, 0", "client, STARTUP, 20, 8", "server, TYPED, 100, 2"})
    void theMessagesAreTheSame(String side, Mode mode, int large, int atLeastLarge) throws IOException {
        byte[] session = recorded(side);
        List<String> expected = expected(mode, session);
        for (int cut = 0; cut <= session.length; cut++) {
            Collector collector = decode(mode, large, session, cut, session.length);
            assertThat(collector.messages).as("cut at byte %d", cut).isEqualTo(expected);
            assertThat(collector.large).isGreaterThanOrEqualTo(atLeastLarge);
            assertThat(collector.faults).isEmpty();
        }
    }

    @ParameterizedTest(name = "{0}, large is over {2} bytes")
    @CsvSource({"client, STARTUP, 100000", "server, TYPED, 100000", "client, STARTUP, 20", "server, TYPED, 100"})
    void wholeMessagesAndThenTheOneException(String side, Mode mode, int large) throws IOException {
        byte[] session = recorded(side);
        List<String> expected = expected(mode, session);
        int whole = 0;
        int begin = 0;
        for (int end = 0; end <= session.length; end++) {
            if (whole < expected.size() && end == begin + expected.get(whole).length() / 2) {
                begin = end;
                whole++;
            }
            Collector collector = decode(mode, large, session, end / 2, end);
            assertThat(collector.messages).as("ended at byte %d", end).isEqualTo(expected.subList(0, whole));
            assertThat(collector.faults).as("ended at byte %d", end).hasSize(end == begin ? 0 : 1);
            if (end > begin) {
                PrematureCloseException e = (PrematureCloseException) collector.faults.get(0);
                assertThat(e.receivedBytes()).isEqualTo(end - begin);
                assertThat(e.expectedBytes()).isEqualTo(end - begin < 5 ? 5 : expected.get(whole).length() / 2);
            }
        }
    }

    @AfterEach
    void nothingLeaks() {
        LeakPresenceDetector.check();
    }
}
