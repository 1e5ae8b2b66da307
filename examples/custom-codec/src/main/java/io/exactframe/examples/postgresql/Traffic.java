package io.exactframe.examples.postgresql;

import io.exactframe.examples.postgresql.Pipe.From;
import io.exactframe.examples.postgresql.Queries.Query;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;
import org.HdrHistogram.ConcurrentHistogram;

/** What went through the relay, of all connections together; and how that is shown. */
final class Traffic {
    private static final long LONGEST_MICROS = TimeUnit.HOURS.toMicros(1);

    private static final class Count {
        final LongAdder messages = new LongAdder();
        final LongAdder bytes = new LongAdder();
    }

    private final Count[][] counts = new Count[From.values().length][128];
    private final ConcurrentHistogram latencies = new ConcurrentHistogram(LONGEST_MICROS, 2);
    private final LongAdder queries = new LongAdder();
    private final LongAdder rows = new LongAdder();
    private final LongAdder errors = new LongAdder();
    private final AtomicInteger opened = new AtomicInteger();
    private final LongAdder closed = new LongAdder();

    private final PrintStream out;
    private final PrintStream err;
    private final boolean json;
    private int shown; // lines of the table that is on the screen

    /**
     * @param json a line for each query goes to {@code out}
     * @param err takes a line for each connection that ended in another way than it should
     */
    Traffic(PrintStream out, PrintStream err, boolean json) {
        this.out = out;
        this.err = err;
        this.json = json;
        for (Count[] row : counts) {
            for (int i = 0; i < row.length; i++) {
                row[i] = new Count();
            }
        }
    }

    /** The number of a new connection. */
    int opened() {
        return opened.incrementAndGet();
    }

    synchronized void closed() {
        closed.increment();
        notifyAll();
    }

    /** Waits until no connection is open, or for so long. */
    synchronized void awaitNone(long millis) throws InterruptedException {
        long end = System.currentTimeMillis() + millis;
        for (long left = millis; left > 0 && opened.get() > closed.sum(); left = end - System.currentTimeMillis()) {
            wait(left);
        }
    }

    void message(From from, char type, long length) {
        Count count = counts[from.ordinal()][type & 127];
        count.messages.increment();
        count.bytes.add(length);
    }

    void query(Query query) {
        long micros = query.nanos() / 1000;
        latencies.recordValue(Math.min(micros, LONGEST_MICROS));
        queries.increment();
        rows.add(query.rows());
        if (!query.error().isEmpty()) {
            errors.increment();
        }
        if (json) {
            String error = query.error().isEmpty() ? "null" : '"' + query.error() + '"';
            out.println(String.format(
                    Locale.ROOT,
                    "{\"connection\":%d,\"kind\":\"%s\",\"milliseconds\":%.3f,\"rows\":%d,\"bytesOut\":%d,"
                            + "\"bytesIn\":%d,\"error\":%s}",
                    query.connection(),
                    query.kind(),
                    micros / 1000.0,
                    query.rows(),
                    query.bytesOut(),
                    query.bytesIn(),
                    error));
        }
    }

    synchronized void tell(String line) {
        erase();
        err.println(line);
    }

    /** Shows the table below what was there, or over the table before if {@code inPlace}. */
    synchronized void show(boolean inPlace) {
        erase();
        List<String> table = table();
        table.forEach(out::println);
        out.flush();
        shown = inPlace ? table.size() : 0;
    }

    private void erase() {
        if (shown > 0) {
            out.print("\033[" + shown + "A\033[J"); // up to its first line, and erase from there
            out.flush();
            shown = 0;
        }
    }

    List<String> table() {
        List<String> lines = new ArrayList<>();
        lines.add(String.format(
                Locale.ROOT,
                "%d connections, %d in all; %d queries, %d errors, %d rows; median %.2f ms, p99 %.2f ms",
                opened.get() - closed.sum(),
                opened.get(),
                queries.sum(),
                errors.sum(),
                rows.sum(),
                latencies.getValueAtPercentile(50) / 1000.0,
                latencies.getValueAtPercentile(99) / 1000.0));
        for (From from : From.values()) {
            List<String> rows = new ArrayList<>();
            List<Integer> types = new ArrayList<>();
            for (int type = 0; type < 128; type++) {
                if (counts[from.ordinal()][type].messages.sum() > 0) {
                    types.add(type);
                }
            }
            types.sort(Comparator.comparingLong(type -> -counts[from.ordinal()][type].bytes.sum()));
            for (int type : types) {
                Count count = counts[from.ordinal()][type];
                rows.add(String.format(
                        Locale.ROOT,
                        "  %-22s %,15d messages %,18d bytes",
                        Messages.name(from, (char) type),
                        count.messages.sum(),
                        count.bytes.sum()));
            }
            lines.add("from the " + from.name().toLowerCase(Locale.ROOT));
            lines.addAll(rows);
        }
        return lines;
    }
}
