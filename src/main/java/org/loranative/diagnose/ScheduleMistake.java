package org.loranative.diagnose;

import java.util.Optional;
import java.util.OptionalDouble;

/** A schedule that does not fit the run: a warmup that never ends, a rate of zero. */
final class ScheduleMistake implements Check {
  private static final int FEWEST = 10;

  @Override
  public Optional<Finding> find(RunCurves run) {
    Curve rate = run.rate().finite();
    OptionalDouble warmup = run.number("warmup_steps");
    OptionalDouble total = run.number("total_steps");
    if (warmup.isPresent() && total.isPresent() && warmup.getAsDouble() >= total.getAsDouble()) {
      return finding(
          0,
          String.format(
              "warmup_steps is %.0f, but the run has %.0f steps: it never reaches its learning"
                  + " rate",
              warmup.getAsDouble(), total.getAsDouble()),
          total.getAsDouble());
    }
    double[] v = rate.values();
    int n = v.length;
    if (n < FEWEST) {
      return Optional.empty();
    }
    int highest = 0;
    for (int i = 1; i < n; i++) {
      highest = v[i] > v[highest] ? i : highest;
    }
    if (v[highest] == 0) {
      return finding(rate.steps()[0], "the learning rate is 0 throughout", n);
    }
    if ("range_test".equals(run.settings().get("lr_schedule"))) {
      return Optional.empty(); // it is to rise
    }
    boolean whole = total.isEmpty() || rate.lastStep() >= total.getAsDouble();
    if (whole && highest >= 0.9 * (n - 1) && v[0] < 0.5 * v[highest] && total.isPresent()) {
      return finding(
          rate.steps()[0],
          String.format(
              "the learning rate rises until step %d of %d",
              rate.steps()[highest], rate.lastStep()),
          n);
    }
    return Optional.empty();
  }

  private static Optional<Finding> finding(long step, String evidence, double steps) {
    return Optional.of(
        new Finding(
            Finding.Symptom.SCHEDULE,
            step,
            evidence,
            String.format(
                "Set warmup_steps: %d (5 %% of the run)", Math.max(1, Math.round(steps / 20)))));
  }
}
