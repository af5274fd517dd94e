package org.loranative.board.curves;

import java.util.Arrays;
import java.util.function.IntToDoubleFunction;
import org.loranative.track.Scalars;

/**
 * A curve reduced to what a screen can show. Points are taken together by 2^level; a bucket has the
 * lowest and highest value in it, so that no outlier is lost, and the smoothed curve at its end.
 * Buckets begin at multiples of their size: when a curve grows, only the last one changes, and a
 * page that has the others asks for what follows.
 *
 * @param level of which power of two points a bucket is
 * @param first bucket that is given, counted from the curve's beginning
 * @param x of each bucket's last point, on the axis that was asked for
 * @param steps the same in steps
 * @param low and
 * @param high values in it; NaN where none is finite
 * @param smooth average of the points up to its end, NaN where the bucket has no finite value
 * @param count points in the visible range
 * @param broken steps in the given buckets with a value that is not finite, at most a few
 */
public record ScreenCurve(
    int level,
    int first,
    double[] x,
    double[] steps,
    double[] low,
    double[] high,
    double[] smooth,
    int count,
    double[] broken) {
  private static final int MOST_BROKEN = 20;

  /** From so many distances between points their usual one is taken. */
  private static final int DISTANCES = 64;

  /**
   * What is to be seen.
   *
   * @param from first and
   * @param to last value of the axis that is visible
   * @param most buckets
   * @param weight of the past in the average over one usual distance of steps, 0 to below 1
   * @param level and
   * @param have that many buckets of it are known already; 0 for all
   */
  public record Window(double from, double to, int most, double weight, int level, int have) {}

  /**
   * @param x the axis: its value at a point, rising
   */
  public static ScreenCurve of(Scalars s, IntToDoubleFunction x, Window w) {
    int first = 0;
    int end = 0;
    for (int i = 0; i < s.size(); i++) {
      double at = x.applyAsDouble(i);
      first += at < w.from ? 1 : 0;
      end += at <= w.to ? 1 : 0;
    }
    int level = 0;
    while (end > first && buckets(first, end, level) > w.most) {
      level++;
    }
    int begin = first >> level;
    int skipped = level == w.level ? w.have : 0;
    int from = begin + skipped;
    int n = Math.max(0, (end > first ? buckets(first, end, level) : 0) - skipped);
    double[] at = new double[n];
    double[] steps = new double[n];
    double[] low = new double[n];
    double[] high = new double[n];
    double[] smooth = new double[n];
    double[] broken = new double[MOST_BROKEN];
    int brokenCount = 0;
    Average average = new Average(w.weight, distance(s));
    Arrays.fill(low, Double.NaN);
    Arrays.fill(high, Double.NaN);
    Arrays.fill(smooth, Double.NaN);
    for (int i = 0; i < end; i++) {
      double v = s.value(i);
      boolean finite = Double.isFinite(v);
      if (finite) {
        average.add(s.step(i), v);
      }
      int b = (i >> level) - from;
      if (i < first || b < 0) {
        continue;
      }
      at[b] = x.applyAsDouble(i);
      steps[b] = s.step(i);
      if (finite) {
        low[b] = low[b] <= v ? low[b] : v;
        high[b] = high[b] >= v ? high[b] : v;
        smooth[b] = average.value();
      } else if (brokenCount < MOST_BROKEN) {
        broken[brokenCount++] = s.step(i);
      }
    }
    return new ScreenCurve(
        level,
        skipped,
        at,
        steps,
        low,
        high,
        smooth,
        Math.max(0, end - first),
        Arrays.copyOf(broken, brokenCount));
  }

  private static int buckets(int first, int end, int level) {
    return ((end - 1) >> level) - (first >> level) + 1;
  }

  /** The usual distance between points, in steps: the median of the first ones. */
  public static double distance(Scalars s) {
    long[] all = new long[Math.min(DISTANCES, Math.max(0, s.size() - 1))];
    int n = 0;
    for (int i = 1; i <= all.length; i++) {
      long d = s.step(i) - s.step(i - 1);
      if (d > 0) {
        all[n++] = d;
      }
    }
    Arrays.sort(all, 0, n);
    return n == 0 ? 1 : all[n / 2];
  }

  /**
   * An exponential average over steps, corrected for its beginning as in Adam: a point counts less
   * the further back it lies, however many lie between.
   */
  private static final class Average {
    private final double weight;
    private final double distance;
    private double sum;
    private double weights;
    private long last;

    Average(double weight, double distance) {
      this.weight = weight;
      this.distance = distance;
    }

    void add(long step, double value) {
      double steps = weights == 0 ? 1 : Math.max(0, step - last) / distance;
      double kept = weight == 0 ? 0 : Math.pow(weight, Math.max(steps, 1e-3));
      sum = kept * sum + (1 - kept) * value;
      weights = kept * weights + (1 - kept);
      last = step;
    }

    double value() {
      return sum / weights;
    }
  }
}
