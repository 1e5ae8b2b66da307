/**
 * Copies files over one TCP connection; both ends know whether each of them arrived whole.
 *
 * <pre>
 *   sender (listens)                                       receiver (connects)
 *   | length | metadata: version, flags, offset, size, name |  --&gt;
 *                                                          &lt;--  | 1 | READY |      or why not
 *   | size bytes of content |                                  --&gt;
 *   | 32 | SHA-256 |                                           --&gt;
 *                                                          &lt;--  | 1 | VERIFIED |   or why not
 *   ... the next file ...
 *   | 0 |  an empty frame: no more files                       --&gt;
 * </pre>
 *
 * Every length is two bytes, big-endian ({@link io.exactframe.examples.filetransfer.Connection#PREFIX}). The content is
 * no frame: the metadata tells its size.
 *
 * <p>A stream that ends anywhere else is premature, between two files too: the connection of a killed sender is closed
 * as tidily as that of one that is done.
 *
 * <p>Nothing is encrypted and nobody proves who he is: for networks that are trusted.
 */
package io.exactframe.examples.filetransfer;
