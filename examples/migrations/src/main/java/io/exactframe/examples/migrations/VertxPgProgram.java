package io.exactframe.examples.migrations;

import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.pgclient.PgConnectOptions;
import io.vertx.pgclient.PgConnection;
import io.vertx.sqlclient.Tuple;
import java.util.concurrent.CompletableFuture;

/** A real PostgreSQL sends back what a prepared query was given. */
final class VertxPgProgram implements Program {
    private final Vertx vertx = Vertx.vertx();
    private final PgConnection connection;

    VertxPgProgram() throws Exception {
        PgConnectOptions options = new PgConnectOptions()
                .setHost("127.0.0.1")
                .setPort(Integer.parseInt(System.getenv().getOrDefault("PGPORT", "5432")))
                .setUser("demo")
                .setDatabase("postgres")
                .setCachePreparedStatements(true)
                .setPipeliningLimit(64);
        connection = PgConnection.connect(vertx, options).toCompletionStage().toCompletableFuture().get();
    }

    @Override
    public CompletableFuture<byte[]> echo(byte[] bytes) {
        return connection
                .preparedQuery("select $1::bytea")
                .execute(Tuple.of(Buffer.buffer(bytes)))
                .map(rows -> rows.iterator().next().getBuffer(0).getBytes())
                .toCompletionStage()
                .toCompletableFuture();
    }

    @Override
    public void close() throws Exception {
        connection.close();
        vertx.close().toCompletionStage().toCompletableFuture().get();
    }
}
