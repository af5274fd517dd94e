package org.loranative.diagnose;

import java.util.Arrays;
import org.loranative.track.Scalars;

/** Points of one scalar in the order of their steps. Values may be NaN or infinite. */
public record Curve(long[] steps, double[] values) {
  public static final Curve EMPTY = new Curve(new long[0], new double[0]);

  /** As the points stand now. */
  public static Curve of(Scalars points) {
    return new Curve(points.steps(), points.values());
  }

  public int size() {
    return steps.length;
  }

  boolean isEmpty() {
    return steps.length == 0;
  }

  /** The points from one index to before another. */
  Curve slice(int from, int to) {
    return new Curve(Arrays.copyOfRange(steps, from, to), Arrays.copyOfRange(values, from, to));
  }

  /** The points up to the first that is not a finite number. */
  Curve finite() {
    int n = firstNotFinite();
    return n < 0 ? this : slice(0, n);
  }

  /** Index of the first value that is not a finite number, −1 if all are. */
  int firstNotFinite() {
    for (int i = 0; i < values.length; i++) {
      if (!Double.isFinite(values[i])) {
        return i;
      }
    }
    return -1;
  }

  long lastStep() {
    return steps[steps.length - 1];
  }

  /** Means of {@code count} blocks of equal length, each at the step of its first point. */
  Curve blocks(int count) {
    int n = size();
    int blocks = Math.max(1, Math.min(count, n));
    long[] at = new long[blocks];
    double[] means = new double[blocks];
    for (int b = 0; b < blocks; b++) {
      int from = (int) ((long) n * b / blocks);
      int to = (int) ((long) n * (b + 1) / blocks);
      at[b] = steps[from];
      means[b] = Statistics.mean(values, from, to);
    }
    return new Curve(at, means);
  }
}
