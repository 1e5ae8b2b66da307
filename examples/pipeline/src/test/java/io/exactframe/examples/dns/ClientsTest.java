package io.exactframe.examples.dns;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The clients that everybody has. */
class ClientsTest {
    private Running server;

    @BeforeEach
    void start() throws Exception {
        server = new Running(Duration.ofSeconds(5), Duration.ofSeconds(10), Duration.ZERO);
    }

    private Programs.Result ask(String client, String... question) throws Exception {
        Programs.need(client);
        List<String> command = new ArrayList<>(List.of(client, "@127.0.0.1", "-p", "" + server.port(), "+tcp"));
        command.addAll(List.of(question));
        return Programs.run(command);
    }

    @ParameterizedTest(name = "{0}")
    @CsvSource(
            delimiter = '|',
            value = {
                "www.example.test A            | 192.0.2.80",
                "WwW.eXample.TEST AAAA         | 2001:db8::80",
                "docs.example.test A           | web.example.test. / www.example.test. / 192.0.2.80",
                "docs.example.test CNAME       | web.example.test.",
                "away.example.test A           | www.example.net.",
                "example.test MX               | 10 mail.example.test. / 20 mail.example.net.",
                "example.test NS               | ns1.example.test. / ns2.example.net.",
                "note.example.test TXT         | \"several\" \"strings; with a semicolon\"",
                "any.wild.example.test A       | 192.0.2.42",
                "example.test SOA              | ns1.example.test. hostmaster.example.test. 2026112901 7200 900 1209600 300",
            })
    void digAndKdigGetTheRecords(String question, String answer) throws Exception {
        for (String client : List.of("dig", "kdig")) {
            Programs.Result result = ask(client, (question + " +short").split(" +"));
            assertThat(result.err()).isEmpty();
            List<String> lines = result.out().lines().toList();
            assertThat(lines).as(client).containsExactlyInAnyOrder(answer.split(" / "));
        }
        assertThat(server.lines).isEmpty();
    }

    @ParameterizedTest(name = "{0}")
    @CsvSource(
            delimiter = '|',
            value = {
                "nobody.example.test           | NXDOMAIN | 1",
                "nobody.www.example.test       | NXDOMAIN | 1",
                "www.example.test MX           | NOERROR  | 1",
                "deep.example.test             | NOERROR  | 1",
                "www.example.org               | REFUSED  | 0",
                "example.test AXFR +noidnin    | REFUSED  | 0",
                "www.example.test CH           | REFUSED  | 0",
                "www.example.test +opcode=4    | NOTIMP   | 0",
                "www.example.test +edns=1 +noednsneg | BADVERS | 0",
            })
    void digIsToldWhatThereIsNot(String question, String status, int authority) throws Exception {
        Programs.Result result = ask("dig", (question + " +noall +comments").split(" +"));
        if (question.contains("AXFR")) {
            assertThat(result.out()).contains("Transfer failed");
        } else {
            assertThat(result.out()).contains("status: " + status).contains("AUTHORITY: " + authority);
        }
        assertThat(result.out()).doesNotContain("mismatch");
    }

    @Test
    void digKeepsAConnectionOpenForAllItsQuestions() throws Exception {
        Programs.Result result =
                ask("dig", "+keepopen", "+short", "www.example.test", "mail.example.test", "ns1.example.test");
        assertThat(result.out()).isEqualTo("192.0.2.80\n192.0.2.25\n192.0.2.53\n");
        result = ask("kdig", "+keepopen", "+short", "www.example.test", "mail.example.test", "ns1.example.test");
        assertThat(result.out()).isEqualTo("192.0.2.80\n192.0.2.25\n192.0.2.53\n");
        assertThat(server.lines).isEmpty();
    }

    @Test
    void delvGetsAnAnswerThatItTakesForUnsigned() throws Exception {
        Programs.need("delv");
        Programs.Result result = Programs.run(
                List.of("delv", "@127.0.0.1", "-p", "" + server.port(), "+tcp", "-i", "www.example.test"));
        assertThat(result.out()).contains("192.0.2.80");
    }

    @ParameterizedTest(name = "answers take up to {0} ms, in any order")
    @ValueSource(ints = {0, 50})
    void dnsperfHasManyQuestionsOnTheWay(int delay, @TempDir Path folder) throws Exception {
        Programs.need("dnsperf");
        Path questions = Files.writeString(
                folder.resolve("questions"),
                "www.example.test A\nexample.test MX\ndocs.example.test A\nnobody.example.test A\n".repeat(1_000));
        try (Running running = new Running(Duration.ofSeconds(5), Duration.ofSeconds(10), Duration.ofMillis(delay))) {
            Programs.Result result = Programs.run(List.of(
                    "dnsperf", "-m", "tcp", "-s", "127.0.0.1", "-p", "" + running.port(), "-d", questions.toString(),
                    "-n", "1", "-c", "4", "-q", "400", "-e"));
            Matcher lost = Pattern.compile("Queries (sent|completed|lost): +(\\d+)").matcher(result.out());
            List<String> counts = lost.results().map(r -> r.group(2)).toList();
            assertThat(counts).as(result.out()).containsExactly("4000", "4000", "0");
            assertThat(result.out()).contains("NOERROR 3000 (75.00%), NXDOMAIN 1000 (25.00%)");
            assertThat(running.lines).isEmpty();
        }
    }

    @AfterEach
    void stop() throws Exception {
        server.close();
    }
}
