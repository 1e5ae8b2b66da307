package io.exactframe.netty;

import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * 13, 19 to 22, 26, 28: whatever becomes of a decoder inside the dispatch of a frame, and of that frame, before or
 * after it and on whatever thread, the fragment ends with no reference too many or too few.
 */
@Tag("slow")
class EndInDispatchTest {
    private static final ExecutorService OTHER = Executors.newSingleThreadExecutor();

    /** More frames than references are taken at once. */
    private static final int FRAMES = 36;

    private final List<ByteBuf> kept = new ArrayList<>();
    private final List<String> keptBytes = new ArrayList<>();
    private EmbeddedChannel channel;
    private ExactFrameDecoder decoder;

    @AfterAll
    static void shutDown() {
        OTHER.shutdown();
    }

    /** What happens in the dispatch. */
    private enum Event {
        REMOVED,
        REPLACED,
        CLOSED,
        INPUT_ENDED,
        CORRUPTED,
        READ_AGAIN,
        THROWN
    }

    /** What becomes of the frame, before the event or after it; part is what is kept of it, if anything. */
    private enum Holding {
        RELEASED(frame -> {
            assertThat(frame.release()).isTrue();
            return null;
        }),
        RELEASED_THERE(frame -> {
            assertThat(there(frame)).isTrue();
            return null;
        }),
        RETAINED_AND_RELEASED(frame -> {
            frame.retain(2).release();
            assertThat(there(frame)).isFalse();
            assertThat(frame.release()).isTrue();
            return null;
        }),
        KEPT(frame -> frame),
        KEPT_THERE(frame -> {
            frame.retain();
            assertThat(there(frame)).isFalse();
            return frame;
        }),
        PART_KEPT(frame -> {
            ByteBuf part = frame.retainedSlice();
            assertThat(frame.release()).isFalse();
            return part;
        });

        final UnaryOperator<ByteBuf> holder;

        Holding(UnaryOperator<ByteBuf> holder) {
            this.holder = holder;
        }

        private static boolean there(ByteBuf frame) {
            try {
                return OTHER.submit(() -> frame.release()).get(10, SECONDS);
            } catch (Exception e) {
                throw new AssertionError(e);
            }
        }
    }

    private static ExactFrameDecoder codec() {
        return new ExactFrameDecoder(1, 4) {
            @Override
            protected long frameLength(ByteBuf header) {
                return 4;
            }
        };
    }

    @ParameterizedTest
    @EnumSource
    void theFragmentHasItsReferencesAndNoMore(Event event) {
        for (Holding holding : Holding.values()) {
            for (int at : new int[] {0, 1, 14, 15, 16, 17, 18, 30, FRAMES - 2, FRAMES - 1}) {
                for (int variant = 0; variant < 32; variant++) {
                    check(event, holding, at, variant);
                }
            }
        }
    }

    private void check(Event event, Holding holding, int at, int variant) {
        boolean eventFirst = (variant & 1) != 0;
        boolean othersKept = (variant & 2) != 0;
        boolean behindAnother = (variant & 4) != 0;
        boolean inFront = (variant & 8) != 0; // what happens, happens to the first of two
        boolean asked = (variant & 16) != 0;
        String what = event + " " + holding + " at " + at + " " + Integer.toBinaryString(variant);
        decoder = asked ? codec() : new FixedLengthExactDecoder(4);
        ExactFrameDecoder first = new FixedLengthExactDecoder(8);
        ByteBuf[] read = new ByteBuf[1];
        StringBuilder received = new StringBuilder();
        Sink sink = new Sink() {
            int number;

            @Override
            public void channelRead(ChannelHandlerContext ctx, Object message) {
                ByteBuf frame = (ByteBuf) message;
                boolean now = number++ == at;
                received.append(ByteBufUtil.hexDump(frame));
                if (now && eventFirst) {
                    happen(event, behindAnother && inFront ? first : decoder, read[0]);
                }
                ByteBuf part = now ? holding.holder.apply(frame) : frame;
                if (part != null) {
                    if (part != read[0] && (now || othersKept && number % 5 != 0)) {
                        kept.add(part);
                        keptBytes.add(ByteBufUtil.hexDump(part));
                    } else {
                        part.release();
                    }
                }
                if (now && !eventFirst) {
                    happen(event, behindAnother && inFront ? first : decoder, read[0]);
                }
                if (now && event == Event.THROWN) {
                    throw new IllegalStateException();
                }
            }
        };
        channel = new EmbeddedChannel();
        if (behindAnother) {
            channel.pipeline().addLast(first);
        }
        channel.pipeline().addLast(decoder, sink);
        read[0] = channel.alloc().buffer(4 * FRAMES); // no frame is small beside it, or few enough are kept
        for (int i = 0; i < FRAMES; i++) {
            read[0].writeInt(i);
        }
        String stream = ByteBufUtil.hexDump(read[0]);
        Wire.receive(channel, read[0].retain());
        Wire.receive(channel, read[0].retain().readerIndex(0)); // the same object once more
        channel.finishAndReleaseAll(); // also what came when the pipeline was closed
        assertThat(read[0].refCnt()).as(what).isGreaterThan(kept.isEmpty() ? 0 : 1);
        for (int i = 0; i < kept.size(); i++) {
            assertThat(ByteBufUtil.hexDump(kept.get(i))).as(what).isEqualTo(keptBytes.get(i));
        }
        kept.forEach(frame -> assertThat(frame.refCnt()).isPositive());
        kept.forEach(ByteBuf::release);
        kept.clear();
        keptBytes.clear();
        assertThat(read[0].refCnt()).as(what).isEqualTo(1);
        read[0].release();
        String expected = stream.repeat(event == Event.READ_AGAIN ? 3 : 2);
        if (event == Event.CLOSED || event == Event.INPUT_ENDED || event == Event.CORRUPTED) {
            assertThat(expected).as(what).startsWith(received);
        } else {
            assertThat(received.toString()).as(what).isEqualTo(expected);
        }
    }

    private void happen(Event event, ExactFrameDecoder target, ByteBuf read) {
        switch (event) {
            case REMOVED -> channel.pipeline().remove(target);
            case REPLACED -> channel.pipeline().replace(target, null, new FixedLengthExactDecoder(4));
            case CLOSED -> channel.close();
            case INPUT_ENDED -> channel.pipeline().fireUserEventTriggered(ChannelInputShutdownEvent.INSTANCE);
            case CORRUPTED -> target.end(channel.pipeline().context(target), new IllegalStateException());
            case READ_AGAIN -> channel.pipeline().fireChannelRead(read.retainedDuplicate().setIndex(0, 4 * FRAMES));
            case THROWN -> {}
        }
    }
}
