package org.loranative.board;

import org.loranative.track.Scalars;

/**
 * A curve reduced to what a screen can show: for each of some ranges of steps the lowest and the
 * highest value, so that no outlier is lost, and the smoothed curve at its end.
 *
 * @param steps of each bucket's last point
 * @param walls its time, in seconds since 1970
 * @param low and
 * @param high values in it; NaN where none is finite
 * @param smooth exponential average of all points up to its end
 * @param count points in the visible range
 * @param broken steps in it with a value that is not finite, at most a few
 */
record ScreenCurve(
    long[] steps,
    double[] walls,
    double[] low,
    double[] high,
    double[] smooth,
    int count,
    long[] broken) {
  private static final int MOST_BROKEN = 20;

  /**
   * @param from first and
   * @param to last step that is visible
   * @param most buckets
   * @param weight of the past in the average, 0 to below 1; corrected for the beginning as in Adam
   */
  static ScreenCurve of(Scalars s, long from, long to, int most, double weight) {
    int first = 0;
    int end = 0;
    for (int i = 0; i < s.size(); i++) {
      first += s.step(i) < from ? 1 : 0;
      end += s.step(i) <= to ? 1 : 0;
    }
    int n = Math.max(0, end - first);
    int buckets = Math.min(most, n);
    long[] steps = new long[buckets];
    double[] walls = new double[buckets];
    double[] low = new double[buckets];
    double[] high = new double[buckets];
    double[] smooth = new double[buckets];
    long[] broken = new long[MOST_BROKEN];
    int brokenCount = 0;
    double average = 0;
    double sum = 0; // of the weights
    for (int i = 0; i < first; i++) {
      if (Double.isFinite(s.value(i))) {
        average = weight * average + (1 - weight) * s.value(i);
        sum = weight * sum + (1 - weight);
      }
    }
    for (int b = 0; b < buckets; b++) {
      int begin = first + (int) ((long) n * b / buckets);
      int stop = first + (int) ((long) n * (b + 1) / buckets);
      low[b] = Double.NaN;
      high[b] = Double.NaN;
      for (int i = begin; i < stop; i++) {
        double v = s.value(i);
        if (Double.isFinite(v)) {
          average = weight * average + (1 - weight) * v;
          sum = weight * sum + (1 - weight);
          low[b] = low[b] <= v ? low[b] : v;
          high[b] = high[b] >= v ? high[b] : v;
        } else if (brokenCount < MOST_BROKEN) {
          broken[brokenCount++] = s.step(i);
        }
      }
      steps[b] = s.step(stop - 1);
      walls[b] = s.wall(stop - 1);
      smooth[b] = sum > 0 ? average / sum : Double.NaN;
    }
    return new ScreenCurve(
        steps, walls, low, high, smooth, n, java.util.Arrays.copyOf(broken, brokenCount));
  }
}
