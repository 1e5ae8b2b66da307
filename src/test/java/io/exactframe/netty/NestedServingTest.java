package io.exactframe.netty;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** 13, 19: the end of the input serves further receives while a listener has the frame of one. */
class NestedServingTest {
    private static final int RECEIVES = 40;

    private final ExactReceiver receiver = new ExactReceiver();
    private final Sink sink = new Sink();
    private final EmbeddedChannel channel = new EmbeddedChannel(receiver, sink);
    private final List<ByteBuf> kept = new ArrayList<>();
    private ByteBuf read; // the test has one reference to it

    @AfterEach
    void nothingIsLeft() {
        assertThat(read.refCnt()).isEqualTo(1);
        read.release();
        channel.finish();
        assertThat(sink.faults).isEmpty();
    }

    private void inputEnds() {
        channel.pipeline().fireUserEventTriggered(ChannelInputShutdownEvent.INSTANCE);
    }

    private void receive(Runnable whileDispatched, boolean keep) {
        receiver.receive(4).addListener(done -> {
            ByteBuf frame = (ByteBuf) done.getNow();
            whileDispatched.run();
            if (keep) {
                kept.add(frame);
            } else {
                frame.release();
            }
        });
    }

    private void write(int frames) {
        read = channel.alloc().buffer(4 * frames);
        for (int i = 0; i < frames; i++) {
            read.writeInt(i);
        }
        channel.writeInbound(read.retain());
    }

    private void releaseKept() {
        kept.forEach(frame -> assertThat(frame.release()).isTrue());
    }

    /** However many references are left of those that were taken at once. */
    @ParameterizedTest(name = "after {0} frames that were kept")
    @ValueSource(ints = {0, 1, 13, 14, 15, 16, 17, 29, 30, 31, 32})
    void keptFramesHaveTheirReferences(int before) {
        for (int i = 0; i < RECEIVES; i++) {
            receive(i == before ? this::inputEnds : () -> {}, true);
        }
        write(RECEIVES);
        assertThat(kept).hasSize(RECEIVES);
        kept.sort((a, b) -> Integer.compare(a.getInt(0), b.getInt(0)));
        for (int i = 0; i < RECEIVES; i++) {
            assertThat(kept.get(i).getInt(0)).isEqualTo(i);
        }
        releaseKept();
    }

    /** A listener sends its frame through the pipeline once more, which is the next one's frame then. */
    @ParameterizedTest(name = "kept: {0}")
    @ValueSource(booleans = {false, true})
    void aFrameThatIsReceivedAgainWhileItIsDispatchedIsReleasedOnce(boolean keep) {
        receiver.receive(4).addListener(first -> {
            channel.pipeline().fireChannelRead(first.getNow());
            inputEnds();
        });
        receive(() -> {}, false);
        receive(() -> {}, keep);
        write(2);
        releaseKept();
    }
}
