package org.loranative.diagnose;

import java.util.Arrays;
import org.loranative.track.Scalars;

/**
 * Points of one scalar in the order of their steps. Values may be NaN or infinite. Where steps go
 * back, as in a run that was resumed from an earlier checkpoint, the later points count.
 */
public record Curve(long[] steps, double[] values) {
  public static final Curve EMPTY = new Curve(new long[0], new double[0]);

  public Curve {
    int n = steps.length;
    for (int i = 1; i < n; i++) {
      if (steps[i] < steps[i - 1]) {
        Curve rising = rising(steps, values);
        steps = rising.steps;
        values = rising.values;
        break;
      }
    }
  }

  /** As the points stand now. */
  public static Curve of(Scalars points) {
    return new Curve(points.steps(), points.values());
  }

  private static Curve rising(long[] steps, double[] values) {
    long[] at = new long[steps.length];
    double[] kept = new double[steps.length];
    int n = 0;
    for (int i = 0; i < steps.length; i++) {
      if (n > 0 && steps[i] < at[n - 1]) {
        while (n > 0 && at[n - 1] >= steps[i]) {
          n--;
        }
      }
      at[n] = steps[i];
      kept[n++] = values[i];
    }
    return new Curve(Arrays.copyOf(at, n), Arrays.copyOf(kept, n));
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

  /** The points from a step on. */
  Curve since(long step) {
    int from = 0;
    while (from < size() && steps[from] < step) {
      from++;
    }
    return slice(from, size());
  }

  /** The points up to the first that is not a finite number. */
  public Curve finite() {
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

  /** And then these points, which replace those from their first step on. */
  Curve followedBy(Curve later) {
    long[] at = Arrays.copyOf(steps, size() + later.size());
    double[] v = Arrays.copyOf(values, at.length);
    System.arraycopy(later.steps, 0, at, size(), later.size());
    System.arraycopy(later.values, 0, v, size(), later.size());
    return new Curve(at, v);
  }

  public double first() {
    return values[0];
  }

  public double last() {
    return values[values.length - 1];
  }

  long lastStep() {
    return steps[steps.length - 1];
  }

  /** Index of the lowest value. */
  public int lowest() {
    int lowest = 0;
    for (int i = 1; i < values.length; i++) {
      lowest = values[i] < values[lowest] ? i : lowest;
    }
    return lowest;
  }

  /** Steps from one point to the next. */
  double stride() {
    return size() < 2 ? 1 : (double) (lastStep() - steps[0]) / (size() - 1);
  }

  /** The same over so many steps in all, where the points count epochs instead of steps. */
  Curve stretched(long steps) {
    double factor = (double) steps / lastStep();
    return new Curve(Arrays.stream(this.steps).map(s -> Math.round(s * factor)).toArray(), values);
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
