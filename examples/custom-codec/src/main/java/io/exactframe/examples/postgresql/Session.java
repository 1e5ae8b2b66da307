package io.exactframe.examples.postgresql;

import io.exactframe.examples.postgresql.Pipe.From;
import io.exactframe.netty.PrematureCloseException;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.socket.DuplexChannel;
import io.netty.handler.codec.DecoderException;
import io.netty.handler.ssl.SslHandler;
import java.io.IOException;

/**
 * What the two directions of a client's connection share, on one event loop: how it ends, and who is told.
 *
 * <pre>
 *   STARTING ──► OPEN ──the ends of both inputs──────────────────────► OVER
 *      └──────────┴───── fault, cut-off message, a channel is gone ─────┘
 * </pre>
 */
final class Session {
    private enum State { STARTING, OPEN, OVER }

    private final Traffic traffic;
    private final Channel client;
    private final int id;
    private final Queries queries;
    private State state = State.STARTING;
    private Pipe toServer;
    private Pipe toClient;
    private boolean told; // how it ended; nothing to tell is after a Terminate, and of a CancelRequest
    private Pipe broken; // its connection, not only the stream
    private Pipe ended; // the first whose input did

    Session(Traffic traffic, Channel client) {
        this.traffic = traffic;
        this.client = client;
        id = traffic.opened();
        queries = new Queries(traffic, id);
    }

    void connected(Pipe toServer, Pipe toClient, Channel server, boolean cancels) {
        state = State.OPEN;
        this.toServer = toServer;
        this.toClient = toClient;
        toServer.to = server;
        toClient.to = client;
        told = cancels;
    }

    Pipe opposite(Pipe pipe) {
        return pipe == toServer ? toClient : toServer;
    }

    /** A message, or the last part of one, is going through. */
    void message(Pipe pipe, char type, long length, ByteBuf frame) {
        queries.message(pipe.from, type, length, frame);
        told |= pipe.from == From.CLIENT && type == 'X';
    }

    /** Nothing more comes from there; what came before it still goes out, and then the end. */
    void inputEnded(Pipe pipe) {
        if (pipe == broken) {
            gone(pipe);
        } else if (ended == null) {
            ended = pipe;
            String error = queries.fatalError();
            String who = error.isEmpty() ? Messages.name(pipe.from) + " left" : "the server ended it with error " + error;
            tell(who + opposite(pipe).progress());
            Channel to = pipe.to;
            pipe.flush();
            to.writeAndFlush(Unpooled.EMPTY_BUFFER).addListener(written -> {
                SslHandler tls = to.pipeline().get(SslHandler.class);
                if (tls != null) {
                    tls.closeOutbound();
                } else {
                    ((DuplexChannel) to).shutdownOutput();
                }
            });
        } else if (ended != pipe) { // which may be told twice, of TLS's end and of TCP's
            fail("both left");
        }
    }

    /**
     * Nothing more can be written there: we have said that it is the end, or a write has failed. Then what came from there
     * before, a Terminate or why the server ends, is still read, and behind it the end; nothing of the opposite waits for that.
     */
    void outputEnded(Pipe pipe) {
        if (ended != opposite(pipe)) {
            broken = pipe;
            opposite(pipe).goOn();
        }
    }

    void fault(Pipe pipe, Throwable cause) {
        if (cause instanceof PrematureCloseException e) {
            fail(Messages.name(pipe.from) + " left " + pipe.progress(e) + opposite(pipe).progress());
        } else if (cause instanceof IOException) {
            broken = pipe; // Netty tells of the end of its input, or of the channel, right behind this
        } else {
            boolean theirs = cause instanceof DecoderException; // TooLong, Corrupted, and those of TLS are
            fail(theirs ? Messages.name(pipe.from) + " broke the protocol: " + cause.getMessage() : "a fault of our own: " + cause);
        }
    }

    void gone(Pipe pipe) {
        fail(Messages.name(pipe.from) + " is gone" + opposite(pipe).progress());
    }

    /** Closes both channels, each behind what was written to it. */
    void fail(String line) {
        if (state == State.OVER) {
            return;
        }
        tell(line);
        traffic.closed();
        if (state == State.OPEN) {
            toServer.flush();
            toClient.flush();
            close(toServer.to);
        }
        close(client);
        state = State.OVER;
    }

    private static void close(Channel channel) {
        channel.writeAndFlush(Unpooled.EMPTY_BUFFER).addListener(ChannelFutureListener.CLOSE);
    }

    private void tell(String line) {
        if (!told) {
            told = true;
            traffic.tell("connection " + id + ": " + line);
        }
    }
}
