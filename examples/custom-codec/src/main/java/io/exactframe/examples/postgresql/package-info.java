/**
 * A codec of one's own: as much of the PostgreSQL wire protocol 3.0, from the server's side, as {@code psql} needs to
 * connect and to ask something. {@link io.exactframe.examples.postgresql.FrontendDecoder} is the part that stands on
 * the library; {@link io.exactframe.examples.postgresql.PostgresDemo} runs it.
 *
 * <p>The protocol: <a href="https://www.postgresql.org/docs/current/protocol.html">PostgreSQL's documentation</a>.
 */
package io.exactframe.examples.postgresql;
