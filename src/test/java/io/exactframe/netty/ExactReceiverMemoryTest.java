package io.exactframe.netty;

import static io.exactframe.netty.LengthPrefix.uint32;
import static org.assertj.core.api.Assertions.assertThat;

import io.exactframe.netty.LengthPrefix.CountedFrom;
import io.exactframe.netty.testing.CountingAllocator;
import io.exactframe.netty.testing.ReceiverChannel;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.netty.util.concurrent.ProgressiveFuture;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** 15, 16, 40: what a receiver holds, and that it is released on every path. */
class ExactReceiverMemoryTest {
    private final CountingAllocator allocator = new CountingAllocator();
    private final ReceiverChannel it = new ReceiverChannel();

    ExactReceiverMemoryTest() {
        it.channel.config().setAllocator(allocator);
    }

    /** Not of the allocator under test, which counts what the receiver takes. */
    private static ByteBuf fragment(int bytes) {
        return UnpooledByteBufAllocator.DEFAULT.heapBuffer(bytes, bytes).writeZero(bytes);
    }

    @ParameterizedTest // 16: small frames that are kept, assembled ones, large ones
    @CsvSource({"true,false", "false,false", "true,true", "false,true"})
    void anAllocatorThatFailsAtAnyCall(boolean askedBefore, boolean contiguous) {
        for (int k = 1; ; k++) {
            CountingAllocator allocator = new CountingAllocator();
            ReceiverChannel it = new ReceiverChannel(new ExactReceiver(
                    contiguous ? ReceiveOptions.defaults().contiguous() : ReceiveOptions.defaults()));
            it.channel.config().setAllocator(allocator);
            allocator.failingCall = k;
            List<ProgressiveFuture<ByteBuf>> receives = new ArrayList<>();
            List<ByteBuf> fragments = new ArrayList<>();
            if (askedBefore) {
                ask(it.receiver, receives);
            }
            for (int i = 0; i < 20; i++) {
                fragments.add(fragment(500));
                it.channel.pipeline().fireChannelRead(fragments.get(i));
                it.channel.pipeline().fireChannelReadComplete();
            }
            for (int size : new int[] {15_384, 3000, 4000, 70_000, 10_000, 65_000, 4, 9, 40_000, 30_000}) {
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
                assertThat(allocator.live).as("call %d", k).isZero();
                assertThat(fragments).as("call %d", k).allSatisfy(f -> assertThat(f.refCnt()).isZero());
            }
            it.channel.finish();
            assertThat(it.channel.isOpen()).isFalse();
            assertThat(allocator.live).as("call %d", k).isZero();
            assertThat(fragments).as("call %d", k).allSatisfy(f -> assertThat(f.refCnt()).isZero());
            if (!failed) {
                assertThat(k).as("calls of the allocator").isGreaterThan(contiguous ? 2 : 9);
                return;
            }
        }
    }

    private static void ask(ExactReceiver receiver, List<ProgressiveFuture<ByteBuf>> receives) {
        for (int i = 0; i < 20; i++) {
            receives.add(receiver.receive(50)); // kept: from the 17th read on they are copied
            receives.add(receiver.receive(450));
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
        assertThat(allocator.live).isLessThanOrEqualTo(4096);
        for (int i = 0; i < 2000; i++) {
            int size = i % 2 == 0 ? 8192 : 1;
            received += size;
            it.channel.writeInbound(fragment(size));
            assertThat(allocator.live).isLessThanOrEqualTo(2 * received + 4096);
        }
        it.channel.finish();
        assertThat(receive.isSuccess()).isFalse();
        assertThat(allocator.live).isZero();
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
        assertThat(allocator.live).isPositive();
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
        assertThat(allocator.live).isZero();
        assertThat(fragments).allSatisfy(fragment -> assertThat(fragment.refCnt()).isZero());
        it.channel.finish();
    }
}
