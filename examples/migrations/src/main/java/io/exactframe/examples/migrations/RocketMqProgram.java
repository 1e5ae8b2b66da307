package io.exactframe.examples.migrations;

import io.netty.channel.ChannelHandlerContext;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import org.apache.rocketmq.remoting.InvokeCallback;
import org.apache.rocketmq.remoting.netty.NettyClientConfig;
import org.apache.rocketmq.remoting.netty.NettyRemotingClient;
import org.apache.rocketmq.remoting.netty.NettyRemotingServer;
import org.apache.rocketmq.remoting.netty.NettyRequestProcessor;
import org.apache.rocketmq.remoting.netty.NettyServerConfig;
import org.apache.rocketmq.remoting.netty.ResponseFuture;
import org.apache.rocketmq.remoting.protocol.RemotingCommand;

/** A command with a body, answered with that body. */
final class RocketMqProgram implements Program {
    private static final int ECHO = 1;

    private final NettyRemotingServer server;
    private final NettyRemotingClient client;
    private final String address;

    RocketMqProgram() throws Exception {
        NettyServerConfig config = new NettyServerConfig();
        config.setListenPort(0);
        config.setBindAddress("127.0.0.1");
        server = new NettyRemotingServer(config);
        server.registerProcessor(
                ECHO,
                new NettyRequestProcessor() {
                    @Override
                    public RemotingCommand processRequest(ChannelHandlerContext ctx, RemotingCommand request) {
                        RemotingCommand response = RemotingCommand.createResponseCommand(0, "echo");
                        response.setBody(request.getBody());
                        return response;
                    }

                    @Override
                    public boolean rejectRequest() {
                        return false;
                    }
                },
                Executors.newFixedThreadPool(2));
        server.start();
        client = new NettyRemotingClient(new NettyClientConfig());
        client.start();
        address = "127.0.0.1:" + server.localListenPort();
    }

    @Override
    public CompletableFuture<byte[]> echo(byte[] bytes) {
        RemotingCommand request = RemotingCommand.createRequestCommand(ECHO, null);
        request.setBody(bytes);
        CompletableFuture<byte[]> answer = new CompletableFuture<>();
        try {
            client.invokeAsync(address, request, 30_000, new InvokeCallback() {
                @Override
                public void operationComplete(ResponseFuture future) {}

                @Override
                public void operationSucceed(RemotingCommand response) {
                    answer.complete(response.getBody());
                }

                @Override
                public void operationFail(Throwable cause) {
                    answer.completeExceptionally(cause);
                }
            });
        } catch (Exception e) {
            answer.completeExceptionally(e);
        }
        return answer;
    }

    @Override
    public void close() {
        client.shutdown();
        server.shutdown();
    }
}
