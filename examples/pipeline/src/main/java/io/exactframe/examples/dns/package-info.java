/** An authoritative DNS server over TCP; read {@link io.exactframe.examples.dns.DnsServer} first, it is the pipeline. */
package io.exactframe.examples.dns;
