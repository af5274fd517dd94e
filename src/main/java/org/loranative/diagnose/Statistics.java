package org.loranative.diagnose;

import java.util.Arrays;

/** The few tests that the checks decide by; none assumes that noise is normal. */
final class Statistics {
  /** One-sided 5 % of the normal distribution. */
  static final double SIGNIFICANT = 1.645;

  /** What the median of |x| of a normal number is to its standard deviation. */
  private static final double MAD = 0.6745;

  private Statistics() {}

  static double mean(double[] x, int from, int to) {
    double sum = 0;
    for (int i = from; i < to; i++) {
      sum += x[i];
    }
    return sum / (to - from);
  }

  static double median(double[] x) {
    double[] sorted = x.clone();
    Arrays.sort(sorted);
    int n = sorted.length;
    return n % 2 == 1 ? sorted[n / 2] : (sorted[n / 2 - 1] + sorted[n / 2]) / 2;
  }

  static double median(double[] x, int from, int to) {
    return median(Arrays.copyOfRange(x, from, to));
  }

  /**
   * Standard deviation of the noise about a slowly changing curve, from its differences: neither
   * trend nor outliers count.
   */
  static double noise(double[] x) {
    if (x.length < 3) {
      return 0;
    }
    double[] d = new double[x.length - 1];
    for (int i = 0; i < d.length; i++) {
      d[i] = Math.abs(x[i + 1] - x[i]);
    }
    return median(d) / MAD / Math.sqrt(2);
  }

  /**
   * Mann–Kendall's test of a trend: the standard score of the number of pairs that rise less those
   * that fall (Mann 1945), ties and continuity corrected; 0 for fewer than four points.
   */
  static double trend(double[] x) {
    int n = x.length;
    if (n < 4) {
      return 0;
    }
    long s = 0;
    for (int i = 0; i < n; i++) {
      for (int j = i + 1; j < n; j++) {
        s += (long) Math.signum(x[j] - x[i]);
      }
    }
    double variance = n * (n - 1.0) * (2 * n + 5) / 18;
    return (s - Math.signum(s)) / Math.sqrt(variance);
  }

  /**
   * Mann and Whitney's test: the standard score of how often a number of {@code a} exceeds one of
   * {@code b}.
   */
  static double exceeds(double[] a, double[] b) {
    double wins = 0;
    for (double x : a) {
      for (double y : b) {
        wins += x > y ? 1 : x == y ? 0.5 : 0;
      }
    }
    double pairs = (double) a.length * b.length;
    return (wins - pairs / 2) / Math.sqrt(pairs * (a.length + b.length + 1) / 12);
  }
}
