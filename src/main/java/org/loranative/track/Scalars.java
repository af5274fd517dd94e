package org.loranative.track;

import java.util.Arrays;
import java.util.OptionalDouble;

/** The points of one curve, in the order they were written; it grows. */
public final class Scalars {
  private long[] steps = new long[16];
  private double[] values = new double[16];
  private double[] walls = new double[16];
  private int size;

  /** Appends a point. */
  public void add(long step, double value, double wall) {
    if (size == steps.length) {
      int room = Math.max(16, 2 * size); // a copy has no room to spare, an empty one none at all
      steps = Arrays.copyOf(steps, room);
      values = Arrays.copyOf(values, room);
      walls = Arrays.copyOf(walls, room);
    }
    steps[size] = step;
    values[size] = value;
    walls[size++] = wall;
  }

  /** Drops points from a step on, which a resumed run writes again. */
  public void dropFrom(long step) {
    int kept = 0;
    for (int i = 0; i < size; i++) {
      if (steps[i] < step) {
        steps[kept] = steps[i];
        values[kept] = values[i];
        walls[kept++] = walls[i];
      }
    }
    size = kept;
  }

  public int size() {
    return size;
  }

  public long step(int i) {
    return steps[i];
  }

  public double value(int i) {
    return values[i];
  }

  /** Seconds since 1970. */
  public double wall(int i) {
    return walls[i];
  }

  /** A copy of all steps. */
  public long[] steps() {
    return Arrays.copyOf(steps, size);
  }

  public double[] values() {
    return Arrays.copyOf(values, size);
  }

  /**
   * Where a curve ends: the mean of its last twentieth, since one step's loss is mostly chance;
   * none where that is not finite.
   */
  public static OptionalDouble lastMean(double[] values) {
    int some = Math.max(1, values.length / 20);
    double mean =
        Arrays.stream(values).skip(Math.max(0, values.length - some)).average().orElse(Double.NaN);
    return Double.isFinite(mean) ? OptionalDouble.of(mean) : OptionalDouble.empty();
  }

  Scalars copy() {
    Scalars copy = new Scalars();
    copy.steps = steps();
    copy.values = values();
    copy.walls = Arrays.copyOf(walls, size);
    copy.size = size;
    return copy;
  }
}
