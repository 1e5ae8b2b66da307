package io.exactframe.netty;

import static io.exactframe.netty.LengthPrefix.fromLengthField;
import static io.exactframe.netty.LengthPrefix.int64;
import static io.exactframe.netty.LengthPrefix.uint16;
import static io.exactframe.netty.LengthPrefix.uint32;
import static io.exactframe.netty.LengthPrefix.uint8;
import static io.exactframe.netty.LengthPrefix.varint32;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.time.Duration;
import java.util.List;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** 8: what makes no sense is refused where it is given, and the message says what was given and what would be right. */
class RefusalTest {
    private static final int MAX = Integer.MAX_VALUE;

    /** A codec of somebody's own. */
    private static final class Codec extends ExactFrameDecoder {
        Codec(int headerLength, int maxHeaderLength, int maxFrameLength) {
            super(headerLength, maxHeaderLength, maxFrameLength, ReceiveOptions.defaults());
        }

        @Override
        protected long frameLength(ByteBuf header) {
            return 1;
        }
    }

    private static Arguments of(String message, ThrowingCallable call) {
        return arguments(message, call);
    }

    static List<Arguments> refused() {
        ReceiveOptions options = ReceiveOptions.defaults();
        ExactReceiver receiver = new ExactReceiver();
        ByteBuf out = Unpooled.EMPTY_BUFFER;
        return List.of(
                of("a frame has at least 1 byte, not 0", () -> new FixedLengthExactDecoder(0)),
                of("no frame is too long, skipOversized() makes no sense",
                        () -> new FixedLengthExactDecoder(4, options.skipOversized(9))),
                of("headerLength 5, maxHeaderLength 4, maxFrameLength 9 (expected: 0 <= headerLength <="
                        + " maxHeaderLength <= maxFrameLength, and that at least 1)", () -> new Codec(5, 4, 9)),
                of("chunks come as they were read, contiguous() makes no sense",
                        () -> new FrameStreamDecoder(9, uint8(), options.contiguous())),
                of("the header goes on apart from the payload, keepHeader() and strip() make no sense:"
                        + " [uint8][payload], header kept", () -> new FrameStreamDecoder(9, uint8().keepHeader())),
                of("no buffer holds the header: [2147483647 before][uint8][payload]",
                        () -> new FrameStreamDecoder(1L << 40, uint8().headerBefore(MAX))),
                of("bytes: -1 (expected: 0 or more)", () -> uint8().headerBefore(-1)),
                of("a length field has 1, 2, 3, 4 or 8 bytes, not 5", () -> fromLengthField(0, 5, 0, 0)),
                of("maxFrameLength: 0 (expected: 1 or more)", () -> new LengthPrefixedExactDecoder(0, uint8())),
                of("a varint has one byte order only, littleEndian() makes no sense",
                        () -> new LengthPrefixedExactDecoder(9, varint32().littleEndian())),
                of("no frame is shorter than 4 bytes, which is more than maxFrameLength (3): [uint32][payload]",
                        () -> new LengthPrefixedExactDecoder(3, uint32())),
                of("no length is enough for the header and what is stripped: [uint8][payload], without the first 257",
                        () -> new LengthPrefixedExactDecoder(MAX, uint8().strip(257))),
                of("payloadLength: -1 (expected: 0 or more)", () -> int64().writeLength(out, -1)),
                of("a payload of 256 bytes cannot be told by [uint8][payload]", () -> uint8().writeLength(out, 256)),
                of("maxBytes: 0 (expected: 1 or more)", () -> options.skipOversized(0)),
                of("skipOversized(9) skips no frame, maxFrameLength is 9",
                        () -> new LengthPrefixedExactDecoder(9, uint16(), options.skipOversized(9))),
                of("a budget needs a frameDeadline: a peer that declares much and sends nothing would hold its share"
                        + " for ever", () -> new ExactReceiver(options.budget(new ReceiveBudget(1)))),
                of("bytes: 0 (expected: 1 or more)", () -> new ReceiveBudget(0)),
                of("a time limit is more than nothing, not PT0S", () -> options.frameDeadline(Duration.ZERO)),
                of("a time limit is more than nothing, not PT-1S", () -> receiver.receive(1, Duration.ofSeconds(-1))),
                of("at least 1 byte can be received, not 0", () -> receiver.receive(0)),
                of("at least 1 byte can be received, not -1", () -> receiver.skip(-1)));
    }

    @Test
    void theLeastThatMakesSenseIsAccepted() {
        new FixedLengthExactDecoder(1);
        new Codec(0, 0, 1);
        new LengthPrefixedExactDecoder(2, uint8(), ReceiveOptions.defaults().skipOversized(3));
        ReceiveOptions.defaults().skipOversized(1).frameDeadline(Duration.ofNanos(1)).budget(new ReceiveBudget(1));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("refused")
    void whatMakesNoSenseIsRefusedWithAMessageThatSaysWhat(String message, ThrowingCallable call) {
        assertThatIllegalArgumentException().isThrownBy(call).withMessage(message);
    }
}
