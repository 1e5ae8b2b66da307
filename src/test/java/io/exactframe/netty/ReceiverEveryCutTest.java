package io.exactframe.netty;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import io.netty.buffer.ByteBuf;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.util.concurrent.Future;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.function.Function;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** 2 and 3 for the receiver: the same bytes however the stream is cut and whenever they are asked for. */
@Tag("slow")
class ReceiverEveryCutTest {
    private static final int LIMIT = 1000;

    private record Ask(String drawn, Function<ExactReceiver, Future<ByteBuf>> call) {
        @Override
        public String toString() {
            return drawn;
        }
    }

    private static Ask size(int size) {
        return new Ask("receive(" + size + ")", receiver -> receiver.receive(size));
    }

    private static Ask orEnd(int size) {
        return new Ask("receiveOrEnd(" + size + ")", receiver -> receiver.receiveOrEnd(size));
    }

    private static Ask frame(LengthPrefix prefix) {
        return new Ask("receive(" + prefix + ")", receiver -> receiver.receive(prefix, LIMIT));
    }

    static List<Arguments> conversations() {
        Ask uint16 = frame(LengthPrefix.uint16());
        return List.of(
                arguments(
                        "01 0203 040506 0708090a 0b0c0d0e 0f",
                        List.of(size(1), size(2), size(3), size(4), orEnd(4), size(1)),
                        List.of("01", "0203", "040506", "0708090a", "0b0c0d0e", "0f")),
                arguments("0102030405060708090a0b0c0d0e0f10", List.of(size(16)),
                        List.of("0102030405060708090a0b0c0d0e0f10")),
                arguments("0002 4142  0000  0001 43  0003 444546", List.of(uint16, uint16, uint16, uint16),
                        List.of("4142", "", "43", "444546")),
                arguments("0002 4142  0000  0001 43", List.of(
                                frame(LengthPrefix.uint16().keepHeader()),
                                frame(LengthPrefix.uint16().keepHeader()),
                                frame(LengthPrefix.uint16().strip(1))),
                        List.of("00024142", "0000", "0143")),
                arguments("8200 4142  8080808000  00  01 43", List.of(
                                frame(LengthPrefix.varint32()),
                                frame(LengthPrefix.varint32().keepHeader()),
                                frame(LengthPrefix.varint32().keepHeader()),
                                frame(LengthPrefix.varint32())),
                        List.of("4142", "8080808000", "00", "43")),
                arguments("aa 02 bb 4142 ce  0304  05  0001 43", List.of(
                                frame(LengthPrefix.uint8().headerBefore(1).headerAfter(1).trailer(1)),
                                size(2),
                                orEnd(1),
                                uint16),
                        List.of("4142", "0304", "05", "43")));
    }

    private final ExactReceiver receiver = new ExactReceiver();
    private final Sink sink = new Sink();
    private final EmbeddedChannel channel = Wire.channel(receiver, sink);
    private final List<String> received = new ArrayList<>();

    @ParameterizedTest(name = "{0} {1}")
    @MethodSource("conversations")
    void bytesAskedForBeforeTheyComeDoNotDependOnTheCut(String stream, List<Ask> asked, List<String> answers) {
        inEveryWay(stream, answers, false, () -> asked.forEach(ask -> ask(ask)));
    }

    @ParameterizedTest(name = "{0} {1}")
    @MethodSource("conversations")
    void bytesAskedForAfterTheyCameDoNotDependOnTheCut(String stream, List<Ask> asked, List<String> answers) {
        inEveryWay(stream, answers, true, () -> asked.forEach(ask -> ask(ask)));
    }

    @ParameterizedTest(name = "{0} {1}")
    @MethodSource("conversations")
    void bytesAskedForOneAfterTheOtherDoNotDependOnTheCut(String stream, List<Ask> asked, List<String> answers) {
        inEveryWay(stream, answers, false, () -> askInTurn(new ArrayDeque<>(asked)));
    }

    private Future<ByteBuf> ask(Ask ask) {
        return ask.call().apply(receiver).addListener((Future<ByteBuf> future) ->
                received.add(future.isSuccess() ? Wire.hexAndRelease(future.getNow()) : future.cause().toString()));
    }

    private void askInTurn(Queue<Ask> asked) {
        Ask next = asked.poll();
        if (next != null) {
            ask(next).addListener(answered -> askInTurn(asked));
        }
    }

    private void inEveryWay(String hex, List<String> answers, boolean afterwards, Runnable ask) {
        byte[] stream = Wire.bytes(hex);
        ByteBuf all = channel.alloc().buffer().writeBytes(stream);
        for (int cuts = 0; cuts < 1 << (stream.length - 1); cuts++) {
            if (!afterwards) {
                ask.run();
            }
            for (int from = 0; from < stream.length; ) {
                int to = DecoderVerifier.endOfPiece(cuts, from, stream.length);
                Wire.receive(channel, all.retainedSlice(from, to - from));
                from = to;
            }
            if (afterwards) {
                ask.run();
            }
            if (!received.equals(answers) || all.refCnt() != 1) {
                assertThat(received).as("cuts behind the bytes of %x", cuts).isEqualTo(answers);
                assertThat(all.refCnt()).isEqualTo(1);
            }
            received.clear();
        }
        all.release();
        channel.finish();
        assertThat(sink.faults).isEmpty();
        assertThat(sink.frames).isEmpty();
    }
}
