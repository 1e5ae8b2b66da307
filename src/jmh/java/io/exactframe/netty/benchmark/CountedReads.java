package io.exactframe.netty.benchmark;

import io.netty.channel.AdaptiveRecvByteBufAllocator;
import io.netty.channel.RecvByteBufAllocator.DelegatingHandle;
import io.netty.channel.RecvByteBufAllocator.ExtendedHandle;
import io.netty.util.UncheckedBooleanSupplier;

/** Netty's own choice of buffers for what one socket receives, counting how often it is read from. */
final class CountedReads extends AdaptiveRecvByteBufAllocator {
    long reads;
    long bytes;

    CountedReads() {
        maxMessagesPerRead(16); // what Netty sets for its own
    }

    @Override
    @SuppressWarnings("deprecation")
    public Handle newHandle() {
        return new Counting((ExtendedHandle) super.newHandle());
    }

    private final class Counting extends DelegatingHandle implements ExtendedHandle {
        Counting(ExtendedHandle handle) {
            super(handle);
        }

        @Override
        public void lastBytesRead(int count) {
            if (count > 0) {
                reads++;
                bytes += count;
            }
            super.lastBytesRead(count);
        }

        @Override
        public boolean continueReading(UncheckedBooleanSupplier maybeMoreData) {
            return ((ExtendedHandle) delegate()).continueReading(maybeMoreData);
        }
    }
}
