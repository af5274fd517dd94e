package org.loranative.train.evaluation;

import java.util.Arrays;
import org.apache.commons.statistics.distribution.TDistribution;

/** Means over records, with Student's interval. */
final class Means {
  private static final double TAIL = 0.025;

  private Means() {}

  /** The mean of a number for each record. */
  static Estimate of(double[] x) {
    double[] ones = new double[x.length];
    Arrays.fill(ones, 1);
    return ratio(x, ones);
  }

  /**
   * The mean over what records consist of, such as tokens: Σ sums / Σ sizes. Records are drawn, not
   * tokens, so the error is that of a ratio estimator (Cochran 1977, Sampling Techniques, 2.11): s²
   * = n / (n − 1) Σ (sumᵢ − R sizeᵢ)² / (Σ sizes)². With sizes of 1 this is the mean's.
   *
   * @param sums of each record
   * @param sizes of each record, above 0
   */
  static Estimate ratio(double[] sums, double[] sizes) {
    int n = sums.length;
    double size = Arrays.stream(sizes).sum();
    double ratio = Arrays.stream(sums).sum() / size;
    if (n < 2) {
      return new Estimate(ratio, Double.NEGATIVE_INFINITY, Double.POSITIVE_INFINITY);
    }
    double squares = 0;
    for (int i = 0; i < n; i++) {
      squares += Math.pow(sums[i] - ratio * sizes[i], 2);
    }
    double error = Math.sqrt(squares * n / (n - 1)) / size;
    double half = error * TDistribution.of(n - 1).inverseSurvivalProbability(TAIL);
    return new Estimate(ratio, ratio - half, ratio + half);
  }
}
