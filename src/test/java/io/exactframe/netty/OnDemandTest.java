package io.exactframe.netty;

import static io.exactframe.netty.testing.Probe.bytes;
import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import io.exactframe.netty.testing.Wire;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOutboundHandlerAdapter;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.util.ReferenceCountUtil;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** 31, 58: one message per read() while auto-read is off; the rest waits, and the end behind it. */
class OnDemandTest {
    private static final ReceiveOptions ON_DEMAND = ReceiveOptions.defaults().onDemand();

    private enum Kind {
        FIXED(""),
        PREFIXED("\0\4"),
        OWN_CODEC("m\4"),
        STREAM("\0\4");

        final String header;

        Kind(String header) {
            this.header = header;
        }

        FrameDecoder decoder(ReceiveOptions options) {
            return switch (this) {
                case FIXED -> new FixedLengthExactDecoder(4, options);
                case PREFIXED -> new LengthPrefixedExactDecoder(16, LengthPrefix.uint16(), options);
                case STREAM -> new FrameStreamDecoder(16, LengthPrefix.uint16(), options);
                case OWN_CODEC -> new ExactFrameDecoder(1, 2, 16, options) {
                    @Override
                    protected long frameLength(ByteBuf header) {
                        return header.readableBytes() == 1 ? -2 : 2 + header.getUnsignedByte(1);
                    }

                    @Override
                    protected Object decode(ChannelHandlerContext ctx, ByteBuf frame) {
                        return frame.getByte(2) == '-' ? null : frame.skipBytes(2).readRetainedSlice(4);
                    }
                };
            };
        }

        String wire(String... payloads) {
            StringBuilder all = new StringBuilder();
            for (String payload : payloads) {
                all.append(header).append(payload);
            }
            return all.toString();
        }

        /** What goes on of whole frames: of a stream two messages each. */
        String[] messages(String... payloads) {
            List<String> all = new ArrayList<>();
            for (String payload : payloads) {
                if (this == STREAM) {
                    all.add("<");
                    all.add(payload + ">");
                } else {
                    all.add(payload);
                }
            }
            return all.toArray(new String[0]);
        }

        /** The fault of a last frame of which the payload's first byte came. */
        String cut() {
            return "PrematureCloseException: stream ended after " + (header.length() + 1) + " of "
                    + (header.length() + 4) + " bytes";
        }
    }

    private final List<String> log = new ArrayList<>();
    private Runnable onMessage = () -> {};
    private int reads; // asked of the transport
    private Kind kind;
    private FrameDecoder decoder;
    private EmbeddedChannel channel;

    private void open(Kind kind, ReceiveOptions options) {
        this.kind = kind;
        decoder = kind.decoder(options);
        channel = new EmbeddedChannel(new ReadCounter(), decoder, new Notes());
        channel.config().setAutoRead(false);
        reads = 0;
    }

    private final class ReadCounter extends ChannelOutboundHandlerAdapter {
        @Override
        public void read(ChannelHandlerContext ctx) {
            reads++;
            ctx.read();
        }
    }

    private final class Notes extends ChannelInboundHandlerAdapter {
        @Override
        public void channelRead(ChannelHandlerContext ctx, Object message) {
            if (message instanceof FrameStart) {
                log.add("<");
            } else if (message instanceof FrameChunk chunk) {
                log.add(chunk.content().toString(ISO_8859_1) + (chunk.isLast() ? ">" : ""));
            } else {
                log.add(((ByteBuf) message).toString(ISO_8859_1));
            }
            ReferenceCountUtil.release(message);
            onMessage.run();
        }

        @Override
        public void channelReadComplete(ChannelHandlerContext ctx) {
            log.add("complete");
        }

        @Override
        public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
            log.add("input shut");
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
            log.add(cause.getClass().getSimpleName() + ": " + cause.getMessage());
        }

        @Override
        public void channelInactive(ChannelHandlerContext ctx) {
            log.add("inactive");
        }
    }

    private void receive(String text) {
        Wire.receive(channel, bytes(channel, text));
    }

    private List<String> drain() {
        List<String> drained = List.copyOf(log);
        log.clear();
        return drained;
    }

    /** Each of these is one read()'s; the transport is asked for none of them. */
    private void assertReadOneByOne(String... messages) {
        int before = reads;
        for (String message : messages) {
            channel.read();
            assertThat(drain()).containsExactly(message, "complete");
        }
        assertThat(reads).isEqualTo(before);
    }

    private static String[] concat(String[] messages, String... more) {
        List<String> all = new ArrayList<>(List.of(messages));
        all.addAll(List.of(more));
        return all.toArray(new String[0]);
    }

    @ParameterizedTest
    @EnumSource
    void oneMessageForEachReadAndNothingFromTheSocketWhileOneWaits(Kind kind) {
        open(kind, ON_DEMAND);
        channel.read();
        assertThat(reads).isOne();
        receive(kind.wire("ABCD", "EFGH", "IJKL"));
        String[] messages = kind.messages("ABCD", "EFGH", "IJKL");
        assertThat(drain()).containsExactly(messages[0], "complete");
        assertReadOneByOne(List.of(messages).subList(1, messages.length).toArray(new String[0]));
        channel.read();
        assertThat(drain()).isEmpty();
        assertThat(reads).isEqualTo(2);
        channel.finish();
    }

    /** TLS and decompressors do; the end of the read tells whoever writes in it to flush. */
    @ParameterizedTest
    @EnumSource
    void aReadThatCameInPiecesEndsBehindItsFirstMessage(Kind kind) {
        open(kind, ON_DEMAND);
        channel.read();
        for (String piece : List.of(kind.wire("ABCD", "EFGH"), kind.wire("IJKL"), kind.wire("MNOP"))) {
            channel.pipeline().fireChannelRead(bytes(channel, piece));
        }
        channel.pipeline().fireChannelReadComplete();
        String[] messages = kind.messages("ABCD", "EFGH", "IJKL", "MNOP");
        assertThat(drain()).containsExactly(messages[0], "complete");
        assertReadOneByOne(List.of(messages).subList(1, messages.length).toArray(new String[0]));
        channel.read();
        assertThat(drain()).isEmpty();
        assertThat(reads).isEqualTo(2);
        channel.finish();
    }

    @ParameterizedTest
    @EnumSource
    void whatNobodyAskedForWaits(Kind kind) {
        open(kind, ON_DEMAND); // epoll and io_uring read at the end without being asked
        receive(kind.wire("ABCD", "EFGH").substring(0, kind.header.length() + 5));
        receive(kind.wire("ABCD", "EFGH").substring(kind.header.length() + 5));
        assertThat(log).doesNotContain("ABCD", "EFGH", "<");
        drain();
        assertReadOneByOne(kind.messages("ABCD", "EFGH"));
        channel.finish();
    }

    @ParameterizedTest
    @EnumSource
    void aReadThatGaveNothingIsFollowedByAnother(Kind kind) {
        open(kind, ON_DEMAND);
        channel.read();
        String frame = kind.wire("ABCD");
        receive(frame.substring(0, 1));
        assertThat(reads).isEqualTo(2);
        receive(frame.substring(1) + kind.wire("EFGH").substring(0, 1));
        assertThat(reads).isEqualTo(2);
        assertThat(log.get(0)).isEqualTo(kind.messages("ABCD")[0]);
        channel.finish();
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aFrameThatIsNoMessageUsesUpNoRead(boolean waiting) {
        open(Kind.OWN_CODEC, ON_DEMAND);
        channel.read();
        receive(kind.wire("ABCD", "-...", "-...", "EFGH", "-..."));
        assertThat(drain()).containsExactly("ABCD", "complete");
        channel.read();
        assertThat(drain()).containsExactly("EFGH", "complete");
        if (waiting) {
            receive(kind.wire("-...", "IJKL"));
            assertThat(drain()).doesNotContain("IJKL");
        }
        channel.read();
        assertThat(drain()).isEqualTo(waiting ? List.of("IJKL", "complete") : List.of());
        channel.finish();
    }

    @ParameterizedTest
    @EnumSource
    void theEndWaitsBehindTheFrames(Kind kind) {
        for (String end : List.of("inactive", "input shut")) {
            open(kind, ON_DEMAND);
            channel.read();
            receive(kind.wire("ABCD", "EFGH", "IJKL").substring(0, 3 * kind.header.length() + 9));
            if (end.equals("inactive")) {
                channel.pipeline().fireChannelInactive();
            } else {
                channel.pipeline().fireUserEventTriggered(ChannelInputShutdownEvent.INSTANCE);
            }
            String[] messages = kind == Kind.STREAM
                    ? concat(kind.messages("ABCD", "EFGH"), "<", "I")
                    : kind.messages("ABCD", "EFGH");
            assertThat(drain()).containsExactly(messages[0], "complete");
            for (int i = 1; i < messages.length; i++) {
                channel.read();
                List<String> read = drain();
                assertThat(read).startsWith(messages[i]);
                if (i < messages.length - 1) {
                    assertThat(read).containsExactly(messages[i], "complete");
                } else {
                    assertThat(read).filteredOn(line -> !line.equals("complete"))
                            .containsExactly(messages[i], kind.cut(), end);
                }
            }
            channel.finish();
            assertThat(log).doesNotContain(kind.cut());
            drain();
        }
    }

    @ParameterizedTest
    @EnumSource
    void whatWaitsGoesOnWhenThePipelineIsTakenApart(Kind kind) {
        open(kind, ON_DEMAND);
        List<String> atInactive = new ArrayList<>();
        channel.pipeline().addFirst(new ChannelInboundHandlerAdapter() {
            @Override
            public void channelInactive(ChannelHandlerContext ctx) {
                ctx.fireChannelInactive();
                atInactive.addAll(log);
            }
        });
        receive(kind.wire("ABCD", "EFGH", "IJKL").substring(0, 3 * kind.header.length() + 9));
        drain();
        channel.unsafe().close(channel.voidPromise()); // as a transport closes
        assertThat(atInactive).isEmpty(); // until channelUnregistered somebody may ask
        String[] last = kind == Kind.STREAM ? new String[] {"<", "I", kind.cut(), "inactive"} : new String[] {
            kind.cut(), "inactive"
        };
        assertThat(drain()).filteredOn(line -> !line.equals("complete"))
                .containsExactly(concat(kind.messages("ABCD", "EFGH"), last));
    }

    @ParameterizedTest // 36: all of it arrived, and more
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "STREAM") // which gives on what there is, and collects nothing
    void aFrameThatWaitsWholeIsNotMissingWhenWeClose(Kind kind) {
        open(kind, ON_DEMAND);
        String wire = kind.wire("ABCD", "EFGH");
        receive(kind.wire("ABCD").substring(0, kind.header.length() + 1)); // a part of it is collected
        receive(wire.substring(kind.header.length() + 1));
        drain();
        channel.close();
        assertThat(drain()).containsExactly("inactive");
    }

    @ParameterizedTest
    @EnumSource
    void autoReadSwitchedOnAgainLetsEverythingGo(Kind kind) {
        open(kind, ON_DEMAND);
        channel.read();
        receive(kind.wire("ABCD", "EFGH", "IJKL"));
        channel.pipeline().fireUserEventTriggered(ChannelInputShutdownEvent.INSTANCE);
        assertThat(drain()).containsExactly(kind.messages("ABCD")[0], "complete");
        channel.config().setAutoRead(true);
        String[] messages = kind.messages("ABCD", "EFGH", "IJKL");
        assertThat(drain()).filteredOn(line -> !line.equals("complete"))
                .containsExactly(concat(
                        List.of(messages).subList(1, messages.length).toArray(new String[0]), "input shut"));
        receive(kind.wire("MNOP", "QRST"));
        assertThat(log).isNotEmpty().filteredOn(line -> !line.equals("complete")).isEmpty(); // the input has ended
        channel.finish();
    }

    @ParameterizedTest
    @EnumSource
    void withAutoReadNothingWaits(Kind kind) {
        open(kind, ON_DEMAND);
        channel.config().setAutoRead(true);
        receive(kind.wire("ABCD", "EFGH"));
        assertThat(drain()).containsExactly(concat(kind.messages("ABCD", "EFGH"), "complete"));
        onMessage = () -> channel.config().setAutoRead(false);
        receive(kind.wire("IJKL", "MNOP"));
        assertThat(drain()).containsExactly(kind.messages("IJKL")[0], "complete");
        channel.config().setAutoRead(true);
        assertThat(log.get(0)).isEqualTo(kind.messages("IJKL", "MNOP")[1]);
        channel.finish();
    }

    @ParameterizedTest
    @EnumSource
    void removalHandsOnWhatWaits(Kind kind) {
        open(kind, ON_DEMAND);
        channel.read();
        receive(kind.wire("ABCD"));
        drain();
        if (kind == Kind.STREAM) {
            assertReadOneByOne("ABCD>");
        }
        receive(kind.wire("EFGH"));
        receive(kind.wire("IJKL").substring(0, 1));
        channel.pipeline().fireUserEventTriggered(ChannelInputShutdownEvent.INSTANCE);
        assertThat(drain()).doesNotContain("input shut");
        channel.pipeline().remove(decoder);
        assertThat(drain()).filteredOn(line -> !line.equals("complete"))
                .containsExactly(kind.wire("EFGH") + kind.wire("IJKL").charAt(0), "input shut");
        channel.finish();
    }

    @ParameterizedTest
    @EnumSource
    void aCloseFromBehindIsTheLastOfIt(Kind kind) {
        open(kind, ON_DEMAND);
        channel.read();
        receive(kind.wire("ABCD", "EFGH", "IJKL"));
        drain();
        channel.close();
        List<String> end = drain();
        assertThat(end).filteredOn(line -> !line.equals("complete")).last().isEqualTo("inactive");
        if (kind == Kind.STREAM) { // its first frame was begun
            assertThat(end).filteredOn(line -> line.startsWith("PrematureCloseException: stream ended after 2 of 6"))
                    .hasSize(1);
        } else {
            assertThat(end).noneMatch(line -> line.startsWith("Premature"));
        }
        assertThat(end).doesNotContain("ABCD>", "EFGH", "IJKL", "<");
    }

    @ParameterizedTest
    @EnumSource
    void readsAreNotNested(Kind kind) {
        open(kind, ON_DEMAND);
        int[] depth = {0, 0};
        int[] seen = {0};
        onMessage = () -> {
            depth[1] = Math.max(depth[1], ++depth[0]);
            channel.read();
            seen[0] = reads;
            depth[0]--;
        };
        channel.read();
        receive(kind.wire("ABCD").repeat(10_000));
        assertThat(log).filteredOn(line -> !line.equals("complete")).hasSize(kind == Kind.STREAM ? 20_000 : 10_000);
        assertThat(depth[1]).isOne();
        assertThat(seen[0]).as("asked of the transport while frames waited").isOne();
        channel.finish();
    }

    @ParameterizedTest
    @EnumSource
    void nobodyIsToBlameForAFrameThatWaitsInFrontOfAPart(Kind kind) {
        open(kind, ON_DEMAND.frameDeadline(Duration.ofSeconds(1)).stallTimeout(Duration.ofMillis(500)));
        channel.freezeTime();
        channel.read();
        receive(kind.wire("ABCD", "EFGH", "IJKL").substring(0, 3 * kind.header.length() + 9));
        drain();
        for (int i = 0; i < 100; i++) {
            channel.advanceTimeBy(100, TimeUnit.MILLISECONDS);
            channel.runScheduledPendingTasks();
        }
        assertThat(drain()).isEmpty();
        String[] messages = kind.messages("ABCD", "EFGH");
        assertReadOneByOne(List.of(messages).subList(1, messages.length).toArray(new String[0]));
        channel.finish();
    }

    /** Auto-read is on, its read() is not here yet, and the frame of a part that waits for it is too late. */
    @Tag("clock")
    @Test
    void whatWaitsBehindAPartThatIsTooLateGoesOn() {
        open(Kind.STREAM, ON_DEMAND.frameDeadline(Duration.ofSeconds(8)));
        channel.freezeTime();
        channel.read();
        channel.pipeline().addLast(new ChannelOutboundHandlerAdapter() {
            @Override
            public void read(ChannelHandlerContext ctx) {}
        });
        channel.pipeline().fireChannelRead(bytes(channel, kind.wire("ABCD").substring(0, kind.header.length() + 2)));
        receive("C");
        channel.pipeline().fireUserEventTriggered("an event");
        assertThat(drain()).doesNotContain("input shut");
        channel.config().setAutoRead(true);
        for (int i = 0; i < 12; i++) {
            channel.advanceTimeBy(1, TimeUnit.SECONDS);
            channel.runScheduledPendingTasks();
        }
        assertThat(drain()).contains("input shut").anyMatch(line -> line.startsWith("FrameTimeoutException"));
        channel.finish();
    }
}
