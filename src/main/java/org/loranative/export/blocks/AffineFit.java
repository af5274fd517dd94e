package org.loranative.export.blocks;

/**
 * The scale and the start for which {@code start + scale·q}, q of a few bits, is nearest to some
 * numbers, by least squares: as {@link SymmetricFit}, with two unknowns.
 *
 * @param start what q = 0 stands for
 */
record AffineFit(float scale, float start) {
  private static final int TRIES = 10;

  /**
   * @param most q goes from 0 to most
   * @param startsAtMost0 whether the start must not be above 0, as where its negative is stored
   *     without a sign
   */
  static AffineFit of(float[] x, int from, int n, int most, boolean startsAtMost0) {
    float least = startsAtMost0 ? 0 : x[from];
    float largest = x[from];
    double sum = 0;
    for (int i = from; i < from + n; i++) {
      least = Math.min(least, x[i]);
      largest = Math.max(largest, x[i]);
      sum += x[i];
    }
    if (largest <= least) {
      return new AffineFit(0, least);
    }
    AffineFit best = new AffineFit((largest - least) / most, least);
    double bestError = best.error(x, from, n, most);
    for (int t = -TRIES; t <= TRIES; t++) {
      float inverse = (most + 0.1f * t) / (largest - least);
      double q1 = 0;
      double q2 = 0;
      double xq = 0;
      for (int i = from; i < from + n; i++) {
        int q = SymmetricFit.nearest((x[i] - least) * inverse, 0, most);
        q1 += q;
        q2 += q * q;
        xq += x[i] * q;
      }
      double determinant = n * q2 - q1 * q1;
      if (determinant <= 0) {
        continue;
      }
      double scale = (n * xq - q1 * sum) / determinant;
      double start = (q2 * sum - q1 * xq) / determinant;
      if (startsAtMost0 && start > 0) {
        start = 0;
        scale = xq / q2;
      }
      AffineFit fit = new AffineFit((float) scale, (float) start);
      double error = scale > 0 ? fit.error(x, from, n, most) : Double.MAX_VALUE;
      if (error < bestError) {
        bestError = error;
        best = fit;
      }
    }
    return best;
  }

  private double error(float[] x, int from, int n, int most) {
    float inverse = 1 / scale;
    double error = 0;
    for (int i = from; i < from + n; i++) {
      int q = SymmetricFit.nearest((x[i] - start) * inverse, 0, most);
      double d = x[i] - start - scale * q;
      error += d * d;
    }
    return error;
  }
}
