package io.exactframe.examples.filetransfer;

/** Why a transfer ended, in a sentence for the user that says what to do next. */
final class TransferException extends Exception {
    private static final long serialVersionUID = 1L;

    static final int FAILED = 1;
    static final int WRONG_USAGE = 2;
    static final int LOST = 3;
    static final int NOT_TRUSTED = 4;

    final int exitCode;

    /** What the other end is told, {@link Reason#OK} if nothing: it is gone, or has said it itself. */
    final Reason tell;

    private TransferException(int exitCode, Reason tell, String message) {
        super(message);
        this.exitCode = exitCode;
        this.tell = tell;
    }

    static TransferException failed(Reason tell, String message) {
        return new TransferException(FAILED, tell, message);
    }

    static TransferException failed(String message) {
        return new TransferException(FAILED, Reason.OK, message);
    }

    /** The connection, not a file, is the problem. */
    static TransferException lost(String message) {
        return new TransferException(LOST, Reason.OK, message);
    }

    static TransferException wrongUsage(String message) {
        return new TransferException(WRONG_USAGE, Reason.OK, message);
    }

    static TransferException notTrusted(String message) {
        return new TransferException(NOT_TRUSTED, Reason.OK, message);
    }

    static TransferException notUnderstood(String what) {
        return new TransferException(
                FAILED, Reason.NOT_UNDERSTOOD, "the other end sent " + what + "; use the same version on both");
    }
}
