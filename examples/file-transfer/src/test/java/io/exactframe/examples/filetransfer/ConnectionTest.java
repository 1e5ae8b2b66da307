package io.exactframe.examples.filetransfer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.netty.channel.EventLoopGroup;
import io.netty.util.LeakPresenceDetector;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class ConnectionTest {
    @AfterEach
    void nothingLeaks() {
        LeakPresenceDetector.check();
    }

    @Test
    void aSilentPeerIsNotWaitedForForever() throws Exception {
        EventLoopGroup loop = Connection.newEventLoop();
        try (ServerSocket server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
                Connection connection = Connection.open(loop, new Address("127.0.0.1", server.getLocalPort()));
                Socket peer = server.accept()) {
            peer.getOutputStream().write(new byte[] {0, 1});
            assertThatExceptionOfType(ConnectionLost.class)
                    .isThrownBy(() -> connection.receiveReply(Duration.ofMillis(50)))
                    .withMessageStartingWith("not whole within");
            peer.getOutputStream().write(2);
            assertThat(connection.receiveReply(Connection.TIMEOUT))
                    .as("what came of it was not lost")
                    .isEqualTo(Reply.VERIFIED);
        } finally {
            Connection.stop(loop);
        }
    }

    @Test
    void anInterruptEndsTheWaiting() throws Exception {
        EventLoopGroup loop = Connection.newEventLoop();
        try (ServerSocket server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
                Connection connection = Connection.open(loop, new Address("127.0.0.1", server.getLocalPort()))) {
            Thread.currentThread().interrupt();
            assertThatExceptionOfType(ConnectionLost.class)
                    .isThrownBy(() -> connection.receiveFrame(9))
                    .withMessage("interrupted");
            assertThat(Thread.interrupted()).isTrue();
        } finally {
            Connection.stop(loop);
        }
    }
}
