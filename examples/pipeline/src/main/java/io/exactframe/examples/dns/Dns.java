package io.exactframe.examples.dns;

import io.exactframe.netty.ReceiveBudget;
import io.exactframe.netty.ReceiveOptions;
import io.netty.channel.Channel;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.util.internal.ThrowableUtil;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;

/** The command line. */
@Command(name = "dns", mixinStandardHelpOptions = true, description = "Answers DNS queries over TCP from a zone file.")
final class Dns implements Callable<Integer> {
    @Option(names = "--zone", required = true, paramLabel = "FILE", description = "the zone, in master file format")
    private Path zone;

    @Option(names = "--host", defaultValue = "127.0.0.1", description = "address to listen at (${DEFAULT-VALUE})")
    private String host;

    @Option(names = "--port", defaultValue = "5353", description = "port to listen at (${DEFAULT-VALUE}; 0: any)")
    private int port;

    @Option(names = "--deadline", defaultValue = "5", description = "seconds a query may take (${DEFAULT-VALUE})")
    private double deadline;

    @Option(names = "--idle", defaultValue = "10", description = "seconds of silence allowed (${DEFAULT-VALUE})")
    private double idle;

    @Option(names = "--budget", defaultValue = "1", description = "MiB for all unfinished queries (${DEFAULT-VALUE})")
    private int budget;

    @Option(names = "--delay", defaultValue = "0", description = "answers take up to these seconds, in any order")
    private double delay;

    @Option(names = "--debug", description = "show stack traces")
    private boolean debug;

    @Override
    public Integer call() throws Exception {
        Answers answers = new Answers(zone);
        ReceiveBudget shared = new ReceiveBudget((long) budget << 20);
        ReceiveOptions receive = ReceiveOptions.defaults().onDemand().frameDeadline(seconds(deadline)).budget(shared);
        DnsServer server = new DnsServer(answers, receive, seconds(idle), seconds(delay), System.err::println);
        EventLoopGroup group = new MultiThreadIoEventLoopGroup(NioIoHandler.newFactory());
        Channel listening = server.listen(group, new InetSocketAddress(InetAddress.getByName(host), port));
        System.out.println("answering for " + answers.origin + " at " + listening.localAddress());
        listening.closeFuture().sync();
        return 0;
    }

    private static Duration seconds(double seconds) {
        return Duration.ofMillis(Math.round(seconds * 1000));
    }

    public static void main(String... args) {
        Dns dns = new Dns();
        CommandSpec all = CommandSpec.create().name("pipeline.jar").mixinStandardHelpOptions(true);
        CommandLine commands = new CommandLine(all).addSubcommand(dns);
        commands.setParameterExceptionHandler((e, given) -> {
            System.err.println(e.getMessage() + " (--help shows what there is)");
            return 2;
        });
        commands.setExecutionExceptionHandler((e, command, parsed) -> {
            System.err.println(dns.debug ? ThrowableUtil.stackTraceToString(e) : "dns: " + e.getMessage());
            return 1;
        });
        System.exit(commands.execute(args));
    }
}
