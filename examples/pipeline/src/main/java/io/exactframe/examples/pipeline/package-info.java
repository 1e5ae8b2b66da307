/**
 * Handlers of the library in a pipeline: {@link io.exactframe.examples.pipeline.TelemetryServer} with frames in {@code
 * channelRead}, {@link io.exactframe.examples.pipeline.GreetingServer} with receives as futures, and {@link
 * io.exactframe.examples.pipeline.PipelineDemo}, which runs both.
 */
package io.exactframe.examples.pipeline;
