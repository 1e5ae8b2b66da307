package io.exactframe.netty;

import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.UnpooledByteBufAllocator;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * 13, 40: the references to fragments, whatever is done in whatever order: frames cut inside the dispatch of others,
 * kept, released here or there, fragments given up or taken at any point, and the same buffer offered again.
 */
@Tag("slow")
class FragmentModelTest {
    private static final int STEPS = 400;
    private static final int FRAGMENTS = 3;

    private final ExecutorService other = Executors.newSingleThreadExecutor();
    private final Fragment fragment = new Fragment();
    private final List<Input> inputs = new ArrayList<>();
    private final Deque<Frame> dispatched = new ArrayDeque<>(); // the innermost first
    private final List<Frame> escaped = new ArrayList<>();

    private Random random;
    private int patience; // with a fragment: one in so many steps may give it up
    private int unit; // all lengths are so many times as long
    private Input current;
    private int next; // unit of the current one

    /** What is offered, again and again; the test has a reference to it, and knows how many others there have to be. */
    private static final class Input {
        final ByteBuf bytes;
        int references = 1;

        Input(ByteBuf bytes) {
            this.bytes = bytes;
        }
    }

    private static final class Frame {
        final ByteBuf bytes;
        final Input input; // null for a copy
        final byte first;
        final int length;
        int references = 1;
        boolean isBack; // released by the dispatching thread: its fragment's reference is given back when that is over

        Frame(ByteBuf bytes, Input input, byte first, int length) {
            this.bytes = bytes;
            this.input = input;
            this.first = first;
            this.length = length;
        }

        boolean isView() {
            return bytes instanceof FrameView;
        }

        /** The fragment itself, or a plain slice of it: then its references are the fragment's. */
        boolean isSharedCount() {
            return input != null && !isView();
        }
    }

    @AfterEach
    void shutDown() {
        other.shutdown();
    }

    static LongStream seeds() {
        return LongStream.rangeClosed(1, 200);
    }

    @ParameterizedTest(name = "seed {0}")
    @MethodSource("seeds")
    void everyFragmentHasExactlyItsReferences(long seed) throws Exception {
        random = new Random(seed * 0x9E3779B97F4A7C15L); // the first booleans of small seeds are all alike
        patience = random.nextBoolean() ? 1 : 30;
        unit = random.nextBoolean() ? 1 : 2048; // then none is copied because too many are kept
        for (int i = 0; i < FRAGMENTS; i++) {
            inputs.add(new Input(input(20 + random.nextInt(100))));
        }
        for (int i = 0; i < STEPS; i++) {
            step();
            check();
        }
        while (!dispatched.isEmpty()) {
            settle();
            check();
        }
        giveUp();
        while (!escaped.isEmpty()) {
            release(escaped.get(random.nextInt(escaped.size())), 1);
            check();
        }
        for (Input input : inputs) {
            assertThat(input.bytes.refCnt()).isEqualTo(1);
            assertThat(input.bytes.release()).isTrue();
        }
    }

    private ByteBuf input(int units) {
        ByteBuf bytes = UnpooledByteBufAllocator.DEFAULT.buffer(1 << 16);
        for (int i = 0; i < units * unit; i++) {
            bytes.writeByte(i / unit);
        }
        return bytes;
    }

    private void step() throws Exception {
        switch (random.nextInt(16)) {
            case 0 -> {
                if (random.nextInt(patience) == 0) {
                    giveUp();
                }
            }
            case 1 -> {
                if (random.nextInt(patience) == 0) {
                    take();
                }
            }
            case 2 -> {
                if (random.nextInt(patience) == 0) {
                    part();
                }
            }
            case 3, 4, 5 -> settle();
            case 6, 7 -> {
                if (!escaped.isEmpty()) {
                    release(escaped.get(random.nextInt(escaped.size())), 1);
                }
            }
            case 8, 9, 10 -> {
                if (!dispatched.isEmpty() && dispatched.peek().references > 0) {
                    release(dispatched.peek(), dispatched.peek().references);
                }
            }
            case 11 -> anyDispatched();
            default -> cut();
        }
    }

    private void offer() {
        assertThat(fragment.isGone()).isTrue();
        current = inputs.get(random.nextInt(FRAGMENTS));
        next = random.nextInt(3) == 0 ? 0 : 1 + random.nextInt(4);
        current.bytes.readerIndex(next * unit);
        current.references++;
        fragment.offer(current.bytes.retain());
    }

    private void cut() {
        if (fragment.isGone()) {
            offer();
        }
        int left = left();
        int count = random.nextInt(12 * patience) == 0 ? left : 1 + random.nextInt(Math.min(left, 3));
        int skipped = random.nextInt(3) == 0 ? random.nextInt(unit > 1 ? count + 1 : count) : 0; // no empty copies
        int length = count - skipped;
        ByteBuf bytes =
                fragment.cut(skipped * unit, length * unit, count * unit, UnpooledByteBufAllocator.DEFAULT);
        Input input = bytes == current.bytes || bytes instanceof FrameView ? current : null;
        Frame frame = new Frame(bytes, input, (byte) (next + skipped), length);
        next += count;
        if (input != null) {
            input.references++;
        }
        if (fragment.isGone()) {
            gone();
        }
        dispatched.push(frame);
    }

    private int left() {
        return fragment.readableBytes() / unit;
    }

    private void gone() {
        assertThat(fragment.readableBytes()).isZero();
        current.references--;
        current = null;
    }

    private void giveUp() {
        if (!fragment.isGone()) {
            fragment.release();
            gone();
        }
    }

    private void take() {
        ByteBuf rest = fragment.takeRest();
        if (rest != null) {
            assertThat(rest).isSameAs(current.bytes);
            assertThat(rest.readerIndex()).isEqualTo(next * unit);
            escaped.add(new Frame(rest, current, (byte) next, rest.readableBytes() / unit));
            current = null; // that has its reference now
        }
    }

    private void part() {
        if (fragment.isGone()) {
            return;
        }
        int count = random.nextInt(4) == 0 ? left() : 1 + random.nextInt(left());
        ByteBuf part = fragment.takePart(count * unit);
        escaped.add(new Frame(part, current, (byte) next, count));
        current.references++;
        next += count;
        fragment.leaveAlone();
        if (fragment.isGone()) {
            gone();
        }
    }

    private void settle() {
        if (dispatched.isEmpty()) {
            return;
        }
        Frame frame = dispatched.pop();
        fragment.settle(frame.bytes);
        if (frame.isBack) {
            frame.input.references--;
        }
        if (frame.references > 0) {
            escaped.add(frame);
        }
    }

    private void anyDispatched() throws Exception {
        for (Frame frame : dispatched) {
            if (frame.references > 0 && random.nextInt(dispatched.size()) == 0) {
                if (random.nextBoolean()) {
                    int more = 1 + random.nextInt(3);
                    frame.bytes.retain(more);
                    frame.references += more;
                    if (frame.isSharedCount()) {
                        frame.input.references += more;
                    }
                } else {
                    release(frame, 1 + random.nextInt(frame.references));
                }
                return;
            }
        }
    }

    private void release(Frame frame, int count) throws Exception {
        boolean here = random.nextInt(3) > 0;
        boolean last = here
                ? release(frame.bytes, count)
                : other.submit(() -> release(frame.bytes, count)).get(10, SECONDS);
        frame.references -= count;
        assertThat(last).isEqualTo(frame.references == 0 && !frame.isSharedCount());
        if (frame.isSharedCount()) {
            frame.input.references -= count;
        } else if (frame.isView() && frame.references == 0) {
            if (here && dispatched.contains(frame)) {
                frame.isBack = true;
            } else {
                frame.input.references--;
            }
        }
        if (frame.references == 0) {
            escaped.remove(frame);
        }
    }

    private static boolean release(ByteBuf bytes, int count) {
        return count == 1 ? bytes.release() : bytes.release(count);
    }

    private void check() {
        for (Input input : inputs) {
            if (input == current) {
                assertThat(input.bytes.refCnt()).isGreaterThanOrEqualTo(input.references); // some are taken in advance
            } else {
                assertThat(input.bytes.refCnt()).isEqualTo(input.references);
            }
        }
        dispatched.forEach(FragmentModelTest::check);
        escaped.forEach(FragmentModelTest::check);
    }

    private static void check(Frame frame) {
        if (!frame.isSharedCount()) {
            assertThat(frame.bytes.refCnt()).isEqualTo(frame.references);
        }
        if (frame.isView() && frame.references > 0 && frame.length > 0) {
            byte last = (byte) (frame.first + frame.length - 1);
            assertThat(frame.bytes.getByte(0)).isEqualTo(frame.first);
            assertThat(frame.bytes.getByte(frame.bytes.capacity() - 1)).isEqualTo(last);
        }
    }
}
