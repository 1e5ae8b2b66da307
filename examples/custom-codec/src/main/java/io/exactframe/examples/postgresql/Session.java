package io.exactframe.examples.postgresql;

import io.exactframe.examples.postgresql.Pipe.From;
import io.exactframe.netty.PrematureCloseException;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.socket.DuplexChannel;
import io.netty.handler.ssl.SslHandler;
import java.io.IOException;
import java.util.List;

/**
 * What the two directions of a client's connection share, on one event loop: how it ends, and who is told.
 *
 * <pre>
 *   STARTING ──► OPEN ──end of one input──► HALF_CLOSED ──of the other──► OVER
 *      └──────────┴─── fault, cut-off message, a channel is gone ──┴───────┘
 * </pre>
 */
final class Session {
    private enum State { STARTING, OPEN, HALF_CLOSED, OVER }

    private final Traffic traffic;
    private final int id;
    private final Queries queries;
    private State state = State.STARTING;
    private Pipe toServer;
    private Pipe toClient;
    private boolean saidGoodbye; // with a Terminate, or it was a CancelRequest: every end is a good one
    private boolean told;
    private Pipe broken; // its connection, not only the stream
    private Pipe ended;

    Session(Traffic traffic) {
        this.traffic = traffic;
        id = traffic.opened();
        queries = new Queries(traffic, id);
    }

    void connected(Pipe fromClient, Channel client, Pipe fromServer, Channel server, boolean cancels) {
        state = State.OPEN;
        toServer = fromClient;
        toClient = fromServer;
        toServer.to = server;
        toClient.to = client;
        saidGoodbye = cancels;
    }

    Pipe opposite(Pipe pipe) {
        return pipe == toServer ? toClient : toServer;
    }

    /** A message, or the last part of one, is going through. */
    void message(Pipe pipe, char type, long length, ByteBuf frame) {
        traffic.message(pipe.from, type, length);
        queries.message(pipe.from, type, length, frame);
        saidGoodbye |= pipe.from == From.CLIENT && type == 'X';
    }

    /** Nothing more comes from there; what came before it still goes out, and then the end. */
    void inputEnded(Pipe pipe) {
        if (pipe == broken) {
            gone(pipe);
        } else if (pipe == ended) {
            return; // TLS's end, and now TCP's
        } else if (state == State.OPEN) {
            state = State.HALF_CLOSED;
            ended = pipe;
            String error = queries.fatalError();
            String who = error.isEmpty() ? pipe.name() + " left" : "the server ended it with error " + error;
            tell(who + opposite(pipe).progress());
            Channel to = pipe.to;
            to.writeAndFlush(Unpooled.EMPTY_BUFFER).addListener(written -> {
                SslHandler tls = to.pipeline().get(SslHandler.class);
                if (tls != null) {
                    tls.closeOutbound();
                } else {
                    ((DuplexChannel) to).shutdownOutput();
                }
            });
        } else {
            fail("both left");
        }
    }

    void fault(Pipe pipe, Throwable cause) {
        if (cause instanceof PrematureCloseException e) {
            fail(pipe.name() + " left " + pipe.progress(e) + opposite(pipe).progress());
        } else if (cause instanceof IOException) {
            broken = pipe; // Netty tells of the end of its input, or of the channel, right behind this
        } else {
            fail(pipe.name() + " broke the protocol: " + cause.getMessage());
        }
    }

    void gone(Pipe pipe) {
        fail(pipe.name() + " is gone" + opposite(pipe).progress());
    }

    /** Closes both channels, each behind what was written to it. */
    void fail(String line) {
        if (state == State.OVER) {
            return;
        }
        tell(line);
        traffic.closed();
        if (state != State.STARTING) {
            for (Channel channel : List.of(toServer.to, toClient.to)) {
                channel.writeAndFlush(Unpooled.EMPTY_BUFFER).addListener(ChannelFutureListener.CLOSE);
            }
        }
        state = State.OVER;
    }

    private void tell(String line) {
        if (!told && !saidGoodbye) {
            told = true;
            traffic.tell("connection " + id + ": " + line);
        }
    }
}
