package io.exactframe.netty.soak;

import io.exactframe.netty.soak.Journey.End;
import java.util.BitSet;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicLong;

/** What the journeys came to. */
final class Tally {
    final AtomicLong units = new AtomicLong();
    final AtomicLong bytes = new AtomicLong();
    private final BitSet combinations = new BitSet();
    private final Map<End, Map<String, Integer>> ends = new TreeMap<>();
    private final Map<String, Integer> sorts = new TreeMap<>();
    private long done;

    synchronized void done(Journey journey, Throwable told) {
        done++;
        combinations.set((int) (journey.number % Journey.COMBINATIONS));
        count(journey, told == null ? "nothing" : told.getClass().getSimpleName().replace("Exception", ""));
        add(sorts, journey.kind.toString());
        for (String sort : journey.toString().replaceFirst(".*: ", "").replaceFirst(", units.*", "").split(" ")) {
            if (Character.isLowerCase(sort.charAt(0))) {
                add(sorts, sort);
            }
        }
    }

    /** A peer that is gone, which nothing tells between two frames. */
    synchronized void unheard(Journey journey) {
        count(journey, "unheard");
    }

    private void count(Journey journey, String what) {
        add(ends.computeIfAbsent(journey.end, end -> new TreeMap<>()), what);
    }

    /** Of those that are to go on, how many have not: the link was silent for too long. Few, or it proves nothing. */
    synchronized void check() {
        for (End end : new End[] {End.LINK_BACK, End.DRIP}) {
            int late = ends.getOrDefault(end, Map.of()).getOrDefault("FrameTimeout", 0);
            int all = ends.getOrDefault(end, Map.of()).values().stream().mapToInt(Integer::intValue).sum();
            Verdict.check(late <= 2 + all / 50, late + " time-outs of " + all, end);
        }
    }

    private static void add(Map<String, Integer> counts, String what) {
        counts.merge(what, 1, Integer::sum);
    }

    synchronized long done() {
        return done;
    }

    @Override
    public synchronized String toString() {
        return done + " connections, " + units + " units, " + (bytes.get() >> 10) + " KiB, "
                + combinations.cardinality() + " of " + Journey.COMBINATIONS + " combinations";
    }

    synchronized String details() {
        return "told at the ends: " + ends + "\nsorts: " + sorts;
    }
}
