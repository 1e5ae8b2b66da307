/**
 * Handlers that receive exactly the bytes that were asked for, or say exactly how far they got: Netty's answer to
 * {@code recv_all(sock, size)}.
 *
 * <h2>Which handler</h2>
 *
 * <table>
 *   <caption>By whoever tells how long the next frame is</caption>
 *   <thead>
 *     <tr><th>told by</th><th>use</th><th>you get</th></tr>
 *   </thead>
 *   <tbody>
 *     <tr><td>nobody: it is always the same</td>
 *         <td>{@link io.exactframe.netty.FixedLengthExactDecoder}</td><td>each frame in {@code channelRead}</td></tr>
 *     <tr><td>the frame, in a length field</td>
 *         <td>{@link io.exactframe.netty.LengthPrefixedExactDecoder}, and {@link io.exactframe.netty.LengthPrefix} says
 *         where the field is and what it counts</td><td>each payload in {@code channelRead}</td></tr>
 *     <tr><td>the frame, and it may not fit in memory</td>
 *         <td>{@link io.exactframe.netty.FrameStreamDecoder}</td><td>a {@link io.exactframe.netty.FrameStart}, then
 *         {@link io.exactframe.netty.FrameChunk}s</td></tr>
 *     <tr><td>your protocol, in any other way</td>
 *         <td>a subclass of {@link io.exactframe.netty.ExactFrameDecoder}</td><td>your message in
 *         {@code channelRead}</td></tr>
 *     <tr><td>you, as you go</td>
 *         <td>{@link io.exactframe.netty.ExactReceiver}</td><td>a future for each {@code receive(size)}</td></tr>
 *   </tbody>
 * </table>
 *
 * <p>{@link io.exactframe.netty.LengthPrefixedEncoder} is the other direction: it puts the length in front of what is
 * written. {@link io.exactframe.netty.ReceiveOptions} say the rest: how long a peer may take, a {@link
 * io.exactframe.netty.ReceiveBudget} of memory for all channels together, one message for each {@code read()}, frames
 * in one piece, frames that are too long skipped. A handler's constructor refuses what makes no sense for it.
 *
 * <pre>{@code
 * pipeline.addLast(new LengthPrefixedExactDecoder(1 << 20, LengthPrefix.uint32()), new RequestHandler());
 * }</pre>
 *
 * <p>{@code RequestHandler} gets whole frames and releases them. If the stream ends inside one, its {@code
 * exceptionCaught} gets a {@link io.exactframe.netty.PrematureCloseException} with both counts, and {@code
 * channelInactive} comes after it.
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
 * The files in the order in which bytes meet them:
 *
 * <pre>
 *   socket, a fragment
 *     │
 *     ▼
 *   FrameHandler          the shell: one thing after the other (Turns), the end of input (LocalClose), removal, closing,
 *     │                   time (FrameTimer); its state is a Phase
 *     ├─ FrameDecoder     gives on what is found, on demand if that is wanted; holds reads back (ReadGate)
 *     └─ ReceiveHandler   serves receives (ReceiveQueue, Receive) from what has come (ReceivedBytes); its stream has a
 *     │                   StreamState
 *     ▼
 *   FrameSource           no channel in here: offer a fragment, next() says what there is
 *     ├─ FrameAssembler   whole frames; waits for memory (ReceiveBudget)
 *     └─ FrameParts       a FrameStart, then FrameChunks
 *     │
 *     ▼
 *   PartialFrame          the frame under way: its header as far as it came, its length
 *     │  ▲ how long?      LengthRule: fixed, your codec's, or PrefixRule (LengthPrefix and LengthField say how)
 *     ▼
 *   Fragment              cut where the frame lies in it; FrameBody collects one that does not; PinnedReads bounds what
 *     │                   kept frames keep alive
 *     ▼
 *   a frame: fireChannelRead (ExactFrameDecoder, FrameStreamDecoder), or a future: FrameReceive, SkipReceive,
 *   SinkReceive (whose bytes SinkWriter writes in another thread)
 *
 *   at the end, inside a frame: PrematureCloseException; too slow: FrameTimeoutException
 * </pre>
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
 *   <li>The input ends with {@code channelInactive}, {@link io.netty.channel.socket.ChannelInputShutdownEvent}, or a
 *       successful {@code SslCloseCompletionEvent}. An adapter of a child channel whose stream ends otherwise (HTTP/2, QUIC)
 *       fires {@code ChannelInputShutdownEvent.INSTANCE} in front of the handler.
 *   <li>Exceptions carry counts, never bytes and never an address.
 * </ul>
 *
 * @since 0.1.0
 */
@NullMarked
package io.exactframe.netty;

import org.jspecify.annotations.NullMarked;
