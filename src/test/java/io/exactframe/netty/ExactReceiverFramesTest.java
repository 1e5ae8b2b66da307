package io.exactframe.netty;

import static io.exactframe.netty.LengthPrefix.uint16;
import static io.exactframe.netty.LengthPrefix.uint32;
import static io.exactframe.netty.LengthPrefix.uint8;
import static io.exactframe.netty.LengthPrefix.varint32;
import static io.exactframe.netty.testing.ReceiverChannel.text;
import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;

import io.exactframe.netty.testing.ReceiverChannel;
import io.exactframe.netty.testing.Sink;
import io.exactframe.netty.testing.Wire;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.util.concurrent.Future;
import io.netty.util.concurrent.ProgressiveFuture;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** 2, 10 to 13, 19, 45, 46: what a receiver gives, however the bytes come and whatever listeners do. */
class ExactReceiverFramesTest {
    /** What a receiver gives does not depend on how the bytes come, or on when they are asked for. */
    @Nested
    class Frames {
        private static final String STREAM = "ABC\0\4defgG\2hi\0JK";
        private static final List<String> FRAMES = List.of("ABC", "defg", "G", "hi", "", "JK");

        private static List<ProgressiveFuture<ByteBuf>> ask(ExactReceiver receiver) {
            return List.of(
                    receiver.receive(3),
                    receiver.receive(uint16(), 100),
                    receiver.receiveOrEnd(1),
                    receiver.receive(varint32(), 100),
                    receiver.receive(uint8(), 1),
                    receiver.receive(2));
        }

        private static List<String> texts(List<ProgressiveFuture<ByteBuf>> receives) {
            List<String> texts = new ArrayList<>();
            receives.forEach(receive -> texts.add(text(receive)));
            return texts;
        }

        @Test // 1
        void frameAndPartOfTheNext() {
            ReceiverChannel it = new ReceiverChannel();
            List<ProgressiveFuture<ByteBuf>> first = ask(it.receiver);
            List<ProgressiveFuture<ByteBuf>> second = ask(it.receiver);
            it.arrive(STREAM + STREAM.substring(0, 7));
            assertThat(texts(first)).isEqualTo(FRAMES);
            it.arrive(STREAM.substring(7));
            assertThat(texts(second)).isEqualTo(FRAMES);
            it.channel.finish();
        }

        private enum Form {
            FIXED,
            PREFIXED,
            PREFIXED_WITH_HEADER,
            CONTIGUOUS;

            ExactReceiver receiver() {
                return this == CONTIGUOUS
                        ? new ExactReceiver(ReceiveOptions.defaults().contiguous())
                        : new ExactReceiver();
            }

            ProgressiveFuture<ByteBuf> ask(ExactReceiver receiver, int size) {
                return switch (this) {
                    case FIXED, CONTIGUOUS -> receiver.receive(size);
                    case PREFIXED -> receiver.receive(uint32().headerBefore(1), size + 5);
                    case PREFIXED_WITH_HEADER -> receiver.receive(uint32().headerAfter(3).keepHeader(), size + 7);
                };
            }

            byte[] onTheWire(byte[] payload) {
                ByteBuf wire = Unpooled.buffer();
                switch (this) {
                    case FIXED, CONTIGUOUS -> {}
                    case PREFIXED -> wire.writeByte('T').writeInt(payload.length);
                    case PREFIXED_WITH_HEADER -> wire.writeInt(payload.length).writeMedium(0x010203);
                }
                wire.writeBytes(payload);
                byte[] bytes = new byte[wire.readableBytes()];
                wire.readBytes(bytes);
                return bytes;
            }

            byte[] received(byte[] payload) {
                return this == PREFIXED_WITH_HEADER ? onTheWire(payload) : payload;
            }
        }

        @Tag("slow")
        @ParameterizedTest // 2, 13: around 64 KiB, where frames become composite
        @EnumSource
        void largeFramesInSeededPiecesAreByteForByteWhatWasSent(Form form) {
            for (int seed = 0; seed < 25; seed++) {
                Random random = new Random(seed);
                ReceiverChannel it = new ReceiverChannel(form.receiver());
                ByteBuf stream = Unpooled.buffer();
                List<byte[]> expected = new ArrayList<>();
                List<ProgressiveFuture<ByteBuf>> receives = new ArrayList<>();
                boolean askedBefore = random.nextBoolean();
                List<Integer> sizes = new ArrayList<>();
                for (int i = 0; i < 5; i++) {
                    byte[] payload = new byte[1 + random.nextInt(i == 4 ? 300_000 : 70_000)];
                    random.nextBytes(payload);
                    stream.writeBytes(form.onTheWire(payload));
                    expected.add(form.received(payload));
                    sizes.add(payload.length);
                }
                if (askedBefore) {
                    sizes.forEach(size -> receives.add(form.ask(it.receiver, size)));
                }
                int largestPiece = 1 << 3 + random.nextInt(14);
                while (stream.isReadable()) {
                    int piece = Math.min(stream.readableBytes(), 1 + random.nextInt(largestPiece));
                    ByteBuf fragment = it.channel.alloc().buffer(random.nextBoolean() ? piece : 65_536);
                    it.channel.writeInbound(fragment.writeBytes(stream, piece));
                }
                if (!askedBefore) {
                    sizes.forEach(size -> receives.add(form.ask(it.receiver, size)));
                }
                it.channel.finish(); // the frames outlive the channel
                for (int i = 0; i < expected.size(); i++) {
                    ByteBuf frame = receives.get(i).getNow();
                    assertThat(frame).as("seed %d, frame %d", seed, i).isEqualTo(Unpooled.wrappedBuffer(expected.get(i)));
                    assertThat(frame.readerIndex()).isZero();
                    assertThat(frame.nioBufferCount()).as("seed %d, frame %d", seed, i).satisfies(count -> {
                        if (form == Form.CONTIGUOUS || frame.readableBytes() <= 65_536) {
                            assertThat(count).isEqualTo(1);
                        }
                    });
                    assertThat(frame.release()).isTrue();
                }
            }
        }

        @ParameterizedTest // 12, also for bytes that a cancelled receive gave back
        @ValueSource(booleans = {true, false})
        void inputThatSomebodyElseHoldsIsNotWrittenTo(boolean cancel) {
            ReceiverChannel it = new ReceiverChannel();
            ByteBuf held = it.channel.alloc().buffer(4096, 4096).writeBytes(new byte[4096]);
            held.writerIndex(3000);
            Future<ByteBuf> receive = it.receiver.receive(5000);
            it.channel.writeInbound(held.retain());
            if (cancel) {
                receive.cancel(false);
                receive = it.receiver.receive(5000);
            }
            it.channel.writeInbound(it.bytes("x".repeat(2000)));
            assertThat(text(receive)).isEqualTo("\0".repeat(3000) + "x".repeat(2000));
            held.setIndex(0, 4096);
            assertThat(held).isEqualTo(Unpooled.wrappedBuffer(new byte[4096]));
            assertThat(held.release()).isTrue();
            it.channel.finish();
        }

        @Test // 13
        void framesOfOneFragmentAreReleasedOnTheirOwn() {
            ReceiverChannel it = new ReceiverChannel();
            ByteBuf fragment = it.bytes("ABCDEF");
            List<ProgressiveFuture<ByteBuf>> receives = new ArrayList<>();
            for (int i = 0; i < 3; i++) {
                receives.add(it.receiver.receive(2));
            }
            it.channel.writeInbound(fragment);
            it.channel.finish();
            assertThat(text(receives.get(1))).isEqualTo("CD");
            assertThat(text(receives.get(2))).isEqualTo("EF");
            assertThat(fragment.refCnt()).isPositive();
            assertThat(text(receives.get(0))).isEqualTo("AB");
            assertThat(fragment.refCnt()).isZero();
        }

        @ParameterizedTest(name = "cut at {0}") // 15
        @ValueSource(ints = {0, 1, 2, 3, 4})
        void noInputIsHeldWhileNothingIsUnread(int cut) {
            ReceiverChannel it = new ReceiverChannel();
            ProgressiveFuture<ByteBuf> receive = it.receiver.receive(4);
            ByteBuf first = it.bytes("ABCD".substring(0, cut));
            ByteBuf second = it.bytes("ABCD".substring(cut));
            it.channel.writeInbound(first, second);
            assertThat(text(receive)).isEqualTo("ABCD");
            assertThat(first.refCnt() + second.refCnt()).isZero();
            it.channel.finish();
        }
    }

    /**
     * 13, 19, 45, 46: listeners that receive again, send frames through the pipeline once more, end the input or remove the
     * receiver, and release frames in any order and on any thread: every frame has its bytes, every read its references.
     */
    @Nested
    class References {
        private static final ExecutorService OTHER = Executors.newSingleThreadExecutor();
        private static final int READ = 100;

        private final ExactReceiver receiver = new ExactReceiver();
        private final Sink sink = new Sink();
        private final EmbeddedChannel channel = new EmbeddedChannel(receiver, sink);
        private final List<ByteBuf> reads = new ArrayList<>(); // the test has one reference to each
        private final List<Held> held = new ArrayList<>();

        private Random random;
        private int depth;
        private int made;

        private record Held(ByteBuf frame, String bytes) {}

        @AfterAll
        static void shutDown() {
            OTHER.shutdown();
        }

        static LongStream seeds() {
            return LongStream.rangeClosed(1, 200);
        }

        @ParameterizedTest(name = "seed {0}")
        @MethodSource("seeds")
        void everyReadHasExactlyItsReferences(long seed) throws Exception {
            random = new Random(seed * 0x9E3779B97F4A7C15L); // the first booleans of small seeds are all alike
            for (int i = 0; i < 40; i++) {
                receive();
            }
            for (int i = 0; i < 8; i++) {
                if (random.nextInt(4) == 0 && !reads.isEmpty()) {
                    ByteBuf same = reads.get(random.nextInt(reads.size()));
                    channel.pipeline().fireChannelRead(same.retain().setIndex(0, READ));
                } else {
                    ByteBuf read = channel.alloc().buffer(READ).writeBytes(Wire.random(random, READ));
                    reads.add(read);
                    channel.pipeline().fireChannelRead(read.retain());
                }
                channel.pipeline().fireChannelReadComplete();
                giveUp(random.nextInt(held.size() + 1));
            }
            channel.finishAndReleaseAll();
            giveUp(0);
            for (ByteBuf read : reads) {
                assertThat(read.refCnt()).isEqualTo(1);
                read.release();
            }
        }

        private void receive() {
            if (made++ < 300) {
                Future<ByteBuf> frame = random.nextInt(5) == 0
                        ? receiver.receive(LengthPrefix.uint8(), READ)
                        : receiver.receive(1 + random.nextInt(random.nextInt(10) == 0 ? 2 * READ : 8));
                frame.addListener(done -> {
                    if (done.isSuccess()) {
                        received((ByteBuf) done.getNow());
                    }
                });
            }
        }

        private void received(ByteBuf frame) throws Exception {
            Held it = new Held(frame, ByteBufUtil.hexDump(frame));
            depth++;
            boolean first = random.nextBoolean();
            boolean given = first && give(it);
            if (depth < 6) {
                happen(random.nextInt(60));
            }
            if (!first) {
                given = give(it);
            }
            depth--;
            if (!given) {
                held.add(it);
            }
        }

        /** Gives the frame up, perhaps; keeps a part of it or sends it through the pipeline. */
        private boolean give(Held it) throws Exception {
            ByteBuf frame = it.frame;
            switch (random.nextInt(8)) {
                case 0, 1, 2 -> release(it);
                case 3 -> {
                    held.add(new Held(frame.retainedSlice(), it.bytes));
                    release(it);
                }
                case 4 -> channel.pipeline().fireChannelRead(frame);
                default -> {
                    return false;
                }
            }
            return true;
        }

        private void happen(int what) {
            switch (what) {
                case 0 -> channel.pipeline().fireUserEventTriggered(ChannelInputShutdownEvent.INSTANCE);
                case 1 -> channel.pipeline().fireExceptionCaught(new IOException());
                case 2 -> {
                    if (channel.pipeline().context(receiver) != null) {
                        channel.pipeline().remove(receiver);
                    }
                }
                case 3 -> channel.close();
                case 4 -> giveUp(held.size() / 2);
                default -> {
                    if (what < 40) {
                        receive();
                        receive();
                    }
                }
            }
        }

        private void giveUp(int left) {
            while (held.size() > left) {
                release(held.remove(random.nextInt(held.size())));
            }
        }

        private void release(Held it) {
            assertThat(ByteBufUtil.hexDump(it.frame)).isEqualTo(it.bytes);
            try {
                if (random.nextInt(3) > 0) {
                    it.frame.release();
                } else {
                    OTHER.submit(() -> it.frame.release()).get(10, SECONDS);
                }
            } catch (Exception e) {
                throw new AssertionError(e);
            }
        }
    }
}
