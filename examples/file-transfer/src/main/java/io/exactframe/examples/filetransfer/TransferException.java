package io.exactframe.examples.filetransfer;

/** Why a transfer failed, in a sentence for the user. */
final class TransferException extends Exception {
    private static final long serialVersionUID = 1L;

    /** What the peer is told; {@link Reply#NONE} if it is the peer that is lost. */
    private final Reply reply;

    TransferException(String message) {
        this(Reply.NONE, message);
    }

    TransferException(Reply reply, String message) {
        super(message);
        this.reply = reply;
    }

    Reply reply() {
        return reply;
    }
}
