package io.exactframe.netty;

import io.netty.channel.ChannelHandlerContext;
import jdk.jfr.Event;
import jdk.jfr.Name;

/**
 * For Java Flight Recorder: a handler has told of a fault in the stream. The fault is its exception's class and
 * message: ours have counts, no bytes and no address; what a codec's exception says is the codec's.
 */
@Name("io.exactframe.Fault")
final class FaultEvent extends Event {
    private String handler = "", channel = "", fault = "";

    /** Tells of the fault, and whoever records. */
    static void tell(ChannelHandlerContext ctx, Throwable fault) {
        FaultEvent event = new FaultEvent();
        event.handler = ctx.name();
        event.channel = ctx.channel().id().asShortText();
        event.fault = fault.toString();
        event.commit(); // nothing, unless somebody records
        ctx.fireExceptionCaught(fault);
    }
}
