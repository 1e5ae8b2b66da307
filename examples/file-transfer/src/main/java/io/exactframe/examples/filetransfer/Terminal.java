package io.exactframe.examples.filetransfer;

import java.io.BufferedReader;
import java.io.Console;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintWriter;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Collectors;

/** What the user sees and is asked. */
final class Terminal implements User {
    private static final String CODE = "FILE_TRANSFER_CODE";
    private static final int MOST_SHOWN = 20;
    private static final AtomicReference<String> AT_CTRL_C = new AtomicReference<>();

    private final PrintWriter out;
    private final PrintWriter err;
    private final boolean quiet;
    private final boolean yes;
    private BufferedReader input;

    Terminal(PrintWriter out, PrintWriter err, boolean quiet, boolean yes) {
        this.out = out;
        this.err = err;
        this.quiet = quiet;
        this.yes = yes;
    }

    /** What is said if the user stops the program now; null for nothing. */
    static void atCtrlC(String line) {
        if (line != null && AT_CTRL_C.get() == null) {
            Runtime.getRuntime().addShutdownHook(new Thread(() -> {
                String last = AT_CTRL_C.get();
                if (last != null) {
                    System.err.println(last);
                }
            }));
        }
        AT_CTRL_C.set(line);
    }

    static void line(PrintWriter to, String line) {
        to.println(line);
        to.flush();
    }

    @Override
    public void line(String line) {
        line(err, line);
    }

    @Override
    public Progress start(long bytes) {
        return quiet ? Progress.none() : Progress.bar("all", bytes, System.err);
    }

    /** The sender's code: never an argument, which others could see. */
    String code() throws TransferException {
        String given = System.getenv(CODE);
        if (given != null) {
            return given;
        }
        Console console = System.console();
        if (console != null) {
            char[] typed = console.readPassword("Code that 'send' printed: ");
            given = typed == null ? null : new String(typed);
        } else {
            given = read();
        }
        if (given == null || given.isBlank()) {
            throw TransferException.wrongUsage(
                    "the code that 'send' printed is needed: on standard input, or in " + CODE + "; or --plain at both ends");
        }
        return given;
    }

    @Override
    public boolean accepts(List<Entry> entries) {
        show(entries);
        if (yes) {
            return true;
        }
        out.print("Receive this? [y/N] ");
        out.flush();
        String answer = read();
        return answer != null && answer.strip().toLowerCase(Locale.ROOT).matches("y|yes");
    }

    private String read() {
        try {
            if (input == null) {
                input = new BufferedReader(new InputStreamReader(System.in));
            }
            return input.readLine();
        } catch (IOException e) {
            return null;
        }
    }

    /** What the user would have named: files, and folders with what is in them. */
    private void show(List<Entry> entries) {
        Map<String, List<Entry>> tops = entries.stream()
                .collect(Collectors.groupingBy(Entry::top, LinkedHashMap::new, Collectors.toList()));
        tops.entrySet().stream()
                .limit(MOST_SHOWN)
                .forEach(top -> out.println("  " + Names.shown(top.getKey()) + shown(top.getValue())));
        if (tops.size() > MOST_SHOWN) {
            out.println("  and " + (tops.size() - MOST_SHOWN) + " more");
        }
        out.println("Together " + Entry.summary(entries));
        out.flush();
    }

    private static String shown(List<Entry> top) {
        return top.get(0).folder() ? "/  " + Entry.summary(top) : "  " + Sizes.bytes(top.get(0).size());
    }
}
