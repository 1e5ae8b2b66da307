package io.exactframe.examples.postgresql;

import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** psql and pgbench through the relay, a tap on each side of it: the same results, and the same bytes. */
class ClientsTest {
    private LocalPostgres server;
    private Tap behind;
    private Running relay;
    private Tap before;

    @BeforeEach
    void start() throws Exception {
        server = Programs.server();
        behind = new Tap(server.port());
        relay = new Running(behind.port());
        before = new Tap(relay.port());
    }

    /** sslmode and gssencmode, as the relay answers such requests itself. */
    private static String url(int port) {
        return Programs.url(port, "sslmode=disable", "gssencmode=disable");
    }

    private void assertNotAByteIsDifferent() throws Exception {
        relay.awaitNoConnections();
        assertThat(before.digests()).isNotEmpty().isEqualTo(behind.digests());
        assertThat(relay.told).isEmpty();
    }

    @Test
    void aScriptHasTheSameResultsAsWithoutTheRelay(@TempDir Path folder) throws Exception {
        Files.writeString(folder.resolve("in"), "7\tseven\n8\teight\n");
        String script = """
                select version();
                create table copied (n int, name text);
                \\copy copied from '%1$s/in'
                \\copy copied to '%1$s/out'
                \\copy (select repeat('x', 3000000) from generate_series(1, 3)) to '%1$s/large'
                select * from copied;
                copy copied to stdout;
                select * from nowhere;
                do $$ begin raise notice 'to be noticed'; end $$;
                select 1/0;
                select 1 \\; select 2;
                select n, repeat('y', n) from generate_series(1, 400) n;
                select md5(repeat('z', 2000000)), length(repeat('a', 5000000));
                select repeat('b', 2000000);
                drop table copied;
                """.formatted(folder);
        Programs.Result direct = Programs.psql(url(server.port()), script);
        Path out = Files.move(folder.resolve("out"), folder.resolve("out of direct"));
        Path large = Files.move(folder.resolve("large"), folder.resolve("large of direct"));

        Programs.Result relayed = Programs.psql(url(before.port()), script);
        assertThat(relayed).isEqualTo(direct);
        assertThat(relayed.err()).contains("to be noticed", "division by zero", "\"nowhere\" does not exist");
        assertThat(folder.resolve("out")).hasSameBinaryContentAs(out);
        assertThat(folder.resolve("large")).hasSameBinaryContentAs(large).hasSize(9_000_003);
        assertNotAByteIsDifferent();
    }

    @ParameterizedTest
    @ValueSource(strings = {"simple", "extended", "prepared"})
    void pgbench(String mode) throws Exception {
        String pgbench = server.program("pgbench").toString();
        Programs.run(List.of(pgbench, "-i", "-q", url(server.port())), "");
        Programs.Result result =
                Programs.run(List.of(pgbench, "-c", "8", "-j", "2", "-t", "200", "-M", mode, url(before.port())), "");
        assertThat(result.out())
                .contains("number of transactions actually processed: 1600/1600")
                .contains("number of failed transactions: 0 ");
        assertNotAByteIsDifferent();
        // begin, three updates, a select, an insert, commit
        assertThat(relay.queries.stream().filter(q -> q.contains("\"error\":null")).count()).isBetween(11_200L, 11_300L);
    }

    @Test
    void binaryCopyBothWays(@TempDir Path folder) throws Exception {
        // 24 MiB in rows of up to 2 MiB; a script has 200 MiB (src/test/scripts/copy-200)
        String make = ("create table blobs as select n, decode(repeat(md5(n::text), size), 'hex') as blob, size"
                + " from (select n, case when n %% 97 = 0 then 131072 else n %% 400 end as size"
                + " from generate_series(1, %d) n) s;\n")
                .formatted(2_000);
        Programs.psql(url(server.port()), make + "alter table blobs alter blob set storage external;");
        try {
            String out = "\\copy blobs to '%s' with (format binary)\n";
            Programs.psql(url(server.port()), out.formatted(folder.resolve("direct")));
            assertThat(Programs.psql(url(before.port()), out.formatted(folder.resolve("relayed"))))
                    .isEqualTo(new Programs.Result(0, "", ""));
            assertThat(folder.resolve("relayed")).hasSameBinaryContentAs(folder.resolve("direct"));
            assertThat(Files.size(folder.resolve("direct"))).isGreaterThan(40 << 20);

            Programs.Result in = Programs.psql(
                    url(before.port()),
                    "create table again (like blobs);\n\\copy again from '" + folder.resolve("relayed")
                            + "' with (format binary)\n"
                            + "select count(*) from (select * from blobs except select * from again) d;");
            assertThat(in).isEqualTo(new Programs.Result(0, "0\n", ""));
            assertNotAByteIsDifferent();
        } finally {
            Programs.psql(url(server.port()), "drop table if exists blobs, again;");
        }
    }

    @Test
    void controlCCancelsOnAConnectionOfItsOwn() throws Exception {
        Process psql = new ProcessBuilder(
                        server.program("psql").toString(), "-X", url(before.port()), "-c", "select pg_sleep(50)")
                .redirectErrorStream(true)
                .start();
        try {
            String sleeping = "select count(*) from pg_stat_activity where query = 'select pg_sleep(50)'"
                    + " and state = 'active'";
            Running.await(() -> count(sleeping) == 1);
            new ProcessBuilder("kill", "-INT", "" + psql.pid()).start().waitFor();
            assertThat(psql.waitFor(10, SECONDS)).isTrue();
            assertThat(new String(psql.getInputStream().readAllBytes()))
                    .contains("canceling statement due to user request");
        } finally {
            psql.destroyForcibly();
        }
        assertThat(relay.queries.poll(10, SECONDS)).contains("\"error\":\"57014\"");
        assertNotAByteIsDifferent();
        assertThat(before.digests()).hasSize(2);
    }

    private int count(String query) {
        try {
            return Integer.parseInt(Programs.psql(url(server.port()), query + ";").out().strip());
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void whatIsNotifiedArrivesWithoutBeingAskedFor() throws Exception {
        Process listener = new ProcessBuilder(server.program("psql").toString(), "-X", "-q", "-A", "-t", url(before.port()))
                .redirectErrorStream(true)
                .start();
        try (Writer in = listener.outputWriter();
                BufferedReader out = listener.inputReader()) {
            in.write("listen news;\nselect 'listening';\n");
            in.flush();
            assertThat(out.readLine()).isEqualTo("listening");
            Programs.psql(url(server.port()), "notify news, 'good';");
            in.write("select 'asked again';\n\\q\n");
            in.flush();
            assertThat(out.readLine()).isEqualTo("asked again");
            assertThat(out.readLine()).startsWith("Asynchronous notification \"news\" with payload \"good\" received");
            assertThat(listener.waitFor(10, SECONDS)).isTrue();
        } finally {
            listener.destroyForcibly();
        }
        assertNotAByteIsDifferent();
    }

    @Test
    void errorsAtTheStartReachTheUser() throws Exception {
        Programs.Result direct = Programs.psql(url(server.port()).replace("dbname=postgres", "dbname=nowhere"), "");
        Programs.Result relayed = Programs.psql(url(before.port()).replace("dbname=postgres", "dbname=nowhere"), "");
        assertThat(relayed.err().replace("" + before.port(), "PORT"))
                .contains("FATAL:  database \"nowhere\" does not exist")
                .isEqualTo(direct.err().replace("" + server.port(), "PORT"));
        assertThat(relayed.exitCode()).isEqualTo(2);
        assertThat(relay.told()).isEqualTo("connection 1: the server ended it with error 3D000");
    }

    @AfterEach
    void stop() throws Exception {
        before.close();
        relay.close();
        behind.close();
    }
}
