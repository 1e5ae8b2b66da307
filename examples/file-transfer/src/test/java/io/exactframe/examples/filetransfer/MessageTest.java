package io.exactframe.examples.filetransfer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import java.time.Instant;
import java.util.HexFormat;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** The frames of PROTOCOL.md, byte for byte. */
class MessageTest {
    private static final byte[] SHA256 = new byte[32];
    private static final String ZEROES = "00".repeat(32);

    static Stream<Arguments> frames() {
        Instant time = Instant.ofEpochSecond(1, 2);
        return Stream.of(
                arguments(Message.Hello.OURS, "0006 01 78465452 02"),
                arguments(new Entry(false, 0644, 5, time, "ä"), "001a 02 00 01a4 0000000000000005 0000000000000001 00000002 c3a4"),
                arguments(new Entry(true, 0755, 0, time, "d"), "0019 02 01 01ed 0000000000000000 0000000000000001 00000002 64"),
                arguments(new Message.Listed(2, 5), "000d 03 00000002 0000000000000005"),
                arguments(new Message.Get(1, 7, true, SHA256), "002e 04 00000001 0000000000000007 01 " + ZEROES),
                arguments(new Message.Begin(1, 7), "000d 05 00000001 0000000000000007"),
                arguments(new Message.Piece(9), "0005 06 00000009"),
                arguments(new Message.End(SHA256), "0021 07 " + ZEROES),
                arguments(new Message.NotSent(1, Reason.CHANGED), "0006 08 00000001 06"),
                arguments(new Message.Receipt(1, Reason.OK), "0006 09 00000001 00"),
                arguments(new Message.Done(), "0001 0a"),
                arguments(new Message.Bye(), "0001 0b"),
                arguments(new Message.Busy(), "0001 0c"),
                arguments(new Message.Refused(Reason.NO_SPACE), "0002 0d 03"),
                arguments(new Message.Whole(1, SHA256, new byte[] {7, 8}), "0027 0e 00000001 " + ZEROES + "0708"));
    }

    @ParameterizedTest
    @MethodSource("frames")
    void frame(Message message, String hex) {
        assertThat(HexFormat.of().formatHex(Raw.frame(message))).isEqualTo(hex.replace(" ", ""));
    }
}
