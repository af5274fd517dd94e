package org.loranative.diagnose;

import java.util.Arrays;
import java.util.stream.IntStream;
import org.apache.commons.statistics.distribution.TDistribution;

/** The few numbers that the checks decide by. */
public final class Statistics {
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

  public static double median(double[] x) {
    return quantile(x, 0.5);
  }

  static double median(double[] x, int from, int to) {
    return median(Arrays.copyOfRange(x, from, to));
  }

  /** Linear between the two nearest of the sorted numbers. */
  static double quantile(double[] x, double q) {
    double[] sorted = x.clone();
    Arrays.sort(sorted);
    double at = q * (sorted.length - 1);
    int below = (int) at;
    int above = Math.min(below + 1, sorted.length - 1);
    return sorted[below] + (at - below) * (sorted[above] - sorted[below]);
  }

  /** What |t| of so many independent numbers exceeds by chance once in {@code times} draws. */
  static double rare(double independent, double times) {
    double freedom = Math.max(1, independent - 2);
    return TDistribution.of(freedom).inverseSurvivalProbability(1 / times);
  }

  /**
   * Standard deviation about a course that bends but little: of the second differences the median,
   * so neither trend nor outliers count.
   *
   * @param turn a point at which the course turns, which is none of chance; −1 for none
   */
  static double jitter(double[] x, int turn) {
    double[] d =
        IntStream.range(0, Math.max(0, x.length - 2))
            .filter(i -> i + 1 != turn)
            .mapToDouble(i -> Math.abs(x[i + 2] - 2 * x[i + 1] + x[i]))
            .toArray();
    return d.length == 0 ? 0 : median(d) / MAD / Math.sqrt(6);
  }

  /**
   * Mann–Kendall's test of a trend: the standard score of the number of pairs that rise less those
   * that fall (Mann 1945), continuity corrected; 0 for fewer than four points.
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
}
