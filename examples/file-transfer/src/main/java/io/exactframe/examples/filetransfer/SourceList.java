package io.exactframe.examples.filetransfer;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;

/** What is sent: the files and whole folders that the user named, as they are now. */
final class SourceList {
    final List<Source> sources = new ArrayList<>();
    private final Consumer<String> skipped;

    /** What was left out though it could be sent: not links and devices. */
    int problems;

    private SourceList(Consumer<String> skipped) {
        this.skipped = skipped;
    }

    /**
     * Lists them.
     *
     * @param skipped told in a line of everything that is left out
     * @throws TransferException if one that the user named cannot be sent
     */
    static SourceList of(List<Path> named, Consumer<String> skipped) throws TransferException {
        SourceList list = new SourceList(skipped);
        Set<String> names = new HashSet<>();
        for (Path path : named) {
            try {
                Path real = path.toRealPath(); // a link that the user named is what it leads to
                Path name = path.getFileName() == null ? null : path.toAbsolutePath().normalize().getFileName();
                if (name == null) {
                    throw TransferException.failed(path + " has no name; name the folders in it");
                }
                if (!names.add(name.toString())) {
                    throw TransferException.failed(
                            path + ": another one is named " + name + " too; send them one after the other");
                }
                Source.State state = Source.State.of(real);
                checkName(name.toString());
                if (!(state.folder() || state.file())) {
                    throw TransferException.failed(path + " is neither a file nor a folder");
                } else if (!Files.isReadable(real)) {
                    throw TransferException.failed(path + ": permission denied");
                }
                list.add(real, name.toString(), state);
            } catch (FileProblem e) {
                throw TransferException.failed(Names.shown(path.toString()) + ": " + e.getMessage());
            } catch (IOException e) {
                throw TransferException.failed(Names.shown(path.toString()) + ": " + FileProblem.describe(e)
                        + Names.localeHint(path.toString()));
            }
        }
        return list;
    }

    private void add(Path path, String name, Source.State state) throws IOException, TransferException {
        if (sources.size() == Limits.MAX_ENTRIES) {
            throw TransferException.failed(
                    "more than " + Sizes.files(Limits.MAX_ENTRIES) + "; send the folders one after the other");
        }
        sources.add(Source.of(path, name, state));
        if (state.folder()) {
            List<Path> children = new ArrayList<>();
            try (DirectoryStream<Path> stream = Files.newDirectoryStream(path)) {
                stream.forEach(children::add);
            }
            children.sort(null);
            for (Path child : children) {
                addChild(child, name + "/" + child.getFileName());
            }
        }
    }

    private void addChild(Path child, String name) throws TransferException {
        try {
            Source.State state = Source.State.of(child);
            if (!(state.folder() || state.file())) {
                skipped.accept(Names.shown(name) + " is a link or a device: skipped");
                return;
            }
            if (child.getFileName().toString().startsWith(PartFile.PREFIX)) {
                skipped.accept(Names.shown(name) + " is an unfinished file of a 'receive': skipped");
                return;
            }
            checkName(name);
            if (!Files.isReadable(child)) {
                throw new IOException("permission denied");
            }
            add(child, name, state);
        } catch (IOException e) {
            problem(name, FileProblem.describe(e));
        } catch (FileProblem e) {
            problem(name, e.getMessage());
        }
    }

    private static void checkName(String name) throws FileProblem {
        Names.check(name, false);
        String hint = Names.localeHint(name);
        if (!hint.isEmpty()) { // it would arrive under another one
            throw new FileProblem(Reason.NAME_REFUSED, "cannot tell its name" + hint);
        }
    }

    private void problem(String name, String why) {
        problems++;
        skipped.accept(Names.shown(name) + ": " + why + "; skipped");
    }

    String summary() {
        return Entry.summary(sources.stream().map(Source::entry).toList());
    }

    /** Bytes of the frames it takes, about. */
    static long cost(Entry entry) {
        return Limits.ENTRY_COST + entry.path().getBytes(UTF_8).length;
    }
}
