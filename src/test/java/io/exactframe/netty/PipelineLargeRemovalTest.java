package io.exactframe.netty;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.embedded.EmbeddedChannel;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** 22: a large partial frame, whatever it is made of, goes on as it came. */
class PipelineLargeRemovalTest {
    private static final int PAYLOAD = 400_000;
    private static final int[] SIZES = {1, 2, 3, 100, 4096, 8192, 8193, 16 * 1024, 64 * 1024};

    static Stream<Arguments> kinds() {
        LengthPrefix prefix = LengthPrefix.uint32().headerBefore(2).headerAfter(3).trailer(1);
        ReceiveOptions composite = ReceiveOptions.defaults();
        return Stream.of(
                        Arguments.of("payload alone", prefix, composite),
                        Arguments.of("part of the header", prefix.strip(4), composite),
                        Arguments.of("header kept", prefix.keepHeader(), composite),
                        Arguments.of("contiguous", prefix, composite.contiguous()),
                        Arguments.of("contiguous, header kept", prefix.keepHeader(), composite.contiguous()))
                .flatMap(kind -> IntStream.rangeClosed(1, 5).mapToObj(seed -> {
                    Object[] args = kind.get();
                    return Arguments.of(args[0], args[1], args[2], seed);
                }));
    }

    @ParameterizedTest(name = "{0}, seed {3}")
    @MethodSource("kinds")
    void aLargePartialFrameGoesOnAsItCame(String name, LengthPrefix prefix, ReceiveOptions options, int seed) {
        Random random = new Random(seed);
        byte[] stream = new byte[2 + 4 + 3 + PAYLOAD + 1];
        random.nextBytes(stream);
        Unpooled.wrappedBuffer(stream).setInt(2, PAYLOAD);
        int length = random.nextInt(stream.length);

        LengthPrefixedExactDecoder decoder = new LengthPrefixedExactDecoder(1 << 20, prefix, options);
        EmbeddedChannel channel = new EmbeddedChannel(decoder);
        int[] sizes = random.ints(0, SIZES.length).map(i -> SIZES[i]).limit(3).toArray();
        List<ByteBuf> fragments = new ArrayList<>();
        for (int sent = 0; sent < length; ) {
            int size = Math.min(length - sent, sizes[random.nextInt(sizes.length)]);
            if (fragments.size() > 2_000) {
                size = length - sent;
            }
            ByteBuf fragment = channel.alloc().buffer(size).writeBytes(stream, sent, size);
            fragments.add(fragment);
            assertThat(channel.writeInbound(fragment)).isFalse();
            sent += size;
        }
        assertThat(decoder.bufferedBytes()).isEqualTo(length);
        channel.pipeline().remove(decoder);
        assertThat(decoder.bufferedBytes()).isZero();

        ByteBuf rest = channel.readInbound();
        if (length > 0) {
            assertThat(rest).isEqualTo(Unpooled.wrappedBuffer(stream, 0, length));
            assertThat(rest.release()).isTrue();
        }
        assertThat(fragments).allMatch(fragment -> fragment.refCnt() == 0);
        assertThat(channel.finish()).isFalse();
    }
}
