package io.exactframe.netty;

import static io.exactframe.netty.LengthPrefix.uint16;
import static io.exactframe.netty.LengthPrefix.uint32;
import static io.exactframe.netty.LengthPrefix.uint8;
import static io.exactframe.netty.LengthPrefix.varint32;
import static io.exactframe.netty.ReceiverChannel.text;
import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.AdaptiveByteBufAllocator;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.PooledByteBufAllocator;
import io.netty.buffer.Unpooled;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.netty.util.concurrent.Future;
import io.netty.util.concurrent.ProgressiveFuture;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.function.Function;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What a receiver gives does not depend on how the bytes come, or on when they are asked for. */
class ExactReceiverFramesTest {
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

    private enum Kind {
        HEAP(text -> Unpooled.buffer().writeBytes(text)),
        DIRECT(text -> Unpooled.directBuffer().writeBytes(text)),
        WRAPPED(Unpooled::wrappedBuffer),
        POOLED(text -> PooledByteBufAllocator.DEFAULT.buffer().writeBytes(text)),
        UNPOOLED(text -> UnpooledByteBufAllocator.DEFAULT.buffer().writeBytes(text)),
        ADAPTIVE(text -> new AdaptiveByteBufAllocator().buffer().writeBytes(text)),
        READ_ONLY(text -> Unpooled.wrappedBuffer(text).asReadOnly()),
        COMPOSITE(text -> Unpooled.wrappedBuffer(
                Unpooled.copiedBuffer(text, 0, text.length / 2),
                Unpooled.copiedBuffer(text, text.length / 2, text.length - text.length / 2))),
        SLICE(text -> surrounded(text).slice(2, text.length)),
        DUPLICATE(text -> surrounded(text).duplicate().setIndex(2, 2 + text.length)),
        INSIDE_INDICES(text -> surrounded(text).setIndex(2, 2 + text.length));

        private final Function<byte[], ByteBuf> make;

        Kind(Function<byte[], ByteBuf> make) {
            this.make = make;
        }

        private static ByteBuf surrounded(byte[] text) {
            return Unpooled.buffer().writeBytes(new byte[] {'!', '!'}).writeBytes(text).writeByte('!').writeByte('!');
        }
    }

    @ParameterizedTest // 10, 11
    @EnumSource
    void everyKindOfInputGivesTheSameFrames(Kind kind) {
        for (int cut = 1; cut < STREAM.length(); cut++) {
            ReceiverChannel it = new ReceiverChannel();
            ByteBuf first = kind.make.apply(STREAM.substring(0, cut).getBytes(ISO_8859_1));
            ByteBuf second = kind.make.apply(STREAM.substring(cut).getBytes(ISO_8859_1));
            List<ProgressiveFuture<ByteBuf>> receives = ask(it.receiver);
            it.channel.writeInbound(first, second);
            assertThat(texts(receives)).as("cut at %d", cut).isEqualTo(FRAMES);
            it.channel.finish();
            assertThat(first.refCnt() + second.refCnt()).as("cut at %d", cut).isZero();
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
