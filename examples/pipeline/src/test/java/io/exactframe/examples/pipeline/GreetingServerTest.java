package io.exactframe.examples.pipeline;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.util.LeakPresenceDetector;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class GreetingServerTest {
    private final Logged logged = new Logged();
    private final EmbeddedChannel channel = new EmbeddedChannel(new GreetingServer());

    private ByteBuf names(String... names) {
        ByteBuf wire = channel.alloc().buffer();
        for (String name : names) {
            byte[] bytes = name.getBytes(UTF_8);
            wire.writeShort(bytes.length).writeBytes(bytes);
        }
        return wire;
    }

    private List<String> greetings() {
        List<String> greetings = new ArrayList<>();
        for (ByteBuf length; (length = channel.readOutbound()) != null; ) {
            ByteBuf text = channel.readOutbound();
            assertThat(length.readUnsignedShort()).isEqualTo(text.readableBytes());
            greetings.add(text.toString(UTF_8));
            length.release();
            text.release();
        }
        return greetings;
    }

    private void setWritable(boolean writable) {
        channel.unsafe().outboundBuffer().setUserDefinedWritability(1, writable);
        channel.runPendingTasks();
    }

    @ParameterizedTest(name = "cut at byte {0}")
    @ValueSource(ints = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10})
    void greetingsDoNotDependOnWhereTheStreamIsCut(int cut) {
        ByteBuf wire = names("Ada", "Zoë");
        channel.writeInbound(wire.readRetainedSlice(cut));
        channel.writeInbound(wire);
        assertThat(greetings()).containsExactly("Hello, Ada!", "Hello, Zoë!");
    }

    @Test
    void noNameIsReceivedWhileGreetingsAreNotRead() {
        channel.writeInbound(names("Ada"));
        setWritable(false);
        setWritable(true);
        setWritable(false);
        channel.writeInbound(names("Bob", "Cid", "Dan"));
        // The one that was asked for before.
        assertThat(greetings()).containsExactly("Hello, Ada!", "Hello, Bob!");

        setWritable(true);
        assertThat(greetings()).containsExactly("Hello, Cid!", "Hello, Dan!");
    }

    @Test
    void aListenerThatThrowsClosesTheChannel() {
        channel.writeInbound(names("Ada", "", "Bob"));
        assertThat(greetings()).containsExactly("Hello, Ada!");
        assertThat(channel.isOpen()).isFalse();
        assertThat(logged.lines())
                .containsExactly("WARNING the peer does not keep to the protocol: a name without letters");
    }

    @Test
    void aGreetingThatCannotBeWrittenClosesTheChannel() {
        channel.pipeline().addFirst(new FailingWrites());
        channel.writeInbound(names("Ada"));
        assertThat(channel.isOpen()).isFalse();
    }

    @Test
    void aClientThatIsDoneIsNoFault() {
        channel.writeInbound(names("Ada"));
        channel.finish();
        assertThat(greetings()).containsExactly("Hello, Ada!");
        assertThat(logged.lines()).isEmpty();
    }

    @Test
    void aClientThatHalfClosesBetweenNamesIsDoneToo() {
        channel.writeInbound(names("Ada"));
        channel.pipeline().fireUserEventTriggered(ChannelInputShutdownEvent.INSTANCE);
        assertThat(greetings()).containsExactly("Hello, Ada!");
        assertThat(channel.isOpen()).isFalse();
        assertThat(logged.lines()).isEmpty();
    }

    @Test
    void aClientThatLeavesInsideANameIsLoggedOnce() {
        channel.writeInbound(names("Ada").writerIndex(4));
        channel.finish();
        assertThat(logged.lines()).containsExactly("INFO the peer left after 4 of 5 bytes");
    }

    @Test
    void aNameBeyondTheLimitIsLoggedOnceAndCloses() {
        channel.writeInbound(names("A".repeat(101)));
        assertThat(logged.lines()).hasSize(1).first().asString().startsWith("WARNING");
        assertThat(channel.isOpen()).isFalse();
    }

    @AfterEach
    void nothingLeaks() {
        channel.finishAndReleaseAll();
        logged.close();
        LeakPresenceDetector.check();
    }
}
