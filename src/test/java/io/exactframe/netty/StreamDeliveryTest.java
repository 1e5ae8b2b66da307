package io.exactframe.netty;

import static io.exactframe.netty.testing.Probe.bytes;
import static org.assertj.core.api.Assertions.assertThat;

import io.exactframe.netty.testing.Probe;
import io.exactframe.netty.testing.StreamProbe;
import io.exactframe.netty.testing.Wire;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOutboundHandlerAdapter;
import io.netty.channel.ChannelPipelineException;
import io.netty.channel.ChannelPromise;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** 19 to 29, 33 to 38, 52: who closes, removes, re-enters or throws, and when. */
class StreamDeliveryTest {
    // Frames of 2, 0 and 3 bytes of payload and one of trailer, each in more than one read.
    private static final LengthPrefix PREFIX = LengthPrefix.uint8().trailer(1);
    private static final String[] READS = {"\2a", "b;\0", ";\3c", "de;\2f", "g"};
    private static final String STREAM = String.join("", READS);

    /** What goes on of READS; and for each message, where in the stream it ends. */
    private static final List<String> MESSAGES = List.of(
            "start 4/2 \2", "a@0", "b@1 last", "start 2/0 \0", "@0 last", "start 5/3 \3", "c@0", "de@1 last",
            "start 4/2 \2", "f@0", "g@1");

    private static final int[] ENDS = {1, 2, 4, 5, 6, 7, 8, 11, 12, 13, 14};

    /** What goes on of STREAM in one read: the chunks of a frame are one, and a trailer does not come apart. */
    private static final List<String> IN_ONE_READ = List.of(
            "start 4/2 \2", "ab@0 last", "start 2/0 \0", "@0 last", "start 5/3 \3", "cde@0 last",
            "start 4/2 \2", "fg@0");

    private static final int[] ENDS_IN_ONE_READ = {1, 4, 5, 6, 7, 11, 12, 14};

    private final StreamProbe probe = new StreamProbe();
    private final FrameStreamDecoder decoder = new FrameStreamDecoder(100, PREFIX);
    private final EmbeddedChannel channel = new EmbeddedChannel();

    static Stream<Arguments> messages() {
        return IntStream.rangeClosed(1, MESSAGES.size())
                .boxed()
                .flatMap(k -> Stream.of(false, true)
                        .flatMap(inOneRead ->
                                Stream.of(false, true).map(thrown -> Arguments.of(k, inOneRead, thrown))));
    }

    private void receiveAll(boolean inOneRead) {
        channel.pipeline().addLast(decoder, probe);
        for (String read : inOneRead ? new String[] {STREAM} : READS) {
            if (channel.isOpen()) { // a closed one keeps what comes
                probe.receive(channel, read);
            }
        }
    }

    private static List<String> messages(boolean inOneRead) {
        return inOneRead ? IN_ONE_READ : MESSAGES;
    }

    private static int end(boolean inOneRead, int k) {
        return (inOneRead ? ENDS_IN_ONE_READ : ENDS)[Math.min(k, messages(inOneRead).size()) - 1];
    }

    /** What is said if nothing behind the k-th message is given: how much of its frame came; null if all. */
    private static String partOf(boolean inOneRead, int k) {
        int end = end(inOneRead, k);
        int[] begins = {0, 4, 6, 11};
        int[] lengths = {4, 2, 5, 4};
        for (int i = 0; i < begins.length; i++) {
            if (end > begins[i] && end < begins[i] + lengths[i]) {
                return (end - begins[i]) + " of " + lengths[i] + " bytes";
            }
        }
        return null;
    }

    private List<String> log() {
        return probe.log().stream().filter(line -> !line.equals("[complete]")).toList();
    }

    private void throwIf(boolean thrown) {
        if (thrown) {
            throw new IllegalStateException("boom");
        }
    }

    @ParameterizedTest(name = "message {0}, in one read: {1}, then a throw: {2}")
    @MethodSource("messages") // 28, 33, 34, 52
    void closedFromBehindItGivesNothingMoreAndSaysWhatIsMissing(int k, boolean inOneRead, boolean thrown) {
        List<String> messages = messages(inOneRead);
        probe.on(k, ctx -> {
            ctx.close();
            throwIf(thrown);
        });
        receiveAll(inOneRead);
        channel.close(); // not finish(), which throws what the removed probe threw
        List<String> expected = new ArrayList<>(messages.subList(0, Math.min(k, messages.size())));
        String part = partOf(inOneRead, k);
        if (part != null) {
            expected.add("[PrematureCloseException: stream ended after " + part + ", closed on this side]");
        }
        expected.add("[inactive]");
        assertThat(log()).isEqualTo(expected);
    }

    @ParameterizedTest(name = "message {0}, in one read: {1}, then a throw: {2}")
    @MethodSource("messages") // 20, 22, 52
    void removedItSaysSoAndTheRestGoesOnUnchanged(int k, boolean inOneRead, boolean thrown) {
        List<String> messages = messages(inOneRead);
        probe.on(k, ctx -> {
            ctx.pipeline().remove(decoder);
            probe.note("[handled]");
            throwIf(thrown);
        });
        receiveAll(inOneRead);
        if (k > messages.size()) {
            channel.pipeline().remove(decoder); // inside the last frame
        }
        channel.finish();
        int given = Math.min(k, messages.size());
        int end = end(inOneRead, given);
        List<String> log = log();
        List<String> expected = new ArrayList<>(messages.subList(0, given));
        if (k <= messages.size()) {
            expected.add("[handled]");
            if (thrown) {
                expected.add("[IllegalStateException: boom]");
            }
        }
        String part = partOf(inOneRead, k);
        if (part != null) {
            expected.add("[ChannelPipelineException: the decoder was removed after "
                    + part.replace("of ", "of a frame's ") + "]");
        }
        assertThat(log.subList(0, expected.size())).isEqualTo(expected);
        List<String> rest = log.subList(expected.size(), log.size() - 1);
        assertThat(rest).allMatch(line -> line.startsWith("raw "));
        assertThat(String.join("", rest).replace("raw ", "")).isEqualTo(STREAM.substring(end));
        assertThat(log.get(log.size() - 1)).isEqualTo("[inactive]");
        assertThat(probe.faults.stream().filter(e -> e instanceof ChannelPipelineException))
                .hasSize(part == null ? 0 : 1);
    }

    @ParameterizedTest(name = "{0} bytes of the header")
    @ValueSource(ints = {1, 2, 3}) // 22
    void removedInsideAHeaderItSaysNothingAndTheHeaderGoesOn(int count) {
        FrameStreamDecoder decoder = new FrameStreamDecoder(100, LengthPrefix.uint16().headerAfter(2));
        channel.pipeline().addLast(decoder, probe);
        for (int i = 0; i < count; i++) {
            probe.receive(channel, "\0\1xy".substring(i, i + 1));
        }
        probe.drain();
        channel.pipeline().remove(decoder);
        assertThat(probe.drain()).containsExactly("raw " + "\0\1xy".substring(0, count), "[complete]");
        channel.finish();
        assertThat(probe.log()).containsExactly("[inactive]");
    }

    @Test // 52
    void removedInsideAFrameBetweenReadsItSaysSo() {
        channel.pipeline().addLast(decoder, probe);
        probe.receive(channel, "\2a");
        channel.pipeline().remove(decoder);
        channel.finish();
        assertThat(log())
                .containsExactly(
                        "start 4/2 \2",
                        "a@0",
                        "[ChannelPipelineException: the decoder was removed after 2 of a frame's 4 bytes]",
                        "[inactive]");
    }

    /** Keeps a close to itself: on another executor, and behind a TLS handler, it takes its time. */
    private static final class SlowClose extends ChannelOutboundHandlerAdapter {
        @Override
        public void close(ChannelHandlerContext ctx, ChannelPromise promise) {}
    }

    @ParameterizedTest(name = "at message {0}")
    @ValueSource(ints = {1, 2, 3, 4, 5, 6, 7}) // 28
    void whileACloseFromBehindIsUnderWayNothingIsGivenAndNothingHeld(int k) {
        channel.pipeline().addLast(new SlowClose());
        probe.on(k, ChannelHandlerContext::close);
        channel.pipeline().addLast(decoder, probe);
        ByteBuf read = bytes(channel, STREAM).retain();
        probe.receive(channel, read);
        assertThat(read.release()).as("the only reference left").isTrue();
        probe.receive(channel, "more");
        assertThat(log()).isEqualTo(IN_ONE_READ.subList(0, k));
        channel.pipeline().removeFirst();
        channel.finish();
        String part = partOf(true, k);
        assertThat(probe.faults).hasSize(part == null ? 0 : 1);
    }

    @Test // 52, 28
    void removedWhileACloseIsUnderWayItSaysSoAndHandsOnNothing() {
        channel.pipeline().addLast(new SlowClose());
        probe.on(1, ctx -> {
            ctx.close();
            ctx.pipeline().remove(decoder);
        });
        receiveAll(true);
        assertThat(log())
                .containsExactly(
                        "start 4/2 \2",
                        "[ChannelPipelineException: the decoder was removed after 1 of a frame's 4 bytes]");
        channel.pipeline().removeFirst();
        channel.finish();
    }

    @Test // 37
    void closedOrRemovedAtTheStartOfAnEmptyFrameNothingIsMissing() {
        FrameStreamDecoder decoder = new FrameStreamDecoder(100, LengthPrefix.uint8());
        channel.pipeline().addLast(decoder, probe);
        probe.on(1, ctx -> ctx.pipeline().remove(decoder));
        probe.receive(channel, "\0\0");
        assertThat(probe.drain()).containsExactly("start 1/0 \0", "raw \0", "[complete]", "[complete]");
        channel.finish();
        probe.drain();

        StreamProbe closing = new StreamProbe().on(1, ctx -> ctx.close());
        EmbeddedChannel closed = new EmbeddedChannel(new FrameStreamDecoder(100, LengthPrefix.uint8()), closing);
        closing.receive(closed, "\0\0");
        assertThat(closing.log()).first().isEqualTo("start 1/0 \0");
        assertThat(closing.log()).noneMatch(line -> line.contains("Premature"));
        closed.finish();
    }

    static Stream<Arguments> messagesOfOneRead() {
        return IntStream.rangeClosed(1, IN_ONE_READ.size())
                .boxed()
                .flatMap(k -> Stream.of(false, true).map(thrown -> Arguments.of(k, thrown)));
    }

    @ParameterizedTest(name = "message {0}, then a throw: {1}")
    @MethodSource("messagesOfOneRead") // 19, 26
    void bytesFromBehindComeAfterThoseThatWereThere(int k, boolean thrown) {
        channel.pipeline().addLast(decoder, probe);
        probe.on(k, ctx -> {
            Probe.reenter(ctx, "h;\1y");
            Probe.reenter(ctx, ";\1z;");
            probe.note("[handled]");
            throwIf(thrown);
        });
        Wire.receive(channel, bytes(channel, STREAM.replace("\2f", "\3f")));
        channel.finish();
        List<String> expected = new ArrayList<>(IN_ONE_READ);
        expected.set(6, "start 5/3 \3");
        expected.addAll(List.of("h@2 last", "start 3/1 \1", "y@0", "@1 last", "start 3/1 \1", "z@0 last"));
        expected.add("[inactive]");
        expected.addAll(k, thrown ? List.of("[handled]", "[IllegalStateException: boom]") : List.of("[handled]"));
        assertThat(log()).isEqualTo(expected);
    }

    @ParameterizedTest(name = "then a throw: {0}")
    @ValueSource(booleans = {false, true}) // 19, 26
    void aStreamMayComeFromInsideItsDeliveries(boolean thrown) {
        channel.pipeline().addLast(decoder, probe);
        for (int i = 1; i < READS.length; i++) {
            String next = READS[i];
            probe.on(i, ctx -> {
                Probe.reenter(ctx, next);
                throwIf(thrown);
            });
        }
        Wire.receive(channel, bytes(channel, READS[0]));
        assertThat(log().stream().filter(line -> !line.contains("boom"))).isEqualTo(MESSAGES);
        assertThat(probe.faults).hasSize(thrown ? READS.length - 1 : 0);
        probe.receive(channel, ";");
        assertThat(log()).endsWith("@2 last");
        channel.finish();
        assertThat(log()).endsWith("@2 last", "[inactive]");
    }

    @Test // 34, 38
    void halfClosedAndThenClosedItSaysSoOnce() {
        channel.pipeline().addLast(decoder, probe);
        probe.receive(channel, "\2a");
        channel.pipeline().fireUserEventTriggered(ChannelInputShutdownEvent.INSTANCE);
        assertThat(decoder.hasEnded()).isTrue();
        probe.receive(channel, "b;\0;");
        channel.pipeline().fireUserEventTriggered(ChannelInputShutdownEvent.INSTANCE);
        channel.finish();
        assertThat(log())
                .containsExactly(
                        "start 4/2 \2",
                        "a@0",
                        "[PrematureCloseException: stream ended after 2 of 4 bytes]",
                        "[event ChannelInputShutdownEvent]",
                        "[event ChannelInputShutdownEvent]",
                        "[inactive]");
    }

    @Test // 29
    void anEndThatIsToldInsideADeliveryComesAfterWhatWasThere() {
        probe.on(1, ctx -> ctx.pipeline().fireUserEventTriggered(ChannelInputShutdownEvent.INSTANCE));
        receiveAll(true);
        channel.finish();
        List<String> expected = new ArrayList<>(IN_ONE_READ);
        expected.add("[PrematureCloseException: stream ended after 3 of 4 bytes]");
        expected.add("[event ChannelInputShutdownEvent]");
        expected.add("[inactive]");
        assertThat(log()).isEqualTo(expected);
    }

    @ParameterizedTest(name = "added first: {0}")
    @ValueSource(booleans = {true, false}) // 21
    void replacedAtALastChunkNoByteIsLost(boolean addedFirst) {
        probe.on(3, ctx -> {
            LengthPrefixedExactDecoder next = new LengthPrefixedExactDecoder(100, PREFIX);
            if (addedFirst) {
                String name = ctx.pipeline().context(decoder).name();
                ctx.pipeline().addAfter(name, null, next);
                ctx.pipeline().remove(decoder);
            } else {
                ctx.pipeline().replace(decoder, null, next);
            }
        });
        receiveAll(false);
        Wire.finishByPeer(channel);
        assertThat(log())
                .containsExactly(
                        "start 4/2 \2",
                        "a@0",
                        "b@1 last",
                        "raw ",
                        "raw cde",
                        "[PrematureCloseException: stream ended after 3 of 4 bytes]",
                        "[inactive]");
    }

    @Test // 19: what comes behind bytes that wait, waits too
    void aFrameThatBringsTheNextDoesNotNest() {
        int frames = 20_000;
        int[] seen = {0};
        int[] depth = {0};
        EmbeddedChannel channel = new EmbeddedChannel(
                new FrameStreamDecoder(100, LengthPrefix.uint8()), new ChannelInboundHandlerAdapter() {
                    @Override
                    public void channelRead(ChannelHandlerContext ctx, Object message) {
                        assertThat(++depth[0]).isOne();
                        if (message instanceof FrameChunk chunk) {
                            chunk.release();
                            if (++seen[0] < frames) {
                                ctx.pipeline().fireChannelRead(frame(ctx));
                            }
                        }
                        depth[0]--;
                    }
                });
        channel.writeInbound(frame(channel.pipeline().firstContext()));
        assertThat(channel.finish()).isFalse();
        assertThat(seen[0]).isEqualTo(frames);
    }

    private static ByteBuf frame(ChannelHandlerContext ctx) {
        return bytes(ctx.channel(), "\1x");
    }
}
