package org.loranative.testing;

/** Distances between what was computed and what should have been. */
public final class Errors {
  private Errors() {}

  /** |a − b| / |b| over all elements together. */
  public static double relative(float[] actual, double[] expected) {
    double difference = 0;
    double norm = 0;
    for (int i = 0; i < expected.length; i++) {
      double d = actual[i] - expected[i];
      difference += d * d;
      norm += expected[i] * expected[i];
    }
    // NaN compares false with any limit, as it should.
    return Math.sqrt(difference) / Math.max(Math.sqrt(norm), 1e-30);
  }

  public static double relative(float[] actual, float[] expected) {
    double[] wide = new double[expected.length];
    for (int i = 0; i < wide.length; i++) {
      wide[i] = expected[i];
    }
    return relative(actual, wide);
  }
}
