package io.exactframe.examples.postgresql;

import io.netty.channel.Channel;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.util.internal.ThrowableUtil;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;

/** The command line. */
public final class PostgresRelay {
    private PostgresRelay() {}

    private static final class Common {
        @Option(names = "--json", description = "print a line for each query instead of the table")
        private boolean json;

        @Option(names = "--debug", description = "show stack traces")
        private boolean debug;
    }

    @Command(name = "relay", mixinStandardHelpOptions = true, description = "Relays clients to a server.")
    private static final class RelayCommand implements Callable<Integer> {
        @Option(names = "--listen", required = true, paramLabel = "[HOST:]PORT", converter = AddressConverter.class,
                description = "where clients connect to; the host is 127.0.0.1 unless given")
        private InetSocketAddress listen;

        @Option(names = "--to", required = true, paramLabel = "HOST:PORT", converter = AddressConverter.class,
                description = "where the server is")
        private InetSocketAddress to;

        @Option(names = "--cert", paramLabel = "FILE", description = "certificate chain (PEM), for clients that want TLS")
        private Path certificate;

        @Option(names = "--key", paramLabel = "FILE", description = "its private key (PEM)")
        private Path key;

        @CommandLine.Mixin
        private final Common common = new Common();

        @Override
        public Integer call() throws Exception {
            if ((certificate == null) != (key == null)) {
                throw new IllegalArgumentException("--cert and --key go together");
            }
            SslContext tls = key == null
                    ? null
                    : SslContextBuilder.forServer(certificate.toFile(), key.toFile()).build();
            Traffic traffic = new Traffic(System.out, System.err, common.json);
            EventLoopGroup group = new MultiThreadIoEventLoopGroup(NioIoHandler.newFactory());
            Channel listening = new Relay(to, tls, MessageDecoder::new, traffic).listen(group, listen);
            System.err.println("relaying from " + listening.localAddress() + " to " + to);
            showTable(group, traffic);
            listening.closeFuture().sync();
            return 0;
        }

        private void showTable(EventLoopGroup group, Traffic traffic) {
            if (!common.json) {
                if (System.console() != null) {
                    group.next().scheduleAtFixedRate(() -> traffic.show(true), 1, 1, TimeUnit.SECONDS);
                }
                Runtime.getRuntime().addShutdownHook(new Thread(() -> traffic.show(System.console() != null)));
            }
        }
    }

    @Command(name = "demo", mixinStandardHelpOptions = true,
            description = "Starts the PostgreSQL that is installed, in a folder of its own, and asks it through the relay.")
    private static final class DemoCommand implements Callable<Integer> {
        @CommandLine.Mixin
        private final Common common = new Common();

        @Override
        public Integer call() throws Exception {
            return new Demo(common.json).run();
        }
    }

    static final class AddressConverter implements ITypeConverter<InetSocketAddress> {
        @Override
        public InetSocketAddress convert(String text) throws Exception {
            int colon = text.lastIndexOf(':');
            String host = colon < 0 ? "127.0.0.1" : text.substring(0, colon).replaceAll("[\\[\\]]", "");
            try {
                return new InetSocketAddress(InetAddress.getByName(host), Integer.parseInt(text.substring(colon + 1)));
            } catch (UnknownHostException e) {
                throw new TypeConversionException("there is no host '" + host + "'");
            } catch (IllegalArgumentException e) {
                throw new TypeConversionException("'" + text + "' is not HOST:PORT");
            }
        }
    }

    static int run(String... arguments) {
        CommandLine commands = new CommandLine(CommandSpec.create().name("custom-codec.jar").mixinStandardHelpOptions(true));
        commands.addSubcommand(new RelayCommand()).addSubcommand(new DemoCommand());
        commands.setParameterExceptionHandler((e, all) -> {
            System.err.println(e.getMessage() + " (--help shows what there is)");
            return 2;
        });
        commands.setExecutionExceptionHandler((e, command, parsed) -> {
            boolean debug = parsed.subcommand() != null && parsed.subcommand().hasMatchedOption("--debug");
            System.err.println(debug ? ThrowableUtil.stackTraceToString(e) : command.getCommandName() + ": " + e.getMessage());
            return 1;
        });
        return commands.execute(arguments);
    }

    /**
     * Runs.
     *
     * @param arguments a command and its options
     */
    public static void main(String... arguments) {
        System.exit(run(arguments));
    }
}
