package io.exactframe.netty;

import static org.assertj.core.api.Assertions.assertThat;

import io.exactframe.netty.testing.Probe;
import io.exactframe.netty.testing.Wire;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandler;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.util.concurrent.Future;
import java.time.Duration;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** 59: two handlers of a pipeline with one budget are refused, at their first bytes; a change of handlers is not. */
class SharedBudgetTest {
    private static final String RECORD = "\37\100" + "x".repeat(8000);

    private final ReceiveBudget budget = new ReceiveBudget(10_000);
    private final ReceiveOptions options = withBudget(budget);
    private final Probe probe = new Probe();

    private static ReceiveOptions withBudget(ReceiveBudget budget) {
        return ReceiveOptions.defaults().budget(budget).frameDeadline(Duration.ofSeconds(1));
    }

    @AfterEach
    void nothingIsLeftInTheBudget() {
        assertThat(budget.used()).isZero();
        assertThat(budget.waiting()).isZero();
    }

    private enum Kind {
        FIXED,
        PREFIXED,
        OWN_CODEC,
        RECEIVER;

        ChannelHandler create(ReceiveOptions options) {
            return switch (this) {
                case FIXED -> new FixedLengthExactDecoder(8002, options);
                case PREFIXED -> prefixed(options);
                case OWN_CODEC -> new ExactFrameDecoder(2, 2, 10_000, options) {
                    @Override
                    protected long frameLength(ByteBuf header) {
                        return 2 + header.readUnsignedShort();
                    }
                };
                case RECEIVER -> new ExactReceiver(options);
            };
        }
    }

    private static LengthPrefixedExactDecoder prefixed(ReceiveOptions options) {
        return new LengthPrefixedExactDecoder(10_000, LengthPrefix.uint16(), options);
    }

    static Stream<Arguments> pairs() {
        return Stream.of(Kind.values())
                .flatMap(outer -> Stream.of(Kind.values()).map(inner -> Arguments.of(outer, inner)));
    }

    private void assertRefusedOnce() {
        assertThat(probe.exceptions)
                .singleElement()
                .isExactlyInstanceOf(IllegalStateException.class)
                .hasFieldOrPropertyWithValue(
                        "message",
                        "one ReceiveBudget in two handlers of a pipeline: each could wait for what the other holds;"
                                + " give each layer a budget of its own");
    }

    @ParameterizedTest
    @MethodSource("pairs")
    void twoLayersOfOneBudgetAreRefused(Kind outer, Kind inner) {
        EmbeddedChannel channel = new EmbeddedChannel(outer.create(options), inner.create(options), probe);
        assertThat(probe.exceptions).as("nothing is refused before there are bytes").isEmpty();
        Future<ByteBuf> receive = outer == Kind.RECEIVER
                ? channel.pipeline().get(ExactReceiver.class).receive(10)
                : null;
        for (int i = 0; i < 4; i++) {
            Wire.receive(channel, Probe.bytes(channel, RECORD.substring(0, 5000)));
        }
        assertRefusedOnce();
        assertThat(budget.waiting()).as("a deadlock").isZero();
        channel.finish();
        assertRefusedOnce();
        if (receive != null) {
            assertThat(receive.cause()).isInstanceOf(IllegalStateException.class);
        }
        assertThat(probe.log()).filteredOn(line -> line.startsWith("x")).isEmpty();
    }

    @ParameterizedTest
    @EnumSource
    void alsoIfTheSecondComesLater(Kind kind) {
        EmbeddedChannel channel = new EmbeddedChannel(prefixed(options), probe);
        Probe.receive(channel, "\0\1a" + RECORD.substring(0, 100));
        assertThat(probe.drain()).startsWith("a");
        ChannelHandler second = kind.create(options);
        channel.pipeline().addBefore(channel.pipeline().context(probe).name(), "second", second);
        Wire.receive(channel, Probe.bytes(channel, RECORD.substring(100)));
        assertRefusedOnce();
        channel.finish();
        assertRefusedOnce();
    }

    @Test
    void layersWithBudgetsOfTheirOwnAreFine() {
        ReceiveBudget other = new ReceiveBudget(20_000);
        EmbeddedChannel channel = new EmbeddedChannel(prefixed(options), prefixed(withBudget(other)), probe);
        String message = "\46\27" + "y".repeat(9751); // in two records
        for (int from = 0; from < message.length(); ) {
            int to = Math.min(from + 8000, message.length());
            int length = to - from;
            String record = "" + (char) (length >> 8) + (char) (length & 255) + message.substring(from, to);
            Probe.receive(channel, record.substring(0, length / 2));
            Probe.receive(channel, record.substring(length / 2));
            from = to;
        }
        assertThat(probe.exceptions).isEmpty();
        assertThat(probe.log()).contains("y".repeat(9751));
        channel.finish();
        assertThat(other.used()).isZero();
    }

    @Test
    void aStreamDecoderReservesNothingAndMayHaveTheSameOptions() {
        EmbeddedChannel channel =
                new EmbeddedChannel(prefixed(options), new FrameStreamDecoder(10_000, LengthPrefix.uint16(), options), probe);
        Probe.receive(channel, "\0\5\0\3abc");
        assertThat(probe.exceptions).isEmpty();
        assertThat(probe.log()).hasSize(3); // start, chunk, complete
        channel.finish();
        assertThat(probe.exceptions).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"replace", "add, remove", "remove inside a delivery", "replace inside a delivery"})
    void aChangeOfHandlersIsFine(String how) {
        LengthPrefixedExactDecoder old = prefixed(options);
        LengthPrefixedExactDecoder successor = prefixed(options);
        EmbeddedChannel channel = new EmbeddedChannel(old, probe);
        Runnable change = () -> {
            if (how.startsWith("replace")) {
                channel.pipeline().replace(old, "successor", successor);
            } else {
                channel.pipeline().addAfter(channel.pipeline().context(old).name(), "successor", successor);
                channel.pipeline().remove(old);
            }
        };
        if (how.endsWith("delivery")) {
            probe.onRead(1, ctx -> change.run());
        }
        Probe.receive(channel, "\0\1a" + RECORD.substring(0, 5000));
        if (!how.endsWith("delivery")) {
            change.run();
        }
        assertThat(budget.used()).isEqualTo(8002);
        Probe.receive(channel, RECORD.substring(5000) + RECORD.substring(0, 3000));
        Probe.receive(channel, RECORD.substring(3000));
        assertThat(probe.exceptions).isEmpty();
        assertThat(probe.log()).filteredOn(line -> !line.equals("[complete]"))
                .containsExactly("a", RECORD.substring(2), RECORD.substring(2));
        channel.finish();
    }
}
