package org.loranative.diagnose;

import java.util.Optional;
import org.apache.commons.statistics.inference.AlternativeHypothesis;
import org.apache.commons.statistics.inference.MannWhitneyUTest;

/** Steps that became slower and stayed so. */
final class ThroughputDrop implements Check {
  private static final int FEWEST = 40;
  private static final double SHARE = 0.75;

  /** One-sided: a normal number exceeds four standard deviations once in so many times. */
  private static final double CHANCE = 3e-5;

  private static final int MOST = 300;

  @Override
  public Optional<Finding> find(RunCurves run) {
    Curve speed = run.throughput().finite();
    int n = speed.size();
    if (n < FEWEST) {
      return Optional.empty();
    }
    double[] v = speed.values();
    int part = n / 4;
    double[] early = some(v, 5, 5 + part);
    double[] late = some(v, n - part, n);
    double before = Statistics.median(early);
    double after = Statistics.median(late);
    if (after > SHARE * before || !isLess(late, early)) {
      return Optional.empty();
    }
    int at = 5 + part;
    int window = Math.max(3, n / 20);
    while (at + window < n && Statistics.median(v, at, at + window) > (before + after) / 2) {
      at += Math.max(1, window / 10);
    }
    at = Math.min(at, n - 1);
    return Optional.of(
        new Finding(
            Finding.Symptom.THROUGHPUT_DROP,
            speed.steps()[at],
            String.format("%.4g a second became %.4g", before, after),
            "Look for heat (nvidia-smi, the CPU's clock), other programs on the machine, and a slow"
                + " disk under the data"));
  }

  private static boolean isLess(double[] one, double[] other) {
    return MannWhitneyUTest.withDefaults()
        .with(AlternativeHypothesis.LESS_THAN)
        .test(one, other)
        .reject(CHANCE);
  }

  /**
   * At most a few hundred of the points, evenly taken: enough for the test, which compares pairs.
   */
  private static double[] some(double[] v, int from, int to) {
    int stride = Math.max(1, (to - from) / MOST);
    double[] taken = new double[(to - from) / stride];
    for (int i = 0; i < taken.length; i++) {
      taken[i] = v[from + i * stride];
    }
    return taken;
  }
}
