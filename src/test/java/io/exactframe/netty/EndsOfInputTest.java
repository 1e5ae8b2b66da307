package io.exactframe.netty;

import static io.exactframe.netty.testing.Loopback.done;
import static io.exactframe.netty.testing.Loopback.text;
import static org.assertj.core.api.Assertions.assertThat;

import io.exactframe.netty.testing.Loopback;
import io.exactframe.netty.testing.Loopback.Transport;
import io.exactframe.netty.testing.Probe;
import io.exactframe.netty.testing.Receiving;
import io.exactframe.netty.testing.Tls;
import io.netty.bootstrap.Bootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.handler.codec.http.websocketx.BinaryWebSocketFrame;
import io.netty.handler.codec.http.websocketx.ContinuationWebSocketFrame;
import io.netty.handler.codec.http.websocketx.TextWebSocketFrame;
import io.netty.handler.codec.http.websocketx.WebSocket13FrameDecoder;
import io.netty.handler.codec.http.websocketx.WebSocket13FrameEncoder;
import io.netty.handler.codec.http.websocketx.WebSocketFrame;
import io.netty.handler.codec.http2.DefaultHttp2DataFrame;
import io.netty.handler.codec.http2.DefaultHttp2Headers;
import io.netty.handler.codec.http2.DefaultHttp2HeadersFrame;
import io.netty.handler.codec.http2.Http2DataFrame;
import io.netty.handler.codec.http2.Http2Frame;
import io.netty.handler.codec.http2.Http2FrameCodecBuilder;
import io.netty.handler.codec.http2.Http2HeadersFrame;
import io.netty.handler.codec.http2.Http2MultiplexHandler;
import io.netty.handler.codec.http2.Http2StreamChannel;
import io.netty.handler.codec.http2.Http2StreamChannelBootstrap;
import io.netty.handler.ssl.SslCloseCompletionEvent;
import io.netty.util.ReferenceCountUtil;
import io.netty.util.concurrent.ProgressiveFuture;
import java.nio.channels.ClosedChannelException;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLSocket;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** 57: ends of input that are not TCP's are what a half-close is; once, whatever follows. */
class EndsOfInputTest {
    private enum Kind {
        FIXED,
        PREFIXED,
        STREAM,
        RECEIVER;

        ChannelHandler create() {
            LengthPrefix prefix = LengthPrefix.uint16();
            return switch (this) {
                case FIXED -> new FixedLengthExactDecoder(6);
                case PREFIXED -> new LengthPrefixedExactDecoder(16, prefix.keepHeader());
                case STREAM -> new FrameStreamDecoder(16, prefix);
                case RECEIVER -> new Receiving(new ExactReceiver(), receiver -> receiver.receive(6));
            };
        }
    }

    private static final String FRAME = "\0\4ABCD";
    private static final String CUT = "PrematureCloseException: stream ended after 4 of 6 bytes";

    /** The last of a pipeline: frames, faults and ends. */
    private static final class Notes extends ChannelInboundHandlerAdapter {
        final BlockingQueue<String> log = new LinkedBlockingQueue<>();

        @Override
        public void channelRead(ChannelHandlerContext ctx, Object message) {
            if (!(message instanceof FrameStart) && (!(message instanceof FrameChunk chunk) || chunk.isLast())) {
                log.add("frame");
            }
            ReferenceCountUtil.release(message);
        }

        @Override
        public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
            if (event instanceof SslCloseCompletionEvent || event == ChannelInputShutdownEvent.INSTANCE) {
                log.add(event.getClass().getSimpleName());
            }
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
            log.add(cause.getClass().getSimpleName() + ": " + cause.getMessage());
        }

        @Override
        public void channelInactive(ChannelHandlerContext ctx) {
            log.add("inactive");
        }

        void assertNext(String... lines) throws InterruptedException {
            for (String line : lines) {
                assertThat(log.poll(Loopback.SECONDS, TimeUnit.SECONDS)).isEqualTo(line);
            }
        }
    }

    private static void begin(EmbeddedChannel channel) {
        Probe.receive(channel, FRAME + FRAME.substring(0, 4));
    }

    @ParameterizedTest
    @EnumSource
    void aSuccessfulCloseNotifyEndsTheInputOnce(Kind kind) throws Exception {
        Notes notes = new Notes();
        EmbeddedChannel channel = new EmbeddedChannel(kind.create(), notes);
        begin(channel);
        channel.pipeline().fireUserEventTriggered(SslCloseCompletionEvent.SUCCESS);
        notes.assertNext("frame", CUT, "SslCloseCompletionEvent");
        Probe.receive(channel, "CD" + FRAME); // nobody is to send more: it is released
        channel.pipeline().fireUserEventTriggered(ChannelInputShutdownEvent.INSTANCE);
        channel.pipeline().fireUserEventTriggered(SslCloseCompletionEvent.SUCCESS);
        channel.finish();
        notes.assertNext("ChannelInputShutdownEvent", "SslCloseCompletionEvent", "inactive");
        assertThat(notes.log).isEmpty();
    }

    @ParameterizedTest
    @EnumSource
    void anUnsuccessfulOneGoesOnAndTheEndIsTheNextOne(Kind kind) throws Exception {
        Notes notes = new Notes();
        EmbeddedChannel channel = new EmbeddedChannel(kind.create(), notes);
        begin(channel);
        channel.pipeline().fireUserEventTriggered(new SslCloseCompletionEvent(new ClosedChannelException()));
        notes.assertNext("frame", "SslCloseCompletionEvent");
        Probe.receive(channel, "CD" + FRAME.substring(0, 4));
        notes.assertNext("frame");
        channel.unsafe().close(channel.voidPromise());
        notes.assertNext(CUT, "inactive");
        assertThat(notes.log).isEmpty();
    }

    @ParameterizedTest
    @EnumSource
    void overTlsCloseNotifyIsTheEndAndTheSocketStaysOpen(Kind kind) throws Exception {
        Notes notes = new Notes();
        try (Loopback it = new Loopback(Transport.nio(), Tls.server(), kind.create(), notes)) {
            SSLSocket client = Tls.client(it);
            client.startHandshake();
            client.getOutputStream().write((FRAME + FRAME.substring(0, 4)).getBytes());
            client.shutdownOutput(); // close_notify without FIN
            notes.assertNext("frame", CUT, "SslCloseCompletionEvent");
            assertThat(it.peer.isOpen()).isTrue();
            it.closeChannel();
            notes.assertNext("inactive");
            assertThat(notes.log).isEmpty();
        }
    }

    @Test
    void overTlsAReceiveDoesNotHang() throws Exception {
        ExactReceiver receiver = new ExactReceiver();
        try (Loopback it = new Loopback(Transport.nio(), Tls.server(), receiver)) {
            SSLSocket client = Tls.client(it);
            client.startHandshake();
            ProgressiveFuture<ByteBuf> first = receiver.receive(4);
            ProgressiveFuture<ByteBuf> second = receiver.receive(4);
            client.getOutputStream().write("ABCDE".getBytes());
            client.shutdownOutput();
            assertThat(text(first)).isEqualTo("ABCD");
            assertThat(done(second).cause()).hasMessage("stream ended after 1 of 4 bytes");
            assertThat(done(receiver.receiveOrEnd(1)).isSuccess()).isFalse(); // the end is not on a boundary
        }
    }

    // ---- Adapters, to be pasted

    /** HTTP/2 DATA as bytes, END_STREAM as the end of input. */
    private static final class Http2ToBytes extends ChannelInboundHandlerAdapter {
        @Override
        public void channelRead(ChannelHandlerContext ctx, Object message) {
            boolean ends = message instanceof Http2DataFrame data && data.isEndStream()
                    || message instanceof Http2HeadersFrame headers && headers.isEndStream();
            ctx.fireChannelRead(message instanceof Http2DataFrame data ? data.content() : message);
            if (ends) {
                ctx.fireUserEventTriggered(ChannelInputShutdownEvent.INSTANCE);
            }
        }
    }

    /** Binary WebSocket messages, and what continues them, as bytes. */
    private static final class WebSocketToBytes extends ChannelInboundHandlerAdapter {
        @Override
        public void channelRead(ChannelHandlerContext ctx, Object message) {
            boolean data = message instanceof BinaryWebSocketFrame || message instanceof ContinuationWebSocketFrame;
            ctx.fireChannelRead(data ? ((WebSocketFrame) message).content() : message);
        }
    }

    private enum Last {
        DATA,
        TRAILERS
    }


    @ParameterizedTest
    @EnumSource
    void endStreamInsideAFrame(Kind kind) throws Exception {
        for (Last last : Last.values()) {
            http2(kind, last);
        }
    }

    private static void http2(Kind kind, Last last) throws Exception {
        Notes notes = new Notes();
        BlockingQueue<Channel> streams = new LinkedBlockingQueue<>();
        ChannelInitializer<Channel> child = new ChannelInitializer<>() {
            @Override
            protected void initChannel(Channel channel) {
                channel.pipeline().addLast(new Http2ToBytes(), kind.create(), new Eater(), notes);
                streams.add(channel);
            }
        };
        try (Loopback it = new Loopback(Transport.nio(), false, channel -> channel.pipeline()
                .addLast(Http2FrameCodecBuilder.forServer().build(), new Http2MultiplexHandler(child), new Eater()))) {
            Channel client = new Bootstrap()
                    .group(it.group)
                    .channel(Transport.nio().socket())
                    .handler(new ChannelInitializer<>() {
                        @Override
                        protected void initChannel(Channel channel) {
                            channel.pipeline()
                                    .addLast(
                                            Http2FrameCodecBuilder.forClient().build(),
                                            new Http2MultiplexHandler(new ChannelInboundHandlerAdapter()));
                        }
                    })
                    .connect(it.address())
                    .sync()
                    .channel();
            Http2StreamChannel stream = new Http2StreamChannelBootstrap(client)
                    .handler(new ChannelInboundHandlerAdapter())
                    .open()
                    .sync()
                    .getNow();
            stream.write(new DefaultHttp2HeadersFrame(
                    new DefaultHttp2Headers().method("POST").scheme("http").path("/").authority("test")));
            String bytes = FRAME + FRAME.substring(0, 4);
            stream.write(new DefaultHttp2DataFrame(Probe.bytes(stream, bytes.substring(0, 3))));
            stream.writeAndFlush(
                    new DefaultHttp2DataFrame(Probe.bytes(stream, bytes.substring(3)), last == Last.DATA));
            if (last == Last.TRAILERS) {
                stream.writeAndFlush(new DefaultHttp2HeadersFrame(new DefaultHttp2Headers().add("a", "b"), true));
            }
            notes.assertNext("frame", CUT, "ChannelInputShutdownEvent");
            Channel received = streams.poll(Loopback.SECONDS, TimeUnit.SECONDS);
            assertThat(received.isOpen()).isTrue(); // an answer may be written
            stream.close().sync();
            notes.assertNext("inactive");
            assertThat(notes.log).isEmpty();
            client.close().sync();
        }
    }

    /** What is of no stream, and headers, which go through a decoder as they are. */
    private static final class Eater extends ChannelInboundHandlerAdapter {
        @Override
        public void channelRead(ChannelHandlerContext ctx, Object message) {
            if (message instanceof Http2Frame) {
                ReferenceCountUtil.release(message);
            } else {
                ctx.fireChannelRead(message);
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void webSocketMessagesAreAStream(Kind kind) throws Exception {
        Notes notes = new Notes();
        EmbeddedChannel server = new EmbeddedChannel(
                new WebSocket13FrameDecoder(true, false, 1024), new WebSocketToBytes(), kind.create(), notes);
        EmbeddedChannel client = new EmbeddedChannel(new WebSocket13FrameEncoder(true));
        String bytes = FRAME + FRAME + FRAME.substring(0, 4);
        for (WebSocketFrame frame : List.of(
                new BinaryWebSocketFrame(false, 0, Probe.bytes(client, bytes.substring(0, 3))),
                new ContinuationWebSocketFrame(true, 0, Probe.bytes(client, bytes.substring(3, 7))),
                new TextWebSocketFrame(true, 0, Probe.bytes(client, "a message that is not ours")),
                new BinaryWebSocketFrame(true, 0, Probe.bytes(client, bytes.substring(7))))) {
            client.writeOutbound(frame);
            for (ByteBuf part; (part = client.readOutbound()) != null; ) {
                server.pipeline().fireChannelRead(part);
            }
            server.pipeline().fireChannelReadComplete();
        }
        server.unsafe().close(server.voidPromise());
        notes.assertNext("frame", "frame", "frame", CUT, "inactive"); // one of them is the text
        assertThat(notes.log).isEmpty();
        client.finish();
    }
}
