/** Receiving exactly N bytes on Netty: whole frames, or the truth about how far they got. */
module io.exactframe.netty {
    requires transitive io.netty.buffer;
    requires transitive io.netty.codec;
    requires transitive io.netty.common;
    requires io.netty.handler;
    requires transitive io.netty.transport;
    requires static jdk.jfr;
    requires static org.jspecify;

    exports io.exactframe.netty;
}
