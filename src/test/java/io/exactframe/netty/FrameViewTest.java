package io.exactframe.netty;

import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.util.IllegalReferenceCountException;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** 13, for frames that lie in a read: used again when they come back in their dispatch, never when they escaped. */
class FrameViewTest {
    private final ExecutorService other = Executors.newSingleThreadExecutor();
    private final List<ByteBuf> held = new ArrayList<>();
    private final Map<ByteBuf, Boolean> seen = new IdentityHashMap<>();

    private EmbeddedChannel channel;
    private ByteBuf read;
    private boolean over; // what comes now is of no interest

    @AfterEach
    void shutDown() {
        other.shutdown();
    }

    /** One read of frames 0, 1, 2, ... of four bytes. */
    private void receive(int frames, Consumer<ByteBuf> consumer) {
        channel = new EmbeddedChannel(new FixedLengthExactDecoder(4), new ChannelInboundHandlerAdapter() {
            @Override
            public void channelRead(ChannelHandlerContext ctx, Object message) {
                if (over) {
                    ((ByteBuf) message).release();
                    return;
                }
                seen.put((ByteBuf) message, true);
                consumer.accept((ByteBuf) message);
            }
        });
        read = channel.alloc().buffer(1 << 16);
        for (int i = 0; i < frames; i++) {
            read.writeInt(i);
        }
        channel.writeInbound(read);
    }

    private void receiveMore() {
        over = true;
        channel.writeInbound(channel.alloc().buffer().writeZero(400));
    }

    private void onAnotherThread(Runnable action) {
        Future<?> done = other.submit(action);
        try {
            done.get(10, SECONDS);
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }

    private void assertAllGivenBack() {
        channel.finish();
        assertThat(read.refCnt()).isZero();
    }

    @Test
    void framesThatComeBackInTheirDispatchAreOneObject() {
        List<Integer> numbers = new ArrayList<>();
        receive(100, frame -> {
            numbers.add(frame.readInt());
            assertThat(frame.release()).isTrue();
        });
        assertThat(seen).hasSize(1);
        assertThat(numbers).hasSize(100).isSorted();
        assertAllGivenBack();
    }

    @Test
    void aReleasedFrameIsNotAccessible() {
        receive(3, frame -> {
            ByteBuf slice = frame.slice();
            assertThat(frame.refCnt()).isEqualTo(1);
            assertThat(frame.release()).isTrue();
            assertThat(frame.refCnt()).isZero();
            assertThatExceptionOfType(IllegalReferenceCountException.class).isThrownBy(frame::release);
            assertThatExceptionOfType(IllegalReferenceCountException.class).isThrownBy(frame::readInt);
            assertThatExceptionOfType(IllegalReferenceCountException.class)
                    .isThrownBy(() -> frame.getBytes(0, new byte[4]));
            assertThatExceptionOfType(IllegalReferenceCountException.class).isThrownBy(frame::slice);
            assertThatExceptionOfType(IllegalReferenceCountException.class).isThrownBy(frame::retainedDuplicate);
            assertThatExceptionOfType(IllegalReferenceCountException.class).isThrownBy(slice::readInt);
            assertThatExceptionOfType(IllegalReferenceCountException.class).isThrownBy(frame::retain);
            assertThatExceptionOfType(IllegalReferenceCountException.class).isThrownBy(frame::release);
            assertThatExceptionOfType(IllegalReferenceCountException.class).isThrownBy(slice::release);
        });
        assertAllGivenBack();
    }

    @Test
    void heldFramesKeepTheirBytes() {
        // Every third one: the others are views that are used again in between.
        receive(45, frame -> {
            if (frame.getInt(0) % 3 == 0) {
                held.add(frame);
            } else {
                frame.release();
            }
        });
        receiveMore();
        channel.finish();
        for (int i = 0; i < held.size(); i++) {
            assertThat(held.get(i).readInt()).isEqualTo(3 * i);
            assertThat(held.get(i).release()).isTrue();
        }
        assertThat(read.refCnt()).isZero();
    }

    @Test
    void whateverIsDerivedAndRetainedKeepsTheFrame() {
        receive(12, frame -> {
            int kind = frame.getInt(0) % 4;
            held.add(
                    switch (kind) {
                        case 0 -> frame.retainedSlice();
                        case 1 -> frame.retainedDuplicate();
                        case 2 -> frame.readRetainedSlice(4);
                        default -> frame.slice(0, 4).retain();
                    });
            assertThat(frame.refCnt()).isEqualTo(2);
            assertThat(frame.release()).isFalse();
        });
        receiveMore();
        for (int i = 0; i < held.size(); i++) {
            assertThat(held.get(i).getInt(0)).isEqualTo(i);
            assertThat(held.get(i).release()).isTrue();
        }
        assertAllGivenBack();
    }

    @Test
    void retainAndReleaseInTheDispatchLeaveTheFrameToBeUsedAgain() {
        receive(50, frame -> {
            assertThat(frame.refCnt()).isEqualTo(1);
            assertThat(frame.retain(2).refCnt()).isEqualTo(3);
            if (frame.getInt(0) % 2 == 0) {
                assertThat(frame.release(2)).isFalse();
                assertThat(frame.release()).isTrue();
            } else {
                assertThat(frame.release(3)).isTrue();
            }
            assertThat(frame.refCnt()).isZero();
        });
        assertThat(seen).hasSize(1);
        assertAllGivenBack();
    }

    @Test
    void aFrameThatAnotherThreadReleasesInTheDispatchIsNotUsedAgain() {
        receive(10, frame -> onAnotherThread(() -> assertThat(frame.release()).isTrue()));
        assertThat(seen).hasSize(10);
        assertThat(seen.keySet()).allMatch(frame -> frame.refCnt() == 0);
        assertAllGivenBack();
    }

    @Test
    void aFrameThatAnotherThreadReleasedIsNotReleasedAgain() {
        receive(10, frame -> {
            onAnotherThread(frame::release);
            assertThatExceptionOfType(IllegalReferenceCountException.class).isThrownBy(frame::release);
            assertThatExceptionOfType(IllegalReferenceCountException.class).isThrownBy(frame::retain);
            assertThatExceptionOfType(IllegalReferenceCountException.class).isThrownBy(frame::readInt);
        });
        assertAllGivenBack();
    }

    @Test
    void aFrameIsRetainedAndReleasedByAnotherThreadWhileItsOwnerHasIt() {
        receive(10, frame -> {
            onAnotherThread(() -> held.add(frame.retainedSlice()));
            assertThat(frame.release()).isFalse();
        });
        for (int i = 0; i < held.size(); i++) {
            assertThat(held.get(i).getInt(0)).isEqualTo(i);
        }
        onAnotherThread(() -> held.forEach(frame -> assertThat(frame.release()).isTrue()));
        assertAllGivenBack();
    }

    @Test
    void theLastReferenceMayBeReleasedByTheDispatchOrByAnotherThread() {
        receive(10, frame -> {
            frame.retain();
            if (frame.getInt(0) % 2 == 0) {
                onAnotherThread(frame::release);
                assertThat(frame.release()).isTrue();
            } else {
                assertThat(frame.release()).isFalse();
                onAnotherThread(() -> assertThat(frame.release()).isTrue());
            }
        });
        assertAllGivenBack();
    }

    @Test
    void releasesOfAnotherThreadThatRaceTheDispatchLoseNoReference() throws Exception {
        List<Future<?>> releases = new ArrayList<>();
        for (int round = 0; round < 20; round++) {
            receive(1000, frame -> {
                int number = frame.getInt(0);
                if (number % 2 == 0) {
                    frame.retain();
                }
                releases.add(other.submit(() -> {
                    assertThat(frame.getInt(0)).isEqualTo(number);
                    frame.release();
                }));
                if (number % 2 == 0) {
                    frame.release();
                }
            });
            for (Future<?> release : releases) {
                release.get(10, SECONDS);
            }
            releases.clear();
            assertAllGivenBack();
        }
    }

    @Test
    void aFrameEscapesByHavingBeenKeptNotByItsFirstRelease() {
        receive(1, held::add);
        ByteBuf frame = held.get(0);
        assertThat(frame.retain().refCnt()).isEqualTo(2);
        assertThat(frame.release()).isFalse();
        assertThat(frame.release()).isTrue();
        assertAllGivenBack();
    }

    @Test
    void aFrameThatIsBeingLookedAtIsNotUsedForTheNextOne() {
        // The end of the input serves the second receive while a listener has the frame of the first.
        ExactReceiver receiver = new ExactReceiver();
        channel = new EmbeddedChannel(receiver);
        List<Integer> numbers = new ArrayList<>();
        receiver.receive(4).addListener(first -> {
            ByteBuf frame = (ByteBuf) first.getNow();
            channel.pipeline().fireUserEventTriggered(ChannelInputShutdownEvent.INSTANCE);
            numbers.add(frame.readInt());
            frame.release();
        });
        receiver.receive(4).addListener(second -> {
            ByteBuf frame = (ByteBuf) second.getNow();
            numbers.add(frame.readInt());
            frame.release();
        });
        read = channel.alloc().buffer(64).writeInt(1).writeInt(2).writeInt(3);
        channel.writeInbound(read);
        assertThat(numbers).containsExactlyInAnyOrder(1, 2);
        assertThat(receiver.receive(4).getNow().release()).isTrue();
        assertAllGivenBack();
    }

    @Test
    void aFrameHasTheBoundsOfAFrame() {
        receive(3, frame -> {
            assertThat(frame.capacity()).isEqualTo(4);
            assertThat(frame.maxCapacity()).isEqualTo(4);
            assertThat(frame.isWritable()).isFalse();
            assertThatExceptionOfType(IndexOutOfBoundsException.class).isThrownBy(() -> frame.getByte(4));
            assertThatExceptionOfType(IndexOutOfBoundsException.class).isThrownBy(() -> frame.getByte(-1));
            assertThatExceptionOfType(IndexOutOfBoundsException.class).isThrownBy(() -> frame.writeByte(0));
            assertThatExceptionOfType(IndexOutOfBoundsException.class).isThrownBy(() -> frame.getBytes(2, new byte[3]));
            assertThatExceptionOfType(IndexOutOfBoundsException.class).isThrownBy(() -> frame.nioBuffer(1, 4));
            assertThatExceptionOfType(IndexOutOfBoundsException.class).isThrownBy(() -> frame.copy(1, 4));
            assertThatExceptionOfType(UnsupportedOperationException.class).isThrownBy(() -> frame.capacity(8));
            assertThatIllegalArgumentException().isThrownBy(() -> frame.retain(0));
            assertThatIllegalArgumentException().isThrownBy(() -> frame.release(0));
            assertThatExceptionOfType(IllegalReferenceCountException.class).isThrownBy(() -> frame.release(2));
            assertThatExceptionOfType(IllegalReferenceCountException.class)
                    .isThrownBy(() -> frame.retain(Integer.MAX_VALUE));
            assertThat(ByteBufUtil.hexDump(frame)).isEqualTo("0000000" + frame.getInt(0));
            frame.release();
        });
        assertAllGivenBack();
    }

    @Test
    void aDecoderBehindADecoderLeavesTheViewsOfTheFirstAlone() {
        for (int inner : new int[] {1, 2, 4}) {
            Sink sink = new Sink();
            channel = new EmbeddedChannel(new FixedLengthExactDecoder(4), new FixedLengthExactDecoder(inner), sink);
            for (int i = 0; i < 3; i++) {
                read = channel.alloc().buffer(64).writeBytes(Wire.bytes("00010203 04050607 08090a0b"));
                ByteBuf held = read.retainedDuplicate();
                Wire.receive(channel, read);
                assertThat(held.refCnt()).as("frames of %d", inner).isEqualTo(1);
                held.release();
            }
            assertThat(sink.frames).hasSize(3 * 12 / inner);
            assertAllGivenBack();
            assertThat(sink.faults).isEmpty();
        }
    }

    @Test
    void aViewThatADecoderBehindPassesOnIsUsedAgain() {
        channel = new EmbeddedChannel(
                new FixedLengthExactDecoder(4), new FixedLengthExactDecoder(4), new ChannelInboundHandlerAdapter() {
                    @Override
                    public void channelRead(ChannelHandlerContext ctx, Object message) {
                        seen.put((ByteBuf) message, true);
                        ((ByteBuf) message).release();
                    }
                });
        read = channel.alloc().buffer().writeZero(80);
        channel.writeInbound(read);
        assertThat(seen).hasSize(1);
        assertAllGivenBack();
    }

    @Test
    void aDecoderThatMovedToAnotherThreadUsesItsViewAgain() {
        onAnotherThread(() -> receive(3, ByteBuf::release));
        assertThat(read.refCnt()).isZero();
        read = channel.alloc().buffer().writeZero(80);
        channel.writeInbound(read);
        assertThat(seen).hasSize(1);
        assertAllGivenBack();
    }
}
