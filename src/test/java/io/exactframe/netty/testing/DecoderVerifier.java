package io.exactframe.netty.testing;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandler;
import io.netty.channel.embedded.EmbeddedChannel;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.function.Supplier;

/**
 * Gives a decoder one stream of whole frames in every way a network can cut it, and demands the same frames each time.
 *
 * <pre>
 *   whole      one read
 *   dripped    a read for each byte
 *   batched    the stream several times over: in one read, and in reads that hold frames and a part of the next
 *   cut        in two and in three at every byte; up to 16 bytes, in all 2^(n-1) ways
 * </pre>
 */
public final class DecoderVerifier {
    private static final int CUT_IN_EVERY_WAY = 16;
    private static final int BATCH = 5;

    private final Supplier<? extends ChannelHandler> decoders;
    private final byte[] stream;
    private final List<String> frames;

    private DecoderVerifier(Supplier<? extends ChannelHandler> decoders, byte[] stream, List<String> frames) {
        this.decoders = decoders;
        this.stream = stream;
        this.frames = frames;
    }

    public static void verify(Supplier<? extends ChannelHandler> decoders, byte[] stream, List<String> frames) {
        DecoderVerifier verifier = new DecoderVerifier(decoders, stream, frames);
        verifier.whole();
        verifier.dripped();
        verifier.batched();
        verifier.cutInTwoAndThree();
        if (stream.length <= CUT_IN_EVERY_WAY) {
            verifier.cutInEveryWay();
        }
    }

    private void whole() {
        inPieces(1, stream.length);
    }

    private void dripped() {
        inPieces(1, 1);
    }

    private void batched() {
        inPieces(BATCH, BATCH * stream.length);
        for (int size = 2; size <= 2 * stream.length; size++) {
            inPieces(BATCH, size);
        }
    }

    private void inPieces(int times, int size) {
        Sink sink = new Sink();
        EmbeddedChannel channel = Wire.channel(decoders.get(), sink);
        Wire.receiveInPieces(channel, Wire.repeat(stream, times), size);
        assertThat(sink.frames)
                .as("%d times over, in reads of %d bytes", times, size)
                .isEqualTo(Collections.nCopies(times, frames).stream().flatMap(List::stream).toList());
        channel.finish();
        assertThat(sink.faults).isEmpty();
    }

    private void cutInTwoAndThree() {
        for (int first = 0; first <= stream.length; first++) {
            for (int second = first; second <= stream.length; second++) {
                Sink sink = new Sink();
                EmbeddedChannel channel = Wire.channel(decoders.get(), sink);
                // Empty reads among them (5).
                Wire.receive(channel, stream, 0, first);
                Wire.receive(channel, stream, first, second);
                Wire.receive(channel, stream, second, stream.length);
                assertThat(sink.frames).as("cut at %d and %d", first, second).isEqualTo(frames);
                channel.finish();
                assertThat(sink.faults).isEmpty();
            }
        }
    }

    /** One channel for all of them: the stream ends on a boundary. */
    private void cutInEveryWay() {
        Sink sink = new Sink();
        EmbeddedChannel channel = Wire.channel(decoders.get(), sink);
        ByteBuf all = channel.alloc().buffer().writeBytes(stream);
        for (int cuts = 0; cuts < 1 << (stream.length - 1); cuts++) {
            for (int from = 0; from < stream.length; ) {
                int to = endOfPiece(cuts, from, stream.length);
                channel.pipeline().fireChannelRead(all.retainedSlice(from, to - from));
                from = to;
            }
            if (!sink.frames.equals(frames) || !sink.faults.isEmpty() || all.refCnt() != 1) {
                assertThat(sink.faults).as(drawn(cuts)).isEmpty();
                assertThat(sink.frames).as(drawn(cuts)).isEqualTo(frames);
                assertThat(all.refCnt()).as(drawn(cuts)).isEqualTo(1);
            }
            sink.frames.clear();
        }
        all.release();
        channel.finish();
        assertThat(sink.faults).isEmpty();
    }

    /** Where the piece ends that begins at from, if bit i of cuts is a cut behind byte i. */
    public static int endOfPiece(int cuts, int from, int length) {
        int behind = cuts >>> from;
        return behind == 0 ? length : Math.min(length, from + Integer.numberOfTrailingZeros(behind) + 1);
    }

    private String drawn(int cuts) {
        List<String> pieces = new ArrayList<>();
        for (int from = 0; from < stream.length; ) {
            int to = endOfPiece(cuts, from, stream.length);
            pieces.add(Wire.hex(stream, from, to));
            from = to;
        }
        return String.join(" | ", pieces);
    }
}
