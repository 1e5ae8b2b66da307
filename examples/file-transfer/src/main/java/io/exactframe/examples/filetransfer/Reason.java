package io.exactframe.examples.filetransfer;

/** Why something was not done: a number on the wire, so that no text of a peer gets on a terminal. */
enum Reason {
    OK(0, "verified and on the disk"),
    NAME_REFUSED(1, "the receiver refuses the name"),
    EXISTS(2, "the receiver has another file of that name; 'receive --overwrite' replaces it"),
    NO_SPACE(3, "the receiver has not enough free space"),
    DISK_ERROR(4, "the receiver cannot write it"),
    DIGEST_DIFFERS(5, "what came has another SHA-256 than what was sent"),
    CHANGED(6, "it changed while it was sent; run 'receive' again when it is at rest"),
    UNREADABLE(7, "the sender cannot read it"),
    DIFFERENT(8, "the receiver has another file of that name"),
    IN_USE(9, "another 'receive' is writing it"),
    DECLINED(10, "the receiver's user said no"),
    BUSY_WITH_OTHERS(11, "the sender serves as many receivers as it can; try again later"),
    NOT_UNDERSTOOD(12, "the other end does not understand this one"),
    OTHER_VERSION(13, "the other end is of another version; use the same on both"),
    LIST_TOO_LONG(14, "the list of files is too long for the receiver's memory; give it more with java -Xmx"),
    INTERRUPTED(15, "the other end was stopped"),
    SOMETHING_ELSE(255, "for a reason that this version does not know");

    final int code;
    final String text;

    Reason(int code, String text) {
        this.code = code;
        this.text = text;
    }

    static Reason of(int code) {
        for (Reason reason : values()) {
            if (reason.code == code) {
                return reason;
            }
        }
        return SOMETHING_ELSE;
    }
}
