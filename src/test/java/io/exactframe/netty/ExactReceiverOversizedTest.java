package io.exactframe.netty;

import static io.exactframe.netty.LengthPrefix.int64;
import static io.exactframe.netty.LengthPrefix.uint16;
import static io.exactframe.netty.LengthPrefix.uint8;
import static io.exactframe.netty.testing.ReceiverChannel.text;
import static org.assertj.core.api.Assertions.assertThat;

import io.exactframe.netty.testing.CountingAllocator;
import io.exactframe.netty.testing.DecoderVerifier;
import io.exactframe.netty.testing.ReceiverChannel;
import io.exactframe.netty.testing.Wire;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.UnpooledHeapByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelPipelineException;
import io.netty.handler.codec.TooLongFrameException;
import io.netty.util.concurrent.Future;
import io.netty.util.concurrent.ProgressiveFuture;
import java.nio.channels.ClosedChannelException;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** 9 for the receiver: a frame that is too long fails its own receive, and the next gets what is behind it. */
class ExactReceiverOversizedTest {
    private static final int LIMIT = 3;
    private static final ReceiveOptions SKIP = ReceiveOptions.defaults().skipOversized(20);
    private static final String TOO_LONG = "frame of 6 bytes, the limit is 3";

    private final ReceiverChannel it = new ReceiverChannel(new ExactReceiver(SKIP));
    private final ExactReceiver receiver = it.receiver;

    @AfterEach
    void close() {
        it.channel.finish();
    }

    private ProgressiveFuture<ByteBuf> frame() {
        return receiver.receive(uint8(), LIMIT);
    }

    private void onException(Consumer<ChannelHandlerContext> action) {
        it.channel.pipeline().addLast(new ChannelInboundHandlerAdapter() {
            @Override
            public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
                action.accept(ctx);
            }
        });
    }

    private static void assertTooLong(Future<?> receive) {
        assertThat(receive.cause()).isExactlyInstanceOf(TooLongFrameException.class).hasMessage(TOO_LONG);
    }

    @Test
    void onlyItsOwnReceiveFails() {
        ProgressiveFuture<ByteBuf> first = frame();
        ProgressiveFuture<ByteBuf> second = frame();
        ProgressiveFuture<ByteBuf> third = frame();
        ProgressiveFuture<ByteBuf> fourth = receiver.receive(2);
        it.arrive("\1A\5abc");
        assertThat(text(first)).isEqualTo("A");
        assertTooLong(second);
        assertThat(third.isDone()).isFalse();
        it.arrive("d", "e");
        it.arrive("\2BCDE");
        assertThat(text(third)).isEqualTo("BC");
        assertThat(text(fourth)).isEqualTo("DE");
        assertThat(it.exceptions).containsExactly(second.cause());
        it.channel.finish();
        assertThat(it.exceptions).hasSize(1);
    }

    @Test // 2
    void theSameHoweverTheStreamIsCutAndWheneverItIsAsked() {
        String stream = "\5abcde\1A\3abcBC\0\1D\5abcde";
        int calls = 7;
        for (int cuts = 0; cuts < 1 << (stream.length() - 1); cuts++) {
            if (Integer.bitCount(cuts) > 4 && cuts + 1 < 1 << (stream.length() - 1)) {
                continue; // in two, three, four and five, and byte by byte
            }
            ReceiverChannel it = new ReceiverChannel(new ExactReceiver(SKIP));
            List<String> answers = new ArrayList<>();
            boolean inTurn = Integer.bitCount(cuts) % 2 == 0;
            if (inTurn) {
                askInTurn(it, 0, answers);
            } else {
                for (int i = 0; i < calls; i++) {
                    ask(it, i).addListener((Future<ByteBuf> answer) -> answers.add(answer(answer)));
                }
            }
            for (int from = 0; from < stream.length(); ) {
                int to = DecoderVerifier.endOfPiece(cuts, from, stream.length());
                it.arrive(stream.substring(from, to));
                from = to;
            }
            assertThat(answers)
                    .as("cuts behind the bytes of %x", cuts)
                    .containsExactly(TOO_LONG, "A", "frame of 4 bytes, the limit is 3", "BC", "", "D", TOO_LONG);
            it.channel.finish();
            assertThat(it.exceptions).hasSize(3);
        }
    }

    private static Future<ByteBuf> ask(ReceiverChannel it, int number) {
        return number == 3 ? it.receiver.receive(2) : it.receiver.receive(uint8(), LIMIT);
    }

    private static void askInTurn(ReceiverChannel it, int number, List<String> answers) {
        ask(it, number).addListener((Future<ByteBuf> answer) -> {
            answers.add(answer(answer));
            if (number < 6) {
                askInTurn(it, number + 1, answers);
            }
        });
    }

    private static String answer(Future<ByteBuf> answer) {
        return answer.isSuccess() ? text(answer) : answer.cause().getMessage();
    }

    @Test // 32: nothing of it is kept, whether anything is asked or not
    void itIsSkippedWithoutAReceive() {
        ProgressiveFuture<ByteBuf> failed = frame();
        it.arrive("\5ab");
        assertTooLong(failed);
        assertThat(it.reads).isEqualTo(2);
        ByteBuf read = it.bytes("cd");
        Wire.receive(it.channel, read);
        assertThat(read.refCnt()).isZero();
        assertThat(it.reads).isEqualTo(3);
        it.arrive("e\1A");
        assertThat(it.reads).as("there is something to ask for").isEqualTo(3);
        assertThat(text(frame())).isEqualTo("A");
    }

    @Test
    void aFrameBeyondTheLargestFailsAll() {
        ProgressiveFuture<ByteBuf> first = frame();
        ProgressiveFuture<ByteBuf> second = frame();
        it.arrive("\24" + "x".repeat(20) + "\1A");
        assertThat(first.cause()).hasMessage("frame of 21 bytes, the limit is 3");
        assertThat(second.cause()).isSameAs(first.cause());
        assertThat(it.exceptions).containsExactly(first.cause());
    }

    @Test // what the option is for one receive it is not for another
    void aReceiveWithALargerLimitGetsItsFrame() {
        ProgressiveFuture<ByteBuf> frame = receiver.receive(uint8(), 100);
        it.arrive("\36" + "x".repeat(30));
        assertThat(text(frame)).hasSize(30);
    }

    @Test // 33, 46
    void theEndInsideFailsWhatIsOutstandingAndIsFiredOnce() {
        ProgressiveFuture<ByteBuf> failed = frame();
        ProgressiveFuture<ByteBuf> next = receiver.receive(2);
        ProgressiveFuture<ByteBuf> orEnd = receiver.receiveOrEnd(2);
        it.arrive("\5ab");
        it.arrive("c");
        it.halfClose();
        assertTooLong(failed);
        assertThat(next.cause()).hasMessage("stream ended after 0 of 2 bytes");
        assertThat(orEnd.cause()).hasMessage("stream ended after 0 of 2 bytes");
        assertThat(receiver.receiveOrEnd(1).cause()).isInstanceOf(PrematureCloseException.class);
        it.channel.finish();
        assertThat(it.exceptions).hasSize(2).element(1).hasToString(
                "io.exactframe.netty.PrematureCloseException: stream ended after 4 of 6 bytes");
        assertThat(it.passed).endsWith("PrematureCloseException", "ChannelInputShutdownEvent", "inactive");
    }

    @Test // 37
    void theEndBehindItIsAnEnd() {
        ProgressiveFuture<ByteBuf> failed = frame();
        ProgressiveFuture<ByteBuf> orEnd = receiver.receiveOrEnd(2);
        it.arrive("\5abcde");
        it.halfClose();
        assertTooLong(failed);
        assertThat(orEnd.isSuccess()).isTrue();
        assertThat(orEnd.getNow()).isNull();
        assertThat(it.exceptions).hasSize(1);
    }

    @Test // without a receive too: a part of a frame was lost
    void theEndInsideIsFiredIfNothingIsOutstanding() {
        frame();
        it.arrive("\5ab");
        it.halfClose();
        assertThat(it.exceptions).hasSize(2).element(1).isInstanceOf(PrematureCloseException.class);
    }

    @Test // before a listener may do anything
    void itIsFiredBeforeTheFutureFails() {
        ProgressiveFuture<ByteBuf> failed = frame();
        failed.addListener(done -> it.passed.add("failed"));
        it.arrive("\5abcde");
        assertThat(it.passed).containsExactly("TooLongFrameException", "failed", "readComplete");
    }

    @Test // 22
    void removedInTheReportTheWholeFrameGoesOn() {
        for (String first : List.of("\0", "\0\3ab")) {
            ReceiverChannel it = new ReceiverChannel(new ExactReceiver(SKIP));
            it.channel.pipeline().addLast(new ChannelInboundHandlerAdapter() {
                @Override
                public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
                    ctx.pipeline().remove(it.receiver);
                }
            });
            ProgressiveFuture<ByteBuf> failed = it.receiver.receive(uint16(), LIMIT);
            ProgressiveFuture<ByteBuf> next = it.receiver.receive(1);
            it.arrive(first);
            it.arrive("\0\3abc\0".substring(first.length()));
            assertThat(failed.cause()).isInstanceOf(TooLongFrameException.class);
            assertThat(next.cause()).isInstanceOf(ChannelPipelineException.class);
            assertThat(String.join("", it.passed).replace("readComplete", ""))
                    .contains("TooLongFrameException\0\3ab")
                    .endsWith("c\0");
            it.channel.finish();
            assertThat(it.exceptions).hasSize(1);
        }
    }

    @Test // 22
    void removedWhileSkippingTheRestGoesOnAsItComes() {
        ProgressiveFuture<ByteBuf> failed = frame();
        ProgressiveFuture<ByteBuf> next = frame();
        it.arrive("\5ab");
        it.channel.pipeline().remove(receiver);
        it.arrive("cde\1A");
        assertTooLong(failed);
        assertThat(next.cause()).isInstanceOf(ChannelPipelineException.class);
        assertThat(it.passed)
                .containsExactly("TooLongFrameException", "readComplete", "cde\1A", "readComplete");
    }

    @Test // 19, 45
    void whatIsAskedAndWhatComesInsideTheReportIsBehindIt() {
        List<ProgressiveFuture<ByteBuf>> asked = new ArrayList<>();
        onException(ctx -> {
            asked.add(frame());
            it.arrive("cde\1B");
        });
        ProgressiveFuture<ByteBuf> failed = frame();
        ProgressiveFuture<ByteBuf> next = frame();
        failed.addListener(done -> asked.add(frame()));
        it.arrive("\5ab");
        it.arrive("\1C\1D");
        assertTooLong(failed);
        assertThat(text(next) + text(asked.get(0)) + text(asked.get(1))).isEqualTo("BCD");
    }

    @Test // 44
    void cancelledBeforeItsLengthIsKnownTheNextOneDecides() {
        ProgressiveFuture<ByteBuf> cancelled = receiver.receive(uint16(), LIMIT);
        ProgressiveFuture<ByteBuf> next = receiver.receive(5);
        it.arrive("\0");
        cancelled.cancel(false);
        it.arrive("\3abc");
        assertThat(text(next)).isEqualTo("\0\3abc");
        assertThat(it.exceptions).isEmpty();
    }

    @Test // 34, 38
    void theInputEndsInsideTheReport() {
        onException(ctx -> {
            if (it.exceptions.size() == 1) {
                it.halfClose();
            }
        });
        ProgressiveFuture<ByteBuf> failed = frame();
        ProgressiveFuture<ByteBuf> next = frame();
        it.arrive("\5abc");
        assertTooLong(failed);
        assertThat(next.cause()).isInstanceOf(PrematureCloseException.class);
        assertThat(it.exceptions).hasSize(2).element(1).hasToString(
                "io.exactframe.netty.PrematureCloseException: stream ended after 4 of 6 bytes");
    }

    @Test // recv_all's errors: bytes from before the close are still served
    void askedForWhenTheChannelIsClosed() {
        it.arrive("\5abcde\1A\5abc");
        it.channel.close();
        assertTooLong(frame());
        assertThat(text(frame())).isEqualTo("A");
        assertTooLong(frame());
        assertThat(receiver.receiveOrEnd(1).cause()).isInstanceOf(ClosedChannelException.class);
        it.channel.checkException(); // nothing is fired any more
        assertThat(it.exceptions).isEmpty();
    }

    @Test // 44: as from another thread
    void cancelledWhileItsLengthIsReadTheNextOneDecides() {
        ProgressiveFuture<ByteBuf> cancelled = frame();
        ProgressiveFuture<ByteBuf> next = receiver.receive(6);
        ByteBuf read = new UnpooledHeapByteBuf(it.channel.alloc(), 16, 16) {
            @Override
            protected byte _getByte(int index) {
                cancelled.cancel(false);
                return super._getByte(index);
            }
        };
        Wire.receive(it.channel, read.writeBytes(new byte[] {5, 'a', 'b', 'c', 'd', 'e'}));
        assertThat(cancelled.isCancelled()).isTrue();
        assertThat(text(next)).isEqualTo("\5abcde");
        assertThat(it.exceptions).isEmpty();
    }

    @Test // 43: the failed one holds its place until its bytes are here, and no longer
    void placesAreGivenBack() {
        for (int i = 0; i < 5000; i++) {
            ProgressiveFuture<ByteBuf> failed = frame();
            it.arrive("\5abcde");
            assertTooLong(failed);
        }
        List<ProgressiveFuture<ByteBuf>> all = new ArrayList<>();
        for (int i = 0; i < 1024; i++) {
            all.add(receiver.receive(1));
        }
        it.arrive("x".repeat(1024));
        all.forEach(one -> assertThat(text(one)).isEqualTo("x"));
    }

    @Tag("slow")
    @Test // 51
    void anyLengthInMemoryThatStaysTheSame() {
        ReceiverChannel it = new ReceiverChannel(
                new ExactReceiver(ReceiveOptions.defaults().skipOversized(Long.MAX_VALUE)));
        long payload = 5L << 30;
        ProgressiveFuture<ByteBuf> failed = it.receiver.receive(int64(), 100);
        ProgressiveFuture<ByteBuf> next = it.receiver.receive(2);
        ByteBuf large = it.channel.alloc().buffer(1 << 20).writeZero(1 << 20);
        Wire.receive(it.channel, Wire.number(payload, 8, false));
        assertThat(failed.cause()).hasMessage("frame of " + (payload + 8) + " bytes, the limit is 100");
        CountingAllocator allocator = new CountingAllocator();
        it.channel.config().setAllocator(allocator);
        for (long left = payload; left > 0; left -= large.readableBytes()) {
            Wire.receive(it.channel, large.retainedDuplicate());
            assertThat(large.refCnt()).isOne();
        }
        assertThat(allocator.calls).isZero();
        large.release();
        it.arrive("AB");
        assertThat(text(next)).isEqualTo("AB");
        it.channel.finish();
    }
}
