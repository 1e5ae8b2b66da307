package io.exactframe.netty;

import static org.assertj.core.api.Assertions.assertThat;

import io.exactframe.netty.testing.Loopback;
import io.exactframe.netty.testing.Loopback.Transport;
import io.netty.bootstrap.Bootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.util.concurrent.Future;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** 31, 58: a slow reader, and a peer that sends a hundred frames, perhaps a part of one more, and is gone. */
class OnDemandSocketTest {
    private static final int CONNECTIONS = 200;
    private static final int FRAMES = 100;
    private static final int LARGEST = 4096;
    private static final int FIXED_LENGTH = 700;
    private static final ReceiveOptions ON_DEMAND = ReceiveOptions.defaults().onDemand();

    Transport transport() {
        return Transport.nio();
    }

    private enum Kind {
        FIXED,
        PREFIXED,
        OWN_CODEC,
        STREAM,
        RECEIVER
    }

    private enum End {
        CLOSE,
        SHUTDOWN_OUTPUT,
        HALF_CLOSURE
    }

    /** The length of a frame's payload; each of its bytes is the frame's number. */
    private static int length(Kind kind, int frame) {
        return kind == Kind.FIXED ? FIXED_LENGTH : 1 + frame * 37 % 2000;
    }

    private static ByteBuffer stream(Kind kind, boolean cut) {
        ByteBuffer out = ByteBuffer.allocate((FRAMES + 1) * LARGEST);
        int end = 0;
        for (int i = 0; i <= FRAMES; i++) {
            end = out.position();
            if (kind == Kind.OWN_CODEC) {
                out.putInt('T' << 24 | length(kind, i));
            } else if (kind != Kind.FIXED) {
                out.putInt(length(kind, i));
            }
            for (int j = 0; j < length(kind, i); j++) {
                out.put((byte) i);
            }
        }
        return out.limit(cut ? (end + out.position()) / 2 : end).position(0);
    }

    private static final class OwnCodec extends ExactFrameDecoder {
        OwnCodec() {
            super(4, 4, LARGEST, ON_DEMAND);
        }

        @Override
        protected long frameLength(ByteBuf header) {
            return 4 + header.getUnsignedMedium(1);
        }

        @Override
        protected Object decode(ChannelHandlerContext ctx, ByteBuf frame) {
            return frame.skipBytes(4).retainedSlice();
        }
    }

    /** Reads one message, and a little later asks for the next. On the event loop, all of it. */
    private static final class SlowReader extends ChannelInboundHandlerAdapter {
        final Kind kind;
        final int pace; // microseconds
        final CompletableFuture<List<String>> ended = new CompletableFuture<>();
        private final List<String> log = new ArrayList<>(); // what is not as it should be, and the end
        private int asked;
        private int frames;
        private int payload; // of the frame under way

        SlowReader(Kind kind, int pace) {
            this.kind = kind;
            this.pace = pace;
        }

        private void ask(ChannelHandlerContext ctx) {
            asked = 1;
            ctx.read();
        }

        @Override
        public void handlerAdded(ChannelHandlerContext ctx) {
            if (ctx.channel().isActive()) {
                channelActive(ctx);
            }
        }

        @Override
        public void channelActive(ChannelHandlerContext ctx) {
            if (kind == Kind.RECEIVER) {
                receive(ctx, ctx.pipeline().get(ExactReceiver.class));
            } else {
                ask(ctx);
            }
        }

        private void later(ChannelHandlerContext ctx, Runnable action) {
            if (pace == 0) {
                action.run();
            } else {
                ctx.executor().schedule(action, pace, TimeUnit.MICROSECONDS);
            }
        }

        private void receive(ChannelHandlerContext ctx, ExactReceiver receiver) {
            receiver.receiveOrEnd(4).addListener((Future<ByteBuf> header) -> {
                if (!header.isSuccess() || header.getNow() == null) {
                    finish(ctx, header.isSuccess() ? "end" : header.cause().getClass().getSimpleName());
                    return;
                }
                int length = header.getNow().getInt(0);
                header.getNow().release();
                receiver.receive(length).addListener((Future<ByteBuf> frame) -> {
                    if (frame.isSuccess()) {
                        whole(frame.getNow());
                        later(ctx, () -> receive(ctx, receiver));
                    } else {
                        finish(ctx, frame.cause().getClass().getSimpleName());
                    }
                });
            });
        }

        @Override
        public void channelRead(ChannelHandlerContext ctx, Object message) {
            if (--asked < 0 && ctx.channel().isRegistered()) {
                log.add("nobody asked for frame " + frames);
            }
            if (message instanceof FrameChunk chunk) {
                payload += chunk.content().readableBytes();
                if (chunk.isLast()) {
                    check(payload, chunk.content());
                }
                chunk.release();
            } else if (message instanceof FrameStart) {
                payload = 0;
            } else {
                whole((ByteBuf) message);
            }
            later(ctx, () -> ask(ctx));
        }

        private void whole(ByteBuf frame) {
            check(frame.readableBytes(), frame);
            frame.release();
        }

        private void check(int length, ByteBuf bytes) {
            boolean same = bytes.forEachByte(value -> value == frames) < 0;
            if (!same || length != length(kind, frames)) {
                log.add("frame " + frames + " is wrong");
            }
            frames++;
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
            if (kind != Kind.RECEIVER) {
                log.add(cause.getClass().getSimpleName());
            }
        }

        @Override
        public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
            if (event == ChannelInputShutdownEvent.INSTANCE && kind != Kind.RECEIVER) {
                log.add("input shut");
                ctx.close();
            }
        }

        @Override
        public void channelInactive(ChannelHandlerContext ctx) {
            if (kind != Kind.RECEIVER) {
                finish(ctx, "inactive");
            }
        }

        private void finish(ChannelHandlerContext ctx, String end) {
            log.add(end);
            log.add(0, frames + " frames");
            ended.complete(log);
            ctx.close();
        }
    }

    private static void addTo(Channel channel, Kind kind, SlowReader reader) {
        LengthPrefix prefix = LengthPrefix.uint32();
        channel.pipeline().addLast(switch (kind) {
            case FIXED -> new FixedLengthExactDecoder(FIXED_LENGTH, ON_DEMAND);
            case PREFIXED -> new LengthPrefixedExactDecoder(LARGEST, prefix, ON_DEMAND);
            case OWN_CODEC -> new OwnCodec();
            case STREAM -> new FrameStreamDecoder(LARGEST, prefix, ON_DEMAND);
            case RECEIVER -> new ExactReceiver();
        });
        channel.pipeline().addLast(reader);
    }

    @ParameterizedTest
    @EnumSource
    void everyWholeFrameThenTheFaultThenTheEnd(End end) throws Exception {
        MultiThreadIoEventLoopGroup group = transport().loops();
        List<SlowReader> readers = new ArrayList<>();
        List<SocketChannel> peers = new ArrayList<>();
        try (ServerSocketChannel server = ServerSocketChannel.open()) {
            server.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
            for (int i = 0; i < CONNECTIONS; i++) {
                SlowReader reader = new SlowReader(Kind.values()[i / 2 % 5], i % 7 * 200);
                readers.add(reader);
                new Bootstrap()
                        .group(group)
                        .channel(transport().socket())
                        .option(ChannelOption.AUTO_READ, false)
                        .option(ChannelOption.ALLOW_HALF_CLOSURE, end == End.HALF_CLOSURE)
                        .handler(new ChannelInitializer<>() {
                            @Override
                            protected void initChannel(Channel channel) {
                                addTo(channel, reader.kind, reader);
                            }
                        })
                        .connect(server.getLocalAddress())
                        .sync();
                SocketChannel peer = server.accept();
                peers.add(peer);
                for (ByteBuffer stream = stream(reader.kind, i % 2 == 0); stream.hasRemaining(); ) {
                    peer.write(stream);
                }
                if (end == End.CLOSE) {
                    peer.close();
                } else {
                    peer.shutdownOutput();
                }
            }
            for (int i = 0; i < CONNECTIONS; i++) {
                List<String> expected = new ArrayList<>(List.of(FRAMES + " frames"));
                boolean receiver = readers.get(i).kind == Kind.RECEIVER;
                if (i % 2 == 0) {
                    expected.add("PrematureCloseException");
                }
                if (end == End.HALF_CLOSURE && !receiver) {
                    expected.add("input shut");
                }
                if (!receiver || i % 2 != 0) {
                    expected.add(receiver ? "end" : "inactive");
                }
                assertThat(readers.get(i).ended.get(Loopback.SECONDS, TimeUnit.SECONDS))
                        .as(readers.get(i).kind + ", connection " + i)
                        .isEqualTo(expected);
            }
        } finally {
            for (SocketChannel peer : peers) {
                peer.close();
            }
            transport().leave(group);
        }
    }
}
