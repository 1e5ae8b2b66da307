package io.exactframe.examples.dns;

import io.exactframe.netty.LengthPrefix;
import io.exactframe.netty.LengthPrefixedExactDecoder;
import io.exactframe.netty.ReceiveOptions;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.CorruptedFrameException;
import io.netty.handler.codec.dns.DefaultDnsQuery;
import io.netty.handler.codec.dns.DnsOpCode;
import io.netty.handler.codec.dns.DnsQuery;
import io.netty.handler.codec.dns.DnsRecord;
import io.netty.handler.codec.dns.DnsRecordDecoder;
import io.netty.handler.codec.dns.DnsRecordType;
import io.netty.handler.codec.dns.DnsSection;

/** {@code | length (2 bytes) | query |} to a {@link DnsQuery}: without its question if that cannot be read. */
final class DnsQueryDecoder extends LengthPrefixedExactDecoder {
    private static final int HEADER = 12;

    DnsQueryDecoder(ReceiveOptions options) {
        super(2 + 65_535, LengthPrefix.uint16(), options);
    }

    @Override
    protected DnsQuery decode(ChannelHandlerContext ctx, ByteBuf frame) throws Exception {
        if (frame.readableBytes() < HEADER || frame.getByte(2) < 0) { // the bit that tells a response
            throw new CorruptedFrameException("a frame of " + frame.readableBytes() + " bytes that is no DNS query");
        }
        DnsQuery query = new DefaultDnsQuery(frame.readUnsignedShort(), DnsOpCode.valueOf(frame.getByte(2) >> 3 & 15));
        query.setRecursionDesired((frame.readUnsignedShort() & 0x100) != 0);
        int questions = frame.readUnsignedShort();
        int additional = frame.skipBytes(4).readUnsignedShort();
        if (questions == 1 && hasPlainQuestion(frame)) {
            query.addRecord(DnsSection.QUESTION, DnsRecordDecoder.DEFAULT.decodeQuestion(frame));
            boolean edns = additional > 0 && frame.readableBytes() > 10 // the root's name, a byte of 0, and the type
                    && frame.getUnsignedMedium(frame.readerIndex()) == DnsRecordType.OPT.intValue();
            DnsRecord options = edns ? DnsRecordDecoder.DEFAULT.decodeRecord(frame) : null;
            if (options != null) {
                query.addRecord(DnsSection.ADDITIONAL, options);
            }
        }
        return query;
    }

    /** No pointers, there is nothing to point to; and of the bytes in labels only those that Netty's text keeps. */
    private static boolean hasPlainQuestion(ByteBuf frame) {
        int at = frame.readerIndex();
        for (int label; at < frame.writerIndex() && (label = frame.getUnsignedByte(at)) > 0; at += 1 + label) {
            boolean whole = label <= 63 && at + 1 + label <= Math.min(HEADER + 254, frame.writerIndex());
            if (!whole || frame.forEachByte(at + 1, label, b -> b > ' ' && b != '.' && b != '\\') >= 0) {
                return false;
            }
        }
        return at + 5 <= frame.writerIndex();
    }
}
