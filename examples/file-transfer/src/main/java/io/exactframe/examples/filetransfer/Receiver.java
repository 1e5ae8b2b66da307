package io.exactframe.examples.filetransfer;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/**
 * The receiver's half of the protocol. It reads like that: receive exactly this, then exactly that; a stream that ends
 * in between leaves what came for the next run, which goes on from there.
 */
final class Receiver implements Commits.Outcome {
    /** How it went. */
    record Result(long stored, long storedBytes, long same, long failed, long nanos) {}

    private final Destination destination;
    private final User user;
    private final Set<String> listed = new HashSet<>();
    private final AtomicLong stored = new AtomicLong();
    private final AtomicLong storedBytes = new AtomicLong();
    private final AtomicLong same = new AtomicLong();
    private final AtomicInteger failed = new AtomicInteger();
    private Connection connection;
    private Progress progress;
    private Commits commits;

    Receiver(Destination destination, User user) {
        this.destination = destination;
        this.user = user;
    }

    /** Receives all that there is. Files that could not be received are told one by one and counted. */
    Result receive(Address sender, Security security, Duration patience) throws TransferException {
        try (Network network = new Network(security, patience);
                Connection opened = network.open(sender)) {
            connection = opened;
            security.prove(connection);
            return receiveAll();
        }
    }

    private Result receiveAll() throws TransferException {
        try {
            greet();
            return receiveListed();
        } catch (TransferException e) {
            connection.refuse(e.tell);
            throw e;
        }
    }

    private Result receiveListed() throws TransferException {
        List<Entry> entries = receiveList();
        connection.startBusy();
        if (!user.accepts(entries)) {
            throw TransferException.failed(Reason.DECLINED, "nothing was received; say y, or run it with -y");
        }
        long start = System.nanoTime();
        try (Progress whole = user.start(bytes(entries));
                Commits opened = new Commits(destination, this)) {
            progress = whole;
            commits = opened;
            fetch(plan(entries));
            commits.finish();
        }
        destination.finishFolders();
        connection.send(new Message.Done());
        connection.flush();
        connection.stopBusy();
        awaitBye();
        return new Result(stored.get(), storedBytes.get(), same.get(), failed.get(), System.nanoTime() - start);
    }

    private void greet() throws TransferException {
        connection.send(Message.Hello.OURS);
        connection.flush();
        Message message;
        try {
            message = connection.receive();
        } catch (TransferException e) {
            throw e.exitCode != TransferException.LOST
                    ? e
                    : TransferException.lost(e.getMessage() + "; is 'send' there run with --plain as well as this, or"
                            + " without as this?");
        }
        if (!(message instanceof Message.Hello hello) || hello.magic() != Message.MAGIC) {
            throw TransferException.notUnderstood("something else than a greeting");
        }
        if (hello.version() != Limits.VERSION) {
            throw TransferException.failed(Reason.OTHER_VERSION, Reason.OTHER_VERSION.text);
        }
        connection.greeted();
    }

    private List<Entry> receiveList() throws TransferException {
        List<Entry> entries = new ArrayList<>();
        long cost = 0;
        for (; ; ) {
            Message message = connection.receive();
            if (message instanceof Entry entry) {
                cost += SourceList.cost(entry);
                if (entries.size() == Limits.MAX_ENTRIES || cost > Limits.listBudget()) {
                    throw TransferException.failed(Reason.LIST_TOO_LONG, Reason.LIST_TOO_LONG.text);
                }
                entries.add(entry);
            } else if (message instanceof Message.Listed listed
                    && listed.entries() == entries.size()
                    && listed.bytes() == bytes(entries)) {
                return entries;
            } else {
                throw TransferException.notUnderstood("a list that is not right");
            }
        }
    }

    private static long bytes(List<Entry> entries) throws TransferException {
        long bytes = 0;
        for (Entry entry : entries) {
            bytes += entry.size();
            if (bytes < 0) {
                throw TransferException.notUnderstood("sizes that make no sense");
            }
        }
        return bytes;
    }

    /** Makes the folders, and finds out what is there already of the files. */
    private List<Destination.Plan> plan(List<Entry> entries) throws TransferException {
        List<Destination.Plan> plans = new ArrayList<>();
        long needed = 0;
        for (int index = 0; index < entries.size(); index++) {
            Entry entry = entries.get(index);
            try {
                if (!listed.add(entry.path())) {
                    throw new FileProblem(Reason.NAME_REFUSED, "is listed twice");
                } else if (entry.folder()) {
                    destination.makeFolder(entry);
                    receipt(index, Reason.OK);
                } else {
                    Destination.Plan plan = destination.plan(index, entry);
                    if (plan.existing && entry.size() == 0) {
                        same(index);
                    } else {
                        plans.add(plan);
                        needed += plan.existing ? 0 : entry.size() - plan.offset;
                    }
                }
            } catch (FileProblem e) {
                failed(index, entry, e);
            }
            if (connection.isOver()) {
                connection.receive(); // says why
            }
        }
        connection.flush();
        if (needed > destination.space()) {
            throw TransferException.failed(
                    Reason.NO_SPACE,
                    "needs " + Sizes.bytes(needed) + ", only " + Sizes.bytes(destination.space())
                            + " are free; make room, then run this again");
        }
        return plans;
    }

    /** Asks for many files ahead, so that nobody waits for an answer, and takes them one after the other. */
    private void fetch(List<Destination.Plan> plans) throws TransferException {
        Deque<Destination.Plan> asked = new ArrayDeque<>();
        int next = 0;
        while (next < plans.size() || !asked.isEmpty()) {
            if (asked.size() <= Limits.GETS_AHEAD / 2) {
                while (next < plans.size() && asked.size() < Limits.GETS_AHEAD) {
                    ask(plans.get(next++), asked);
                }
                connection.flush();
            }
            Destination.Plan plan = asked.poll();
            if (plan != null && !receiveFile(plan)) {
                destination.unlock(plan);
            }
        }
    }

    private void ask(Destination.Plan plan, Deque<Destination.Plan> asked) {
        try {
            destination.lock(plan);
            boolean onlySame = plan.existing && !destination.overwrite;
            byte[] sha256 = plan.offset > 0 ? Digests.soFar(plan.digest) : new byte[Message.SHA256_LENGTH];
            connection.send(new Message.Get(plan.index, plan.offset, onlySame, sha256));
            asked.add(plan);
        } catch (FileProblem e) {
            failed(plan, e);
        }
    }

    /** One file, as far as the sender has it; returns if it is to be committed. */
    private boolean receiveFile(Destination.Plan plan) throws TransferException {
        Message message = connection.receive();
        boolean wanted = !plan.existing || destination.overwrite;
        if (message instanceof Message.NotSent not && not.index() == plan.index) {
            failed(plan, notSent(not.reason()));
            return false;
        } else if (message instanceof Message.Whole whole
                && whole.index() == plan.index
                && wanted
                && whole.content().length == plan.entry.size()) {
            return receiveInto(plan, 0, part -> write(whole, part));
        } else if (message instanceof Message.Begin begin
                && begin.index() == plan.index
                && (begin.offset() == plan.offset || (begin.offset() == 0 && wanted))) {
            progress.add(begin.offset());
            if (plan.existing && begin.offset() == plan.entry.size()) {
                receiveSame(plan);
                return false;
            }
            long size = plan.entry.size() - begin.offset();
            return receiveInto(plan, begin.offset(), part -> receivePieces(size, part));
        }
        throw TransferException.notUnderstood("another file than was asked for");
    }

    private static FileProblem notSent(Reason reason) {
        return reason == Reason.DIFFERENT ? Destination.differs() : new FileProblem(reason, reason.text);
    }

    /** The sender has digested its file and this one is the same. */
    private void receiveSame(Destination.Plan plan) throws TransferException {
        Message message = connection.receive();
        if (message instanceof Message.End end
                && Arrays.equals(end.sha256(), Digests.soFar(plan.digest))) {
            same(plan.index);
        } else if (message instanceof Message.NotSent not) {
            failed(plan, notSent(not.reason()));
        } else {
            throw TransferException.notUnderstood("a file that is not the same");
        }
    }

    private void same(int index) {
        same.incrementAndGet();
        receipt(index, Reason.OK);
    }

    /** The bytes of a file. */
    private interface Content {
        /** Returns what comes behind them. Null for part if nobody wants them. */
        Message receive(PartFile part) throws TransferException;
    }

    private boolean receiveInto(Destination.Plan plan, long offset, Content content) throws TransferException {
        PartFile part;
        try {
            part = destination.open(plan, offset);
        } catch (FileProblem e) {
            failed(plan, e);
            content.receive(null);
            return false;
        }
        boolean whole = false;
        try {
            Message last = content.receive(part);
            if (last instanceof Message.End end && part.hasSha256(end.sha256())) {
                commits.add(plan, part);
                whole = true;
            } else {
                part.discard(); // to go on with it would make no sense
                Reason reason = last instanceof Message.NotSent not ? not.reason() : Reason.DIGEST_DIFFERS;
                failed(plan, new FileProblem(reason, reason.text));
            }
            return whole;
        } finally {
            if (!whole) {
                part.close();
            }
        }
    }

    private Message write(Message.Whole whole, PartFile part) throws TransferException {
        for (ByteBuffer bytes = ByteBuffer.wrap(whole.content()); part != null && bytes.hasRemaining(); ) {
            part.write(bytes);
            checkDisk(part);
        }
        progress.add(whole.content().length);
        return new Message.End(whole.sha256());
    }

    private Message receivePieces(long size, PartFile part) throws TransferException {
        for (long left = size; ; ) {
            Message message = connection.receive();
            if (message instanceof Message.Piece piece
                    && piece.length() > 0
                    && piece.length() <= Math.min(left, Limits.MAX_PIECE_LENGTH)) {
                if (part == null) {
                    connection.skip(piece.length());
                } else {
                    connection.receiveTo(part, piece.length());
                    checkDisk(part);
                    commits.syncAhead(part, piece.length());
                }
                left -= piece.length();
                progress.add(piece.length());
            } else if (message instanceof Message.NotSent || (message instanceof Message.End && left == 0)) {
                return message;
            } else {
                throw TransferException.notUnderstood("a piece that is not right");
            }
        }
    }

    private static void checkDisk(PartFile part) throws TransferException {
        IOException failure = part.failure();
        if (failure != null) {
            throw TransferException.failed(
                    Reason.DISK_ERROR,
                    "cannot write: " + FileProblem.describe(failure) + "; what came is kept: make room, then run this"
                            + " again to go on");
        }
    }

    private void receipt(int index, Reason reason) {
        connection.send(new Message.Receipt(index, reason));
    }

    private void failed(int index, Entry entry, FileProblem why) {
        failed.incrementAndGet();
        user.line(Names.shown(entry.path()) + ": " + why.getMessage());
        receipt(index, why.reason);
    }

    @Override
    public void stored(Destination.Plan plan) {
        stored.incrementAndGet();
        storedBytes.addAndGet(plan.entry.size());
        receipt(plan.index, Reason.OK);
    }

    @Override
    public void failed(Destination.Plan plan, FileProblem why) {
        failed(plan.index, plan.entry, why);
    }

    @Override
    public void batchDone() {
        connection.flush();
    }

    /** Everything is on the disk, whether it comes or not. */
    private void awaitBye() {
        try {
            connection.receive();
        } catch (TransferException e) {
            user.line("All that came is stored, but the sender may not know it: " + e.getMessage());
        }
    }
}
