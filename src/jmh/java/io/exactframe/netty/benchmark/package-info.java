/**
 * The decoders beside Netty's, and beside none. {@link io.exactframe.netty.benchmark.Benchmarks} runs it all:
 *
 * <pre>
 *   part      what it finds                            in                          measured by
 *   cpu       CPU time and heap bytes of a frame       Ratios, DecoderBenchmark    JMH, thread CPU time
 *   memory    the most held, and bytes copied          PeakMemory                  a counting allocator
 *   idle      what a decoder holds between frames      IdleMemory                  JOL, a counting allocator
 *   growth    what a byte costs, from 1 MiB to 1 GiB   Growth, GrowthReceiver      thread CPU time
 *   sockets   throughput, CPU time                     SocketRatios, -Receiver     loopback, thread CPU time
 * </pre>
 *
 * All write to target/benchmark-results.json ({@link io.exactframe.netty.benchmark.Results}).
 *
 * <p>What could lie, and what is done about it: one JVM for each decoder and workload, the decoders in turn; the sink
 * reads what it gets ({@link io.exactframe.netty.benchmark.FrameConsumer}) and is not inlined; contents are compared once
 * before anything is measured, and frames are counted after each iteration; time is the thread's own, its lower
 * quartile; ratios have a range; what allocates runs on an event loop, as Netty's allocators expect; large buffers stay
 * with the process (pom.xml); code is compiled at once ({@link io.exactframe.netty.benchmark.ForkedJvm}).
 */
package io.exactframe.netty.benchmark;
