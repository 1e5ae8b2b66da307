package io.exactframe.netty;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.file.StandardOpenOption.CREATE;
import static java.nio.file.StandardOpenOption.TRUNCATE_EXISTING;
import static java.nio.file.StandardOpenOption.WRITE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.exactframe.netty.testing.Sink;
import io.exactframe.netty.testing.Tls;
import io.exactframe.netty.testing.Wire;
import io.netty.bootstrap.Bootstrap;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.TimeGauge;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufHolder;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerAdapter;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.ChannelPipeline;
import io.netty.channel.DefaultFileRegion;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.handler.codec.DecoderException;
import io.netty.handler.codec.http.HttpClientCodec;
import io.netty.handler.codec.http.HttpObjectAggregator;
import io.netty.handler.codec.http.HttpServerCodec;
import io.netty.handler.codec.http.websocketx.BinaryWebSocketFrame;
import io.netty.handler.codec.http.websocketx.ContinuationWebSocketFrame;
import io.netty.handler.codec.http.websocketx.WebSocketClientProtocolConfig;
import io.netty.handler.codec.http.websocketx.WebSocketClientProtocolHandler;
import io.netty.handler.codec.http.websocketx.WebSocketClientProtocolHandler.ClientHandshakeStateEvent;
import io.netty.handler.codec.http.websocketx.WebSocketServerProtocolHandler;
import io.netty.handler.codec.http2.DefaultHttp2DataFrame;
import io.netty.handler.codec.http2.DefaultHttp2Headers;
import io.netty.handler.codec.http2.DefaultHttp2HeadersFrame;
import io.netty.handler.codec.http2.Http2DataFrame;
import io.netty.handler.codec.http2.Http2FrameCodecBuilder;
import io.netty.handler.codec.http2.Http2HeadersFrame;
import io.netty.handler.codec.http2.Http2MultiplexHandler;
import io.netty.handler.codec.http2.Http2StreamChannel;
import io.netty.handler.codec.http2.Http2StreamChannelBootstrap;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.stream.ChunkedNioFile;
import io.netty.handler.stream.ChunkedWriteHandler;
import io.netty.util.ReferenceCountUtil;
import io.netty.util.concurrent.DefaultEventExecutorGroup;
import io.netty.util.concurrent.EventExecutorGroup;
import io.netty.util.concurrent.Future;
import io.netty.util.concurrent.FutureListener;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import javax.net.ssl.SSLEngine;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The README's code compiles, and does what it says there. */
class ReadmeTest {
    private static final Pattern QUOTED =
            Pattern.compile(" *// README: from here\n(.*?)\n *// README: to here", Pattern.DOTALL);
    private static final Pattern SAMPLE = Pattern.compile("```java\n");

    private final MultiThreadIoEventLoopGroup loops = new MultiThreadIoEventLoopGroup(2, NioIoHandler.newFactory());
    private final CountDownLatch tornDown = new CountDownLatch(1);
    private Channel server;

    /** Notes what comes, as text. */
    private static final class Notes extends SimpleChannelInboundHandler<ByteBuf> {
        final BlockingQueue<String> notes = new LinkedBlockingQueue<>();

        @Override
        protected void channelRead0(ChannelHandlerContext ctx, ByteBuf frame) {
            notes.add(frame.toString(ISO_8859_1));
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
            notes.add(cause.toString());
            ctx.close();
        }

        String next() throws InterruptedException {
            return notes.poll(30, TimeUnit.SECONDS);
        }
    }

    private void listen(boolean autoRead, Initializer initializer) throws Exception {
        server = new ServerBootstrap()
                .group(loops)
                .channel(NioServerSocketChannel.class)
                .childOption(ChannelOption.AUTO_READ, autoRead)
                .childHandler(new ChannelInitializer<>() {
                    @Override
                    protected void initChannel(Channel channel) throws Exception {
                        channel.pipeline().addLast(new ChannelHandlerAdapter() {
                            @Override
                            public void handlerRemoved(ChannelHandlerContext ctx) {
                                tornDown.countDown(); // the first handler is the last to go
                            }
                        });
                        initializer.init(channel);
                    }
                })
                .bind(InetAddress.getLoopbackAddress(), 0)
                .sync()
                .channel();
    }

    private interface Initializer {
        void init(Channel channel) throws Exception;
    }

    private Channel connect(ChannelHandler... handlers) throws Exception {
        return new Bootstrap()
                .group(loops)
                .channel(NioSocketChannel.class)
                .handler(new ChannelInitializer<>() {
                    @Override
                    protected void initChannel(Channel channel) {
                        channel.pipeline().addLast(handlers);
                    }
                })
                .connect(server.localAddress())
                .sync()
                .channel();
    }

    private SocketChannel connectPlainly() throws IOException {
        return SocketChannel.open(server.localAddress());
    }

    private static void send(SocketChannel peer, byte[]... parts) throws IOException {
        ByteBuffer bytes = ByteBuffer.wrap(Wire.concat(parts));
        while (bytes.hasRemaining()) {
            peer.write(bytes);
        }
    }

    private static byte[] text(String text) {
        return text.getBytes(ISO_8859_1);
    }

    @AfterEach
    void stop() throws Exception {
        if (server != null) {
            server.close().sync();
        }
        assertThat(loops.shutdownGracefully(0, 10, TimeUnit.SECONDS).await(30, TimeUnit.SECONDS)).isTrue();
    }

    @Test
    void everySampleIsFromHere() throws IOException {
        String readme = Files.readString(Path.of("README.md"));
        String source = Files.readString(Path.of("src/test/java/io/exactframe/netty/ReadmeTest.java"));
        Matcher quoted = QUOTED.matcher(source);
        int count = 0;
        for (; quoted.find(); count++) {
            String sample = quoted.group(1).stripIndent();
            assertThat(readme.indexOf("```java\n" + sample + "\n```")).as(sample).isNotNegative();
        }
        assertThat(count).isEqualTo(11);
        assertThat(SAMPLE.matcher(readme).results()).hasSize(count);
    }

    private final List<String> logged = new ArrayList<>();

    private void log(String line) {
        logged.add(line);
    }

    // README: from here
    class PacketHandler extends SimpleChannelInboundHandler<ByteBuf> {
        @Override
        protected void channelRead0(ChannelHandlerContext ctx, ByteBuf packet) {
            log("exactly " + packet.readableBytes() + " bytes"); // released when this returns
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
            if (cause instanceof PrematureCloseException e) {
                log("the peer left after " + e.receivedBytes() + " of " + e.expectedBytes() + " bytes");
            }
            ctx.close(); // the decoder has ended; closing is yours
        }
    }
    // README: to here

    @Test
    void theFirstPipeline() {
        EmbeddedChannel channel = new EmbeddedChannel();
        ChannelPipeline pipeline = channel.pipeline();
        // README: from here
        pipeline.addLast(new FixedLengthExactDecoder(188), new PacketHandler());
        // README: to here
        Wire.receive(channel, new byte[200]);
        Wire.peerCloses(channel);
        assertThat(logged).containsExactly("exactly 188 bytes", "the peer left after 12 of 188 bytes");
    }

    @Test
    void theBudgetAsGauges() {
        ReceiveBudget BUDGET = new ReceiveBudget(10_000);
        SimpleMeterRegistry registry = new SimpleMeterRegistry();
        // README: from here
        Gauge.builder("frames.used", BUDGET, ReceiveBudget::used).baseUnit("bytes").register(registry);
        Gauge.builder("frames.waiting", BUDGET, ReceiveBudget::waiting).baseUnit("channels").register(registry);
        TimeGauge.builder("frames.wait", () -> BUDGET.longestWait().toMillis(), TimeUnit.MILLISECONDS).register(registry);
        // README: to here
        ReceiveOptions options = ReceiveOptions.defaults().budget(BUDGET).frameDeadline(Duration.ofSeconds(30));
        EmbeddedChannel holds = new EmbeddedChannel(new FixedLengthExactDecoder(9000, options));
        EmbeddedChannel waits = new EmbeddedChannel(new FixedLengthExactDecoder(9000, options));
        Wire.receive(holds, new byte[1]);
        Wire.receive(waits, new byte[1]);
        assertThat(registry.get("frames.used").gauge().value()).isEqualTo(9000);
        assertThat(registry.get("frames.waiting").gauge().value()).isEqualTo(1);
        assertThat(registry.get("frames.wait").timeGauge().value(TimeUnit.NANOSECONDS)).isNotNegative();
        Stream.of(holds, waits).forEach(channel -> {
            channel.close();
            assertThatThrownBy(channel::checkException).isInstanceOf(PrematureCloseException.class);
        });
    }

    private void use(ByteBuf record) {
        log(record.toString(ISO_8859_1));
        record.release();
    }

    private final class RecordHandler extends ChannelInboundHandlerAdapter {
        private final ExactReceiver receiver;

        RecordHandler(ExactReceiver receiver) {
            this.receiver = receiver;
        }

        @Override
        public void channelActive(ChannelHandlerContext ctx) {
            receiveNext(ctx);
            ctx.fireChannelActive();
        }

        // README: from here
        void receiveNext(ChannelHandlerContext ctx) {
            receiver.receive(16).addListener((FutureListener<ByteBuf>) record -> { // the cast tells getNow()'s type
                if (record.isSuccess()) {
                    use(record.getNow()); // exactly 16 bytes, and yours to release
                    receiveNext(ctx); // a million times over, if need be: listeners do not nest
                } else {
                    ctx.close(); // record.cause(): the peer left after 5 of 16 bytes, for example
                }
            });
        }
        // README: to here
    }

    @Test
    void oneReceiveAfterTheOther() throws Exception {
        Notes notes = new Notes();
        listen(true, channel -> {
            ExactReceiver receiver = new ExactReceiver();
            channel.pipeline().addLast(receiver, new RecordHandler(receiver), notes);
        });
        try (SocketChannel peer = connectPlainly()) {
            send(peer, text("0123456789abcdefFEDCBA9876543210cut o"));
        }
        assertThat(tornDown.await(30, TimeUnit.SECONDS)).isTrue();
        assertThat(logged).containsExactly("0123456789abcdef", "FEDCBA9876543210");
        assertThat(notes.next()).endsWith("PrematureCloseException: stream ended after 5 of 16 bytes");
    }

    // README: from here
    /** The next bytes, or null if they do not come in time: then what came of them is the next receive's. */
    static ByteBuf receiveWithin(Duration time, ExactReceiver receiver, int size) throws InterruptedException {
        Future<ByteBuf> bytes = receiver.receive(size);
        if (!bytes.await(time.toMillis()) && bytes.cancel(false)) {
            return null;
        }
        return bytes.sync().getNow(); // yours to release; cancel was false because they had just come
    }
    // README: to here

    @Test
    void aReceiveIsGivenUpAndTheStreamIsKept() throws Exception {
        ExactReceiver receiver = new ExactReceiver();
        CountDownLatch open = new CountDownLatch(1);
        listen(true, channel -> channel.pipeline().addLast(receiver, new ChannelInboundHandlerAdapter() {
            @Override
            public void channelActive(ChannelHandlerContext ctx) {
                open.countDown();
            }
        }));
        try (SocketChannel peer = connectPlainly()) {
            assertThat(open.await(30, TimeUnit.SECONDS)).isTrue();
            send(peer, text("AB"));
            assertThat(receiveWithin(Duration.ofMillis(50), receiver, 5)).isNull();
            send(peer, text("CDE"));
            ByteBuf bytes = receiveWithin(Duration.ofSeconds(30), receiver, 5);
            assertThat(bytes.toString(ISO_8859_1)).isEqualTo("ABCDE");
            bytes.release();
        }
    }

    /** The README's uploads: frames of any size to files, and nothing left of one that is not whole. */
    @Nested
    class Uploads {
        @TempDir
        private Path directory;

        private final EventExecutorGroup disk = new DefaultEventExecutorGroup(1);

        // README: from here
        static ChannelFuture send(Channel channel, Path file) throws IOException {
            boolean isPlain = channel.pipeline().get(SslHandler.class) == null;
            return channel.writeAndFlush(isPlain
                    ? new DefaultFileRegion(file.toFile(), 0, Files.size(file))
                    : new ChunkedNioFile(file.toFile()));
        }
        // README: to here

        private static final class UploadHandler extends ChannelInboundHandlerAdapter {
            private final Path part;
            private FileChannel file;
            private int count;

            UploadHandler(Path part) {
                this.part = part;
            }

            @Override
            public void channelActive(ChannelHandlerContext ctx) {
                ctx.fireChannelActive();
                ctx.read();
            }

            @Override
            public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
                ctx.close();
            }

            @Override
            public void channelRead(ChannelHandlerContext ctx, Object message) throws IOException {
                // README: from here
                try {
                    if (message instanceof FrameStart) {
                        file = FileChannel.open(part, CREATE, WRITE, TRUNCATE_EXISTING);
                    } else if (message instanceof FrameChunk chunk) {
                        write(chunk.content(), file);
                        if (chunk.isLast()) { // only now is the upload whole
                            file.close();
                            Files.move(part, whole());
                        }
                    }
                } finally {
                    ReferenceCountUtil.release(message);
                }
                ctx.read(); // the next, when this one is on the disk
                // README: to here
            }

            private static void write(ByteBuf bytes, FileChannel file) throws IOException {
                while (bytes.isReadable()) {
                    bytes.readBytes(file, bytes.readableBytes());
                }
            }

            private Path whole() {
                return part.resolveSibling(count++ + ".whole");
            }

            @Override
            public void handlerRemoved(ChannelHandlerContext ctx) throws IOException {
                if (file != null) {
                    file.close();
                    Files.deleteIfExists(part);
                }
            }
        }

        private void listen(boolean tls) throws Exception {
            ReadmeTest.this.listen(false, channel -> {
                if (tls) {
                    channel.pipeline().addLast(Tls.server());
                }
                Path part = directory.resolve("part");
                // README: from here
                ReceiveOptions onDemand = ReceiveOptions.defaults().onDemand();
                channel.pipeline()
                        .addLast(new FrameStreamDecoder(1L << 40, LengthPrefix.int64(), onDemand))
                        .addLast(disk, new UploadHandler(part));
                // README: to here
            });
        }

        private Channel connect(boolean tls) throws Exception {
            SSLEngine engine = Tls.context().createSSLEngine();
            engine.setUseClientMode(true);
            return ReadmeTest.this.connect(Stream.of(
                            tls ? new SslHandler(engine) : new ChannelHandlerAdapter() {},
                            new ChunkedWriteHandler(),
                            new LengthPrefixedEncoder(LengthPrefix.int64()))
                    .toArray(ChannelHandler[]::new));
        }

        @AfterEach
        void stop() throws Exception {
            assertThat(disk.shutdownGracefully(0, 10, TimeUnit.SECONDS).await(30, TimeUnit.SECONDS)).isTrue();
        }

        private byte[][] files() throws IOException {
            try (Stream<Path> files = Files.list(directory)) {
                return files.map(file -> {
                            assertThat(file.toString()).endsWith(".whole");
                            try {
                                return Files.readAllBytes(file);
                            } catch (IOException e) {
                                throw new AssertionError(e);
                            }
                        })
                        .sorted((one, other) -> one.length - other.length)
                        .toArray(byte[][]::new);
            }
        }

        @Test
        void uploadsArriveAndAPartOfOneDoesNot() throws Exception {
            listen(false);
            byte[] large = Wire.random(new Random(1), 3_000_000);
            byte[] small = text("small");
            try (SocketChannel peer = connectPlainly()) {
                ReadmeTest.send(
                        peer,
                        Wire.number(large.length, 8, false), large,
                        Wire.number(0, 8, false),
                        Wire.number(small.length, 8, false), small,
                        Wire.number(large.length, 8, false), Arrays.copyOf(large, 1_000_000));
            }
            assertThat(tornDown.await(30, TimeUnit.SECONDS)).isTrue();
            assertThat(Arrays.deepEquals(files(), new byte[][] {{}, small, large})).isTrue();
        }

        @ParameterizedTest
        @ValueSource(booleans = {false, true})
        void filesAreSentBehindTheirLength(boolean tls, @TempDir Path from) throws Exception {
            listen(tls);
            byte[] bytes = Wire.random(new Random(2), 2_000_000);
            Path file = Files.write(from.resolve("file"), bytes);
            Path empty = Files.createFile(from.resolve("empty"));
            Channel client = connect(tls);
            send(client, file);
            send(client, empty);
            send(client, file).sync();
            long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
            while (directory.toFile().list((in, name) -> name.endsWith(".whole")).length < 3) {
                assertThat(System.nanoTime()).isLessThan(deadline);
                Thread.onSpinWait();
            }
            client.close(); // not before: the answer to a close_notify would reset the connection
            assertThat(tornDown.await(30, TimeUnit.SECONDS)).isTrue();
            assertThat(Arrays.deepEquals(files(), new byte[][] {{}, bytes, bytes})).isTrue();
        }
    }

    /** What is not TCP's. */
    @Nested
    class Adapters {
        private static final class Adapter extends ChannelInboundHandlerAdapter {
            // README: from here
            @Override
            public void channelRead(ChannelHandlerContext ctx, Object message) {
                boolean isBinary = message instanceof BinaryWebSocketFrame || message instanceof ContinuationWebSocketFrame;
                boolean isBytes = isBinary || message instanceof Http2DataFrame;
                ctx.fireChannelRead(isBytes ? ((ByteBufHolder) message).content() : message); // WebSocket and HTTP/2
                if (message instanceof Http2DataFrame data && data.isEndStream()
                        || message instanceof Http2HeadersFrame headers && headers.isEndStream()) {
                    ctx.fireUserEventTriggered(ChannelInputShutdownEvent.INSTANCE); // HTTP/2
                }
            }
            // README: to here
        }

        private final Notes notes = new Notes();

        private static ByteBuf bytes(String text) {
            return Unpooled.copiedBuffer(text, ISO_8859_1);
        }

        @Test
        void webSocketFramesAreAStream() throws Exception {
            listen(true, channel -> channel.pipeline()
                    .addLast(new HttpServerCodec(), new HttpObjectAggregator(1 << 16))
                    .addLast(new WebSocketServerProtocolHandler("/", null, true))
                    .addLast(new Adapter(), new FixedLengthExactDecoder(4), notes));
            CountDownLatch open = new CountDownLatch(1);
            Channel client = connect(
                    new HttpClientCodec(),
                    new HttpObjectAggregator(1 << 16),
                    new WebSocketClientProtocolHandler(WebSocketClientProtocolConfig.newBuilder()
                            .webSocketUri(URI.create("ws://localhost/"))
                            .build()),
                    new ChannelInboundHandlerAdapter() {
                        @Override
                        public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
                            if (event == ClientHandshakeStateEvent.HANDSHAKE_COMPLETE) {
                                open.countDown();
                            }
                        }
                    });
            assertThat(open.await(30, TimeUnit.SECONDS)).isTrue();
            client.writeAndFlush(new BinaryWebSocketFrame(bytes("AB")));
            client.writeAndFlush(new BinaryWebSocketFrame(false, 0, bytes("CDE")));
            client.writeAndFlush(new ContinuationWebSocketFrame(true, 0, bytes("FGHI"))).sync();
            client.close();
            assertThat(List.of(notes.next(), notes.next())).containsExactly("ABCD", "EFGH");
            assertThat(notes.next()).endsWith("stream ended after 1 of 4 bytes, closed on this side");
        }

        @ParameterizedTest
        @ValueSource(booleans = {false, true})
        void anHttp2StreamEnds(boolean byTrailers) throws Exception {
            listen(true, channel -> channel.pipeline()
                    .addLast(Http2FrameCodecBuilder.forServer().build())
                    .addLast(new Http2MultiplexHandler(new ChannelInitializer<>() {
                        @Override
                        protected void initChannel(Channel stream) {
                            stream.pipeline()
                                    .addLast(new Adapter(), new FixedLengthExactDecoder(4))
                                    .addLast(new OnlyBytes(), notes);
                        }
                    })));
            Channel client = connect(
                    Http2FrameCodecBuilder.forClient().build(),
                    new Http2MultiplexHandler(new ChannelInboundHandlerAdapter()));
            Http2StreamChannel stream = new Http2StreamChannelBootstrap(client)
                    .handler(new ChannelInboundHandlerAdapter())
                    .open()
                    .sync()
                    .getNow();
            stream.writeAndFlush(new DefaultHttp2HeadersFrame(
                    new DefaultHttp2Headers().method("POST").path("/").scheme("http")));
            stream.writeAndFlush(new DefaultHttp2DataFrame(bytes("ABC")));
            stream.writeAndFlush(new DefaultHttp2DataFrame(bytes("DE"), !byTrailers));
            if (byTrailers) {
                stream.writeAndFlush(new DefaultHttp2HeadersFrame(new DefaultHttp2Headers().add("a", "b"), true));
            }
            assertThat(notes.next()).isEqualTo("ABCD");
            assertThat(notes.next()).endsWith("PrematureCloseException: stream ended after 1 of 4 bytes");
        }

        /** Drops what is not framed. */
        private static final class OnlyBytes extends ChannelInboundHandlerAdapter {
            @Override
            public void channelRead(ChannelHandlerContext ctx, Object message) {
                if (message instanceof ByteBuf) {
                    ctx.fireChannelRead(message);
                } else {
                    ReferenceCountUtil.release(message);
                }
            }
        }
    }

    /** A line of eight bytes asks for TLS; then there are frames of four. */
    @Nested
    class Upgrade {
        private final Notes notes = new Notes();

        // README: from here
        void upgrade(ChannelHandlerContext ctx, ExactFrameDecoder before, SslHandler tls, ExactFrameDecoder after) {
            if (before.bufferedBytes() > 0) {
                throw new DecoderException("bytes in the clear behind the request for TLS"); // and close
            }
            ctx.writeAndFlush(ByteBufUtil.writeAscii(ctx.alloc(), "go ahead")); // the last in the clear
            ctx.pipeline()
                    .addAfter(ctx.pipeline().context(before).name(), "tls", tls)
                    .addAfter("tls", "frames", after)
                    .remove(before);
        }
        // README: to here

        private void listen() throws Exception {
            SslHandler tls = Tls.server();
            ReadmeTest.this.listen(true, channel -> {
                ExactFrameDecoder lines = new FixedLengthExactDecoder(8);
                channel.pipeline().addLast(lines, new SimpleChannelInboundHandler<ByteBuf>() {
                    @Override
                    protected void channelRead0(ChannelHandlerContext ctx, ByteBuf line) {
                        if (ctx.pipeline().get("tls") == null) {
                            upgrade(ctx, lines, tls, new FixedLengthExactDecoder(4));
                        } else {
                            ctx.fireChannelRead(line.retain());
                        }
                    }
                }, notes);
            });
        }

        @Test
        void anHonestClient() throws Exception {
            listen();
            try (SocketChannel peer = connectPlainly()) {
                ReadmeTest.send(peer, text("STARTTLS"));
                assertThat(peer.socket().getInputStream().readNBytes(8)).isEqualTo(text("go ahead"));
                try (var tls = Tls.context().getSocketFactory().createSocket(
                        peer.socket(), "localhost", ((InetSocketAddress) server.localAddress()).getPort(), false)) {
                    tls.getOutputStream().write(text("overTLS!"));
                    assertThat(List.of(notes.next(), notes.next())).containsExactly("over", "TLS!");
                }
            }
        }

        @Test
        void aClientWhoseBytesAreInjected() throws Exception {
            listen();
            try (SocketChannel peer = connectPlainly()) {
                ReadmeTest.send(peer, text("STARTTLSinje"));
                assertThat(tornDown.await(30, TimeUnit.SECONDS)).isTrue();
            }
            assertThat(notes.notes).noneMatch(note -> note.equals("inje"));
        }
    }

    // README: from here
    static final ReceiveBudget BUDGET = new ReceiveBudget(256 << 20); // for all channels of all event loops
    static final ReceiveOptions OPTIONS = ReceiveOptions.defaults()
            .budget(BUDGET)
            .frameDeadline(Duration.ofSeconds(30)) // from a frame's first byte to its last
            .stallTimeout(Duration.ofSeconds(5)); // from one byte of a frame to the next
    // README: to here

    @Tag("clock")
    @Test
    void aFrameMayTakeSoLong() {
        EmbeddedChannel channel = new EmbeddedChannel();
        channel.freezeTime();
        Sink sink = new Sink();
        channel.pipeline().addLast(new LengthPrefixedExactDecoder(1 << 20, LengthPrefix.uint32(), OPTIONS), sink);
        for (int second = 0; second < 30; second++) {
            assertThat(sink.faults).isEmpty();
            Wire.receive(channel, new byte[] {second == 2 ? (byte) 1 : 0});
            channel.advanceTimeBy(1, TimeUnit.SECONDS);
            channel.runScheduledPendingTasks();
        }
        assertThat(sink.faults).singleElement().isInstanceOf(FrameTimeoutException.class);
        channel.finish();
    }

    @Test
    void allChannelsShareABudget() {
        EmbeddedChannel channel =
                new EmbeddedChannel(new LengthPrefixedExactDecoder(1 << 24, LengthPrefix.uint32(), OPTIONS));
        Wire.receive(channel, Wire.number(1 << 20, 4, false));
        assertThat(List.of(BUDGET.used(), BUDGET.capacity())).containsExactly((1L << 20) + 4, 256L << 20);
        channel.pipeline().removeFirst();
        assertThat(BUDGET.used()).isZero();
        channel.finishAndReleaseAll();
    }
}
