package io.exactframe.examples.filetransfer;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.Spec;
import picocli.CommandLine.TypeConversionException;

/** The commands. */
@Command(
        name = "file-transfer",
        description = "Copies files and folders from one machine to another; nothing incomplete ever gets its name.",
        synopsisSubcommandLabel = "(send | receive | demo)",
        footer = {
            "",
            "Exit code: 0 everything was transferred, 1 something was not, 2 wrong usage, 3 no connection or lost (the"
                    + " same 'receive' goes on where it was), 4 the other end is not the right one, 130 stopped.",
            "",
            "Examples:",
            "  file-transfer send report.pdf photos",
            "  file-transfer receive 192.0.2.7:40123 downloads"
        },
        mixinStandardHelpOptions = true,
        version = "file-transfer 0.1.0")
public final class FileTransfer {
    private static final int MOST_SECONDS = 86_400;

    @Spec
    private CommandSpec spec;

    @Option(
            names = {"-q", "--quiet"},
            scope = ScopeType.INHERIT,
            description = "Show no progress.")
    private boolean quiet;

    @Option(
            names = "--plain",
            scope = ScopeType.INHERIT,
            description = "Encrypt nothing, and let anybody take part who can connect. Both ends have to say so.")
    private boolean plain;

    @Option(
            names = "--timeout",
            scope = ScopeType.INHERIT,
            paramLabel = "SECONDS",
            defaultValue = "30",
            description = "How long the other end may stand still. Default: ${DEFAULT-VALUE}.")
    private Duration patience;

    /** Runs a command and exits with its exit code. */
    public static void main(String[] args) {
        int exitCode = newCommandLine().execute(args);
        Terminal.atCtrlC(null);
        System.exit(exitCode);
    }

    static CommandLine newCommandLine() {
        return new CommandLine(new FileTransfer())
                .registerConverter(Address.class, Address::parse)
                .registerConverter(int.class, text -> number(text, "port", 0, 65_535))
                .registerConverter(
                        Duration.class,
                        text -> Duration.ofSeconds(number(text, "number of seconds", 1, MOST_SECONDS)))
                .registerConverter(Path.class, text -> {
                    try {
                        return Path.of(text);
                    } catch (InvalidPathException e) {
                        throw new TypeConversionException(
                                "'" + Names.shown(text) + "' is no name here" + Names.localeHint(text));
                    }
                })
                .setParameterExceptionHandler((wrong, args) -> {
                    CommandLine command = wrong.getCommandLine();
                    command.getErr().println(wrong.getMessage());
                    command.getErr()
                            .println("See '" + command.getCommandSpec().qualifiedName() + " --help'.");
                    return TransferException.WRONG_USAGE;
                })
                .setExecutionExceptionHandler((failure, command, parsed) -> {
                    if (failure instanceof TransferException e) {
                        command.getErr().println(e.getMessage());
                        return e.exitCode;
                    }
                    throw failure; // a fault of this program: with its stack trace
                });
    }

    private static int number(String text, String what, int least, int most) {
        if (!text.matches("[0-9]{1,5}") || Integer.parseInt(text) < least || Integer.parseInt(text) > most) {
            throw new TypeConversionException("'" + text + "' is not a " + what + ", " + least + " to " + most);
        }
        return Integer.parseInt(text);
    }

    @Command(
            description = "Waits for receivers and sends them the files, until one has everything.",
            footer = {"", "Example:  file-transfer send report.pdf photos"},
            mixinStandardHelpOptions = true)
    int send(
            @Parameters(arity = "1..*", paramLabel = "FILE", description = "Files and folders to send.")
                    List<Path> files,
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
            throws TransferException, InterruptedException {
        SourceList list = SourceList.of(files, line -> Terminal.line(err(), line));
        Security security = plain ? Security.plain() : Security.forSender();
        try (Sender sender = new Sender(files, security, patience, new Terminal(out(), err(), quiet, false))) {
            Address address = new Address(host != null ? host : ownAddress(), sender.listen(host, port));
            Terminal.line(
                    out(),
                    "Sending " + list.summary() + ". To get them: receive " + (plain ? "--plain " : "") + address + " DIR"
                            + (plain ? "" : "\nand, when asked for it, the code " + security.code()));
            Terminal.atCtrlC("Stopped; no receiver has said that it has everything.");
            sender.awaitReceipt();
        }
        out().println("Sent " + list.summary() + "; the receiver has them on its disk");
        if (list.problems > 0) {
            throw TransferException.failed(Sizes.count(list.problems, "entry").replace("entrys", "entries")
                    + " could not be sent, see above");
        }
        return 0;
    }

    @Command(
            description = "Connects to a sender and stores its files. Interrupted, the same command goes on where it"
                    + " was.",
            footer = {
                "",
                "The code that 'send' printed is asked for, or read from standard input, or taken from the environment"
                        + " variable FILE_TRANSFER_CODE.",
                "",
                "Examples:",
                "  file-transfer receive 192.0.2.7:40123 downloads",
                "  file-transfer receive -y 192.0.2.7:40123 downloads < file-with-the-code"
            },
            mixinStandardHelpOptions = true)
    int receive(
            @Parameters(paramLabel = "HOST:PORT", description = "The address that 'send' shows.") Address sender,
            @Parameters(paramLabel = "DIR", description = "The folder to store the files in.") Path folder,
            @Option(names = "--overwrite", description = "Replace files that are there already and are different.")
                    boolean overwrite,
            @Option(
                            names = {"-y", "--yes"},
                            description = "Receive whatever comes, without asking.")
                    boolean yes)
            throws TransferException {
        Terminal terminal = new Terminal(out(), err(), quiet, yes);
        try (Destination destination = new Destination(folder, overwrite)) {
            Security security = plain ? Security.plain() : Security.forReceiver(terminal.code());
            Terminal.atCtrlC("Stopped; the same command goes on where it was.");
            Receiver.Result result = new Receiver(destination, terminal).receive(sender, security, patience);
            out().println("Received " + Sizes.files(result.stored()) + ", " + Sizes.bytes(result.storedBytes()) + ", "
                    + Sizes.speed(result.storedBytes(), result.nanos()) + "; verified and on the disk"
                    + (result.same() > 0 ? "; " + Sizes.files(result.same()) + " were there already" : ""));
            if (result.failed() > 0) {
                throw TransferException.failed(Sizes.files(result.failed()) + " not received, see above");
            }
        }
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
        out().println(Demo.run(
                file, plain, new Terminal(out(), err(), true, true), new Terminal(out(), err(), quiet, true)));
        return 0;
    }

    private PrintWriter out() {
        return spec.commandLine().getOut();
    }

    private PrintWriter err() {
        return spec.commandLine().getErr();
    }

    /** The address of this machine that leads outside; nothing is sent to find it. */
    private static String ownAddress() {
        try (DatagramSocket socket = new DatagramSocket()) {
            socket.connect(InetAddress.getByName("192.0.2.1"), 9);
            return socket.getLocalAddress().getHostAddress();
        } catch (IOException | UncheckedIOException e) {
            return InetAddress.getLoopbackAddress().getHostAddress();
        }
    }
}
