package io.exactframe.netty.benchmark;

import io.netty.channel.DefaultEventLoop;
import io.netty.util.concurrent.DefaultThreadFactory;

/**
 * Runs benchmarks as an event loop does: only on an event loop do Netty's allocators and recyclers use all their
 * caches. JMH creates it, by name.
 */
public class EventLoopThreads extends DefaultEventLoop {
    static final String NAME = "benchmark";

    public EventLoopThreads(int threads, String benchmark) {
        super(new DefaultThreadFactory(NAME, true));
        if (threads != 1) {
            throw new IllegalArgumentException(threads + " threads (expected: 1)");
        }
    }
}
