package io.exactframe.examples.dns;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.handler.codec.dns.DefaultDnsRawRecord;
import io.netty.handler.codec.dns.DefaultDnsResponse;
import io.netty.handler.codec.dns.DnsOpCode;
import io.netty.handler.codec.dns.DnsQuery;
import io.netty.handler.codec.dns.DnsQuestion;
import io.netty.handler.codec.dns.DnsRecord;
import io.netty.handler.codec.dns.DnsRecordType;
import io.netty.handler.codec.dns.DnsResponse;
import io.netty.handler.codec.dns.DnsResponseCode;
import io.netty.handler.codec.dns.DnsSection;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.xbill.DNS.Master;
import org.xbill.DNS.Name;
import org.xbill.DNS.OPTRecord;
import org.xbill.DNS.RRset;
import org.xbill.DNS.Record;
import org.xbill.DNS.SOARecord;
import org.xbill.DNS.Section;
import org.xbill.DNS.SetResponse;
import org.xbill.DNS.Zone;

/** What a zone file says, read by dnsjava, as Netty's messages. */
final class Answers {
    private static final int LONGEST_CHAIN = 8;
    private static final int LARGEST_SET = 60 * 1024; // so that a chain and a question fit beside it

    final Name origin;
    private final Zone zone;
    private final Set<Name> parents = new HashSet<>(); // names that exist for what is below them

    Answers(Path file) throws IOException {
        List<Record> records = new ArrayList<>();
        try (Master master = new Master(file.toString(), Name.root)) {
            master.disableIncludes(true);
            for (Record record; (record = master.nextRecord()) != null; ) {
                records.add(record);
                check(records.get(0) instanceof SOARecord, "a zone file begins with its SOA record");
                check(record.getName().subdomain(records.get(0).getName()), record.getName() + " is not inside of the zone");
            }
        }
        check(!records.isEmpty(), "no records in " + file);
        origin = records.get(0).getName();
        zone = new Zone(origin, records.toArray(Record[]::new));
        for (RRset set : zone) {
            for (Name name = set.getName(); name.labels() > origin.labels(); parents.add(name)) {
                name = new Name(name, 1);
            }
            int size = set.rrs().stream().mapToInt(record -> record.toWire(Section.ANSWER).length).sum();
            check(size <= LARGEST_SET, "the records of " + set.getName() + " do not fit in an answer");
        }
    }

    private static void check(boolean good, String otherwise) throws IOException {
        if (!good) {
            throw new IOException(otherwise);
        }
    }

    DnsResponse to(DnsQuery query) throws IOException {
        DnsResponse response = new DefaultDnsResponse(query.id(), query.opCode());
        response.setRecursionDesired(query.isRecursionDesired());
        DnsQuestion question = query.recordAt(DnsSection.QUESTION);
        if (question != null) {
            response.addRecord(DnsSection.QUESTION, question); // as it was asked, capital letters included
        }
        DnsRecord edns = query.recordAt(DnsSection.ADDITIONAL);
        boolean badVersion = edns != null && (edns.timeToLive() >> 16 & 0xFF) != 0;
        if (edns != null) { // the upper bits of the code "bad version", which is 16, go there
            add(response, DnsSection.ADDITIONAL, new OPTRecord(65_535, badVersion ? 1 : 0, 0));
        }
        if (question == null || !query.opCode().equals(DnsOpCode.QUERY)) {
            return response.setCode(question == null ? DnsResponseCode.FORMERR : DnsResponseCode.NOTIMP);
        }
        return badVersion ? response : lookUp(question, response);
    }

    private DnsResponse lookUp(DnsQuestion question, DnsResponse response) throws IOException {
        Name name = Name.fromString(question.name());
        int type = question.type().intValue();
        boolean meta = type >= 249 && type <= 254; // transfers and the like
        if (!name.subdomain(origin) || question.dnsClass() != DnsRecord.CLASS_IN || meta) {
            return response.setCode(DnsResponseCode.REFUSED);
        }
        response.setAuthoritativeAnswer(true);
        for (int i = 0; i < LONGEST_CHAIN && name.subdomain(origin); i++) {
            SetResponse found = zone.findRecords(name, type);
            if (found.isCNAME()) {
                add(response, DnsSection.ANSWER, found.getCNAME());
                name = found.getCNAME().getTarget();
                continue;
            }
            if (found.isSuccessful()) { // to ANY, one set of records is answer enough (RFC 8482)
                found.answers().get(0).rrs().forEach(record -> add(response, DnsSection.ANSWER, record));
            } else if (found.isDelegation()) {
                response.setAuthoritativeAnswer(response.count(DnsSection.ANSWER) > 0);
                found.getNS().rrs().forEach(record -> add(response, DnsSection.AUTHORITY, record));
            } else {
                add(response, DnsSection.AUTHORITY, zone.getSOA());
            }
            return found.isNXDOMAIN() && !parents.contains(name) ? response.setCode(DnsResponseCode.NXDOMAIN) : response;
        }
        return response;
    }

    private static void add(DnsResponse response, DnsSection section, Record record) {
        DnsRecordType type = DnsRecordType.valueOf(record.getType());
        ByteBuf data = Unpooled.wrappedBuffer(record.rdataToWireCanonical());
        String name = record.getName().toString();
        response.addRecord(section, new DefaultDnsRawRecord(name, type, record.getDClass(), record.getTTL(), data));
    }
}
