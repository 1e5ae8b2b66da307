package io.exactframe.netty;

import static io.exactframe.netty.testing.Loopback.done;
import static io.exactframe.netty.testing.Probe.bytes;
import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import io.exactframe.netty.testing.Loopback;
import io.exactframe.netty.testing.Loopback.Transport;
import io.exactframe.netty.testing.Sink;
import io.exactframe.netty.testing.Tls;
import io.exactframe.netty.testing.Wire;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.ByteBufHolder;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.DefaultByteBufHolder;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.DefaultFileRegion;
import io.netty.channel.FileRegion;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.handler.codec.EncoderException;
import io.netty.handler.stream.ChunkedInput;
import io.netty.handler.stream.ChunkedNioFile;
import io.netty.handler.stream.ChunkedWriteHandler;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.channels.Channels;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLSocket;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** 56: what has a length goes out behind it; what has none fails its promise, and nothing is written. */
class EncoderTest {
    private static final int SIZE = 3_000_001;

    @TempDir
    Path dir;

    private Path file;
    private byte[] content;

    Transport transport() {
        return Transport.nio();
    }

    @BeforeEach
    void makeFile() throws IOException {
        content = Wire.random(new Random(1), SIZE);
        file = dir.resolve("file");
        Files.write(file, content);
    }

    private FileRegion region(long count) {
        return new DefaultFileRegion(file.toFile(), 0, count);
    }

    /** So many bytes, in chunks of up to three, of an input that says how many. */
    private static final class Chunks implements ChunkedInput<ByteBuf> {
        private final long told;
        private final int real;
        private int given;
        boolean closed;

        Chunks(long told, int real) {
            this.told = told;
            this.real = real;
        }

        @Override
        public boolean isEndOfInput() {
            return given == real;
        }

        @Override
        public void close() {
            closed = true;
        }

        @Override
        @Deprecated
        public ByteBuf readChunk(ChannelHandlerContext ctx) throws Exception {
            return readChunk(ctx.alloc());
        }

        @Override
        public ByteBuf readChunk(ByteBufAllocator alloc) throws Exception {
            int count = Math.min(3, real - given);
            given += count;
            return alloc.buffer(count).writeBytes("x".repeat(count).getBytes(ISO_8859_1));
        }

        @Override
        public long length() {
            return told;
        }

        @Override
        public long progress() {
            return given;
        }
    }

    /** What is written, one by one, in an embedded channel. */
    @Nested
    class Written {
        private final List<Throwable> fired = new ArrayList<>();

        private EmbeddedChannel channel(LengthPrefix prefix) {
            return new EmbeddedChannel(
                    new ChunkedWriteHandler(), new LengthPrefixedEncoder(prefix), new ChannelInboundHandlerAdapter() {
                        @Override
                        public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
                            fired.add(cause);
                        }
                    });
        }

        private static String written(EmbeddedChannel channel) {
            StringBuilder text = new StringBuilder();
            for (Object part; (part = channel.readOutbound()) != null; ) {
                if (part instanceof ByteBuf bytes) {
                    text.append(bytes.toString(ISO_8859_1));
                    bytes.release();
                } else {
                    text.append('[').append(part.getClass().getSimpleName()).append(']');
                    ((FileRegion) part).release();
                }
            }
            return text.toString();
        }

        private static void assertRefused(ChannelFuture write, String why) {
            assertThat(write.cause()).isExactlyInstanceOf(EncoderException.class);
            assertThat(write.cause().getCause()).isInstanceOf(IllegalArgumentException.class).hasMessageContaining(why);
            assertThat(written((EmbeddedChannel) write.channel())).isEmpty();
        }

        @Test
        void aRegionGoesOutBehindItsLength() {
            EmbeddedChannel channel = channel(LengthPrefix.uint16());
            FileRegion region = region(300);
            ChannelFuture write = channel.writeAndFlush(region);
            assertThat(write.isSuccess()).isTrue();
            assertThat(written(channel)).isEqualTo("\1\54[DefaultFileRegion]");
            assertThat(region.refCnt()).isZero();
            channel.finish();
        }

        @Test
        void whatARegionHasGivenAlreadyIsNotPartOfTheFrame() throws IOException {
            EmbeddedChannel channel = channel(LengthPrefix.uint16());
            FileRegion region = region(400);
            region.transferTo(Channels.newChannel(new ByteArrayOutputStream()), 0);
            assertThat(region.transferred()).isEqualTo(400);
            assertThat(channel.writeAndFlush(region).isSuccess()).isTrue();
            assertThat(written(channel)).isEqualTo("\0\0[DefaultFileRegion]");
            channel.finish();
        }

        @Test
        void aHeaderAndATrailerThatAreInTheRegionCountAsTheyDoInABuffer() {
            EmbeddedChannel channel = channel(LengthPrefix.uint16().headerAfter(1).trailer(2));
            assertThat(channel.writeAndFlush(region(303)).isSuccess()).isTrue();
            assertThat(written(channel)).isEqualTo("\1\54[DefaultFileRegion]");
            assertRefused(channel.writeAndFlush(region(2)), "shorter than its header and trailer");
            channel.finish();
        }

        @Test
        void anInputGoesOutBehindItsLength() {
            EmbeddedChannel channel = channel(LengthPrefix.uint8());
            Chunks chunks = new Chunks(7, 7);
            ChannelFuture write = channel.writeAndFlush(chunks);
            ChannelFuture next = channel.writeAndFlush(bytes(channel, "next"));
            assertThat(write.isSuccess() && next.isSuccess()).isTrue();
            assertThat(written(channel)).isEqualTo("\7xxxxxxx\4next");
            assertThat(chunks.closed).isTrue();
            assertThat(fired).isEmpty();
            channel.finish();
        }

        @Test
        void itMayBeEmpty() {
            EmbeddedChannel channel = channel(LengthPrefix.uint8());
            assertThat(channel.writeAndFlush(new Chunks(0, 0)).isSuccess()).isTrue();
            assertThat(channel.writeAndFlush(new DefaultByteBufHolder(bytes(channel, ""))).isSuccess()).isTrue();
            assertThat(written(channel)).isEqualTo("\0\0");
            channel.finish();
        }

        @Test
        void aHolderGoesOutAsItsContent() {
            EmbeddedChannel channel = channel(LengthPrefix.uint8().headerBefore(1));
            ByteBuf content = bytes(channel, "!abc");
            assertThat(channel.writeAndFlush(new DefaultByteBufHolder(content)).isSuccess()).isTrue();
            assertThat(written(channel)).isEqualTo("!\3abc");
            assertThat(content.refCnt()).isZero();
            channel.finish();
        }

        @Test
        void whatAHoldersContentIsMayBeSaid() {
            class Plain extends DefaultByteBufHolder {
                Plain(ByteBuf content) {
                    super(content);
                }
            }
            EmbeddedChannel channel = new EmbeddedChannel(new LengthPrefixedEncoder(LengthPrefix.uint8()) {
                @Override
                protected @Nullable ByteBuf content(ByteBufHolder message) {
                    return message instanceof Plain ? null : message.content().skipBytes(1);
                }
            });
            Plain plain = new Plain(bytes(channel, "abc"));
            assertThat(channel.writeAndFlush(plain).isSuccess()).isTrue();
            assertThat((Object) channel.readOutbound()).isSameAs(plain);
            plain.release();
            ByteBuf content = bytes(channel, "abc");
            assertThat(channel.writeAndFlush(new DefaultByteBufHolder(content)).isSuccess()).isTrue();
            assertThat(written(channel)).isEqualTo("\2bc");
            assertThat(content.refCnt()).isZero();
            channel.finish();
        }

        @Test
        void anUnknownLengthIsRefused() {
            EmbeddedChannel channel = channel(LengthPrefix.uint8());
            Chunks chunks = new Chunks(-1, 7);
            assertRefused(channel.writeAndFlush(chunks), "not known");
            assertThat(chunks.closed).isTrue();
            channel.finish();
        }

        @Test
        void aLengthThatTheFieldCannotHoldIsRefused() {
            EmbeddedChannel channel = channel(LengthPrefix.uint8());
            Chunks chunks = new Chunks(256, 256);
            FileRegion region = region(256);
            ByteBuf content = bytes(channel, "x".repeat(256));
            assertRefused(channel.writeAndFlush(chunks), "256");
            assertRefused(channel.writeAndFlush(region), "256");
            assertRefused(channel.writeAndFlush(new DefaultByteBufHolder(content)), "256");
            assertThat(chunks.closed).isTrue();
            assertThat(region.refCnt()).isZero();
            assertThat(content.refCnt()).isZero();
            channel.finish();
        }

        @Test
        void bytesInFrontOfTheLengthCannotBeCutOutOfThem() {
            EmbeddedChannel channel = channel(LengthPrefix.uint8().headerBefore(1));
            Chunks chunks = new Chunks(7, 7);
            FileRegion region = region(7);
            assertRefused(channel.writeAndFlush(chunks), "1 bytes before the length");
            assertRefused(channel.writeAndFlush(region), "1 bytes before the length");
            assertThat(chunks.closed).isTrue();
            assertThat(region.refCnt()).isZero();
            channel.finish();
        }

        @ParameterizedTest
        @EnumSource
        void anotherLengthThanItToldFailsAndIsFired(Wrong wrong) {
            EmbeddedChannel channel = channel(LengthPrefix.uint8());
            ChannelFuture write = channel.writeAndFlush(new Chunks(7, wrong.real));
            assertThat(write.cause())
                    .isExactlyInstanceOf(EncoderException.class)
                    .hasMessage(wrong.real + " bytes were written behind a length of 7 bytes");
            assertThat(fired).containsExactly(write.cause());
            written(channel);
            channel.finish();
        }

        @Test
        void whatNobodyListensToIsFiredToo() {
            EmbeddedChannel channel = channel(LengthPrefix.uint8());
            channel.writeAndFlush(new Chunks(3, 3), channel.voidPromise());
            channel.writeAndFlush(region(3), channel.voidPromise());
            assertThat(written(channel)).isEqualTo("\3xxx\3[DefaultFileRegion]");
            assertThat(fired).isEmpty();
            channel.writeAndFlush(new Chunks(3, 4), channel.voidPromise());
            assertThat(fired).isNotEmpty().allMatch(EncoderException.class::isInstance);
            written(channel);
            channel.finish();
        }

        @Test
        void aRegionIsNotEncryptedSoItIsRefused() throws Exception {
            EmbeddedChannel channel = channel(LengthPrefix.uint32());
            channel.pipeline().addFirst(Tls.server());
            FileRegion region = region(7);
            assertRefused(channel.writeAndFlush(region), "ChunkedNioFile");
            assertThat(region.refCnt()).isZero();
            channel.finishAndReleaseAll();
        }
    }

    private enum Wrong {
        SHORTER(6),
        LONGER(8),
        NOTHING(0);

        private final int real;

        Wrong(int real) {
            this.real = real;
        }
    }

    private enum Sent {
        REGION,
        CHUNKED,
        CHUNKED_OVER_TLS
    }

    private static ByteBuf number(Loopback it, String text) {
        return bytes(it.channel, text);
    }

    @ParameterizedTest
    @EnumSource
    void theDecoderAtTheOtherEndGetsExactlyTheFile(Sent sent) throws Exception {
        try (Loopback it = new Loopback(transport(), false, channel -> {
            if (sent == Sent.CHUNKED_OVER_TLS) {
                channel.pipeline().addLast(Tls.server());
            }
            channel.pipeline().addLast(new ChunkedWriteHandler(), new LengthPrefixedEncoder(LengthPrefix.uint32()));
        })) {
            InputStream in = it.peer.socket().getInputStream();
            if (sent == Sent.CHUNKED_OVER_TLS) {
                SSLSocket client = Tls.client(it);
                client.startHandshake();
                in = client.getInputStream();
            }
            ChannelFuture before = it.channel.write(number(it, "before"));
            ChannelFuture write = it.channel.write(
                    sent == Sent.REGION ? region(SIZE) : new ChunkedNioFile(file.toFile()));
            ChannelFuture after = it.channel.writeAndFlush(number(it, "after"));
            byte[] stream = in.readNBytes(3 * 4 + SIZE + 11);
            done(before).sync();
            done(write).sync();
            done(after).sync();

            List<byte[]> frames = new ArrayList<>();
            EmbeddedChannel reader = new EmbeddedChannel(
                    new LengthPrefixedExactDecoder(SIZE + 4, LengthPrefix.uint32()), new ChannelInboundHandlerAdapter() {
                        @Override
                        public void channelRead(ChannelHandlerContext ctx, Object message) {
                            frames.add(ByteBufUtil.getBytes((ByteBuf) message));
                            ((ByteBuf) message).release();
                        }
                    });
            Wire.receiveInPieces(reader, stream, 65_536);
            reader.finish();
            assertThat(frames).hasSize(3);
            assertThat(frames.get(0)).asString(ISO_8859_1).isEqualTo("before");
            assertThat(frames.get(1)).isEqualTo(content);
            assertThat(frames.get(2)).asString(ISO_8859_1).isEqualTo("after");
        }
    }

    @Test
    void aFileThatIsShorterThanItsRegionFailsAndIsFired() throws Exception {
        BlockingQueue<Throwable> fired = new LinkedBlockingQueue<>();
        try (Loopback it = new Loopback(
                transport(), new LengthPrefixedEncoder(LengthPrefix.uint32()), new ChannelInboundHandlerAdapter() {
                    @Override
                    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
                        fired.add(cause);
                        ctx.close();
                    }
                })) {
            ChannelFuture write = done(it.channel.writeAndFlush(region(SIZE + 1)));
            Throwable cause = fired.poll(Loopback.SECONDS, TimeUnit.SECONDS);
            assertThat(write.cause()).isInstanceOf(IOException.class).isSameAs(cause);
            it.peer.socket().getInputStream().readAllBytes();
        }
    }
}
