package io.exactframe.netty;

import io.netty.channel.ChannelHandlerContext;
import jdk.jfr.Event;
import jdk.jfr.Name;

/**
 * What Java Flight Recorder is told, in a run-time image that has one. Best effort: whatever becomes of an event, nobody
 * else is to notice.
 */
final class Recorded {
    /** The fault is its exception's class and message: ours have counts, a codec's what the codec says. */
    @Name("io.exactframe.Fault")
    static final class Fault extends Event {
        private String handler = "", channel = "", fault = "";
    }

    /** A frame has waited for memory of a {@link ReceiveBudget}. */
    @Name("io.exactframe.MemoryWait")
    static final class MemoryWait extends Event {
        private long bytes;
    }

    /** Tells of a fault in the stream, and whoever records. */
    static void fire(ChannelHandlerContext ctx, Throwable fault) {
        try {
            Fault event = new Fault();
            event.handler = ctx.name();
            event.channel = ctx.channel().id().asShortText();
            event.fault = describe(fault);
            event.commit(); // nothing, unless somebody records
        } catch (Throwable noRecorder) {
            // a NoClassDefFoundError, and nobody's but ours
        }
        ctx.fireExceptionCaught(fault);
    }

    /** A frame begins to wait for so much memory; to be run when it waits no more. */
    static Runnable memoryWait(long bytes) {
        try {
            MemoryWait event = new MemoryWait();
            event.bytes = bytes;
            event.begin();
            return event::commit;
        } catch (LinkageError noRecorder) {
            return () -> {};
        }
    }

    /** An exception's class and message, also if it is a codec's and cannot say what it has to say. */
    static String describe(Throwable fault) {
        try {
            return fault.toString();
        } catch (Throwable noMessage) {
            return fault.getClass().getName();
        }
    }
}
