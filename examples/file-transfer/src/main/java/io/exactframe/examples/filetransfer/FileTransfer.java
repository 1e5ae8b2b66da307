package io.exactframe.examples.filetransfer;

import java.io.PrintWriter;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.NetworkInterface;
import java.net.SocketException;
import java.nio.file.Path;
import java.util.List;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.Spec;

/** The commands. */
@Command(
        name = "file-transfer",
        description = "Copies files from one machine to another and verifies that they arrived whole.",
        footer = {
            "",
            "Nothing is encrypted, and the first receiver that connects gets the files.",
            "Exit code: 0 all files verified, 1 transfer failed, 2 wrong usage."
        },
        mixinStandardHelpOptions = true,
        version = "file-transfer 0.1.0")
public final class FileTransfer {
    @Spec
    private CommandSpec spec;

    @Option(
            names = {"-q", "--quiet"},
            scope = ScopeType.INHERIT,
            description = "Show no progress.")
    private boolean quiet;

    /** Runs a command and exits with its exit code. */
    public static void main(String[] args) {
        System.exit(newCommandLine().execute(args));
    }

    static CommandLine newCommandLine() {
        return new CommandLine(new FileTransfer())
                .registerConverter(Address.class, Address::parse)
                .setExecutionExceptionHandler((failure, command, parsed) -> {
                    if (!(failure instanceof TransferException)) {
                        throw failure; // a fault of this program: with its stack trace
                    }
                    command.getErr().println(command.getColorScheme().errorText(failure.getMessage()));
                    return command.getCommandSpec().exitCodeOnExecutionException();
                });
    }

    @Command(description = "Waits for a receiver, sends it the files, and ends.", mixinStandardHelpOptions = true)
    int send(
            @Parameters(arity = "1..*", paramLabel = "FILE", description = "What to send.") List<Path> files,
            @Option(
                            names = "--port",
                            paramLabel = "PORT",
                            defaultValue = "0",
                            description = "Listen on this port. Default: any that is free.")
                    int port,
            @Option(
                            names = "--host",
                            paramLabel = "ADDRESS",
                            description = "Listen on this address of this machine. Default: on all.")
                    String host)
            throws TransferException {
        if (port < 0 || port > 65535) {
            throw new ParameterException(spec.commandLine(), "--port is 0 to 65535");
        }
        try (Sender sender = new Sender(files, progress())) {
            Address address = new Address(host != null ? host : ownAddress(), sender.listen(host, port));
            out().println("Listening on " + address + ", get the files with: receive " + address + " DIR");
            sender.send(file -> out().println("sent " + describe(file)));
        }
        return 0;
    }

    @Command(description = "Connects to a sender and stores its files.", mixinStandardHelpOptions = true)
    int receive(
            @Parameters(paramLabel = "HOST:PORT", description = "The address that 'send' shows.") Address sender,
            @Parameters(paramLabel = "DIR", description = "Where to store the files.") Path directory,
            @Option(names = "--overwrite", description = "Replace files that are there already.") boolean overwrite)
            throws TransferException {
        new Receiver(directory, overwrite, progress())
                .receive(sender, file -> out().println("received " + describe(file)));
        return 0;
    }

    @Command(description = "Sends a file to itself over loopback.", mixinStandardHelpOptions = true)
    int demo(
            @Parameters(
                            arity = "0..1",
                            paramLabel = "FILE",
                            description = "What to send. Default: 256 MiB of random bytes.")
                    Path file)
            throws TransferException {
        out().println(Demo.run(file, progress()));
        return 0;
    }

    private static String describe(Transferred file) {
        return file.name() + ", " + file.size() + " bytes, SHA-256 " + file.sha256() + " verified";
    }

    private Progress.Display progress() {
        return quiet ? Progress.none() : Progress.bar(System.err);
    }

    private PrintWriter out() {
        return spec.commandLine().getOut();
    }

    /** An address by which others may reach this machine, as far as it can tell. */
    private static String ownAddress() {
        try {
            return NetworkInterface.networkInterfaces()
                    .filter(FileTransfer::leadsOutside)
                    .flatMap(NetworkInterface::inetAddresses)
                    .filter(address -> address instanceof Inet4Address && !address.isLinkLocalAddress())
                    .findFirst()
                    .orElseGet(InetAddress::getLoopbackAddress)
                    .getHostAddress();
        } catch (SocketException e) {
            return InetAddress.getLoopbackAddress().getHostAddress();
        }
    }

    private static boolean leadsOutside(NetworkInterface networkInterface) {
        try {
            return networkInterface.isUp() && !networkInterface.isLoopback() && !networkInterface.isVirtual();
        } catch (SocketException e) {
            return false;
        }
    }
}
