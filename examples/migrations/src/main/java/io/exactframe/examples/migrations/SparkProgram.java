package io.exactframe.examples.migrations;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.spark.network.TransportContext;
import org.apache.spark.network.buffer.ManagedBuffer;
import org.apache.spark.network.buffer.NioManagedBuffer;
import org.apache.spark.network.client.RpcResponseCallback;
import org.apache.spark.network.client.StreamCallback;
import org.apache.spark.network.client.TransportClient;
import org.apache.spark.network.server.RpcHandler;
import org.apache.spark.network.server.StreamManager;
import org.apache.spark.network.server.TransportServer;
import org.apache.spark.network.util.MapConfigProvider;
import org.apache.spark.network.util.TransportConf;

/** Calls for less than 64 KiB; above, the call's answer is fetched as a stream, past the framing. */
final class SparkProgram implements Program {
    private final Map<String, ByteBuffer> streams = new ConcurrentHashMap<>();
    private final TransportContext context;
    private final TransportServer server;
    private final TransportClient client;

    SparkProgram() throws Exception {
        TransportConf conf = new TransportConf("rpc", new MapConfigProvider(Map.of()));
        context = new TransportContext(conf, new Echo());
        server = context.createServer("127.0.0.1", 0, java.util.List.of());
        client = context.createClientFactory().createClient("127.0.0.1", server.getPort());
    }

    private final class Echo extends RpcHandler {
        @Override
        public void receive(TransportClient client, ByteBuffer message, RpcResponseCallback callback) {
            ByteBuffer copy = ByteBuffer.allocate(message.remaining()).put(message).flip();
            if (copy.remaining() < 1 << 16) {
                callback.onSuccess(copy);
            } else {
                String id = "" + copy.getLong(0);
                streams.put(id, copy);
                callback.onSuccess(ByteBuffer.wrap(id.getBytes()));
            }
        }

        @Override
        public StreamManager getStreamManager() {
            return new StreamManager() {
                @Override
                public ManagedBuffer getChunk(long stream, int chunk) {
                    throw new UnsupportedOperationException();
                }

                @Override
                public ManagedBuffer openStream(String id) {
                    return new NioManagedBuffer(streams.remove(id));
                }
            };
        }
    }

    @Override
    public CompletableFuture<byte[]> echo(byte[] bytes) {
        CompletableFuture<byte[]> answer = new CompletableFuture<>();
        client.sendRpc(ByteBuffer.wrap(bytes), new RpcResponseCallback() {
            @Override
            public void onSuccess(ByteBuffer response) {
                byte[] content = new byte[response.remaining()];
                response.get(content);
                if (bytes.length < 1 << 16) {
                    answer.complete(content);
                } else {
                    client.stream(new String(content), new Collecting(bytes.length, answer));
                }
            }

            @Override
            public void onFailure(Throwable cause) {
                answer.completeExceptionally(cause);
            }
        });
        return answer;
    }

    private static final class Collecting implements StreamCallback {
        private final ByteArrayOutputStream bytes;
        private final CompletableFuture<byte[]> whole;

        Collecting(int size, CompletableFuture<byte[]> whole) {
            bytes = new ByteArrayOutputStream(size);
            this.whole = whole;
        }

        @Override
        public void onData(String id, ByteBuffer part) {
            byte[] copy = new byte[part.remaining()];
            part.get(copy);
            bytes.writeBytes(copy);
        }

        @Override
        public void onComplete(String id) {
            whole.complete(bytes.toByteArray());
        }

        @Override
        public void onFailure(String id, Throwable cause) {
            whole.completeExceptionally(cause);
        }
    }

    @Override
    public void close() throws Exception {
        client.close();
        server.close();
        context.close();
    }
}
