package io.exactframe.examples.postgresql;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.exactframe.netty.ExactReceiver;
import io.exactframe.netty.LengthPrefix;
import io.exactframe.netty.LengthPrefix.CountedFrom;
import io.netty.bootstrap.Bootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.channel.Channel;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.socket.nio.NioSocketChannel;
import java.net.SocketAddress;
import java.util.ArrayList;
import java.util.List;

/** A client in a blocking style, not for event loops: writes, then receives until the server is ready again. */
final class TinyClient implements AutoCloseable {
    private static final LengthPrefix MESSAGE =
            LengthPrefix.uint32().headerBefore(1).countedFrom(CountedFrom.FIELD).keepHeader();

    private final ExactReceiver receiver = new ExactReceiver();
    private final Channel channel;

    TinyClient(EventLoopGroup group, SocketAddress server, String user) throws InterruptedException {
        channel = new Bootstrap()
                .group(group)
                .channel(NioSocketChannel.class)
                .handler(receiver)
                .connect(server)
                .sync()
                .channel();
        String parameters = "user\0" + user + "\0\0";
        ByteBuf startup = channel.alloc().buffer();
        startup.writeInt(8 + ByteBufUtil.utf8Bytes(parameters)).writeInt(FrontendMessage.PROTOCOL_3_0);
        startup.writeCharSequence(parameters, UTF_8);
        channel.writeAndFlush(startup);
        receiveUntilReady();
    }

    /** The values of the answer, each a row, or the error's message. */
    List<String> query(String sql) throws InterruptedException {
        send('Q', sql + '\0');
        return receiveUntilReady();
    }

    private void send(char type, String content) {
        ByteBuf message = channel.alloc().buffer();
        message.writeByte(type);
        MESSAGE.writeLength(message, ByteBufUtil.utf8Bytes(content));
        message.writeCharSequence(content, UTF_8);
        channel.writeAndFlush(message);
    }

    private List<String> receiveUntilReady() throws InterruptedException {
        List<String> values = new ArrayList<>();
        for (char type = 0; type != 'Z'; ) {
            ByteBuf message = receiver.receive(MESSAGE, 1024 * 1024).sync().getNow();
            try {
                type = (char) message.readByte();
                message.readInt();
                if (type == 'D') {
                    message.readShort(); // one column
                    values.add(
                            message.readCharSequence(message.readInt(), UTF_8).toString());
                } else if (type == 'E') {
                    for (String field : message.toString(UTF_8).split("\0")) {
                        if (field.startsWith("M")) {
                            values.add("error: " + field.substring(1));
                        }
                    }
                }
            } finally {
                message.release();
            }
        }
        return values;
    }

    @Override
    public void close() {
        send('X', "");
        channel.close().syncUninterruptibly();
    }
}
