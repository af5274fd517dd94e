package org.loranative.train.tuning;

import java.util.ArrayList;
import java.util.List;

/**
 * Successive halving (Jamieson and Talwalkar 2016): all candidates are trained for a few steps, the
 * better half for twice as many, until two are left, which are trained to the end.
 *
 * @param candidates at first
 * @param steps of a whole run
 */
record Halving(int candidates, int steps) {
  /** Measurements of a whole run; a candidate is measured at least once before it is left out. */
  static final int MEASUREMENTS = 16;

  /** Fewer steps tell nothing. */
  private static final int FIRST = 10;

  /** Of the shortest run that a search is made of. */
  static final int FEWEST_STEPS = 2 * MEASUREMENTS;

  /** The shortest search. */
  static final Halving LEAST = new Halving(Grid.LEAST, FEWEST_STEPS);

  /**
   * So many candidates are trained up to a step.
   *
   * @param step of their runs
   */
  record Rung(int candidates, int step) {}

  /** Steps between measurements. */
  int every() {
    return Math.max(1, steps / MEASUREMENTS);
  }

  List<Rung> rungs() {
    List<Integer> counts = new ArrayList<>();
    for (int n = candidates; n > 2; n = (n + 1) / 2) {
      counts.add(n);
    }
    List<Rung> rungs = new ArrayList<>();
    for (int i = 0; i < counts.size(); i++) {
      int parts = Math.max(1, MEASUREMENTS >> (counts.size() - i));
      rungs.add(new Rung(counts.get(i), every() * parts));
    }
    rungs.add(new Rung(Math.min(2, candidates), steps));
    return rungs;
  }

  /** Whether the first candidates are not left out too soon. */
  boolean isPatient() {
    return rungs().get(0).step() >= FIRST;
  }

  /** Steps of all runs together. */
  long cost() {
    long cost = 0;
    int before = 0;
    for (Rung rung : rungs()) {
      cost += (long) rung.candidates() * (rung.step() - before);
      before = rung.step();
    }
    return cost;
  }
}
