package io.exactframe.examples.postgresql;

import static java.lang.System.Logger.Level.ERROR;
import static java.lang.System.Logger.Level.INFO;

import io.exactframe.examples.postgresql.BackendMessage.AuthenticationOk;
import io.exactframe.examples.postgresql.BackendMessage.CommandComplete;
import io.exactframe.examples.postgresql.BackendMessage.DataRow;
import io.exactframe.examples.postgresql.BackendMessage.EmptyQueryResponse;
import io.exactframe.examples.postgresql.BackendMessage.ErrorResponse;
import io.exactframe.examples.postgresql.BackendMessage.NoEncryption;
import io.exactframe.examples.postgresql.BackendMessage.ParameterStatus;
import io.exactframe.examples.postgresql.BackendMessage.ReadyForQuery;
import io.exactframe.examples.postgresql.BackendMessage.RowDescription;
import io.exactframe.examples.postgresql.FrontendMessage.CancelRequest;
import io.exactframe.examples.postgresql.FrontendMessage.EncryptionRequest;
import io.exactframe.examples.postgresql.FrontendMessage.PasswordMessage;
import io.exactframe.examples.postgresql.FrontendMessage.Query;
import io.exactframe.examples.postgresql.FrontendMessage.StartupMessage;
import io.exactframe.examples.postgresql.FrontendMessage.Sync;
import io.exactframe.examples.postgresql.FrontendMessage.Terminate;
import io.exactframe.netty.PrematureCloseException;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.handler.codec.CorruptedFrameException;
import io.netty.handler.codec.TooLongFrameException;
import java.io.IOException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** One client's connection: trusts everybody, and knows the answers to {@code select 1} and {@code select 'text'}. */
final class Session extends SimpleChannelInboundHandler<FrontendMessage> {
    private static final System.Logger LOG = System.getLogger(Session.class.getName());

    private static final Pattern SELECT =
            Pattern.compile("select\\s+(?:(?<number>\\d{1,18})|'(?<text>[^']*)')\\s*;?", Pattern.CASE_INSENSITIVE);

    private static final int INT8_OID = 20;
    private static final int TEXT_OID = 25;

    private boolean skippingToSync;
    private boolean finished;

    @Override
    protected void channelRead0(ChannelHandlerContext ctx, FrontendMessage message) {
        if (finished) {
            return; // only the last answer is still on its way
        }
        if (message instanceof Terminate || message instanceof CancelRequest) {
            finish(ctx, Unpooled.EMPTY_BUFFER);
        } else if (message instanceof Sync) {
            skippingToSync = false;
            ctx.write(new ReadyForQuery());
        } else if (skippingToSync) {
            return;
        } else if (message instanceof EncryptionRequest) {
            ctx.write(new NoEncryption());
        } else if (message instanceof StartupMessage startup) {
            start(ctx, startup);
        } else if (message instanceof Query query) {
            answer(ctx, query.sql().strip());
            ctx.write(new ReadyForQuery());
        } else if (message instanceof PasswordMessage) {
            finish(ctx, new ErrorResponse("FATAL", "08P01", "nobody asked for a password"));
        } else {
            skippingToSync = true;
            ctx.write(new ErrorResponse("ERROR", "0A000", "only simple queries are answered here"));
        }
    }

    private void start(ChannelHandlerContext ctx, StartupMessage startup) {
        if (startup.protocol() != FrontendMessage.PROTOCOL_3_0) {
            finish(ctx, new ErrorResponse("FATAL", "0A000", "only protocol 3.0 is spoken here"));
            return;
        }
        ctx.write(new AuthenticationOk());
        ctx.write(new ParameterStatus("server_version", "15.0"));
        ctx.write(new ParameterStatus("server_encoding", "UTF8"));
        ctx.write(new ParameterStatus("client_encoding", "UTF8"));
        ctx.write(new ReadyForQuery());
    }

    private static void answer(ChannelHandlerContext ctx, String sql) {
        Matcher select = SELECT.matcher(sql);
        if (sql.isEmpty() || sql.equals(";")) {
            ctx.write(new EmptyQueryResponse());
        } else if (select.matches()) {
            String number = select.group("number");
            boolean isNumber = number != null;
            ctx.write(new RowDescription("?column?", isNumber ? INT8_OID : TEXT_OID, isNumber ? 8 : -1));
            ctx.write(new DataRow(isNumber ? number : select.group("text")));
            ctx.write(new CommandComplete("SELECT 1"));
        } else {
            ctx.write(new ErrorResponse("ERROR", "42601", "only select 1 and select 'text' are answered here"));
        }
    }

    /** Sends the last answer behind those before it, then closes. */
    private void finish(ChannelHandlerContext ctx, Object lastAnswer) {
        if (!finished) {
            finished = true;
            ctx.writeAndFlush(lastAnswer).addListener(ChannelFutureListener.CLOSE);
        }
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext ctx) {
        ctx.flush();
        ctx.fireChannelReadComplete();
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext ctx) {
        // A client that does not read the answers asks nothing more.
        ctx.channel().config().setAutoRead(ctx.channel().isWritable());
        ctx.fireChannelWritabilityChanged();
    }

    // tag::faults[]
    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        if (cause instanceof CorruptedFrameException || cause instanceof TooLongFrameException) {
            finish(ctx, new ErrorResponse("FATAL", "08P01", cause.getMessage())); // protocol_violation
        } else if (cause instanceof IOException || cause instanceof PrematureCloseException) {
            LOG.log(INFO, "the client is gone: " + cause.getMessage());
            ctx.close();
        } else {
            LOG.log(ERROR, "a fault of our own", cause);
            ctx.close();
        }
    }
    // end::faults[]
}
