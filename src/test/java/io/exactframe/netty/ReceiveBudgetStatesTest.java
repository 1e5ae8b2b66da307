package io.exactframe.netty;

import static org.assertj.core.api.Assertions.assertThat;

import io.exactframe.netty.ReceiveBudget.Share;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** 53: four shares, in all states they can be in, and all that can happen there, beside a model of a few lines. */
class ReceiveBudgetStatesTest {
    private static final int SHARES = 4;
    private static final int STATES = 2000; // at least
    private static final int LARGE = ReceiveBudget.FREE + 1;
    private static final int[] SIZES = {LARGE, LARGE, 2 * LARGE, LARGE};
    private static final int CAPACITY = 2 * LARGE;

    private enum State {
        NONE,
        WAITING,
        HELD,
        EXEMPT
    }

    private enum What {
        RESERVE,
        GIVE_BACK,
        WAIT_NO_MORE,
        /** From now on a grant finds nobody: its event loop is gone. */
        LOSE_ITS_LOOP
    }

    private record Step(What what, int share) {}

    /** What is said of a budget, done in the simplest way. */
    private static final class Model {
        final State[] states = {State.NONE, State.NONE, State.NONE, State.NONE};
        final boolean[] gone = new boolean[SHARES];
        final List<Integer> queue = new ArrayList<>();
        final List<Integer> told = new ArrayList<>();

        @Override
        public String toString() {
            return Arrays.toString(states) + queue + Arrays.toString(gone);
        }

        int used() {
            int used = 0;
            for (int i = 0; i < SHARES; i++) {
                used += states[i] == State.HELD ? SIZES[i] : 0;
            }
            return used;
        }

        boolean canHappen(Step step) {
            State state = states[step.share];
            return switch (step.what) {
                case RESERVE -> state == State.NONE || state == State.EXEMPT;
                case GIVE_BACK -> true;
                case WAIT_NO_MORE -> state != State.EXEMPT;
                case LOSE_ITS_LOOP -> !gone[step.share];
            };
        }

        void happens(Step step) {
            int i = step.share;
            switch (step.what) {
                case RESERVE -> {
                    if (states[i] == State.NONE) {
                        states[i] = State.WAITING;
                        queue.add(i);
                        grant(i);
                    }
                }
                case GIVE_BACK -> leave(i, states[i] == State.EXEMPT ? State.EXEMPT : State.NONE);
                case WAIT_NO_MORE -> leave(i, State.EXEMPT);
                case LOSE_ITS_LOOP -> gone[i] = true;
            }
        }

        private void leave(int i, State next) {
            states[i] = next;
            queue.remove((Integer) i);
            grant(-1);
        }

        /** First come, first served; whoever asks just now is not told, and one that is gone gives it back. */
        private void grant(int asking) {
            while (!queue.isEmpty() && SIZES[queue.get(0)] <= CAPACITY - used()) {
                int first = queue.remove(0);
                states[first] = State.HELD;
                if (first != asking) {
                    told.add(first);
                    if (gone[first]) {
                        states[first] = State.NONE;
                    }
                }
            }
        }
    }

    /** From every state that there is, all that can happen. */
    @Test
    void everyOrderOfEventsEndsAsTheModelSays() {
        Set<String> seen = new HashSet<>();
        ArrayDeque<List<Step>> waysToGo = new ArrayDeque<>(List.of(List.of()));
        int runs = 0;
        for (List<Step> way; (way = waysToGo.poll()) != null; runs++) {
            Model model = run(way);
            if (seen.add(model.toString())) {
                for (What what : What.values()) {
                    for (int i = 0; i < SHARES; i++) {
                        Step step = new Step(what, i);
                        if (model.canHappen(step)) {
                            List<Step> further = new ArrayList<>(way);
                            further.add(step);
                            waysToGo.add(further);
                        }
                    }
                }
            }
        }
        assertThat(seen.size()).isGreaterThan(STATES);
        assertThat(runs).isGreaterThan(5 * STATES);
    }

    /** In a thread of its own, while whoever gives back learns that its event loop is gone. */
    @Test
    void aShareThatEndsWhileItIsGrantedInVainWaitsForNobody() {
        ReceiveBudget budget = new ReceiveBudget(CAPACITY);
        Share holder = new Share(budget, () -> true);
        Share[] ending = new Share[1];
        ending[0] = new Share(budget, () -> {
            ending[0].waitNoMore();
            return false;
        });
        assertThat(holder.reserve(LARGE, CAPACITY)).isTrue();
        assertThat(ending[0].reserve(LARGE, LARGE)).isFalse();
        holder.giveBack();
        assertThat(holder.reserve(LARGE, CAPACITY)).isTrue();
        assertThat(ending[0].reserve(LARGE, LARGE)).as("exempt").isTrue();
        assertThat(budget.waiting()).isZero();
    }

    private Model run(List<Step> steps) {
        Model model = new Model();
        ReceiveBudget budget = new ReceiveBudget(CAPACITY);
        List<Integer> told = new ArrayList<>();
        Share[] shares = new Share[SHARES];
        for (int i = 0; i < SHARES; i++) {
            int number = i;
            shares[i] = new Share(budget, () -> {
                told.add(number);
                return !model.gone[number];
            });
        }
        for (Step step : steps) {
            told.clear();
            model.told.clear();
            Share share = shares[step.share];
            boolean exempt = model.states[step.share] == State.EXEMPT;
            Boolean reserved = null;
            switch (step.what) {
                case RESERVE -> reserved = share.reserve(LARGE, SIZES[step.share]);
                case GIVE_BACK -> share.giveBack();
                case WAIT_NO_MORE -> share.waitNoMore();
                default -> {} // of the model's
            }
            model.happens(step);
            if (reserved != null) {
                assertThat(reserved).as("%s", steps).isEqualTo(exempt || model.states[step.share] == State.HELD);
            }
            assertThat(budget.used()).as("used: %s", steps).isEqualTo(model.used());
            assertThat(budget.waiting()).as("waiting: %s", steps).isEqualTo(model.queue.size());
            assertThat(told).as("told: %s", steps).containsExactlyInAnyOrderElementsOf(model.told);
            for (int i = 0; i < SHARES; i++) {
                assertThat(shares[i].isHeld()).as("%s: %s", i, steps).isEqualTo(model.states[i] == State.HELD);
                assertThat(shares[i].isWaiting()).as("%s: %s", i, steps).isEqualTo(model.states[i] == State.WAITING);
            }
        }
        return model;
    }
}
