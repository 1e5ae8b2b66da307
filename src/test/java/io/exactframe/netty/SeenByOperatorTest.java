package io.exactframe.netty;

import static org.assertj.core.api.Assertions.assertThat;

import io.exactframe.netty.testing.Probe;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelPipelineException;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioDatagramChannel;
import io.netty.handler.codec.CorruptedFrameException;
import io.netty.handler.codec.TooLongFrameException;
import io.netty.util.concurrent.Future;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import jdk.jfr.Recording;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordingFile;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What somebody sees who operates a server with these handlers: recorded events, names in logs, a budget's figures. */
class SeenByOperatorTest {
    private static final LengthPrefix PREFIX = LengthPrefix.uint16();
    private static final ReceiveOptions TIMED = ReceiveOptions.defaults().frameDeadline(Duration.ofSeconds(1));

    private enum Kind {
        PREFIXED,
        STREAM,
        RECEIVER;

        ChannelHandler create(ReceiveOptions options) {
            return switch (this) {
                case PREFIXED -> new LengthPrefixedExactDecoder(10_000, PREFIX, options);
                case STREAM -> new FrameStreamDecoder(10_000, PREFIX, options);
                case RECEIVER -> new ExactReceiver(options);
            };
        }
    }

    private static EmbeddedChannel channel(ChannelHandler handler, Probe probe) {
        EmbeddedChannel channel = new EmbeddedChannel();
        channel.freezeTime();
        channel.pipeline().addLast("frames", handler).addLast(probe);
        if (handler instanceof ExactReceiver receiver) {
            receiver.receive(PREFIX, 10_000).addListener((Future<ByteBuf> receive) -> {
                if (receive.isSuccess()) {
                    receive.getNow().release();
                }
            });
        }
        return channel;
    }

    private static void arrive(Channel channel, String hex) {
        channel.pipeline().fireChannelRead(Unpooled.wrappedBuffer(ByteBufUtil.decodeHexDump(hex)));
        channel.pipeline().fireChannelReadComplete();
    }

    @Nested
    class Recorded {
        @TempDir
        Path folder;

        private List<RecordedEvent> record(String name, Runnable what) throws Exception {
            Path file = folder.resolve("recording.jfr");
            try (Recording recording = new Recording()) {
                recording.start(); // events are on, unless somebody switches them off
                what.run();
                recording.stop();
                recording.dump(file);
            }
            List<RecordedEvent> events = new ArrayList<>(RecordingFile.readAllEvents(file));
            events.removeIf(event -> !event.getEventType().getName().equals(name));
            return events;
        }

        @Tag("clock")
        @ParameterizedTest
        @EnumSource
        void everyFaultThatIsTold(Kind kind) throws Exception {
            Probe probe = new Probe();
            List<EmbeddedChannel> channels = new ArrayList<>();
            List<RecordedEvent> events = record("io.exactframe.Fault", () -> {
                for (String stream : List.of("000441", "000441", "FFFF41")) {
                    EmbeddedChannel channel = channel(kind.create(TIMED), probe);
                    channels.add(channel);
                    arrive(channel, stream);
                }
                channels.get(0).close();
                channels.get(1).advanceTimeBy(1, TimeUnit.SECONDS);
                channels.get(1).runScheduledPendingTasks();
            });
            assertThat(probe.exceptions).hasSize(3);
            assertThat(events).extracting(event -> event.getString("handler")).containsOnly("frames").hasSize(3);
            assertThat(events)
                    .extracting(event -> event.getString("fault"))
                    .containsExactlyInAnyOrderElementsOf(probe.exceptions.stream().map(Throwable::toString).toList())
                    .anyMatch(fault -> fault.contains("stream ended after 3 of 6 bytes"))
                    .anyMatch(fault -> fault.contains("3 of 6 bytes within the deadline of 1000 ms"))
                    .anyMatch(fault -> fault.contains("the limit is 10000"));
            assertThat(events)
                    .extracting(event -> event.getString("channel"))
                    .containsExactlyInAnyOrderElementsOf(channels.stream().map(it -> it.id().asShortText()).toList());
            channels.forEach(EmbeddedChannel::finishAndReleaseAll);
        }

        @Test
        void framesThatAreSkippedAndCodecsThatFail() throws Exception {
            Probe probe = new Probe();
            List<RecordedEvent> events = record("io.exactframe.Fault", () -> {
                ReceiveOptions options = ReceiveOptions.defaults().skipOversized(20_000);
                EmbeddedChannel skips = channel(new LengthPrefixedExactDecoder(4, PREFIX, options), probe);
                arrive(skips, "0003414141" + "0003424242");
                EmbeddedChannel receives = channel(new ExactReceiver(options), probe);
                arrive(receives, "2710");
                receives.finishAndReleaseAll();
                EmbeddedChannel fails = channel(
                        new ExactFrameDecoder(1, 4) {
                            @Override
                            protected long frameLength(ByteBuf header) {
                                throw new CorruptedFrameException("no such type");
                            }
                        },
                        probe);
                arrive(fails, "41");
                skips.finishAndReleaseAll();
                fails.finishAndReleaseAll();
            });
            assertThat(events)
                    .extracting(event -> event.getString("fault"))
                    .containsExactly(
                            TooLongFrameException.class.getName() + ": frame of 5 bytes, the limit is 4",
                            TooLongFrameException.class.getName() + ": frame of 5 bytes, the limit is 4",
                            TooLongFrameException.class.getName() + ": frame of 10002 bytes, the limit is 10000",
                            PrematureCloseException.class.getName()
                                    + ": stream ended after 2 of 10002 bytes, closed on this side",
                            CorruptedFrameException.class.getName() + ": no such type");
        }

        @Test
        void aFaultThatCannotSayWhatItIs() throws Exception {
            List<Throwable> told = new ArrayList<>();
            List<RecordedEvent> events = record("io.exactframe.Fault", () -> {
                EmbeddedChannel channel = new EmbeddedChannel(
                        new ExactFrameDecoder(1, 4) {
                            @Override
                            protected long frameLength(ByteBuf header) {
                                throw new Unspeakable();
                            }
                        },
                        new ChannelInboundHandlerAdapter() {
                            @Override
                            public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
                                told.add(cause);
                            }
                        });
                arrive(channel, "41");
                channel.finishAndReleaseAll();
            });
            assertThat(told.stream().map(Throwable::getClass)).containsExactly(Unspeakable.class);
            assertThat(events)
                    .extracting(event -> event.getString("fault"))
                    .containsExactly(Unspeakable.class.getName());
        }

        /** Whose message is its codec's, and fails. */
        private static final class Unspeakable extends CorruptedFrameException {
            private static final long serialVersionUID = 1;

            @Override
            public String getMessage() {
                throw new IllegalStateException("on purpose");
            }
        }

        @Test
        void aWaitForMemoryAndItsLength() throws Exception {
            ReceiveBudget budget = new ReceiveBudget(8000);
            Probe probe = new Probe();
            EmbeddedChannel holds = channel(Kind.PREFIXED.create(TIMED.budget(budget)), probe);
            EmbeddedChannel waits = channel(Kind.PREFIXED.create(TIMED.budget(budget)), probe);
            EmbeddedChannel leaves = channel(Kind.RECEIVER.create(TIMED.budget(budget)), probe);
            List<RecordedEvent> events = record("io.exactframe.MemoryWait", () -> {
                arrive(holds, "176E41"); // 5,998 and its length
                assertThat(budget.longestWait()).isZero();
                arrive(waits, "138641"); // 4,998
                arrive(leaves, "176E41");
                Duration before = budget.longestWait();
                assertThat(before).isPositive().isLessThan(Duration.ofMinutes(1));
                assertThat(budget.longestWait()).isGreaterThan(before);
                assertThat(budget.waiting()).isEqualTo(2);
                assertThat(budget).hasToString("ReceiveBudget[6000 of 8000 bytes used, 2 waiting]");
                leaves.close();
                holds.close();
                waits.runPendingTasks();
                assertThat(budget.used()).isEqualTo(5000);
                assertThat(budget.longestWait()).isZero();
            });
            List.of(holds, waits, leaves).forEach(EmbeddedChannel::finishAndReleaseAll);
            assertThat(events).extracting(event -> event.getLong("bytes")).containsExactlyInAnyOrder(5000L, 6000L);
            assertThat(events).extracting(RecordedEvent::getDuration).allMatch(length -> length.toNanos() > 0);
            assertThat(budget.used()).isZero();
        }
    }

    @Tag("clock")
    @ParameterizedTest
    @EnumSource
    void aHandlerSaysWhatItIsDoing(Kind kind) {
        Probe probe = new Probe();
        ChannelHandler handler = kind.create(TIMED);
        String name = handler.getClass().getSimpleName();
        EmbeddedChannel channel = channel(handler, probe);
        assertThat(handler.toString()).startsWith(name + "(CUTTING").doesNotContain(" ms");
        arrive(channel, "0004" + "41");
        channel.advanceTimeBy(300, TimeUnit.MILLISECONDS);
        assertThat(handler.toString()).startsWith(name + "(CUTTING, 3 of 6 bytes, for 300 ms)");
        arrive(channel, "424344");
        assertThat(handler.toString()).startsWith(name + "(CUTTING, 0 of ").doesNotContain(" ms");
        channel.close();
        assertThat(handler.toString()).contains(kind == Kind.RECEIVER ? " ENDED" : "(ENDED");
        channel.finishAndReleaseAll();
    }

    @Test
    void aReceiverSaysWhatBecameOfItsStream() {
        ExactReceiver receiver = new ExactReceiver();
        EmbeddedChannel channel = channel(receiver, new Probe());
        assertThat(receiver.toString()).endsWith(") OPEN");
        arrive(channel, "FFFF");
        assertThat(receiver.toString()).endsWith(") FAILED");
        channel.finishAndReleaseAll();
    }

    @ParameterizedTest
    @EnumSource
    void aChannelOfDatagramsIsRefused(Kind kind) throws Exception {
        Probe probe = new Probe();
        EventLoopGroup loops = new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
        try {
            NioDatagramChannel channel = new NioDatagramChannel();
            loops.register(channel).sync();
            ChannelHandler handler = kind.create(ReceiveOptions.defaults());
            channel.pipeline().addLast(probe).addFirst("frames", handler);
            if (handler instanceof ExactReceiver receiver) {
                assertThat(receiver.receive(1).await(30, TimeUnit.SECONDS)).as("done").isTrue();
            }
            channel.eventLoop().submit(() -> {}).sync();
            assertThat(probe.exceptions)
                    .singleElement()
                    .isInstanceOf(ChannelPipelineException.class)
                    .extracting(Throwable::getCause)
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasToString(IllegalArgumentException.class.getName() + ": datagrams are whole already, and no stream");
            assertThat(channel.pipeline().get("frames")).isNull();
            channel.close().sync();
        } finally {
            loops.shutdownGracefully(0, 10, TimeUnit.SECONDS).sync();
        }
    }
}
