package io.exactframe.examples.filetransfer;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class MetadataTest {
    @ParameterizedTest
    @ValueSource(strings = {"a", "gr\u00f6\u00dfer als null.txt", "\u6587\u4ef6", "\ud83d\udc68\u200d\ud83d\udc69.png"})
    void whatIsEncodedIsDecoded(String name) throws Exception {
        Metadata metadata = new Metadata(Long.MAX_VALUE, name);
        ByteBuf frame = Unpooled.buffer();
        metadata.encode(frame);
        assertThat(Metadata.decode(frame)).isEqualTo(metadata);
    }
}
