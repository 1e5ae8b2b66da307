package io.exactframe.examples.filetransfer;

import io.exactframe.netty.PrematureCloseException;
import java.io.IOException;

/** What was asked of the connection cannot come any more. The message says why, without addresses. */
final class ConnectionLost extends Exception {
    private static final long serialVersionUID = 1L;

    ConnectionLost(Throwable cause) {
        super(describe(cause), cause);
    }

    private static String describe(Throwable cause) {
        if (cause instanceof PrematureCloseException || (cause instanceof IOException && cause.getMessage() != null)) {
            return cause.getMessage();
        }
        return cause instanceof IOException ? "connection closed" : "what came is not a file transfer";
    }
}
