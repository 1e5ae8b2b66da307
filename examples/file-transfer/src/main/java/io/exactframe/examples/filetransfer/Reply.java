package io.exactframe.examples.filetransfer;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;

/** What the receiver says to the sender: a frame of one byte. No text of a peer ever gets on a terminal. */
enum Reply {
    /** Not a reply: there is nobody left to tell. */
    NONE(0, "the receiver does not speak this protocol"),
    /** The content may come. */
    READY(1, "the receiver is ready"),
    /** The content has the right SHA-256 and is on the disk under its name. */
    VERIFIED(2, "the receiver verified the file"),
    NAME_REFUSED(3, "the receiver refuses the name"),
    EXISTS(4, "the receiver has a file of that name already"),
    NO_SPACE(5, "the receiver has not enough free space"),
    DISK_ERROR(6, "the receiver cannot write the file"),
    DIGEST_DIFFERS(7, "the receiver got content with another SHA-256"),
    NOT_UNDERSTOOD(8, "the receiver does not understand this sender, which may be newer");

    private final int code;
    private final String text;

    Reply(int code, String text) {
        this.code = code;
        this.text = text;
    }

    ByteBuf encode() {
        return Unpooled.wrappedBuffer(new byte[] {(byte) code});
    }

    /** The reply in a frame; {@link #NONE} if there is none in it. Bytes behind the first are for later versions. */
    static Reply decode(ByteBuf frame) {
        int code = frame.isReadable() ? frame.readUnsignedByte() : 0;
        for (Reply reply : values()) {
            if (reply.code == code) {
                return reply;
            }
        }
        return NONE;
    }

    /** For the user of the sender. */
    @Override
    public String toString() {
        return text;
    }
}
