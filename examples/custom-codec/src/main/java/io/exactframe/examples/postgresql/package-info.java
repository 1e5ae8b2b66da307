/**
 * A relay between PostgreSQL's clients and a server, which watches the messages that go through it.
 *
 * <p>Read {@link io.exactframe.examples.postgresql.MessageDecoder} first: it is the codec, and the template for your own
 * protocol. {@link io.exactframe.examples.postgresql.Startup} and {@link io.exactframe.examples.postgresql.Pipe} stand
 * behind it, {@link io.exactframe.examples.postgresql.Session} is what the two directions of a connection share.
 */
package io.exactframe.examples.postgresql;
