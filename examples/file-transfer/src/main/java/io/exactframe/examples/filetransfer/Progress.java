package io.exactframe.examples.filetransfer;

import java.io.PrintStream;
import java.util.concurrent.atomic.AtomicReference;
import me.tongfei.progressbar.DelegatingProgressBarConsumer;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;

/** How far the whole transfer is. */
class Progress implements AutoCloseable {
    private static final int LOG_WIDTH = 100;
    private static final int LOG_INTERVAL_MILLIS = 2000;
    private static final int TERMINAL_INTERVAL_MILLIS = 100;
    private static final int LEAST_MEGABYTES = 10_000_000;

    void add(long bytes) {}

    @Override
    public void close() {}

    /** Shows nothing. */
    static Progress none() {
        return new Progress();
    }

    /** A bar that moves on the terminal; in a log, a line now and then. */
    static Progress bar(String name, long size, PrintStream log) {
        return size == 0 ? none() : new Bar(name, size, log);
    }

    private static final class Bar extends Progress {
        private final ProgressBar bar;

        Bar(String name, long size, PrintStream log) {
            ProgressBarBuilder builder = ProgressBar.builder()
                    .setTaskName(name)
                    .setInitialMax(size)
                    .setUnit(size < LEAST_MEGABYTES ? " kB" : " MB", size < LEAST_MEGABYTES ? 1000 : 1_000_000)
                    .showSpeed()
                    .setStyle(ProgressBarStyle.ASCII)
                    .setUpdateIntervalMillis(TERMINAL_INTERVAL_MILLIS);
            if (System.console() == null) {
                AtomicReference<String> last = new AtomicReference<>(); // a bar is drawn once more when it is closed
                builder.setUpdateIntervalMillis(LOG_INTERVAL_MILLIS)
                        .setConsumer(new DelegatingProgressBarConsumer(
                                line -> {
                                    if (!line.equals(last.getAndSet(line))) {
                                        log.println(line);
                                    }
                                },
                                LOG_WIDTH));
            }
            bar = builder.build();
        }

        @Override
        void add(long bytes) {
            bar.stepBy(bytes);
        }

        @Override
        public void close() {
            bar.close();
        }
    }
}
