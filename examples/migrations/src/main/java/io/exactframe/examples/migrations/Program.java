package io.exactframe.examples.migrations;

import java.util.concurrent.CompletableFuture;

/** A program of somebody else: both of its ends in this process, unless the other one is a real server. */
interface Program extends AutoCloseable {
    /** Sends these bytes through it, and gives what comes back, which is to be the same. */
    CompletableFuture<byte[]> echo(byte[] bytes);
}
