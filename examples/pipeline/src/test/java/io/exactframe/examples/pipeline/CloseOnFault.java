package io.exactframe.examples.pipeline;

import static java.lang.System.Logger.Level.ERROR;
import static java.lang.System.Logger.Level.INFO;
import static java.lang.System.Logger.Level.WARNING;

import io.exactframe.netty.PrematureCloseException;
import io.netty.channel.ChannelHandler.Sharable;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.codec.CorruptedFrameException;
import io.netty.handler.codec.TooLongFrameException;
import java.io.IOException;

/** The last handler: says whose fault it was, and closes. The decoders report, they never close. */
@Sharable
final class CloseOnFault extends ChannelInboundHandlerAdapter {
    private static final System.Logger LOG = System.getLogger(CloseOnFault.class.getName());

    // tag::faults[]
    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        if (cause instanceof PrematureCloseException e) {
            LOG.log(INFO, "the peer left after " + e.receivedBytes() + " of " + e.expectedBytes() + " bytes");
        } else if (cause instanceof TooLongFrameException || cause instanceof CorruptedFrameException) {
            LOG.log(WARNING, "the peer does not keep to the protocol: " + cause.getMessage());
        } else if (cause instanceof IOException) {
            LOG.log(INFO, "the connection was lost: " + cause.getMessage());
        } else {
            LOG.log(ERROR, "a fault of our own", cause);
        }
        ctx.close();
    }
    // end::faults[]
}
