package io.exactframe.netty;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.Unpooled;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** What a ByteBufHolder promises, and that what is made of a chunk still says where it belongs. */
class FrameChunkTest {
    private static final long FAR = 5_000_000_000L;

    private FrameChunk chunk;

    @BeforeEach
    void make() {
        chunk = new FrameChunk(abc(), FAR, true);
    }

    private static ByteBuf abc() {
        return ByteBufAllocator.DEFAULT.buffer().writeBytes("abc".getBytes(US_ASCII));
    }

    @AfterEach
    void release() {
        while (chunk.refCnt() > 0) {
            chunk.release();
        }
    }

    static Stream<Arguments> others() {
        return Stream.of(
                other("copy", FrameChunk::copy, true),
                other("duplicate", FrameChunk::duplicate, false),
                other("retainedDuplicate", FrameChunk::retainedDuplicate, true),
                other("retain", FrameChunk::retain, true),
                other("retain(1)", chunk -> chunk.retain(1), true),
                other("touch", FrameChunk::touch, false),
                other("touch(hint)", chunk -> chunk.touch("here"), false),
                other("replace", chunk -> chunk.replace(abc()), true));
    }

    private static Arguments other(String name, UnaryOperator<FrameChunk> made, boolean owned) {
        return Arguments.of(name, made, owned);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("others")
    void whatIsMadeOfAChunkIsAChunkOfTheSamePlace(String name, UnaryOperator<FrameChunk> made, boolean owned) {
        FrameChunk other = made.apply(chunk);
        assertThat(other.offset()).isEqualTo(FAR);
        assertThat(other.isLast()).isTrue();
        assertThat(other).isEqualTo(chunk).hasSameHashCodeAs(chunk);
        assertThat(other.content().toString(US_ASCII)).isEqualTo("abc");
        if (owned) {
            other.release();
        }
        assertThat(chunk.refCnt()).isEqualTo(1);
    }

    @Test
    void chunksOfDifferentPlacesAreNotEqual() {
        assertThat(chunk)
                .isNotEqualTo(new FrameChunk(chunk.content(), FAR + 1, true))
                .isNotEqualTo(new FrameChunk(chunk.content(), FAR, false))
                .isNotEqualTo(new FrameChunk(Unpooled.EMPTY_BUFFER, FAR, true))
                .isNotEqualTo(null);
    }

    @Test
    void itSaysWhereItBelongsAndNoByteOfWhatItHolds() {
        assertThat(chunk.toString()).startsWith("FrameChunk(offset 5000000000, last, ").doesNotContain("abc");
        assertThat(new FrameChunk(chunk.content(), 7, false).toString())
                .startsWith("FrameChunk(offset 7, ")
                .doesNotContain("last");
        chunk.release();
        assertThat(chunk.toString()).contains("freed");
    }
}
