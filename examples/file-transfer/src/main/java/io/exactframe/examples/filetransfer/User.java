package io.exactframe.examples.filetransfer;

import java.util.List;

/** The user at one end: what he is told and asked. Called from several threads. */
interface User {
    void line(String line);

    Progress start(long bytes);

    /** Whether this may come. */
    boolean accepts(List<Entry> entries);
}
