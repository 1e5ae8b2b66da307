package io.exactframe.netty;

import static org.assertj.core.api.Assertions.assertThat;

import io.exactframe.netty.LengthPrefix.CountedFrom;
import io.exactframe.netty.testing.Sink;
import io.exactframe.netty.testing.Wire;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandler;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.handler.codec.LengthFieldBasedFrameDecoder;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Whatever Netty's decoder makes of its parameters and a stream, ours makes too; and it reports the partial tail. */
@Tag("slow")
class LengthFieldDifferentialTest {
    private static final int SEEDS = 20;
    private static final int STREAMS = 1000; // for each seed
    private static final int[] WIDTHS = {1, 2, 3, 4, 8};
    private static final int LIMIT = 4096;

    private record Layout(int offset, int width, int adjustment, int strip, boolean littleEndian) {
        int header() {
            return offset + width;
        }

        ChannelHandler nettys() {
            ByteOrder order = littleEndian ? ByteOrder.LITTLE_ENDIAN : ByteOrder.BIG_ENDIAN;
            return new LengthFieldBasedFrameDecoder(order, LIMIT, offset, width, adjustment, strip, true);
        }

        private LengthPrefix field() {
            LengthPrefix field =
                    switch (width) {
                        case 1 -> LengthPrefix.uint8();
                        case 2 -> LengthPrefix.uint16();
                        case 3 -> LengthPrefix.uint24();
                        case 4 -> LengthPrefix.uint32();
                        default -> LengthPrefix.int64();
                    };
            return (littleEndian ? field.littleEndian() : field).headerBefore(offset);
        }

        /** All the ways in which ours can say it. */
        List<LengthPrefix> prefixes() {
            List<LengthPrefix> same = new ArrayList<>();
            LengthPrefix given = LengthPrefix.fromLengthField(offset, width, adjustment, strip);
            same.add(littleEndian ? given.littleEndian() : given);
            same.add(field().adjustedBy(adjustment).strip(strip));
            if (adjustment == 0) {
                same.add(field().countedFrom(CountedFrom.AFTER_FIELD).strip(strip));
                same.add(field().strip(strip));
            }
            if (adjustment == 0 && strip == header()) {
                same.add(field());
            }
            if (adjustment == 0 && strip == 0) {
                same.add(field().keepHeader());
            }
            if (adjustment >= 0) {
                same.add(field().headerAfter(adjustment).strip(strip));
                same.add(field().trailer(adjustment).strip(strip));
            }
            if (adjustment >= 0 && strip == header() + adjustment) {
                same.add(field().headerAfter(adjustment));
            }
            if (adjustment == -width) {
                same.add(field().countedFrom(CountedFrom.FIELD).strip(strip));
            }
            if (adjustment == -header()) {
                same.add(field().countedFrom(CountedFrom.FRAME).strip(strip));
            }
            return same;
        }

        byte[] frame(Random random, int body) {
            byte[] field = Wire.number(body - adjustment, width, littleEndian);
            return Wire.concat(Wire.random(random, offset), field, Wire.random(random, body));
        }
    }

    private static Layout layout(Random random) {
        int offset = random.nextInt(4);
        int width = WIDTHS[random.nextInt(WIDTHS.length)];
        int adjustment =
                switch (random.nextInt(5)) {
                    case 0, 1 -> 0;
                    case 2 -> -width;
                    case 3 -> -(offset + width);
                    default -> random.nextInt(17) - 8;
                };
        int strip =
                switch (random.nextInt(4)) {
                    case 0 -> 0;
                    case 1 -> offset + width;
                    case 2 -> offset + width + Math.max(adjustment, 0);
                    default -> random.nextInt(offset + width + 5);
                };
        return new Layout(offset, width, adjustment, strip, random.nextBoolean());
    }

    /** What follows the field: enough for the adjustment and what is stripped, no more than the field can say. */
    private static int body(Random random, Layout layout) {
        int least = Math.max(0, Math.max(layout.adjustment, layout.strip - layout.header()));
        int most = random.nextInt(16) == 0 && layout.width > 1 ? 3000 : 40;
        return least + (random.nextInt(6) == 0 ? 0 : random.nextInt(most));
    }

    static IntStream seeds() {
        return IntStream.range(0, SEEDS);
    }

    @ParameterizedTest(name = "seed {0}")
    @MethodSource("seeds")
    void framesAreThoseOfNettysDecoder(int seed) {
        Random random = new Random(seed);
        for (int i = 0; i < STREAMS; i++) {
            Layout layout = layout(random);
            byte[][] sent = new byte[1 + random.nextInt(6)][];
            List<String> frames = new ArrayList<>();
            for (int n = 0; n < sent.length; n++) {
                sent[n] = layout.frame(random, body(random, layout));
                frames.add(Wire.hex(sent[n], layout.strip, sent[n].length));
            }
            byte[] next = layout.frame(random, body(random, layout));
            byte[] tail = Arrays.copyOf(next, random.nextInt(next.length));
            byte[] stream = Wire.concat(Wire.concat(sent), tail);
            List<Integer> cuts = cuts(random, stream.length);
            List<String> nettys = run(layout.nettys(), stream, cuts).frames;
            if (!nettys.equals(frames)) {
                assertThat(nettys).as("stream %d, %s", i, layout).isEqualTo(frames);
            }
            for (LengthPrefix prefix : layout.prefixes()) {
                Sink sink = run(new LengthPrefixedExactDecoder(LIMIT, prefix), stream, cuts);
                if (!sink.frames.equals(nettys)
                        || !reported(sink.faults).equals(expected(tail.length, next.length, layout.header()))) {
                    String drawn = "stream " + i + ", " + prefix + " for " + layout + ", cut at " + cuts;
                    assertThat(sink.frames).as(drawn).isEqualTo(nettys);
                    assertThat(reported(sink.faults)).as(drawn)
                            .isEqualTo(expected(tail.length, next.length, layout.header()));
                }
            }
        }
    }

    private static List<Integer> cuts(Random random, int length) {
        List<Integer> cuts = new ArrayList<>();
        int most =
                switch (random.nextInt(4)) {
                    case 0 -> length;
                    case 1 -> 1 + length / 200; // one byte, unless that takes too long
                    default -> 1 + random.nextInt(64);
                };
        for (int at = 0; at < length; ) {
            at = Math.min(length, at + (most == length ? length : 1 + random.nextInt(most)));
            cuts.add(at);
        }
        return cuts;
    }

    private static Sink run(ChannelHandler decoder, byte[] stream, List<Integer> cuts) {
        Sink sink = new Sink();
        EmbeddedChannel channel = Wire.channel(decoder, sink);
        ByteBuf all = channel.alloc().buffer(stream.length + 1).writeBytes(stream);
        int from = 0;
        for (int to : cuts) {
            channel.pipeline().fireChannelRead(all.retainedSlice(from, to - from));
            from = to;
        }
        all.release();
        Wire.finishByPeer(channel);
        return sink;
    }

    private static List<String> reported(List<Throwable> faults) {
        return faults.stream().map(Throwable::toString).toList();
    }

    private static List<String> expected(int received, int frame, int header) {
        if (received == 0) {
            return List.of();
        }
        boolean inHeader = received < header;
        return List.of(PrematureCloseException.class.getName() + ": stream ended after " + received + " of "
                + (inHeader ? header + " header bytes" : frame + " bytes"));
    }
}
