package io.exactframe.examples.filetransfer;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine;

/** The program as a user runs it, but for the process. */
final class Cli {
    private static final Pattern LISTENING = Pattern.compile("Listening on (\\S+:\\d+),");

    /** How a command ended. */
    record Result(int exitCode, String out, String err) {}

    private Cli() {}

    static Result run(String... args) {
        return run(new CompletableFuture<>(), args);
    }

    private static Result run(CompletableFuture<String> address, String... args) {
        StringWriter out = new StringWriter() {
            @Override
            public void flush() {
                Matcher listening = LISTENING.matcher(toString());
                if (listening.lookingAt()) {
                    address.complete(listening.group(1));
                }
            }
        };
        StringWriter err = new StringWriter();
        CommandLine commands = FileTransfer.newCommandLine();
        commands.setOut(new PrintWriter(out, true)).setErr(new PrintWriter(err, true));
        int exitCode = commands.execute(args);
        address.complete("the sender never listened: " + err);
        return new Result(exitCode, out.toString(), err.toString().strip());
    }

    /** A sender that runs while the test goes on. */
    record Sending(String address, CompletableFuture<Result> ended) {
        int port() {
            return Address.parse(address).port();
        }

        Result result() throws Exception {
            return ended.get(20, TimeUnit.SECONDS);
        }
    }

    static Sending send(Object... files) throws Exception {
        String[] args = new String[files.length + 4];
        args[0] = "send";
        args[1] = "--quiet";
        args[2] = "--host";
        args[3] = "127.0.0.1";
        for (int i = 0; i < files.length; i++) {
            args[i + 4] = files[i].toString();
        }
        CompletableFuture<String> address = new CompletableFuture<>();
        CompletableFuture<Result> ended = CompletableFuture.supplyAsync(() -> run(address, args));
        return new Sending(address.get(20, TimeUnit.SECONDS), ended);
    }

    static Result receive(String address, Object directory, String... more) {
        String[] args = new String[more.length + 4];
        args[0] = "receive";
        args[1] = "--quiet";
        args[2] = address;
        args[3] = directory.toString();
        System.arraycopy(more, 0, args, 4, more.length);
        return run(args);
    }
}
