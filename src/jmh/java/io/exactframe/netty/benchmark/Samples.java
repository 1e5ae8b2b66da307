package io.exactframe.netty.benchmark;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** What was measured of one case, a number for each iteration of each round. Noise only adds: a quartile is taken. */
final class Samples {
    private final List<Double> sorted = new ArrayList<>();

    void add(double value) {
        sorted.add(value);
        sorted.sort(null);
    }

    double quantile(double part) {
        return sorted.isEmpty() ? Double.NaN : sorted.get((int) (part * (sorted.size() - 1)));
    }

    /** The lower quartile. */
    double value() {
        return quantile(0.25);
    }

    /** How many times as much this is as another, with the range from quartile to quartile. */
    Ratio over(Samples other) {
        return new Ratio(
                value() / other.value(),
                quantile(0.25) / other.quantile(0.75),
                quantile(0.75) / other.quantile(0.25));
    }

    record Ratio(double value, double low, double high) {
        void putInto(Map<String, Object> row, String name) {
            row.put(name, value);
            row.put(name + "Low", low);
            row.put(name + "High", high);
        }
    }
}
