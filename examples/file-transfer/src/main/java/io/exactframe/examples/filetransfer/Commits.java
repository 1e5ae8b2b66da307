package io.exactframe.examples.filetransfer;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;

/**
 * Files that came whole, on their way to their names: in batches, while the next ones come. First all of a batch are
 * on the disk, then each gets its name, then its receipt goes.
 */
final class Commits implements AutoCloseable {
    /** What happens to a file in the end. */
    interface Outcome {
        void stored(Destination.Plan plan);

        void failed(Destination.Plan plan, FileProblem why);

        void batchDone();
    }

    private record Item(Destination.Plan plan, PartFile part) {}

    private static final int MOST_FILES = 256;
    private static final long MOST_BYTES = 64L << 20;
    private static final int SYNCS_AT_ONCE = 16; // a disk makes one of those that wait together
    private static final int BATCHES_AHEAD = 2;

    private final Destination destination;
    private final Outcome outcome;
    private final ExecutorService committer = Executors.newSingleThreadExecutor();
    private final ExecutorService syncs = Executors.newFixedThreadPool(SYNCS_AT_ONCE);
    private final Semaphore batches = new Semaphore(BATCHES_AHEAD);
    private List<Item> items = new ArrayList<>();
    private long bytes;

    Commits(Destination destination, Outcome outcome) {
        this.destination = destination;
        this.outcome = outcome;
    }

    void add(Destination.Plan plan, PartFile part) {
        items.add(new Item(plan, part));
        bytes += part.size();
        if (items.size() >= MOST_FILES || bytes >= MOST_BYTES) {
            commit();
        }
    }

    /** When more has come of a large file: starts to bring it to the disk, so that less is left for its end. */
    void syncAhead(PartFile part, int more) {
        if (part.size() / MOST_BYTES > (part.size() - more) / MOST_BYTES) {
            syncs.execute(part::sync);
        }
    }

    /** Starts what has been added, when those before are done. */
    void commit() {
        List<Item> batch = items;
        items = new ArrayList<>();
        bytes = 0;
        batches.acquireUninterruptibly();
        committer.execute(() -> {
            try {
                sync(batch);
                batch.forEach(this::publish);
                syncFolders(batch);
            } finally {
                batches.release();
                outcome.batchDone();
            }
        });
    }

    private void sync(List<Item> batch) {
        CompletableFuture.allOf(batch.stream()
                        .map(item -> CompletableFuture.runAsync(item.part::sync, syncs))
                        .toArray(CompletableFuture<?>[]::new))
                .join();
    }

    private void publish(Item item) {
        try (PartFile part = item.part) {
            if (part.failure() != null) {
                throw new FileProblem(
                        Reason.DISK_ERROR, "cannot be written: " + FileProblem.describe(part.failure()));
            }
            destination.publish(item.plan, part);
            outcome.stored(item.plan);
        } catch (FileProblem e) {
            outcome.failed(item.plan, e);
        } finally {
            destination.unlock(item.plan);
        }
    }

    /** The new names too, where a folder can be opened. */
    private static void syncFolders(List<Item> batch) {
        Set<Path> folders = new HashSet<>();
        batch.forEach(item -> folders.add(item.plan.folder));
        for (Path folder : folders) {
            try (FileChannel channel = FileChannel.open(folder, StandardOpenOption.READ)) {
                channel.force(true);
            } catch (IOException e) {
                // not on this system
            }
        }
    }

    /** Returns when all is done. */
    void finish() {
        commit();
        batches.acquireUninterruptibly(BATCHES_AHEAD);
        batches.release(BATCHES_AHEAD);
    }

    /** What was added and not begun is left for the next run. */
    @Override
    public void close() {
        batches.acquireUninterruptibly(BATCHES_AHEAD);
        for (Item item : items) {
            item.part.close();
            destination.unlock(item.plan);
        }
        committer.shutdown();
        syncs.shutdown();
    }
}
