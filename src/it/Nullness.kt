import io.exactframe.netty.ExactReceiver
import io.exactframe.netty.LengthPrefix
import io.exactframe.netty.LengthPrefixedExactDecoder
import io.netty.buffer.ByteBuf

// The compiler refuses the lines that say so, and no other.
fun decoder() = LengthPrefixedExactDecoder(1024, LengthPrefix.uint16())

fun decoderWithout() = LengthPrefixedExactDecoder(1024, null) // refused

fun whole(receiver: ExactReceiver): ByteBuf = receiver.receive(4).sync().getNow()

fun orEnd(receiver: ExactReceiver): ByteBuf? = receiver.receiveOrEnd(4).sync().getNow()

fun orEndForgotten(receiver: ExactReceiver): ByteBuf = receiver.receiveOrEnd(4).sync().getNow() // refused
