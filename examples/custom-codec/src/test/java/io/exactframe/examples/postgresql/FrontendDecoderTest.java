package io.exactframe.examples.postgresql;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.exactframe.examples.postgresql.FrontendMessage.CancelRequest;
import io.exactframe.examples.postgresql.FrontendMessage.EncryptionRequest;
import io.exactframe.examples.postgresql.FrontendMessage.PasswordMessage;
import io.exactframe.examples.postgresql.FrontendMessage.Query;
import io.exactframe.examples.postgresql.FrontendMessage.StartupMessage;
import io.exactframe.examples.postgresql.FrontendMessage.Sync;
import io.exactframe.examples.postgresql.FrontendMessage.Terminate;
import io.exactframe.examples.postgresql.FrontendMessage.Unknown;
import io.exactframe.netty.FixedLengthExactDecoder;
import io.exactframe.netty.PrematureCloseException;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.handler.codec.CorruptedFrameException;
import io.netty.handler.codec.TooLongFrameException;
import io.netty.util.LeakPresenceDetector;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class FrontendDecoderTest {
    private static final byte[] SESSION = Wire.bytes(
            Wire.SSL_REQUEST,
            Wire.GSS_REQUEST,
            Wire.STARTUP,
            Wire.SELECT_1,
            Wire.SYNC,
            "7A 00000006 0000",
            Wire.TERMINATE);

    private static final List<FrontendMessage> MESSAGES = List.of(
            new EncryptionRequest(),
            new EncryptionRequest(),
            new StartupMessage(0x30000, Map.of("user", "ada", "database", "math")),
            new Query("SELECT 1"),
            new Sync(),
            new Unknown('z'),
            new Terminate());

    private final FrontendDecoder decoder = new FrontendDecoder();
    private final EmbeddedChannel channel = new EmbeddedChannel(decoder);

    private List<Object> messages() {
        List<Object> messages = new ArrayList<>();
        for (Object message; (message = channel.readInbound()) != null; ) {
            messages.add(message);
        }
        return messages;
    }

    static IntStream sizes() {
        return IntStream.rangeClosed(1, SESSION.length); // one byte at a time, ..., all in one fragment
    }

    @ParameterizedTest(name = "fragments of {0} bytes")
    @MethodSource("sizes")
    void messagesDoNotDependOnTheFragments(int size) {
        Wire.send(channel, SESSION, size);
        assertThat(messages()).isEqualTo(MESSAGES);
    }

    @Test
    void theEndIsPrematureUnlessItIsBetweenMessages() {
        List<Integer> boundaries = List.of(0, 8, 16, 48, 62, 67, 74, 79);
        for (int end = 0; end <= SESSION.length; end++) {
            EmbeddedChannel other = new EmbeddedChannel(new FrontendDecoder());
            Wire.send(other, Arrays.copyOf(SESSION, end), SESSION.length);
            if (boundaries.contains(end)) {
                other.finish();
            } else {
                assertThatExceptionOfType(PrematureCloseException.class)
                        .as("end at byte %d", end)
                        .isThrownBy(other::finish);
            }
        }
    }

    @Test
    void insideATypedHeaderTheTypeIsCounted() {
        Wire.send(channel, Wire.STARTUP, "51 000000");
        assertThatExceptionOfType(PrematureCloseException.class)
                .isThrownBy(channel::finish)
                .withMessage("stream ended after 4 of 5 header bytes");
        assertThat(messages()).hasSize(1);
    }

    @ParameterizedTest
    @ValueSource(strings = {"00000000", "00000007", "80000000", "FFFFFFFF", "FFFFFFFB", "FFFFFFFA"})
    void aStartupLengthBelowEightIsCorrupt(String length) {
        assertThatExceptionOfType(CorruptedFrameException.class)
                .isThrownBy(() -> Wire.send(channel, length))
                .withMessageStartingWith("invalid message length: ");
        assertThat(decoder.hasEnded()).isTrue();
    }

    @ParameterizedTest
    @ValueSource(strings = {"00000000", "00000003", "80000000", "FFFFFFFF", "FFFFFFFB", "FFFFFFFA", "FFFFFFF9"})
    void aMessageLengthBelowFourIsCorrupt(String length) {
        Wire.send(channel, Wire.STARTUP);
        assertThatExceptionOfType(CorruptedFrameException.class)
                .isThrownBy(() -> Wire.send(channel, "51", length))
                .withMessageStartingWith("invalid message length: ");
        assertThat(decoder.hasEnded()).isTrue();
        assertThat(messages()).hasSize(1);
    }

    @Test
    void aStartupPacketMayHaveTenThousandBytesBehindItsLength() {
        byte[] largest = new byte[10_004]; // a length, a protocol of the past, zeros
        largest[2] = 10_004 >> 8;
        largest[3] = 10_004 & 0xFF;
        largest[5] = 2;
        Wire.send(channel, largest, 1000);
        assertThat(messages()).containsExactly(new StartupMessage(2 << 16, Map.of()));
        channel.finish();

        EmbeddedChannel other = new EmbeddedChannel(new FrontendDecoder());
        assertThatExceptionOfType(TooLongFrameException.class).isThrownBy(() -> Wire.send(other, "00002715"));
        other.finish();
    }

    @Test
    void aMessageMayHaveOneMebibyte() {
        Wire.send(channel, Wire.STARTUP, "7A 000FFFFF");
        Wire.send(channel, new byte[(1 << 20) - 5], 8192);
        assertThat(messages()).hasSize(2).last().isEqualTo(new Unknown('z'));
        assertThatExceptionOfType(TooLongFrameException.class).isThrownBy(() -> Wire.send(channel, "7A 00100000"));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "51 00000004", // no string at all
                "51 00000005 41", // without its end
                "51 00000006 0000", // more behind its end
                "70 00000005 41",
                "58 00000005 00"
            })
    void aMessageThatIsNotWhatItSaysIsCorrupt(String message) {
        Wire.send(channel, Wire.STARTUP);
        assertThatExceptionOfType(CorruptedFrameException.class)
                .isThrownBy(() -> Wire.send(channel, message, Wire.SELECT_1));
        assertThat(messages()).hasSize(1);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "00000008 00030000",
                "0000000A 00030000 41 00", // a name without value
                "0000000B 00030000 41 00 00", // the list without its end
                "0000000A 00030000 00 00", // more behind it
                "0000000A 04D2162F 0000"
            })
    void aStartupPacketThatIsNotWhatItSaysIsCorrupt(String packet) {
        assertThatThrownBy(() -> Wire.send(channel, packet)).isExactlyInstanceOf(CorruptedFrameException.class);
    }

    @Test
    void cancelRequestsAndPasswordsAreRead() {
        Wire.send(channel, Wire.CANCEL_REQUEST, Wire.STARTUP, "70 00000007 707700");
        assertThat(messages()).element(0).isEqualTo(new CancelRequest());
        Wire.send(channel, "70 00000007 707700");
        assertThat(messages()).containsExactly(new PasswordMessage("pw"));
    }

    @Test
    void aPasswordIsNotForLogs() {
        assertThat(new PasswordMessage("secret").toString()).doesNotContain("secret");
        channel.finish();
    }

    /** As after an upgrade that both sides agreed on: from the query on, frames of three bytes. */
    @Test
    void aHandlerBehindReplacesTheDecoderInsideOneRead() {
        List<String> frames = new ArrayList<>();
        channel.pipeline().addLast(new ChannelInboundHandlerAdapter() {
            @Override
            public void channelRead(ChannelHandlerContext ctx, Object message) {
                if (message instanceof Query) {
                    ctx.pipeline().replace(FrontendDecoder.class, "fixed", new FixedLengthExactDecoder(3));
                } else if (message instanceof ByteBuf frame) {
                    frames.add(ByteBufUtil.hexDump(frame));
                    frame.release();
                }
            }
        });
        Wire.send(channel, Wire.STARTUP, Wire.SELECT_1, "010203 040506 07");
        assertThat(frames).containsExactly("010203", "040506");
        assertThatExceptionOfType(PrematureCloseException.class)
                .isThrownBy(channel::finish)
                .withMessage("stream ended after 1 of 3 bytes");
    }

    @AfterEach
    void nothingLeaks() {
        try {
            channel.finishAndReleaseAll();
        } catch (PrematureCloseException expected) {
            // of a test that ends inside a message
        }
        LeakPresenceDetector.check();
    }
}
