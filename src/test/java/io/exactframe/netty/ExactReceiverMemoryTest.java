package io.exactframe.netty;

import static io.exactframe.netty.LengthPrefix.uint32;
import static org.assertj.core.api.Assertions.assertThat;

import io.exactframe.netty.LengthPrefix.CountedFrom;
import io.netty.buffer.AbstractByteBufAllocator;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.CompositeByteBuf;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.netty.buffer.UnpooledHeapByteBuf;
import io.netty.util.concurrent.ProgressiveFuture;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** 15, 16, 40: what a receiver holds, and that it is released on every path. */
class ExactReceiverMemoryTest {
    /** Knows how much it has given and not got back, and fails once. */
    private static final class Allocator extends AbstractByteBufAllocator {
        int failAt = -1;
        int calls;
        long held;

        private void call() {
            if (calls++ == failAt) {
                throw new OutOfMemoryError("on purpose");
            }
        }

        @Override
        protected ByteBuf newHeapBuffer(int initialCapacity, int maxCapacity) {
            return new UnpooledHeapByteBuf(this, initialCapacity, maxCapacity) {
                @Override
                protected byte[] allocateArray(int size) {
                    call();
                    held += size;
                    return super.allocateArray(size);
                }

                @Override
                protected void freeArray(byte[] array) {
                    held -= array.length;
                }
            };
        }

        @Override
        protected ByteBuf newDirectBuffer(int initialCapacity, int maxCapacity) {
            throw new UnsupportedOperationException();
        }

        @Override
        public CompositeByteBuf compositeHeapBuffer(int maxComponents) {
            call();
            return super.compositeHeapBuffer(maxComponents);
        }

        @Override
        public boolean isDirectBufferPooled() {
            return false;
        }
    }

    private final Allocator allocator = new Allocator();
    private final ReceiverChannel it = new ReceiverChannel();

    ExactReceiverMemoryTest() {
        it.channel.config().setAllocator(allocator);
    }

    /** Not of the allocator under test, which counts what the receiver takes. */
    private static ByteBuf fragment(int bytes) {
        return UnpooledByteBufAllocator.DEFAULT.heapBuffer(bytes, bytes).writeZero(bytes);
    }

    @ParameterizedTest // 16: small frames that are kept, assembled ones, large ones
    @ValueSource(booleans = {true, false})
    void anAllocatorThatFailsAtAnyCall(boolean askedBefore) {
        for (int k = 0; ; k++) {
            Allocator allocator = new Allocator();
            ReceiverChannel it = new ReceiverChannel();
            it.channel.config().setAllocator(allocator);
            allocator.failAt = k;
            List<ProgressiveFuture<ByteBuf>> receives = new ArrayList<>();
            List<ByteBuf> fragments = new ArrayList<>();
            if (askedBefore) {
                ask(it.receiver, receives);
            }
            for (int size : new int[] {16_384, 3000, 4000, 70_000, 10_000, 65_000, 4, 9, 40_000, 30_000}) {
                fragments.add(fragment(size));
                it.channel.pipeline().fireChannelRead(fragments.get(fragments.size() - 1));
                it.channel.pipeline().fireChannelReadComplete();
            }
            if (!askedBefore) {
                ask(it.receiver, receives);
            }
            boolean failed = !it.exceptions.isEmpty();
            boolean inOrder = true;
            for (ProgressiveFuture<ByteBuf> receive : receives) {
                assertThat(receive.isDone()).as("call %d", k).isTrue();
                if (receive.isSuccess()) {
                    assertThat(inOrder).as("call %d: nothing succeeds after a failure", k).isTrue();
                    receive.getNow().release();
                } else {
                    inOrder = false;
                    assertThat(it.exceptions).as("call %d", k).containsExactly(receive.cause());
                    assertThat(receive.cause()).isInstanceOf(OutOfMemoryError.class);
                }
            }
            assertThat(inOrder).isEqualTo(!failed);
            // Also before the channel is closed, and it can be.
            if (failed) {
                assertThat(allocator.held).as("call %d", k).isZero();
                assertThat(fragments).as("call %d", k).allSatisfy(f -> assertThat(f.refCnt()).isZero());
            }
            it.channel.finish();
            assertThat(it.channel.isOpen()).isFalse();
            assertThat(allocator.held).as("call %d", k).isZero();
            assertThat(fragments).as("call %d", k).allSatisfy(f -> assertThat(f.refCnt()).isZero());
            if (!failed) {
                assertThat(k).as("calls of the allocator").isGreaterThan(8);
                return;
            }
        }
    }

    private static void ask(ExactReceiver receiver, List<ProgressiveFuture<ByteBuf>> receives) {
        for (int i = 0; i < 20; i++) {
            receives.add(receiver.receive(50)); // kept: from the 17th on they are copied
        }
        receives.add(receiver.receive(18_384));
        receives.add(receiver.receive(150_000));
        receives.add(receiver.receive(uint32(), 100));
        receives.add(receiver.receive(68_000));
    }

    @Test // 15: a peer that declares much and sends little
    void whatIsHeldFollowsWhatWasReceivedNotWhatWasDeclared() {
        ProgressiveFuture<ByteBuf> receive = it.receiver.receive(uint32(), Integer.MAX_VALUE);
        long received = 0;
        ByteBuf header = fragment(4).setInt(0, 1 << 30);
        it.channel.writeInbound(header);
        assertThat(allocator.held).isLessThanOrEqualTo(4096);
        for (int i = 0; i < 2000; i++) {
            int size = i % 2 == 0 ? 8192 : 1;
            received += size;
            it.channel.writeInbound(fragment(size));
            assertThat(allocator.held).isLessThanOrEqualTo(2 * received + 4096);
        }
        it.channel.finish();
        assertThat(receive.isSuccess()).isFalse();
        assertThat(allocator.held).isZero();
    }

    private enum Failure {
        CLOSE,
        HALF_CLOSE,
        RESET,
        VIOLATION,
        CANCEL_AND_CLOSE,
        REMOVE
    }

    @ParameterizedTest // 40
    @EnumSource
    void thePartialFrameIsReleased(Failure failure) {
        ProgressiveFuture<ByteBuf> receive = it.receiver.receive(200_000);
        ProgressiveFuture<ByteBuf> next = it.receiver.receive(uint32(), 100);
        List<ByteBuf> fragments = new ArrayList<>();
        for (int size : new int[] {1, 5000, 70_000, 100, 20_000}) {
            fragments.add(fragment(size));
            it.channel.writeInbound(fragments.get(fragments.size() - 1));
        }
        assertThat(allocator.held).isPositive();
        switch (failure) {
            case CLOSE -> it.channel.close();
            case HALF_CLOSE -> it.halfClose();
            case RESET -> it.channel.pipeline().fireExceptionCaught(new IOException("on purpose"));
            case VIOLATION -> {
                next.cancel(false);
                receive.cancel(false);
                receive = it.receiver.receive(uint32().countedFrom(CountedFrom.FRAME), 100); // a frame of 0 bytes
            }
            case CANCEL_AND_CLOSE -> {
                next.cancel(false);
                receive.cancel(false);
                it.channel.close();
            }
            case REMOVE -> it.channel.pipeline().remove(it.receiver); // released by who is behind
        }
        assertThat(receive.isSuccess()).isFalse();
        assertThat(receive.isDone()).isTrue();
        assertThat(allocator.held).isZero();
        assertThat(fragments).allSatisfy(fragment -> assertThat(fragment.refCnt()).isZero());
        it.channel.finish();
    }
}
