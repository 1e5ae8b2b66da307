package io.exactframe.netty;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.AdaptiveByteBufAllocator;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.PooledByteBufAllocator;
import io.netty.buffer.Unpooled;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.handler.codec.LengthFieldBasedFrameDecoder;
import io.netty.util.IllegalReferenceCountException;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * 13: every method of a frame does what it does on a frame of Netty's own decoder, and once the frame is released
 * throws an IllegalReferenceCountException wherever Netty's would.
 *
 * <p>After the dispatch a frame that was released in it, by the dispatching thread, is used for the next one: whoever
 * still used it would see that, as with the recycled slices of Netty's pool. So use after release is tried at once.
 */
class ReleasedFrameTest {
    private static final int LENGTH = 24;
    private static final byte[] FRAME = Wire.concat(
            Wire.number(LENGTH - 4, 4, false), "a frame's payload...".getBytes(US_ASCII));

    @TempDir
    Path folder;

    private final ExecutorService other = Executors.newSingleThreadExecutor();

    @AfterEach
    void shutDown() {
        other.shutdown();
    }

    enum Memory {
        POOLED_HEAP(PooledByteBufAllocator.DEFAULT, false),
        POOLED_DIRECT(PooledByteBufAllocator.DEFAULT, true),
        ADAPTIVE_HEAP(new AdaptiveByteBufAllocator(), false),
        ADAPTIVE_DIRECT(new AdaptiveByteBufAllocator(), true),
        UNPOOLED_HEAP(UnpooledByteBufAllocator.DEFAULT, false),
        UNPOOLED_DIRECT(UnpooledByteBufAllocator.DEFAULT, true);

        private final ByteBufAllocator alloc;
        private final boolean direct;

        Memory(ByteBufAllocator alloc, boolean direct) {
            this.alloc = alloc;
            this.direct = direct;
        }

        ByteBuf read(int frames) {
            int capacity = 1 << 14;
            ByteBuf read = direct ? alloc.directBuffer(capacity) : alloc.heapBuffer(capacity);
            for (int i = 0; i < frames; i++) {
                read.writeBytes(FRAME);
            }
            return read;
        }
    }

    enum Decoder {
        OURS {
            @Override
            ChannelHandler make() {
                return new LengthPrefixedExactDecoder(100, LengthPrefix.uint32().keepHeader());
            }
        },
        NETTYS {
            @Override
            ChannelHandler make() {
                return new LengthFieldBasedFrameDecoder(100, 0, 4);
            }
        };

        abstract ChannelHandler make();
    }

    /** How the last holder of a frame gives it up. */
    enum End {
        AT_ONCE((test, frame) -> frame.release()),
        RETAINED((test, frame) -> {
            frame.retain().release();
            frame.release();
        }),
        ALL_AT_ONCE((test, frame) -> frame.retain(2).release(3)),
        BY_A_SLICE((test, frame) -> frame.slice(1, 2).release()),
        BY_A_RETAINED_SLICE((test, frame) -> {
            ByteBuf slice = frame.retainedSlice();
            frame.release();
            slice.release();
        }),
        BY_A_RETAINED_DUPLICATE((test, frame) -> {
            ByteBuf duplicate = frame.retainedDuplicate();
            frame.release();
            duplicate.release();
        }),
        BY_A_COMPOSITE((test, frame) -> Unpooled.compositeBuffer().addComponent(true, frame).release()),
        BY_A_CHANNEL((test, frame) -> {
            EmbeddedChannel channel = new EmbeddedChannel();
            channel.writeOutbound(frame);
            channel.releaseOutbound();
            channel.finish();
        }),
        BY_ANOTHER_THREAD((test, frame) -> test.onAnotherThread(frame::release)),
        BY_ANOTHER_THREAD_LAST((test, frame) -> {
            frame.retain().release();
            test.onAnotherThread(() -> frame.retain().release());
            test.onAnotherThread(frame::release);
        }),
        BY_THE_DISPATCH_LAST((test, frame) -> {
            test.onAnotherThread(frame::retain);
            test.onAnotherThread(frame::release);
            frame.release();
        });

        private final BiConsumer<ReleasedFrameTest, ByteBuf> end;

        End(BiConsumer<ReleasedFrameTest, ByteBuf> end) {
            this.end = end;
        }
    }

    private void onAnotherThread(Runnable action) {
        try {
            other.submit(action).get(10, SECONDS);
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }

    private EveryMethod methods() {
        return new EveryMethod(folder, FRAME);
    }

    /** One read of frames; the consumer has the first of them. */
    private void receive(Decoder decoder, ByteBuf read, boolean afterDispatch, Consumer<ByteBuf> consumer) {
        ByteBuf[] first = {null};
        Throwable[] fault = {null};
        EmbeddedChannel channel = new EmbeddedChannel(decoder.make(), new ChannelInboundHandlerAdapter() {
            @Override
            public void channelRead(ChannelHandlerContext ctx, Object message) {
                if (first[0] != null) {
                    ((ByteBuf) message).release();
                    return;
                }
                first[0] = (ByteBuf) message;
                if (!afterDispatch) {
                    consumer.accept(first[0]);
                }
            }

            @Override
            public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
                fault[0] = cause;
            }
        });
        Wire.receive(channel, read);
        if (afterDispatch) {
            consumer.accept(first[0]);
        }
        channel.finish();
        assertThat(fault[0]).isNull();
    }

    private static Set<String> throwing(Map<String, String> outcomes) {
        Set<String> throwing = new TreeSet<>();
        outcomes.forEach((call, outcome) -> {
            if (outcome.equals(IllegalReferenceCountException.class.getSimpleName())) {
                throwing.add(call);
            }
        });
        return throwing;
    }

    private Map<String, String> afterRelease(Decoder decoder, ByteBuf read, End end, boolean later, boolean elsewhere) {
        Map<String, String> outcomes = new TreeMap<>();
        receive(decoder, read, later, frame -> {
            end.end.accept(this, frame);
            if (elsewhere) {
                onAnotherThread(() -> outcomes.putAll(methods().outcomes(frame, true)));
            } else {
                outcomes.putAll(methods().outcomes(frame, true));
            }
        });
        return outcomes;
    }

    private static Set<String> throwingWithNetty;

    /** What throws on a released frame of Netty's decoder, in any memory. */
    private Set<String> throwingWithNetty() {
        if (throwingWithNetty != null) {
            return throwingWithNetty;
        }
        ByteBuf guarded = Memory.POOLED_DIRECT.read(3);
        ByteBuf pooled = guarded.unwrap() == null ? guarded : guarded.unwrap(); // without a leak detector's wrapper
        Set<String> throwing =
                new TreeSet<>(throwing(afterRelease(Decoder.NETTYS, pooled.retain(), End.AT_ONCE, false, false)));
        guarded.release();
        for (Memory memory : Memory.values()) {
            // Its slices share the read's count: the read must be gone with the frame.
            throwing.addAll(throwing(afterRelease(Decoder.NETTYS, memory.read(1), End.AT_ONCE, false, false)));
        }
        return throwingWithNetty = throwing;
    }

    @ParameterizedTest
    @EnumSource
    void aReleasedFrameThrowsWhereverNettysDoes(End end) {
        Set<String> expected = throwingWithNetty();
        assertThat(expected).contains("readInt() 0", "release() 0", "slice() 0").hasSizeGreaterThan(250);
        for (Memory memory : Memory.values()) {
            for (boolean later : new boolean[] {false, true}) {
                for (boolean elsewhere : new boolean[] {false, true}) {
                    ByteBuf read = memory.read(3);
                    Set<String> missing = new TreeSet<>(expected);
                    missing.removeAll(throwing(afterRelease(Decoder.OURS, read, end, later, elsewhere)));
                    assertThat(missing).as("%s, later: %s, elsewhere: %s", memory, later, elsewhere).isEmpty();
                    assertThat(read.refCnt()).isZero();
                }
            }
        }
    }

    /** What shows a frame, too. */
    enum Part {
        SLICE(ByteBuf::slice),
        DUPLICATE(ByteBuf::duplicate),
        READ_ONLY(ByteBuf::asReadOnly),
        LITTLE_ENDIAN(frame -> frame.order(ByteOrder.LITTLE_ENDIAN)),
        RETAINED_SLICE(ByteBuf::retainedSlice),
        RETAINED_DUPLICATE(ByteBuf::retainedDuplicate),
        READ_RETAINED_SLICE(frame -> frame.readRetainedSlice(LENGTH)),
        RETAINED_SLICE_OF_A_SLICE(frame -> frame.slice().retainedSlice()),
        RETAINED_SLICE_OF_A_RETAINED_SLICE(frame -> {
            ByteBuf slice = frame.retainedSlice();
            ByteBuf of = slice.retainedSlice();
            slice.release();
            return of;
        });

        private final UnaryOperator<ByteBuf> of;

        Part(UnaryOperator<ByteBuf> of) {
            this.of = of;
        }

        boolean isRetained() {
            return name().contains("RETAINED");
        }

        /** With a count of its own, which may be used up before the frame's is. One of a plain slice shares its. */
        boolean isCountedApart() {
            return isRetained() && this != RETAINED_SLICE_OF_A_SLICE;
        }
    }

    private Set<String> throwingOfAPart(Decoder decoder, ByteBuf read, Part part, boolean held) {
        Map<String, String> outcomes = new TreeMap<>();
        receive(decoder, read, false, frame -> {
            ByteBuf bytes = part.of.apply(frame);
            if (!held) {
                frame.release();
            }
            if (part.isRetained()) {
                bytes.release();
            }
            outcomes.putAll(methods().outcomes(bytes, true));
            if (held) {
                frame.release();
            }
        });
        return throwing(outcomes);
    }

    @ParameterizedTest
    @EnumSource
    void aPartOfAReleasedFrameThrowsWhereverNettysDoes(Part part) {
        for (boolean held : part.isCountedApart() ? new boolean[] {false, true} : new boolean[] {false}) {
            ByteBuf read = Memory.POOLED_DIRECT.read(3);
            Set<String> missing = throwingOfAPart(Decoder.NETTYS, Memory.POOLED_DIRECT.read(3), part, held);
            assertThat(missing).contains("readInt() 0", "retain() 0", "release() 0");
            missing.removeAll(throwingOfAPart(Decoder.OURS, read, part, held));
            assertThat(missing).as("while the frame is held: %s", held).isEmpty();
            assertThat(read.refCnt()).isZero();
        }
    }

    @ParameterizedTest
    @EnumSource
    void aFrameDoesWhatNettysDoes(Memory memory) {
        Map<String, String> ours = whileHeld(Decoder.OURS, memory.read(3));
        List<String> differences = new ArrayList<>();
        whileHeld(Decoder.NETTYS, memory.read(3)).forEach((call, outcome) -> {
            if (!outcome.equals(ours.get(call))) {
                differences.add(call + ": " + ours.get(call) + ", Netty's: " + outcome);
            }
        });
        // Netty's slices share their read's count unless it is pooled; a frame has its own.
        differences.removeIf(difference -> !memory.name().startsWith("POOLED") && difference.startsWith("refCnt() "));
        assertThat(differences).isEmpty();
    }

    private Map<String, String> whileHeld(Decoder decoder, ByteBuf read) {
        Map<String, String> outcomes = new TreeMap<>();
        receive(decoder, read, false, frame -> {
            try {
                outcomes.putAll(methods().outcomes(frame, false));
            } finally {
                frame.release();
            }
        });
        return outcomes;
    }
}
