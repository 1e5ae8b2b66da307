package io.exactframe.examples.postgresql;

import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;

import io.netty.handler.ssl.SslContextBuilder;
import io.netty.pkitesting.CertificateBuilder;
import io.netty.pkitesting.X509Bundle;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.postgresql.PGConnection;
import org.postgresql.copy.CopyManager;
import org.postgresql.largeobject.LargeObject;
import org.postgresql.largeobject.LargeObjectManager;

/** PostgreSQL's JDBC driver, which speaks the protocol without libpq: many statements on the way, portals, function calls. */
class JdbcTest {
    private static final int ROWS = 200;

    @ParameterizedTest(name = "sslmode={0}, {1}, seed {2}")
    @CsvSource({
        "disable, preferQueryMode=extended, 1",
        "disable, preferQueryMode=simple, 2",
        "disable, protocolVersion=3.2, 3",
        "require, preferQueryMode=extended, 4",
        "require, prepareThreshold=-1, 5",
    })
    void whatIsWrittenInBatchesIsReadBack(String sslmode, String more, long seed) throws Exception {
        X509Bundle bundle = new CertificateBuilder().subject("CN=localhost").setIsCertificateAuthority(true).buildSelfSigned();
        try (Running relay = new Running(
                Programs.server().port(),
                SslContextBuilder.forServer(bundle.toKeyManagerFactory()).build(),
                MessageDecoder.LARGE)) {
            String url = "jdbc:postgresql://127.0.0.1:" + relay.port() + "/postgres?user=" + LocalPostgres.USER + "&sslmode="
                    + sslmode + "&socketTimeout=30&" + more;
            try (Connection connection = DriverManager.getConnection(url);
                    Statement statement = connection.createStatement()) {
                connection.setAutoCommit(false); // for portals, and large objects; it is all rolled back
                statement.execute("create table written (n int, bytes bytea)");
                insert(connection, new Random(seed));
                assertReadBack(statement, new Random(seed));
                copyAndAssertReadBack(connection, statement, new Random(seed));
                assertLargeObject(connection, new Random(seed));
                assertTimeOut(statement);
            }
            relay.awaitNoConnections();
            assertThat(relay.told).isEmpty();
        }
    }

    /** Up to 2 KiB, and now and then up to 3 MB. */
    private static byte[] bytes(Random random, int row) {
        byte[] bytes = new byte[random.nextInt(row % 50 == 0 ? 3_000_000 : 2_000)];
        random.nextBytes(bytes);
        return bytes;
    }

    private static void insert(Connection connection, Random random) throws SQLException {
        try (PreparedStatement insert = connection.prepareStatement("insert into written values (?, ?)")) {
            for (int row = 0; row < ROWS; row++) {
                insert.setInt(1, row);
                insert.setBytes(2, bytes(random, row));
                insert.addBatch();
            }
            assertThat(insert.executeBatch()).hasSize(ROWS);
        }
    }

    private static void assertReadBack(Statement statement, Random random) throws SQLException {
        statement.setFetchSize(7);
        try (ResultSet written = statement.executeQuery("select n, bytes from written order by n")) {
            for (int row = 0; row < ROWS; row++) {
                assertThat(written.next()).isTrue();
                assertThat(written.getInt(1)).isEqualTo(row);
                assertThat(written.getBytes(2)).isEqualTo(bytes(random, row));
            }
            assertThat(written.next()).isFalse();
        }
    }

    private static void copyAndAssertReadBack(Connection connection, Statement statement, Random random) throws Exception {
        CopyManager copies = connection.unwrap(PGConnection.class).getCopyAPI();
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        assertThat(copies.copyOut("copy (select * from written order by n) to stdout (format binary)", out)).isEqualTo(ROWS);
        statement.execute("delete from written");
        assertThat(copies.copyIn("copy written from stdin (format binary)", new ByteArrayInputStream(out.toByteArray())))
                .isEqualTo(ROWS);
        assertReadBack(statement, random);
    }

    /** Which are read and written by FunctionCall. */
    private static void assertLargeObject(Connection connection, Random random) throws SQLException {
        LargeObjectManager objects = connection.unwrap(PGConnection.class).getLargeObjectAPI();
        byte[] bytes = bytes(random, 0);
        try (LargeObject object = objects.open(objects.createLO())) {
            object.write(bytes);
            object.seek(0);
            assertThat(object.read(bytes.length)).isEqualTo(bytes);
        }
    }

    /** Which the driver asks for on a connection of its own. */
    private static void assertTimeOut(Statement statement) throws SQLException {
        statement.setQueryTimeout(1);
        long began = System.nanoTime();
        try {
            statement.execute("select pg_sleep(50)");
        } catch (SQLException e) {
            assertThat(e.getSQLState()).isEqualTo("57014");
        }
        assertThat(System.nanoTime() - began).isLessThan(SECONDS.toNanos(40));
    }
}
