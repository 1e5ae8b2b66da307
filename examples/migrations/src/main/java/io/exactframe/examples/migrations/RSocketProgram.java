package io.exactframe.examples.migrations;

import io.rsocket.Payload;
import io.rsocket.RSocket;
import io.rsocket.SocketAcceptor;
import io.rsocket.core.RSocketConnector;
import io.rsocket.core.RSocketServer;
import io.rsocket.transport.netty.client.TcpClientTransport;
import io.rsocket.transport.netty.server.CloseableChannel;
import io.rsocket.transport.netty.server.TcpServerTransport;
import io.rsocket.util.DefaultPayload;
import java.util.concurrent.CompletableFuture;
import reactor.core.publisher.Mono;

/** Request and response. */
final class RSocketProgram implements Program {
    private final CloseableChannel server = RSocketServer.create(SocketAcceptor.forRequestResponse(Mono::just))
            .bindNow(TcpServerTransport.create("127.0.0.1", 0));
    private final RSocket client =
            RSocketConnector.connectWith(TcpClientTransport.create(server.address())).block();

    @Override
    public CompletableFuture<byte[]> echo(byte[] bytes) {
        return client.requestResponse(DefaultPayload.create(bytes))
                .map(RSocketProgram::bytes)
                .toFuture();
    }

    private static byte[] bytes(Payload payload) {
        byte[] bytes = new byte[payload.data().readableBytes()];
        payload.data().readBytes(bytes);
        payload.release();
        return bytes;
    }

    @Override
    public void close() {
        client.dispose();
        server.dispose();
    }
}
