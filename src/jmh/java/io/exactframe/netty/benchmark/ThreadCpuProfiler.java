package io.exactframe.netty.benchmark;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadInfo;
import java.util.Collection;
import java.util.List;
import org.openjdk.jmh.infra.BenchmarkParams;
import org.openjdk.jmh.infra.IterationParams;
import org.openjdk.jmh.profile.InternalProfiler;
import org.openjdk.jmh.results.AggregationPolicy;
import org.openjdk.jmh.results.IterationResult;
import org.openjdk.jmh.results.Result;
import org.openjdk.jmh.results.ScalarResult;

/**
 * CPU time and heap bytes of the benchmark's thread per operation: not disturbed by what else runs, or by compiler and
 * GC threads.
 */
public class ThreadCpuProfiler implements InternalProfiler {
    static final String CPU = "thread.cpu.norm";
    static final String HEAP = "thread.heap.norm";

    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    private long thread = -1;
    private long cpuBefore;
    private long heapBefore;

    @Override
    public void beforeIteration(BenchmarkParams benchmark, IterationParams iteration) {
        if (thread < 0) {
            thread = benchmarkThread();
        }
        heapBefore = thread < 0 ? 0 : THREADS.getThreadAllocatedBytes(thread);
        cpuBefore = thread < 0 ? 0 : THREADS.getThreadCpuTime(thread);
    }

    @Override
    public Collection<? extends Result<?>> afterIteration(
            BenchmarkParams benchmark, IterationParams iteration, IterationResult result) {
        if (thread < 0) {
            return List.of(); // the thread began with this iteration, the first of the warm-up
        }
        double operations = result.getMetadata().getAllOps();
        double cpu = THREADS.getThreadCpuTime(thread) - cpuBefore;
        double heap = THREADS.getThreadAllocatedBytes(thread) - heapBefore;
        return List.of(
                new ScalarResult(CPU, cpu / operations, "ns/op", AggregationPolicy.AVG),
                new ScalarResult(HEAP, heap / operations, "B/op", AggregationPolicy.AVG));
    }

    private static long benchmarkThread() {
        for (ThreadInfo thread : THREADS.getThreadInfo(THREADS.getAllThreadIds())) {
            if (thread != null && thread.getThreadName().startsWith(EventLoopThreads.NAME)) {
                return thread.getThreadId();
            }
        }
        return -1;
    }

    @Override
    public String getDescription() {
        return "CPU time and heap bytes of the benchmark's thread";
    }
}
