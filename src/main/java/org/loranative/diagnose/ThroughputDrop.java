package org.loranative.diagnose;

import java.util.Arrays;
import java.util.Optional;

/** Steps that became slower and stayed so. */
final class ThroughputDrop implements Check {
  private static final int FEWEST = 40;
  private static final double SHARE = 0.75;
  private static final double SURE = 4;

  @Override
  public Optional<Finding> find(RunCurves run) {
    Curve speed = run.throughput().finite();
    int n = speed.size();
    if (n < FEWEST) {
      return Optional.empty();
    }
    double[] v = speed.values();
    int part = n / 4;
    double[] early = Arrays.copyOfRange(v, 5, 5 + part);
    double[] late = Arrays.copyOfRange(v, n - part, n);
    double before = Statistics.median(early);
    double after = Statistics.median(late);
    if (after > SHARE * before || Statistics.exceeds(early, late) < SURE) {
      return Optional.empty();
    }
    int at = 5 + part;
    int window = Math.max(3, n / 20);
    while (at + window < n && Statistics.median(v, at, at + window) > (before + after) / 2) {
      at++;
    }
    return Optional.of(
        new Finding(
            Finding.Kind.THROUGHPUT_DROP,
            speed.steps()[at],
            String.format("%.4g a second became %.4g", before, after),
            "Look for heat (nvidia-smi, the CPU's clock), other programs on the machine, and a slow"
                + " disk under the data"));
  }
}
