/**
 * Handlers that receive exactly the bytes that were asked for, or say exactly how far they got: Netty's answer to
 * {@code recv_all(sock, size)}.
 *
 * <h2>Five words</h2>
 *
 * <ul>
 *   <li><i>fragment</i>: what the socket gave, cut wherever the network cut it
 *   <li><i>header</i>: the bytes that tell a frame's length, perhaps none
 *   <li><i>frame</i>: exactly that many bytes, owned by whoever receives them
 *   <li><i>partial frame</i>: begun, not complete; never handed out
 *   <li><i>end</i> of the stream: on a frame boundary, or premature
 * </ul>
 *
 * <h2>The way of the bytes</h2>
 *
 * <pre>
 *   socket --&gt; fragment --&gt; FrameAssembler --frame--&gt; handler --&gt; fireChannelRead, or a future
 *                             ^     |
 *           how long is it? --+     +-- partial at the end --&gt; PrematureCloseException
 *      fixed, length prefix,
 *      requested, your own
 * </pre>
 *
 * One engine takes fragments and gives frames. Thin handlers stand on it and differ only in who says how long the next
 * frame is: the constructor ({@link io.exactframe.netty.FixedLengthExactDecoder}), the bytes ({@link
 * io.exactframe.netty.LengthPrefixedExactDecoder}), the caller ({@link io.exactframe.netty.ExactReceiver}), or your
 * codec ({@link io.exactframe.netty.ExactFrameDecoder}).
 *
 * <h2>Rules that hold everywhere</h2>
 *
 * <ul>
 *   <li>Sizes are in bytes. Whoever receives a frame releases it, with one {@code release()}.
 *   <li>A handler serves one channel, once, and runs on that channel's event loop (or on the executor it was added
 *       with).
 *   <li>A fault of the peer is fired with {@code fireExceptionCaught}, once and unwrapped; the handler then only
 *       releases what still comes. Closing the channel is the application's choice.
 *   <li>A declared length is never trusted: memory held is at most twice the bytes received plus 4 KiB, three times
 *       while contiguous memory is being copied.
 *   <li>Exceptions carry counts, never bytes and never an address.
 * </ul>
 */
@NullMarked
package io.exactframe.netty;

import org.jspecify.annotations.NullMarked;
