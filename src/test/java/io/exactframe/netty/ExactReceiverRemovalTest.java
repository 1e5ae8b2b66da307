package io.exactframe.netty;

import static io.exactframe.netty.LengthPrefix.uint16;
import static io.exactframe.netty.testing.ReceiverChannel.text;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.exactframe.netty.testing.ReceiverChannel;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelPipelineException;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.util.concurrent.Future;
import io.netty.util.concurrent.FutureListener;
import io.netty.util.concurrent.ProgressiveFuture;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A receiver that is removed, or replaced, in the middle of the stream. */
class ExactReceiverRemovalTest {
    private final ReceiverChannel it = new ReceiverChannel();
    private final ExactReceiver receiver = it.receiver;

    @AfterEach
    void close() {
        it.channel.finish();
    }

    private void remove() {
        it.channel.pipeline().remove(receiver);
    }

    private String passedBytes() {
        return String.join("", it.passed).replace("readComplete", "");
    }

    @Test // 20, 22
    void unreadBytesGoDownstreamOnceThenReadComplete() {
        ProgressiveFuture<ByteBuf> receive = receiver.receive(2);
        it.arrive("AB", "CD", "EF");
        it.passed.clear();
        assertThat(text(receive)).isEqualTo("AB");
        remove();
        assertThat(it.passed).containsExactly("CD", "EF", "readComplete");
        it.arrive("GH");
        assertThat(it.passed).containsExactly("CD", "EF", "readComplete", "GH", "readComplete");
    }

    @Test // 20
    void removedWithNothingUnreadItSaysNothing() {
        ProgressiveFuture<ByteBuf> receive = receiver.receive(2);
        it.arrive("AB");
        it.passed.clear();
        remove();
        assertThat(it.passed).isEmpty();
        assertThat(text(receive)).isEqualTo("AB");
    }

    @ParameterizedTest(name = "after {0} bytes") // 22, 46: as if they had never been looked at
    @ValueSource(ints = {0, 1, 2, 3, 4, 5})
    void aPartialFrameGoesDownstreamAsItCame(int arrived) {
        String frame = "\0\4ABCD";
        ProgressiveFuture<ByteBuf> first = receiver.receive(uint16(), 100);
        ProgressiveFuture<ByteBuf> second = receiver.receiveOrEnd(1);
        int[] completions = new int[2];
        first.addListener(receive -> completions[0]++);
        second.addListener(receive -> completions[1]++);
        for (int i = 0; i < arrived; i++) {
            it.arrive(frame.substring(i, i + 1));
        }
        it.passed.clear();
        remove();
        assertThat(first.cause()).isInstanceOf(ChannelPipelineException.class);
        assertThat(second.cause()).isInstanceOf(ChannelPipelineException.class);
        assertThat(completions).containsOnly(1);
        it.arrive(frame.substring(arrived));
        assertThat(passedBytes()).isEqualTo(frame);
        it.channel.close();
        assertThat(it.exceptions).isEmpty();
        assertThat(completions).containsOnly(1);
    }

    @Test // 20: what was asked for and not given when the listener removed the receiver fails; nothing more is cut
    void removedByAListener() {
        ProgressiveFuture<ByteBuf> first = receiver.receive(2);
        ProgressiveFuture<ByteBuf> second = receiver.receive(2);
        List<String> order = new ArrayList<>();
        first.addListener(receive -> {
            remove();
            order.addAll(it.passed); // nothing yet
            order.add("listener returns");
        });
        it.arrive("ABCD", "EF");
        order.addAll(it.passed);
        assertThat(text(first)).isEqualTo("AB");
        assertThat(second.cause()).isInstanceOf(ChannelPipelineException.class);
        assertThat(order).containsExactly("listener returns", "CD", "readComplete", "EF", "readComplete");
    }

    private enum Upgrade {
        REPLACE,
        ADD_THEN_REMOVE;

        void to(ExactFrameDecoder successor, ReceiverChannel it) {
            if (this == REPLACE) {
                it.channel.pipeline().replace(it.receiver, null, successor);
            } else {
                it.channel.pipeline().addAfter(it.channel.pipeline().context(it.receiver).name(), null, successor);
                it.channel.pipeline().remove(it.receiver);
            }
        }
    }

    @ParameterizedTest // 21
    @EnumSource
    void upgradedToADecoderByAListenerAtEveryCut(Upgrade upgrade) {
        String stream = "hello\0\1A\0\3BCD\0\0\0\2EF";
        for (int first = 0; first <= stream.length(); first++) {
            for (int second = first; second <= stream.length(); second++) {
                ReceiverChannel it = new ReceiverChannel();
                StringBuilder greeting = new StringBuilder();
                it.receiver.receive(5).addListener((FutureListener<ByteBuf>) receive -> {
                    greeting.append(text(receive));
                    upgrade.to(new LengthPrefixedExactDecoder(100, uint16()), it);
                });
                it.arrive(stream.substring(0, first), stream.substring(first, second));
                it.arrive(stream.substring(second));
                it.passed.removeIf("readComplete"::equals);
                assertThat(greeting).as("cut at %d and %d", first, second).hasToString("hello");
                assertThat(it.passed).as("cut at %d and %d", first, second).containsExactly("A", "BCD", "", "EF");
                it.channel.finish();
                assertThat(it.exceptions).isEmpty();
            }
        }
    }

    @ParameterizedTest // 21
    @EnumSource
    void upgradedFromOutside(Upgrade upgrade) {
        ProgressiveFuture<ByteBuf> greeting = receiver.receive(5);
        it.arrive("hello\0", "\1A\0");
        assertThat(text(greeting)).isEqualTo("hello");
        it.passed.clear();
        upgrade.to(new LengthPrefixedExactDecoder(100, uint16()), it);
        it.arrive("\1B");
        assertThat(it.passed).containsSubsequence("A", "readComplete", "B", "readComplete");
        assertThat(passedBytes()).isEqualTo("AB");
    }

    @Test // 21: and back, from a decoder in the middle of its frames to a receiver
    void replacesADecoder() {
        ExactReceiver late = new ExactReceiver();
        List<Future<ByteBuf>> receives = new ArrayList<>();
        EmbeddedChannel channel = new EmbeddedChannel();
        channel.pipeline().addLast("decoder", new FixedLengthExactDecoder(2));
        channel.pipeline().addLast(new ChannelInboundHandlerAdapter() {
            @Override
            public void channelRead(ChannelHandlerContext ctx, Object message) {
                ((ByteBuf) message).release();
                if (channel.pipeline().get("decoder") != null) {
                    channel.pipeline().replace("decoder", "receiver", late);
                    receives.add(late.receive(3));
                }
            }
        });
        channel.writeInbound(it.bytes("ABCDEFG"));
        assertThat(text(receives.get(0))).isEqualTo("CDE");
        assertThat(text(late.receive(2))).isEqualTo("FG");
        channel.finish();
    }

    @Test // 23
    void aSecondPipelineIsRefusedAlsoAfterRemoval() {
        EmbeddedChannel other = new EmbeddedChannel();
        assertThatExceptionOfType(ChannelPipelineException.class)
                .isThrownBy(() -> other.pipeline().addLast(receiver));
        remove();
        assertThatExceptionOfType(ChannelPipelineException.class)
                .isThrownBy(() -> other.pipeline().addLast(receiver));
        other.finish();
    }

    @ParameterizedTest // 29
    @ValueSource(booleans = {true, false})
    void eventsPassOnceInOrder(boolean asked) {
        if (asked) {
            receiver.receive(10);
        }
        it.channel.pipeline().fireUserEventTriggered("an event");
        it.arrive("A");
        it.halfClose();
        it.channel.close();
        it.passed.remove("PrematureCloseException");
        assertThat(it.passed)
                .containsExactly("String", "readComplete", "ChannelInputShutdownEvent", "inactive");
    }

    @Test // 20, 46: removed by a listener of the failure; the loss is told all the same
    void removedByAListenerOfTheEnd() {
        ProgressiveFuture<ByteBuf> receive = receiver.receive(4);
        receive.addListener(future -> remove());
        it.arrive("AB");
        it.halfClose();
        assertThat(receive.cause()).hasMessage("stream ended after 2 of 4 bytes");
        assertThat(it.exceptions).containsExactly(receive.cause());
        assertThat(passedBytes()).doesNotContain("A");
    }

    @Test // 45, 46: a listener that receives again when the receiver is gone
    void receivingAgainFromAListenerOfTheRemoval() {
        List<Throwable> causes = new ArrayList<>();
        receiver.receive(4).addListener(failed -> {
            causes.add(failed.cause());
            receiver.receive(2).addListener(again -> causes.add(again.cause()));
        });
        it.arrive("ABC");
        it.passed.clear();
        remove();
        assertThat(causes).hasSize(2).hasOnlyElementsOfType(ChannelPipelineException.class);
        assertThat(passedBytes()).isEqualTo("ABC");
    }

    @Test // 23: Netty refuses that, and tells nobody but its caller
    void addedAgainItIsRefusedAndItsChannelGoesOn() {
        ProgressiveFuture<ByteBuf> before = receiver.receive(2);
        EmbeddedChannel other = new EmbeddedChannel();
        assertThatExceptionOfType(ChannelPipelineException.class).isThrownBy(() -> other.pipeline().addLast(receiver));
        ProgressiveFuture<ByteBuf> after = receiver.receive(2);
        it.arrive("ABCD");
        assertThat(text(before) + text(after)).isEqualTo("ABCD");
        remove();
        assertThat(receiver.receive(1).cause()).isInstanceOf(ChannelPipelineException.class);
        other.finish();
    }

    @Test // 41: nor does it learn that it was not added; that is said in its documentation
    void refusedForItsNameAReceiveCanBeCancelled() {
        ExactReceiver refused = new ExactReceiver();
        it.channel.pipeline().addLast("taken", new ChannelInboundHandlerAdapter());
        assertThatExceptionOfType(IllegalArgumentException.class)
                .isThrownBy(() -> it.channel.pipeline().addLast("taken", refused));
        ProgressiveFuture<ByteBuf> receive = refused.receive(1);
        assertThat(receive.isDone()).isFalse();
        assertThat(receive.cancel(false)).isTrue();
    }
}
