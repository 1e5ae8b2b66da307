package io.exactframe.examples.postgresql;

import io.netty.channel.Channel;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import java.util.concurrent.TimeUnit;

/** Asks the server something; or, given a port, serves there until it is stopped. */
public final class PostgresDemo {
    private PostgresDemo() {}

    /**
     * Runs.
     *
     * @param args a port to serve at, or nothing for a demonstration that ends by itself
     * @throws InterruptedException if the thread is interrupted
     */
    public static void main(String[] args) throws InterruptedException {
        EventLoopGroup group = new MultiThreadIoEventLoopGroup(NioIoHandler.newFactory());
        try {
            Channel server = PostgresServer.listen(group, args.length == 0 ? 0 : Integer.parseInt(args[0]));
            System.out.println("listening at " + server.localAddress());
            if (args.length == 0) {
                ask(group, server);
            } else {
                System.out.println("try: psql -h 127.0.0.1 -p " + args[0] + " -c 'select 1'");
                server.closeFuture().sync();
            }
        } finally {
            group.shutdownGracefully(100, 5_000, TimeUnit.MILLISECONDS).sync();
        }
    }

    private static void ask(EventLoopGroup group, Channel server) throws InterruptedException {
        try (TinyClient client = new TinyClient(group, server.localAddress(), "demo")) {
            for (String sql : new String[] {"select 1", "select 'exactly this'", "drop table students"}) {
                System.out.println(sql + ": " + client.query(sql));
            }
        }
    }
}
