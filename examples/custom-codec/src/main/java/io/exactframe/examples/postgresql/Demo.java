package io.exactframe.examples.postgresql;

import io.netty.channel.Channel;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** A server of its own, the relay in front, and psql and pgbench in front of that. */
final class Demo {
    private static final List<String> QUERIES = List.of(
            "select 'exactly this' as answer",
            "create table numbers as select n, repeat('x', 100) as filler from generate_series(1, 100000) n",
            "select count(*) from numbers",
            "select length(string_agg(filler, '')) from numbers",
            "select repeat('a large message ', 500000) \\g /dev/null",
            "\\copy numbers to /dev/null",
            "select * from nowhere");

    private final boolean json;

    Demo(boolean json) {
        this.json = json;
    }

    int run() throws Exception {
        InetAddress here = InetAddress.getByName("127.0.0.1");
        System.out.println("starting a PostgreSQL of our own ...");
        try (LocalPostgres server = LocalPostgres.start()) {
            Thread stop = new Thread(() -> closeQuietly(server));
            Runtime.getRuntime().addShutdownHook(stop); // for Ctrl-C
            EventLoopGroup group = new MultiThreadIoEventLoopGroup(NioIoHandler.newFactory());
            Traffic traffic = new Traffic(System.out, System.err, json);
            Relay relay = new Relay(new InetSocketAddress(here, server.port()), null, MessageDecoder::new, traffic);
            Channel listening = relay.listen(group, new InetSocketAddress(here, 0));
            int port = ((InetSocketAddress) listening.localAddress()).getPort();
            System.out.println("PostgreSQL is at port " + server.port() + ", the relay in front of it at " + port);
            String url = "host=127.0.0.1 port=" + port + " user=" + LocalPostgres.USER + " dbname=postgres";
            for (String query : QUERIES) {
                System.out.println("\n$ psql -c \"" + query + "\"");
                List<String> psql = new ArrayList<>(List.of(server.program("psql").toString(), url, "-X"));
                runHere(psql, query);
            }
            String pgbench = server.program("pgbench").toString();
            System.out.println("\n$ pgbench -i && pgbench -c 8 -t 500 -S -M extended");
            runHere(List.of(pgbench, "-i", "--quiet", url), null);
            runHere(List.of(pgbench, "-c", "8", "-t", "500", "-S", "-M", "extended", url), null);
            System.out.println();
            end(listening, group, traffic);
            traffic.show(false);
            Runtime.getRuntime().removeShutdownHook(stop);
            return 0;
        }
    }

    /** All clients have ended, but their last words may not be read yet, and event loops that shut down close what is open. */
    static void end(Channel listening, EventLoopGroup group, Traffic traffic) throws InterruptedException {
        listening.close().sync();
        traffic.awaitNone(10_000);
        group.shutdownGracefully(100, 2_000, TimeUnit.MILLISECONDS).sync();
    }

    /** psql takes the query from its input, where backslashes may follow SQL. */
    private static void runHere(List<String> command, String input) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(command)
                .redirectOutput(ProcessBuilder.Redirect.INHERIT)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        try (var in = process.outputWriter()) {
            if (input != null) {
                in.write(input + (input.contains("\\") ? "\n" : ";\n"));
            }
        }
        process.waitFor();
    }

    private static void closeQuietly(LocalPostgres server) {
        try {
            server.close();
        } catch (IOException e) {
            System.err.println(e.getMessage());
        }
    }
}
