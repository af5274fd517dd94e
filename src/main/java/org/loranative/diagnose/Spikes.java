package org.loranative.diagnose;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** A jump of the loss that is over: a hard batch, or a step that the run recovered from. */
final class Spikes {
  private static final int FEWEST = 40;
  private static final int BEFORE = 15;
  private static final double DEVIATIONS = 5;
  private static final double TIMES = 1.6;
  private static final int MOST = 5;

  private Spikes() {}

  static Optional<Finding> of(RunCurves run) {
    Level level = new Level(run.loss().finite());
    int n = level.size();
    if (n < FEWEST) {
      return Optional.empty();
    }
    List<int[]> spikes = new ArrayList<>();
    double limit = Math.max(Math.log(TIMES), DEVIATIONS * Statistics.jitter(level.logs, -1));
    for (int i = BEFORE; i < n && spikes.size() <= MOST; i++) {
      double usual = Statistics.median(level.logs, i - BEFORE, i);
      if (level.logs[i] - usual < limit) {
        continue;
      }
      int end = i;
      while (end < n && level.logs[end] - usual > limit / 2) {
        end++;
      }
      if (end < n && end - i < n / 10) {
        spikes.add(new int[] {i, end});
      }
      i = end + BEFORE;
    }
    if (spikes.isEmpty() || spikes.size() > MOST) {
      return Optional.empty();
    }
    int[] s = spikes.get(0);
    Curve c = level.curve;
    return Optional.of(
        new Finding(
            Finding.Symptom.SPIKES,
            c.steps()[s[0]],
            String.format(
                "the loss jumps to %.4g and is back by step %d%s",
                c.values()[s[0]],
                c.steps()[s[1]],
                spikes.size() > 1 ? String.format(", and %d more times", spikes.size() - 1) : ""),
            "Nothing to do unless they come more often; the step's records may be odd"));
  }
}
