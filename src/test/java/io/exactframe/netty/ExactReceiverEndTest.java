package io.exactframe.netty;

import static io.exactframe.netty.LengthPrefix.uint16;
import static io.exactframe.netty.testing.ReceiverChannel.text;
import static org.assertj.core.api.Assertions.assertThat;

import io.exactframe.netty.testing.ReceiverChannel;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.util.concurrent.Future;
import io.netty.util.concurrent.ProgressiveFuture;
import java.io.IOException;
import java.nio.channels.ClosedChannelException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The end of the stream, as the futures and as the pipeline see it. */
class ExactReceiverEndTest {
    private static final String STREAM = "ABC\0\4defg\0\0HI"; // 3 bytes, two prefixed frames, 2 bytes
    private static final List<Integer> BOUNDARIES = List.of(0, 3, 9, 11, 13);

    /** What the exception says for a stream that is cut off after so many bytes. */
    private static final List<String> MESSAGES = List.of(
            "0 of 3 bytes",
            "1 of 3 bytes",
            "2 of 3 bytes",
            "0 of 2 header bytes",
            "1 of 2 header bytes",
            "2 of 6 bytes", // right after a complete length field
            "3 of 6 bytes",
            "4 of 6 bytes",
            "5 of 6 bytes",
            "0 of 2 header bytes",
            "1 of 2 header bytes",
            "0 of 2 bytes",
            "1 of 2 bytes",
            "0 of 5 bytes");

    private final ReceiverChannel it = new ReceiverChannel();
    private final ExactReceiver receiver = it.receiver;

    @AfterEach
    void close() {
        it.channel.finish();
    }

    private enum End {
        CLOSE,
        CLOSE_OF_OUR_OWN,
        HALF_CLOSE,
        HALF_CLOSE_THEN_CLOSE,
        RESET;

        String message(int offset) {
            return "stream ended after " + MESSAGES.get(offset) + (this == CLOSE_OF_OUR_OWN ? ", closed on this side" : "");
        }

        void comeTo(ReceiverChannel it) {
            if (this == RESET) {
                it.channel.pipeline().fireExceptionCaught(new IOException("reset, on purpose"));
            }
            if (this == HALF_CLOSE || this == HALF_CLOSE_THEN_CLOSE) {
                it.halfClose();
            }
            if (this == CLOSE) {
                it.peerCloses();
            } else if (this != HALF_CLOSE) {
                it.channel.close();
            }
        }

        /** What passes the receiver, in order. */
        List<String> passes(boolean inFrame) {
            List<String> passed = new ArrayList<>();
            if (this == RESET) {
                passed.add("IOException");
            }
            if (inFrame) {
                passed.add("PrematureCloseException");
            }
            if (this == HALF_CLOSE || this == HALF_CLOSE_THEN_CLOSE) {
                passed.add("ChannelInputShutdownEvent");
            }
            if (this != HALF_CLOSE) {
                passed.add("inactive");
            }
            return passed;
        }
    }

    private static List<ProgressiveFuture<ByteBuf>> ask(ExactReceiver receiver) {
        return List.of(
                receiver.receive(3),
                receiver.receive(uint16(), 100),
                receiver.receive(uint16(), 100),
                receiver.receive(2),
                receiver.receive(5));
    }

    @ParameterizedTest // 33 to 37, 39, 46
    @EnumSource
    void theEndAtEveryByte(End end) {
        for (int offset = 0; offset <= STREAM.length(); offset++) {
            ReceiverChannel it = new ReceiverChannel();
            List<ProgressiveFuture<ByteBuf>> receives = ask(it.receiver);
            int[] completions = new int[receives.size()];
            for (int i = 0; i < completions.length; i++) {
                int index = i;
                receives.get(i).addListener(receive -> completions[index]++);
            }
            it.arrive(STREAM.substring(0, offset));
            it.passed.clear();
            end.comeTo(it);

            boolean inFrame = !BOUNDARIES.contains(offset);
            assertThat(it.passed).as("offset %d", offset).isEqualTo(end.passes(inFrame));
            if (inFrame) {
                assertThat(it.exceptions.get(it.exceptions.size() - 1))
                        .hasMessage(end.message(offset));
            }
            int whole = 0;
            while (whole < 4 && BOUNDARIES.get(whole + 1) <= offset) {
                text(receives.get(whole++));
            }
            Throwable cause = receives.get(whole).cause();
            if (end == End.RESET) {
                assertThat(cause).isSameAs(it.exceptions.get(0));
            } else {
                assertThat(cause).hasMessage(end.message(offset));
            }
            assertThat(receives.subList(whole, 5)).allSatisfy(receive -> assertThat(receive.cause())
                    .isExactlyInstanceOf(end == End.RESET ? IOException.class : PrematureCloseException.class));
            assertThat(completions).as("offset %d", offset).containsOnly(1);
            it.channel.finish();
            assertThat(it.exceptions).hasSize((inFrame ? 1 : 0) + (end == End.RESET ? 1 : 0));
        }
    }

    @ParameterizedTest // 38, 46: asked after a half-closure
    @ValueSource(booleans = {true, false})
    void whatIsAskedAfterTheEndFailsUnlessItIsHere(boolean closed) {
        ProgressiveFuture<ByteBuf> first = receiver.receive(1);
        it.arrive("ABCDEF");
        it.halfClose();
        if (closed) {
            it.channel.close();
            assertThat(it.channel.pipeline().get(ExactReceiver.class)).isNull();
        }
        assertThat(text(first)).isEqualTo("A");
        assertThat(text(receiver.receive(2))).isEqualTo("BC");
        assertThat(text(receiver.receiveOrEnd(2))).isEqualTo("DE");
        assertThat(it.exceptions).isEmpty();
        assertThat(receiver.receive(2).cause()).hasMessage("stream ended after 1 of 2 bytes");
        // The byte that was lost is not given to the next; and one that cannot be served fails all after it.
        assertThat(receiver.receive(1).cause())
                .isInstanceOf(closed ? ClosedChannelException.class : PrematureCloseException.class);
        assertThat(receiver.receiveOrEnd(1).cause()).isNotNull();
        it.channel.finish();
        // It cannot be fired in a pipeline that is torn down.
        assertThat(it.exceptions).hasSize(closed ? 0 : 1);
    }

    @Test // 38
    void writingStaysPossibleAfterAHalfClosure() {
        it.halfClose();
        it.channel.writeOutbound("a message");
        assertThat(it.channel.<String>readOutbound()).isEqualTo("a message");
        assertThat(it.channel.isOpen()).isTrue();
    }

    @ParameterizedTest // 37
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "RESET")
    void theEndBeforeTheFirstByteIsNullForWhoeverAskedForThat(End end) {
        Future<ByteBuf> first = receiver.receiveOrEnd(2);
        Future<ByteBuf> before = receiver.receiveOrEnd(2);
        it.arrive("AB");
        assertThat(text(first)).isEqualTo("AB");
        end.comeTo(it);
        assertThat(before.isSuccess()).isTrue();
        assertThat(before.getNow()).isNull();
        Future<ByteBuf> after = receiver.receiveOrEnd(2);
        assertThat(after.isSuccess()).isTrue();
        assertThat(after.getNow()).isNull();
        assertThat(it.exceptions).isEmpty();
    }

    @Test
    void theEndInsideIsAFailureForWhoeverAskedForBytesOrTheEnd() {
        Future<ByteBuf> receive = receiver.receiveOrEnd(2);
        Future<ByteBuf> next = receiver.receiveOrEnd(2);
        it.arrive("A");
        it.peerCloses();
        assertThat(receive.cause()).hasMessage("stream ended after 1 of 2 bytes");
        assertThat(next.cause()).isInstanceOf(PrematureCloseException.class);
        assertThat(receiver.receiveOrEnd(2).cause()).isInstanceOf(ClosedChannelException.class);
    }

    @Test
    void aSocketErrorIsNoEnd() {
        it.arrive("A");
        IOException reset = new IOException("reset, on purpose");
        it.channel.pipeline().fireExceptionCaught(reset);
        it.channel.close();
        assertThat(text(receiver.receiveOrEnd(1))).isEqualTo("A");
        assertThat(receiver.receiveOrEnd(1).cause()).isSameAs(reset);
        assertThat(receiver.receive(1).cause()).isSameAs(reset);
    }

    @Test // 9, 40: whatever comes after the end is released
    void bytesAfterASocketErrorAreReleased() {
        it.channel.pipeline().fireExceptionCaught(new IOException("reset, on purpose"));
        ByteBuf bytes = it.bytes("AB");
        it.channel.writeInbound(bytes);
        assertThat(bytes.refCnt()).isZero();
        assertThat(it.reads).isEqualTo(1); // the one it had read ahead
    }

    @Test
    void anExceptionThatIsNotTheSocketsEndsNothing() {
        ProgressiveFuture<ByteBuf> receive = receiver.receive(2);
        it.arrive("A");
        it.channel.pipeline().fireExceptionCaught(new IllegalStateException("of a handler in front, on purpose"));
        it.arrive("B");
        assertThat(text(receive)).isEqualTo("AB");
        assertThat(it.passed).contains("IllegalStateException");
    }

    @Test // 34: only what was lost of a frame is told in the pipeline
    void bytesNobodyAskedForAreNoPartOfAFrame() {
        it.arrive("ABC");
        ProgressiveFuture<ByteBuf> cancelled = receiver.receive(5);
        cancelled.cancel(false);
        it.channel.close();
        assertThat(it.exceptions).isEmpty();
        assertThat(text(receiver.receive(3))).isEqualTo("ABC");
    }

    @ParameterizedTest // 34, 46: an application that closes as soon as it is told
    @EnumSource
    void closingFromAListenerOfTheFailure(End end) {
        ProgressiveFuture<ByteBuf> first = receiver.receive(5);
        ProgressiveFuture<ByteBuf> second = receiver.receive(5);
        int[] completions = new int[2];
        first.addListener(receive -> {
            completions[0]++;
            it.channel.close();
        });
        second.addListener(receive -> completions[1]++);
        it.arrive("ABC");
        end.comeTo(it);
        assertThat(completions).containsOnly(1);
        assertThat(first.cause()).isNotNull();
        assertThat(second.cause()).isNotNull();
        assertThat(it.exceptions).filteredOn(PrematureCloseException.class::isInstance).hasSize(1);
        assertThat(it.passed.indexOf("PrematureCloseException")).isLessThan(it.passed.indexOf("inactive"));
    }

    @Test // 9, 46
    void closingFromAListenerOfAViolation() {
        ProgressiveFuture<ByteBuf> receive = receiver.receive(uint16(), 10);
        receive.addListener(failed -> it.channel.close());
        it.arrive("\1\1ABC");
        assertThat(it.exceptions).containsExactly(receive.cause());
        assertThat(it.passed).containsSubsequence("TooLongFrameException", "inactive");
    }

    @Test // 39, 46: an application that closes as soon as the pipeline tells it
    void closingFromExceptionCaught() {
        it.channel.pipeline().addLast(new ChannelInboundHandlerAdapter() {
            @Override
            public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
                ctx.close();
            }
        });
        ProgressiveFuture<ByteBuf> receive = receiver.receive(5);
        it.arrive("ABC");
        it.passed.clear();
        IOException reset = new IOException("reset, on purpose");
        it.channel.pipeline().fireExceptionCaught(reset);
        assertThat(receive.cause()).isSameAs(reset);
        assertThat(it.passed).containsExactly("IOException", "PrematureCloseException", "inactive");
    }

    @Test // 40
    void thePartialFrameIsReleasedWhenTheStreamEnds() {
        ByteBuf first = it.bytes("x".repeat(50_000));
        ByteBuf second = it.bytes("ABC");
        ProgressiveFuture<ByteBuf> receive = receiver.receive(100_000);
        it.channel.writeInbound(first, second);
        it.halfClose();
        assertThat(receive.cause()).hasMessage("stream ended after 50003 of 100000 bytes").hasNoCause();
        assertThat(first.refCnt() + second.refCnt()).isZero();
    }

    @Test // 46: closed inside the listener of a receive that succeeded
    void closingFromAListenerServesWhatIsHereAndFailsTheRest() {
        ProgressiveFuture<ByteBuf> first = receiver.receive(2);
        ProgressiveFuture<ByteBuf> second = receiver.receive(2);
        ProgressiveFuture<ByteBuf> third = receiver.receive(2);
        first.addListener(receive -> it.channel.close());
        it.arrive("ABCDE");
        assertThat(text(first) + text(second)).isEqualTo("ABCD");
        assertThat(third.cause()).hasMessage("stream ended after 1 of 2 bytes, closed on this side");
        assertThat(it.passed).containsSubsequence("PrematureCloseException", "inactive");
    }
}
