package io.exactframe.examples.postgresql;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelOutboundHandlerAdapter;
import io.netty.channel.ChannelPromise;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.util.LeakPresenceDetector;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.logging.Logger;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class SessionTest {
    private static final String STARTED =
            "R:.... S:server_version.15.0. S:server_encoding.UTF8. S:client_encoding.UTF8. Z:I";
    private static final String ONE =
            "T:.<1>?column?..........<20>.<8><255><255><255><255>.. D:.<1>...<1>1 C:SELECT 1. Z:I";
    private static final byte[] SESSION =
            Wire.bytes(Wire.SSL_REQUEST, Wire.STARTUP, Wire.SELECT_1, Wire.TERMINATE, Wire.SELECT_1);

    private final EmbeddedChannel channel = new EmbeddedChannel(new PostgresServer());

    static IntStream sizes() {
        return IntStream.rangeClosed(1, SESSION.length);
    }

    /** Two modes of the decoder, an answer between them, and the end, all inside one read. */
    @ParameterizedTest(name = "fragments of {0} bytes")
    @MethodSource("sizes")
    void answersDoNotDependOnTheFragments(int size) {
        Wire.send(channel, SESSION, size);
        assertThat(Wire.answers(channel)).isEqualTo("N " + STARTED + " " + ONE);
        assertThat(channel.isOpen()).isFalse();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "select 42 | D:.<1>...<2>42",
                "  SELECT  7 ;  | D:.<1>...<1>7",
                "select 'two words' | D:.<1>...<9>two words",
                "select '' | D:.<1>....",
            })
    void aSelectOfOneValueIsAnswered(String sql, String row) {
        start();
        query(sql);
        assertThat(Wire.answers(channel)).contains(row + " C:SELECT 1. Z:I").endsWith("Z:I");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "  ", ";"})
    void anEmptyQueryHasItsOwnAnswer(String sql) {
        start();
        query(sql);
        assertThat(Wire.answers(channel)).isEqualTo("I: Z:I");
    }

    @ParameterizedTest
    @ValueSource(strings = {"drop table students", "select1", "select 'a' || 'b'", "select 1; select 2"})
    void anyOtherQueryIsAnErrorAndTheNextIsAnswered(String sql) {
        start();
        query(sql);
        assertThat(Wire.answers(channel)).startsWith("E:SERROR.VERROR.C42601.M").endsWith(". Z:I");
        query("SELECT 1");
        assertThat(Wire.answers(channel)).isEqualTo(ONE);
    }

    @Test
    void afterAnExtendedQueryTheRestIsSkippedUpToSync() {
        start();
        Wire.send(channel, "50 00000008 00000000", "42 00000004", Wire.SELECT_1, Wire.SYNC, Wire.SELECT_1);
        assertThat(Wire.answers(channel))
                .matches("E:SERROR.VERROR.C0A000.M[^:]*\\.\\. Z:I \\QT:\\E.*C:SELECT 1\\. Z:I");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "51 00000003", // less than the length itself
                "51 FFFFFFFF",
                "51 7FFFFFFF", // beyond the limit
                "51 00000005 41", // a string without its end
                "70 00000006 4100" // a password nobody asked for
            })
    void aViolationIsAnsweredOnceAndTheChannelCloses(String violation) {
        start();
        Wire.send(channel, violation, Wire.SELECT_1);
        assertThat(Wire.answers(channel)).matches("E:SFATAL\\.VFATAL\\.C08P01\\.M[^:]+(: -?\\d+)?[^:]*\\.\\.");
        assertThat(channel.isOpen()).isFalse();
    }

    @ParameterizedTest
    @CsvSource({"00000007, 08P01", "FFFFFFFF, 08P01", "00002715, 08P01", "00000009 00020000 00, 0A000"})
    void aStartupThatCannotBeServedIsAnsweredAndTheChannelCloses(String packet, String sqlState) {
        Wire.send(channel, packet);
        assertThat(Wire.answers(channel)).startsWith("E:SFATAL.VFATAL.C" + sqlState + ".M");
        assertThat(channel.isOpen()).isFalse();
    }

    @Test
    void aCancelRequestIsClosedWithoutAnswer() {
        Wire.send(channel, Wire.CANCEL_REQUEST);
        assertThat(Wire.answers(channel)).isEmpty();
        assertThat(channel.isOpen()).isFalse();
    }

    @Test
    void nothingIsAnsweredBehindTheLastAnswer() {
        HeldWrites held = new HeldWrites();
        channel.pipeline().addFirst(held);
        Wire.send(channel, Wire.STARTUP, Wire.TERMINATE, Wire.SELECT_1, "51 00000003");
        assertThat(channel.isOpen()).isTrue();
        assertThat(held.writes).hasSize(6); // five to the startup, then the empty buffer whose end is the channel's
        held.letGo();
        assertThat(Wire.answers(channel)).isEqualTo(STARTED);
        assertThat(channel.isOpen()).isFalse();
    }

    static Stream<Arguments> faults() {
        return Stream.of(
                Arguments.of(new IOException("Connection reset"), "INFO the client is gone: Connection reset"),
                Arguments.of(new IllegalStateException(), "SEVERE a fault of our own"));
    }

    @ParameterizedTest(name = "{1}")
    @MethodSource("faults")
    void otherFaultsCloseTheChannelWithoutAnAnswer(Exception fault, String line) {
        start();
        assertThat(logged(() -> channel.pipeline().fireExceptionCaught(fault))).containsExactly(line);
        assertThat(Wire.answers(channel)).isEmpty();
        assertThat(channel.isOpen()).isFalse();
    }

    @Test
    void aClientThatHalfClosesInsideAMessageIsGone() {
        start();
        Wire.send(channel, "51 0000000D 53");
        assertThat(logged(() -> channel.pipeline().fireUserEventTriggered(ChannelInputShutdownEvent.INSTANCE)))
                .containsExactly("INFO the client is gone: stream ended after 6 of 14 bytes");
        assertThat(Wire.answers(channel)).isEmpty();
        assertThat(channel.isOpen()).isFalse();
    }

    @Test
    void aClientThatDoesNotReadTheAnswersIsNotReadFrom() {
        channel.unsafe().outboundBuffer().setUserDefinedWritability(1, false);
        channel.runPendingTasks();
        assertThat(channel.config().isAutoRead()).isFalse();
        channel.unsafe().outboundBuffer().setUserDefinedWritability(1, true);
        channel.runPendingTasks();
        assertThat(channel.config().isAutoRead()).isTrue();
    }

    private void start() {
        Wire.send(channel, Wire.STARTUP);
        assertThat(Wire.answers(channel)).isEqualTo(STARTED);
    }

    private void query(String sql) {
        String content = Wire.hex(sql) + "00";
        Wire.send(channel, "51", String.format("%08x", 4 + content.length() / 2), content);
    }

    /** As if the client did not read. */
    private static final class HeldWrites extends ChannelOutboundHandlerAdapter {
        private final List<Runnable> writes = new ArrayList<>();

        @Override
        public void write(ChannelHandlerContext ctx, Object message, ChannelPromise promise) {
            writes.add(() -> ctx.writeAndFlush(message, promise));
        }

        void letGo() {
            writes.forEach(Runnable::run);
        }
    }

    /** What the session logs meanwhile, as "LEVEL message". */
    private static List<String> logged(Runnable action) {
        List<String> lines = new ArrayList<>();
        Logger logger = Logger.getLogger(Session.class.getName());
        logger.setFilter(line -> {
            lines.add(line.getLevel() + " " + line.getMessage());
            return false;
        });
        try {
            action.run();
        } finally {
            logger.setFilter(null);
        }
        return lines;
    }

    @AfterEach
    void nothingLeaks() {
        channel.finishAndReleaseAll();
        LeakPresenceDetector.check();
    }
}
