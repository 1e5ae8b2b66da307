package io.exactframe.examples.filetransfer;

import java.net.InetSocketAddress;
import picocli.CommandLine.TypeConversionException;

/** A host and a port as the user wrote them, {@code [::1]:4000} included. They are looked up when they are used. */
record Address(String host, int port) {
    private static final int HIGHEST_PORT = 65535;

    /**
     * Parses {@code HOST:PORT}.
     *
     * @throws TypeConversionException if it is not of that form
     */
    static Address parse(String text) {
        int colon = text.lastIndexOf(':');
        String host = colon < 0 ? "" : text.substring(0, colon);
        boolean bracketed = host.length() > 2 && host.startsWith("[") && host.endsWith("]");
        if (bracketed) {
            host = host.substring(1, host.length() - 1);
        }
        String port = text.substring(colon + 1);
        boolean isPort =
                port.matches("[0-9]{1,5}") && Integer.parseInt(port) >= 1 && Integer.parseInt(port) <= HIGHEST_PORT;
        if (host.isEmpty() || (host.contains(":") && !bracketed) || !isPort) {
            throw new TypeConversionException("'" + text + "' is not HOST:PORT, such as 192.0.2.7:4000 or [::1]:4000");
        }
        return new Address(host, Integer.parseInt(port));
    }

    InetSocketAddress unresolved() {
        return InetSocketAddress.createUnresolved(host, port);
    }

    @Override
    public String toString() {
        return (host.contains(":") ? "[" + host + "]" : host) + ":" + port;
    }
}
