package io.exactframe.examples.migrations;

import java.nio.file.Files;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.apache.activemq.artemis.api.core.ActiveMQException;
import org.apache.activemq.artemis.api.core.QueueConfiguration;
import org.apache.activemq.artemis.api.core.RoutingType;
import org.apache.activemq.artemis.api.core.client.ActiveMQClient;
import org.apache.activemq.artemis.api.core.client.ClientConsumer;
import org.apache.activemq.artemis.api.core.client.ClientMessage;
import org.apache.activemq.artemis.api.core.client.ClientProducer;
import org.apache.activemq.artemis.api.core.client.ClientSession;
import org.apache.activemq.artemis.api.core.client.ServerLocator;
import org.apache.activemq.artemis.core.config.Configuration;
import org.apache.activemq.artemis.core.config.impl.ConfigurationImpl;
import org.apache.activemq.artemis.core.server.embedded.EmbeddedActiveMQ;

/** A broker, a producer, and a consumer that gets what was sent, in order. */
final class ArtemisProgram implements Program {
    private final EmbeddedActiveMQ broker = new EmbeddedActiveMQ();
    private final ServerLocator locator;
    private final ClientSession session;
    private final ClientSession sending;
    private final ClientProducer producer;
    private final Queue<CompletableFuture<byte[]>> waiting = new ConcurrentLinkedQueue<>();

    ArtemisProgram() throws Exception {
        int port;
        try (java.net.ServerSocket socket = new java.net.ServerSocket(0)) {
            port = socket.getLocalPort();
        }
        Configuration configuration = new ConfigurationImpl();
        configuration
                .setPersistenceEnabled(false)
                .setSecurityEnabled(false)
                .setJournalDirectory(Files.createTempDirectory("artemis").toString())
                .addAcceptorConfiguration("tcp", "tcp://127.0.0.1:" + port + "?protocols=CORE;useEpoll=false");
        broker.setConfiguration(configuration);
        broker.start();
        locator = ActiveMQClient.createServerLocator("tcp://127.0.0.1:" + port + "?useEpoll=false")
                .setMinLargeMessageSize(100 << 20)
                .setConsumerWindowSize(-1);
        locator.setConfirmationWindowSize(-1);
        var factory = locator.createSessionFactory();
        session = factory.createSession(true, true, 0);
        session.createQueue(QueueConfiguration.of("echo").setRoutingType(RoutingType.ANYCAST).setDurable(false));
        sending = factory.createSession(true, true, 0);
        producer = sending.createProducer("echo");
        ClientConsumer consumer = session.createConsumer("echo");
        consumer.setMessageHandler(this::received);
        session.start();
    }

    private void received(ClientMessage message) {
        byte[] bytes = new byte[message.getBodyBuffer().readableBytes()];
        message.getBodyBuffer().readBytes(bytes);
        try {
            message.acknowledge();
            waiting.remove().complete(bytes);
        } catch (ActiveMQException e) {
            waiting.remove().completeExceptionally(e);
        }
    }

    @Override
    public synchronized CompletableFuture<byte[]> echo(byte[] bytes) {
        CompletableFuture<byte[]> answer = new CompletableFuture<>();
        waiting.add(answer);
        try {
            ClientMessage message = sending.createMessage(false);
            message.getBodyBuffer().writeBytes(bytes);
            producer.send(message);
        } catch (Exception e) {
            answer.completeExceptionally(e);
        }
        return answer;
    }

    @Override
    public void close() throws Exception {
        session.close();
        sending.close();
        locator.close();
        broker.stop();
    }
}
