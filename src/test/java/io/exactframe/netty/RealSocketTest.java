package io.exactframe.netty;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import io.exactframe.netty.testing.SkippingDecoder.ChunkJoiner;
import io.exactframe.netty.testing.Loopback;
import io.exactframe.netty.testing.Loopback.Transport;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelPipeline;
import io.netty.util.concurrent.Future;
import io.netty.util.concurrent.FutureListener;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** The same streams through every handler, on real sockets: whole, and ending anywhere. */
class RealSocketTest {
    private static final int LARGEST = 8 << 20;

    /** Payloads are parts of this. */
    private static final byte[] BYTES = new byte[LARGEST + 1000];

    static {
        new Random(42).nextBytes(BYTES);
    }

    Transport transport() {
        return Transport.nio();
    }

    private enum Reader {
        FIXED(0),
        PREFIXED(4),
        CONTIGUOUS(4),
        OWN_CODEC(4),
        STREAM(4),
        RECEIVER(4),
        CONTIGUOUS_RECEIVER(4);

        final int headerLength;

        Reader(int headerLength) {
            this.headerLength = headerLength;
        }

        void writeHeader(ByteBuffer out, int payload) {
            switch (this) {
                case FIXED -> {}
                case OWN_CODEC -> out.putInt('T' << 24 | payload);
                default -> out.putInt(payload);
            }
        }

        void addTo(ChannelPipeline pipeline, int fixedLength, Checker checker) {
            LengthPrefix prefix = LengthPrefix.uint32();
            switch (this) {
                case FIXED -> pipeline.addLast(new FixedLengthExactDecoder(fixedLength));
                case PREFIXED -> pipeline.addLast(new LengthPrefixedExactDecoder(LARGEST, prefix));
                case CONTIGUOUS -> pipeline.addLast(new LengthPrefixedExactDecoder(
                        LARGEST, prefix, ReceiveOptions.defaults().contiguous()));
                case OWN_CODEC -> pipeline.addLast(new OwnCodec());
                case STREAM -> pipeline.addLast(new ChunkJoiner(new FrameStreamDecoder(LARGEST, prefix)));
                default -> {
                    ReceiveOptions options = ReceiveOptions.defaults();
                    ExactReceiver receiver =
                            new ExactReceiver(this == RECEIVER ? options : options.contiguous());
                    pipeline.addLast(receiver);
                    receiver.receive(prefix, LARGEST).addListener(new FutureListener<ByteBuf>() {
                        @Override
                        public void operationComplete(Future<ByteBuf> receive) {
                            if (receive.isSuccess()) {
                                checker.check(receive.getNow());
                                receiver.receive(prefix, LARGEST).addListener(this);
                            }
                        }
                    });
                }
            }
            pipeline.addLast(checker);
        }
    }

    /** A byte of type, three of length. */
    private static final class OwnCodec extends ExactFrameDecoder {
        OwnCodec() {
            super(4, LARGEST);
        }

        @Override
        protected long frameLength(ByteBuf header) {
            assertThat(header.readByte()).isEqualTo((byte) 'T');
            return 4 + header.readUnsignedMedium();
        }

        @Override
        protected Object decode(ChannelHandlerContext ctx, ByteBuf frame) {
            return frame.skipBytes(4).retainedSlice();
        }
    }

    /** What is sent: payload k is the part of BYTES that begins at k. */
    private static final class Script {
        final List<Integer> payloads = new ArrayList<>();
        final List<Integer> ends = new ArrayList<>(); // of the frames, in the stream
        final ByteBuffer stream;
        final int fixedLength;

        Script(Reader reader, Random random, int largest, int atLeast) {
            fixedLength = size(random, largest);
            int end = 0;
            while (end < atLeast) {
                int payload = reader == Reader.FIXED ? fixedLength : size(random, largest);
                payloads.add(payload);
                ends.add(end += reader.headerLength + payload);
            }
            stream = ByteBuffer.allocate(end);
            for (int k = 0; k < payloads.size(); k++) {
                reader.writeHeader(stream, payloads.get(k));
                stream.put(BYTES, k % 1000, payloads.get(k));
            }
            stream.flip();
        }

        /** From 1 byte to the largest, small ones as often as large ones. */
        private static int size(Random random, int largest) {
            return Math.max(1, (int) Math.exp(random.nextDouble() * Math.log(largest)));
        }
    }

    /** Compares frames with the script; on the event loop. */
    private static final class Checker extends ChannelInboundHandlerAdapter {
        final Script script;
        final CompletableFuture<Integer> whole = new CompletableFuture<>(); // the number of frames, all of them
        final CompletableFuture<Integer> ended = new CompletableFuture<>(); // the number of frames until then
        PrematureCloseException premature;
        private int frames;

        Checker(Script script) {
            this.script = script;
        }

        void check(ByteBuf frame) {
            int k = frames++;
            ByteBuf expected = Unpooled.wrappedBuffer(BYTES, k % 1000, script.payloads.get(k));
            boolean same = frame.equals(expected);
            frame.release(); // frames of one read share its count
            if (!same) {
                whole.completeExceptionally(new AssertionError("frame " + k + " of " + expected.readableBytes() + " bytes is " + frame));
            }
            if (frames == script.payloads.size()) {
                whole.complete(frames);
            }
        }

        @Override
        public void channelRead(ChannelHandlerContext ctx, Object message) {
            check((ByteBuf) message);
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
            if (cause instanceof PrematureCloseException close) {
                premature = close;
            }
            ctx.fireExceptionCaught(cause);
        }

        @Override
        public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
            ended.complete(frames);
            ctx.fireUserEventTriggered(event);
        }

        @Override
        public void channelInactive(ChannelHandlerContext ctx) {
            ended.complete(frames);
            ctx.fireChannelInactive();
        }
    }

    static Stream<Arguments> readersAndSeeds() {
        return Stream.of(Reader.values())
                .flatMap(reader -> Stream.of(1L, 2L).map(seed -> Arguments.of(reader, seed)));
    }

    @Tag("slow")
    @ParameterizedTest(name = "{0}, seed {1}") // 1, 2, 13, 37
    @MethodSource("readersAndSeeds")
    void everyFrameArrivesByteForByte(Reader reader, long seed) throws Exception {
        Random random = new Random(seed);
        Script script = new Script(reader, random, 6 << 20, 8 << 20);
        Checker checker = new Checker(script);
        try (Loopback it = new Loopback(
                transport(), false, channel -> reader.addTo(channel.pipeline(), script.fixedLength, checker))) {
            ByteBuffer stream = script.stream;
            while (stream.hasRemaining()) {
                int piece = Math.min(Script.size(random, 1 << 20), stream.remaining());
                it.send(stream.slice(stream.position(), piece));
                stream.position(stream.position() + piece);
            }
            it.peer.close();
            assertThat(checker.whole.get(Loopback.SECONDS, TimeUnit.SECONDS)).isEqualTo(script.payloads.size());
            assertThat(checker.ended.get(Loopback.SECONDS, TimeUnit.SECONDS)).isEqualTo(script.payloads.size());
            assertThat(it.nextPassed()).isEqualTo("inactive");
        }
    }

    private enum End {
        CLOSE,
        HALF_CLOSE,
        RESET
    }

    static Stream<Arguments> readersAndEnds() {
        return Stream.of(Reader.values())
                .flatMap(reader -> Stream.of(End.values()).map(end -> Arguments.of(reader, end)));
    }

    @ParameterizedTest(name = "{0}, {1}") // 33 to 36, 38, 39
    @MethodSource("readersAndEnds")
    void theStreamEndsAnywhere(Reader reader, End end) throws Exception {
        for (long seed = 1; seed <= 6; seed++) {
            Random random = new Random(seed);
            Script script = new Script(reader, random, 50_000, 150_000);
            int k = random.nextInt(script.ends.size());
            int begin = k == 0 ? 0 : script.ends.get(k - 1);
            int length = script.ends.get(k) - begin;
            int got = seed == 1 ? 0 : seed == 2 ? reader.headerLength : random.nextInt(length);
            endAt(reader, end, script, k, begin, length, got, "seed " + seed + ", frame " + k + ", byte " + got);
        }
    }

    private void endAt(Reader reader, End end, Script script, int k, int begin, int length, int got, String what)
            throws Exception {
        Checker checker = new Checker(script);
        try (Loopback it = new Loopback(
                transport(),
                end == End.HALF_CLOSE,
                channel -> reader.addTo(channel.pipeline(), script.fixedLength, checker))) {
            it.send(script.stream.slice(0, begin + got));
            switch (end) {
                case CLOSE -> it.peer.close();
                case HALF_CLOSE -> it.peer.shutdownOutput();
                case RESET -> {
                    while (it.bytesRead.get() < begin + got) {
                        Thread.onSpinWait(); // or the reset would overtake the bytes
                    }
                    it.reset();
                }
            }
            assertThat(checker.ended.get(Loopback.SECONDS, TimeUnit.SECONDS)).as(what).isEqualTo(k);
            if (end == End.RESET) {
                assertThat(it.nextPassed()).as(what).isEqualTo("IOException");
            }
            if (got > 0) {
                assertThat(it.nextPassed()).as(what).isEqualTo("PrematureCloseException");
                boolean inHeader = got < reader.headerLength;
                PrematureCloseException premature = checker.premature;
                assertThat(premature.receivedBytes()).as(what).isEqualTo(got);
                assertThat(premature.expectedBytes()).as(what).isEqualTo(inHeader ? reader.headerLength : length);
                assertThat(premature.inHeader()).as(what).isEqualTo(inHeader);
            }
            String last = end == End.HALF_CLOSE ? "ChannelInputShutdownEvent" : "inactive";
            assertThat(it.nextPassed()).as(what).isEqualTo(last);
            it.closeChannel();
            assertThat(it.passed).as(what).doesNotContain("PrematureCloseException");
        }
    }

    @ParameterizedTest // 46: the event loop goes down in the middle of a frame
    @EnumSource
    void theEventLoopShutsDownInsideAFrame(Reader reader) throws Exception {
        assumeFalse(transport().keepsLoops(), "this transport's event loops are not shut down");
        Script script = new Script(reader, new Random(7), 100_000, 200_000);
        Checker checker = new Checker(script);
        try (Loopback it = new Loopback(
                transport(), false, channel -> reader.addTo(channel.pipeline(), script.fixedLength, checker))) {
            int sent = script.ends.get(0) + 1;
            it.send(script.stream.slice(0, sent));
            while (it.bytesRead.get() < sent) {
                Thread.onSpinWait();
            }
            it.group.shutdownGracefully(10, Loopback.SECONDS * 1000, TimeUnit.MILLISECONDS);
            assertThat(checker.ended.get(Loopback.SECONDS, TimeUnit.SECONDS)).isEqualTo(1);
            assertThat(it.nextPassed()).isEqualTo("PrematureCloseException");
            assertThat(it.nextPassed()).isEqualTo("inactive");
        }
    }
}
