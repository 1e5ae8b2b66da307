package io.exactframe.netty;

import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.CompositeByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.util.IllegalReferenceCountException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Future;
import java.util.function.Supplier;

/**
 * A consumer that does with each frame one of the things that may be done with a buffer, and looks at what it holds
 * again and again. What it did, and what came of it, is logged: it depends on the seed and the frames alone.
 */
final class FrameLife {
    final List<String> log = new ArrayList<>();

    private final Random random;
    private final List<byte[]> frames; // as they are on the wire
    private final ByteBufAllocator alloc;
    private final ExecutorService other;
    private final List<Held> held = new ArrayList<>();
    private final List<Future<?>> underWay = new ArrayList<>();
    private final EmbeddedChannel outbound = new EmbeddedChannel();
    private final EmbeddedChannel nested;
    private final Random nestedRandom;
    private CompositeByteBuf composite;
    private int received;
    private int reads;

    /** Something that owns a reference, and the bytes it must show. */
    private record Held(ByteBuf bytes, ByteBuffer view, byte[] expected, int due) {
        void check() {
            assertThat(bytes.refCnt()).isPositive();
            assertThat(ByteBufUtil.getBytes(bytes)).isEqualTo(expected);
            if (view != null) {
                assertThat(view.duplicate()).isEqualTo(ByteBuffer.wrap(expected));
            }
        }
    }

    FrameLife(
            long seed,
            List<byte[]> frames,
            ByteBufAllocator alloc,
            ExecutorService other,
            Supplier<ChannelHandler> decoders) {
        this.random = new Random(seed);
        this.nestedRandom = new Random(seed);
        this.frames = frames;
        this.alloc = alloc;
        this.other = other;
        nested = new EmbeddedChannel(decoders.get(), new ChannelInboundHandlerAdapter() {
            @Override
            public void channelRead(ChannelHandlerContext ctx, Object message) {
                ByteBuf frame = (ByteBuf) message;
                if (nestedRandom.nextBoolean()) {
                    hold(frame, ByteBufUtil.getBytes(frame));
                } else {
                    release(frame, ByteBufUtil.getBytes(frame));
                }
            }
        });
        nested.config().setAllocator(alloc);
    }

    void accept(ByteBuf frame) {
        byte[] expected = frames.get(received++);
        assertThat(frame.readerIndex()).isZero();
        assertThat(ByteBufUtil.getBytes(frame)).isEqualTo(expected);
        switch (random.nextInt(19)) {
            case 0, 1, 2 -> release(frame, expected);
            case 3, 4 -> hold(frame, expected);
            case 5 -> {
                frame.retain();
                Future<Boolean> there = other.submit(() -> holds(frame, expected) && frame.release());
                boolean here = frame.release();
                note("last here or there", here ^ get(there));
                use(frame);
            }
            case 6 -> {
                note("released there", get(other.submit(() -> holds(frame, expected) && frame.release())));
                use(frame);
                note("there", get(other.submit(() -> used(frame, 0))));
            }
            case 7 -> underWay.add(other.submit(() -> assertThat(holds(frame, expected) && frame.release()).isTrue()));
            case 8 -> {
                get(other.submit(() -> frame.retain()));
                note("released here", frame.release());
                underWay.add(other.submit(() -> assertThat(holds(frame, expected) && frame.release()).isTrue()));
            }
            case 9, 10 -> retainedPart(frame, expected);
            case 11 -> hold(part(frame), expected);
            case 12 -> compose(frame, expected);
            case 13 -> {
                outbound.write(frame);
                if (random.nextBoolean()) {
                    outbound.flush();
                }
            }
            case 14 -> nested.pipeline().fireChannelRead(frame);
            case 15 -> {
                int cut = random.nextInt(expected.length);
                nested.pipeline().fireChannelRead(frame.readRetainedSlice(cut));
                nested.pipeline().fireChannelRead(frame);
            }
            case 16 -> held.add(new Held(frame, view(frame), expected, due()));
            case 17 -> {
                hold(frame.copy(), expected);
                release(frame, expected);
            }
            default -> {
                int more = 1 + random.nextInt(5);
                int less = random.nextInt(more + 1);
                note("retained", frame.retain(more).refCnt());
                note("released some", less > 0 && frame.release(less));
                note("left", frame.refCnt());
                assertThat(holds(frame, expected)).isTrue();
                note("released all", frame.release(more + 1 - less));
                use(frame);
            }
        }
    }

    /** Between two reads: all that is held still shows its bytes, and what is due is given up. */
    void readComplete() {
        reads++;
        underWay.forEach(FrameLife::get);
        underWay.clear();
        held.forEach(Held::check);
        giveUp(held.stream().filter(it -> it.due <= reads).toList());
        outbound.flush();
        if (random.nextInt(3) == 0) {
            outbound.releaseOutbound();
        }
    }

    void giveUpAll() {
        readComplete();
        if (composite != null) {
            hold(composite, ByteBufUtil.getBytes(composite));
        }
        nested.finish();
        outbound.releaseOutbound();
        outbound.finish();
        List<Held> all = new ArrayList<>(held);
        Collections.shuffle(all, random);
        giveUp(all);
        assertThat(received).isEqualTo(frames.size());
    }

    private void giveUp(List<Held> some) {
        for (Held it : some) {
            it.check();
            note("given up", random.nextBoolean() ? it.bytes.release() : get(other.submit(() -> it.bytes.release())));
            note("used", used(it.bytes, random.nextInt(2))); // of Netty's plain slices, that alone is refused
        }
        held.removeIf(each -> some.stream().anyMatch(it -> it == each));
    }

    private int due() {
        return reads + random.nextInt(30);
    }

    private void hold(ByteBuf bytes, byte[] expected) {
        held.add(new Held(bytes, null, expected, due()));
    }

    private void release(ByteBuf frame, byte[] expected) {
        assertThat(holds(frame, expected)).isTrue();
        note("released", frame.release());
        use(frame);
    }

    private static boolean holds(ByteBuf bytes, byte[] expected) {
        return Arrays.equals(ByteBufUtil.getBytes(bytes), expected);
    }

    private ByteBuffer view(ByteBuf frame) {
        ByteBuffer[] views = frame.nioBuffers();
        return views.length == 1 && random.nextBoolean() ? views[0] : frame.nioBuffer();
    }

    private void retainedPart(ByteBuf frame, byte[] expected) {
        int kind = random.nextInt(5);
        ByteBuf part = switch (kind) {
            case 0 -> frame.retainedSlice();
            case 1 -> frame.retainedDuplicate();
            case 2 -> frame.retainedSlice(0, expected.length);
            case 3 -> frame.readRetainedSlice(expected.length);
            default -> part(frame).retain();
        };
        frame.readerIndex(0);
        note("retained, and of the part", frame.refCnt() + " " + part.refCnt());
        if (random.nextBoolean()) {
            note("part again", part.retain().release());
        }
        boolean frameFirst = random.nextBoolean();
        note(frameFirst ? "frame" : "part", (frameFirst ? frame : part).release());
        hold(frameFirst ? part : frame, expected);
    }

    /** Shows the same bytes, with the frame's references. */
    private ByteBuf part(ByteBuf frame) {
        return switch (random.nextInt(6)) {
            case 0 -> frame.slice();
            case 1 -> frame.duplicate();
            case 2 -> frame.asReadOnly();
            case 3 -> frame.order(ByteOrder.LITTLE_ENDIAN);
            case 4 -> frame.slice(0, frame.readableBytes()).duplicate();
            default -> Unpooled.wrappedBuffer(frame);
        };
    }

    private void compose(ByteBuf frame, byte[] expected) {
        if (composite == null) {
            composite = alloc.compositeBuffer();
        }
        ByteBuf before = composite.copy();
        if (random.nextBoolean()) {
            composite.addFlattenedComponents(true, frame);
        } else {
            composite.addComponent(true, frame);
        }
        byte[] all = Wire.concat(ByteBufUtil.getBytes(before), expected);
        before.release();
        assertThat(holds(composite, all)).isTrue();
        if (random.nextInt(4) == 0) {
            hold(composite, all);
            composite = null;
        }
    }

    /** After the last release, at once: later the memory, and the object, may be somebody else's. */
    private void use(ByteBuf released) {
        note("used", used(released, random.nextInt(5)));
    }

    private static String used(ByteBuf released, int how) {
        try {
            return "got " + switch (how) {
                case 0 -> released.retain();
                case 1 -> released.release();
                case 2 -> released.getByte(0);
                case 3 -> released.setByte(0, 1);
                default -> released.getBytes(0, new byte[1]);
            };
        } catch (IllegalReferenceCountException e) {
            return "refused";
        }
    }

    private void note(String what, Object outcome) {
        log.add((received - 1) + " " + what + ": " + outcome);
    }

    private static <T> T get(Future<T> future) {
        try {
            return future.get(20, SECONDS);
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }
}
