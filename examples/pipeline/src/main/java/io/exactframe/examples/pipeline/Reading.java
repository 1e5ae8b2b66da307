package io.exactframe.examples.pipeline;

import io.netty.buffer.ByteBuf;

/**
 * What a sensor measured, in 16 bytes on the wire.
 *
 * @param sensor its number, a uint32
 * @param millis since 1970, an int64
 * @param value a float32
 */
record Reading(long sensor, long millis, float value) {
    static final int BYTES = 16;

    static Reading readFrom(ByteBuf in) {
        return new Reading(in.readUnsignedInt(), in.readLong(), in.readFloat());
    }

    void writeTo(ByteBuf out) {
        out.writeInt((int) sensor).writeLong(millis).writeFloat(value);
    }
}
