/**
 * Copies files and folders over one TCP connection; both ends know whether each of them arrived whole.
 *
 * <p>The protocol is on one page, PROTOCOL.md beside the README. What somebody would copy from here is in three classes:
 * {@link io.exactframe.examples.filetransfer.Connection} (receive exactly this, send, time-outs, goodbye) and the two
 * halves of the conversation, {@link io.exactframe.examples.filetransfer.SenderSession} and {@link
 * io.exactframe.examples.filetransfer.Receiver}. {@link io.exactframe.examples.filetransfer.PartFile} is how a file gets
 * its name only when it is whole.
 */
package io.exactframe.examples.filetransfer;
